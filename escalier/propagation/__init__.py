"""Propagation: keyframes carried through a film, and the runs faded into one."""

from .fades import FADES
from .guides import Guides, NamedGuide
from .run import Matching, Run
from .runs import Runs, propagate
from .staircase import Staircase

__all__ = ["FADES", "Guides", "Matching", "NamedGuide", "Run", "Runs", "Staircase", "propagate"]
