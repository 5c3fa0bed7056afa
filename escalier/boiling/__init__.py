"""Boiling: how alive a film is: line boil, and the dial from a film that holds still to one redrawn on every frame."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
