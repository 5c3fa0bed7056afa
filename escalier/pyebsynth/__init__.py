"""Guided patch synthesis: one picture in, one picture out. Knows no film.

`synthesise` is the door; engines load when they are first used.
"""

from .problem import Synthesis
from .synthesise import BACKENDS, synthesise

__all__ = ["BACKENDS", "Synthesis", "synthesise"]
