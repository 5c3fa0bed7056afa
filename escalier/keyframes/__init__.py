"""Keyframes: painted frames with their place in the film, chosen, laid on sheets and cut back."""

from .choose import choose_keyframes, format_indices, parse_indices
from .files import read_keyframes, write_keyframes
from .fit import Fit
from .grid import GridPlan, split, split_cells, tile
from .keyframes import Keyframes
from .plan import plan_grid

__all__ = [
    "Fit",
    "GridPlan",
    "Keyframes",
    "choose_keyframes",
    "format_indices",
    "parse_indices",
    "plan_grid",
    "read_keyframes",
    "split",
    "split_cells",
    "tile",
    "write_keyframes",
]
