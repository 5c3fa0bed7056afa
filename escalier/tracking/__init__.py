"""Tracking: masks over time, from one or a few prompted frames to every frame of a film."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
