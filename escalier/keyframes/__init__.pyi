from .anchors import LockedSheets as LockedSheets, lock_anchors as lock_anchors, paste_anchors as paste_anchors
from .choose import (
    MODES as MODES,
    PER_SECOND as PER_SECOND,
    choose_keyframes as choose_keyframes,
    evenly as evenly,
    format_indices as format_indices,
    parse_frames as parse_frames,
    parse_indices as parse_indices,
)
from .colour_lock import PULL as PULL, ColourLock as ColourLock, lock_colours as lock_colours
from .coverage import Paths as Paths, best_together as best_together, spread_evenly as spread_evenly
from .files import read_keyframes as read_keyframes, write_keyframes as write_keyframes, write_png as write_png
from .fit import Fit as Fit
from .grid import GridPlan as GridPlan, split as split, split_cells as split_cells, tile as tile
from .keyframes import (
    Keyframes as Keyframes,
    check_indices as check_indices,
    fits_film as fits_film,
    same_shape as same_shape,
)
from .listing import (
    KeyframeEntry as KeyframeEntry,
    KeyframeListing as KeyframeListing,
    list_keyframes as list_keyframes,
)
from .misplaced import Misplaced as Misplaced, find_misplaced as find_misplaced, remark_misplaced as remark_misplaced
from .paint import LOOKS as LOOKS, paint_picture as paint_picture
from .plan import plan_grid as plan_grid
from .sheet import ANCHORS as ANCHORS, Sheet as Sheet
from .vary import Variation as Variation, vary_keyframes as vary_keyframes
