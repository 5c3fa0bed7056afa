"""Propagation: keyframes carried through a film, and the runs faded into one."""

from .draft import draft, draft_film
from .fades import FADES
from .guides import Guides, NamedGuide
from .run import Matching, Run
from .runs import Runs, propagate
from .staircase import Staircase

__all__ = ["FADES", "Guides", "Matching", "NamedGuide", "Run", "Runs", "Staircase", "draft", "draft_film", "propagate"]
