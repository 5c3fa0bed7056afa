"""Propagation: keyframes carried through a film, and the runs faded into one."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
