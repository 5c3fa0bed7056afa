"""A shot as a folder with a plan: its runs can be made by any machine that sees the folder, in any order."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
