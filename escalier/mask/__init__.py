"""Masks: mattes, masks from colours or an empty room, and their edges."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
