"""Menu escalier/keyframes: choose keyframes, lay them on sheets for diffusion, cut the sheets back."""

from .anchors import EscalierLockAnchorCells, EscalierPasteAnchorCells
from .choose import EscalierChooseKeyframes
from .files import EscalierKeyframesFromImages, EscalierKeyframesToImages, EscalierLoadKeyframes, EscalierSaveKeyframes
from .grid import EscalierPlanGrid, EscalierSplitGrid, EscalierTileGrid
from .vary import EscalierVaryKeyframes

__all__ = [
    "EscalierChooseKeyframes",
    "EscalierKeyframesFromImages",
    "EscalierKeyframesToImages",
    "EscalierLoadKeyframes",
    "EscalierLockAnchorCells",
    "EscalierPasteAnchorCells",
    "EscalierPlanGrid",
    "EscalierSaveKeyframes",
    "EscalierSplitGrid",
    "EscalierTileGrid",
    "EscalierVaryKeyframes",
]
