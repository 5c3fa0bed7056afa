"""Menu escalier/mask: who is in the picture, frame by frame."""

from comfy_api.v0_0_2 import io

from .colour_id import EscalierColourIdMask
from .difference import EscalierDifferenceMatte
from .edge import EscalierMaskEdge
from .matte import EscalierLoadMatteModel, EscalierMatte
from .segment import EscalierEmbedForSam, EscalierLoadSam, EscalierSegment, EscalierSegmentEverything
from .track import EscalierMaskFromSam3Track, EscalierTrackMask, EscalierTrackMaskSam2

NODES: list[type[io.ComfyNode]] = [
    EscalierLoadSam,
    EscalierEmbedForSam,
    EscalierSegment,
    EscalierSegmentEverything,
    EscalierLoadMatteModel,
    EscalierMatte,
    EscalierTrackMask,
    EscalierTrackMaskSam2,
    EscalierMaskFromSam3Track,
    EscalierMaskEdge,
    EscalierColourIdMask,
    EscalierDifferenceMatte,
]
