"""Masks: pointed at, carried over time, made from colours or an empty room, and their edges."""

from .colour_id import colour_id_mask, colour_id_masks, colours_in, parse_colours
from .difference import difference_matte, difference_mattes
from .distance import signed_distance
from .edge import shape_edge, shape_edges
from .everything import Everything, segment_everything
from .jitter import area_jitter
from .matte import MatteModel, Mattes, matte_film, read_matte_model
from .prompts import Prompts, parse_prompts
from .refine import SamRefine
from .sam2_video import Sam2Video, read_sam2_video
from .sam3_tracks import masks_from_sam3
from .sam_files import read_sam
from .segment import Candidates, SamEmbedding, SamModel
from .track import Refine, TrackedMasks, track_masks

__all__ = [
    "Candidates",
    "Everything",
    "MatteModel",
    "Mattes",
    "Prompts",
    "Refine",
    "Sam2Video",
    "SamEmbedding",
    "SamModel",
    "SamRefine",
    "TrackedMasks",
    "area_jitter",
    "colour_id_mask",
    "colour_id_masks",
    "colours_in",
    "difference_matte",
    "difference_mattes",
    "masks_from_sam3",
    "matte_film",
    "parse_colours",
    "parse_prompts",
    "read_matte_model",
    "read_sam",
    "read_sam2_video",
    "segment_everything",
    "shape_edge",
    "shape_edges",
    "signed_distance",
    "track_masks",
]
