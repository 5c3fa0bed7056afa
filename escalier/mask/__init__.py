"""Masks: their edges, and masks from colours and from an empty room."""

from .colour_id import colour_id_mask, colour_id_masks, colours_in, parse_colours
from .difference import difference_matte
from .distance import signed_distance
from .edge import shape_edge, shape_edges

__all__ = [
    "colour_id_mask",
    "colour_id_masks",
    "colours_in",
    "difference_matte",
    "parse_colours",
    "shape_edge",
    "shape_edges",
    "signed_distance",
]
