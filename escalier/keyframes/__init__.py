"""Keyframes: painted frames with their place in the film, chosen, laid on sheets and cut back."""

from .anchors import LockedSheets, lock_anchors, paste_anchors
from .choose import choose_keyframes, format_indices, parse_frames, parse_indices
from .colour_lock import ColourLock, lock_colours
from .files import read_keyframes, write_keyframes
from .fit import Fit
from .grid import GridPlan, split, split_cells, tile
from .keyframes import Keyframes, fits_film, same_shape
from .listing import KeyframeEntry, KeyframeListing, list_keyframes
from .misplaced import Misplaced, find_misplaced, remark_misplaced
from .plan import plan_grid
from .vary import vary_keyframes

__all__ = [
    "ColourLock",
    "Fit",
    "GridPlan",
    "KeyframeEntry",
    "KeyframeListing",
    "Keyframes",
    "LockedSheets",
    "Misplaced",
    "choose_keyframes",
    "find_misplaced",
    "fits_film",
    "format_indices",
    "list_keyframes",
    "lock_anchors",
    "lock_colours",
    "parse_frames",
    "parse_indices",
    "paste_anchors",
    "plan_grid",
    "read_keyframes",
    "remark_misplaced",
    "same_shape",
    "split",
    "split_cells",
    "tile",
    "vary_keyframes",
    "write_keyframes",
]
