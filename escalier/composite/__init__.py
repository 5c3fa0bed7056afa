"""Compositing: placing a subject, Poisson blending, layers, clean plates, and a report on what was left untouched."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
