from .anchors import (
    LockedSheets as LockedSheets,
)
from .anchors import (
    lock_anchors as lock_anchors,
)
from .anchors import (
    paste_anchors as paste_anchors,
)
from .choose import (
    MODES as MODES,
)
from .choose import (
    PER_SECOND as PER_SECOND,
)
from .choose import (
    choose_keyframes as choose_keyframes,
)
from .choose import (
    evenly as evenly,
)
from .choose import (
    format_indices as format_indices,
)
from .choose import (
    parse_frames as parse_frames,
)
from .choose import (
    parse_indices as parse_indices,
)
from .colour_lock import (
    PULL as PULL,
)
from .colour_lock import (
    ColourLock as ColourLock,
)
from .colour_lock import (
    lock_colours as lock_colours,
)
from .coverage import (
    Paths as Paths,
)
from .coverage import (
    best_together as best_together,
)
from .coverage import (
    spread_evenly as spread_evenly,
)
from .files import (
    read_keyframes as read_keyframes,
)
from .files import (
    write_keyframes as write_keyframes,
)
from .fit import Fit as Fit
from .grid import (
    GridPlan as GridPlan,
)
from .grid import (
    split as split,
)
from .grid import (
    split_cells as split_cells,
)
from .grid import (
    tile as tile,
)
from .keyframes import (
    Keyframes as Keyframes,
)
from .keyframes import (
    check_indices as check_indices,
)
from .keyframes import (
    fits_film as fits_film,
)
from .keyframes import (
    same_shape as same_shape,
)
from .listing import (
    KeyframeEntry as KeyframeEntry,
)
from .listing import (
    KeyframeListing as KeyframeListing,
)
from .listing import (
    list_keyframes as list_keyframes,
)
from .misplaced import (
    Misplaced as Misplaced,
)
from .misplaced import (
    find_misplaced as find_misplaced,
)
from .misplaced import (
    remark_misplaced as remark_misplaced,
)
from .paint import (
    LOOKS as LOOKS,
)
from .paint import (
    paint_picture as paint_picture,
)
from .plan import (
    ANCHORS as ANCHORS,
)
from .plan import (
    FITS as FITS,
)
from .plan import (
    MAX_SIDE_PX as MAX_SIDE_PX,
)
from .plan import (
    PER_SHEET as PER_SHEET,
)
from .plan import (
    plan_grid as plan_grid,
)
from .vary import (
    AMPLITUDE_PX as AMPLITUDE_PX,
)
from .vary import (
    FEATURE_PX as FEATURE_PX,
)
from .vary import (
    vary_keyframes as vary_keyframes,
)
