"""Menu escalier/propagation: carry painted keyframes through the film, then fade the runs into one."""

from .draft import EscalierDraft
from .propagate import EscalierPropagate
from .staircase import EscalierStaircase

__all__ = ["EscalierDraft", "EscalierPropagate", "EscalierStaircase"]
