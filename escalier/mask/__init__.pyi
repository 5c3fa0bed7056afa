from .box import Box as Box, box_around as box_around
from .colour_id import (
    ColourId as ColourId,
    colour_id_mask as colour_id_mask,
    colour_id_masks as colour_id_masks,
    colours_in as colours_in,
    parse_colours as parse_colours,
)
from .difference import (
    Difference as Difference,
    difference_matte as difference_matte,
    difference_mattes as difference_mattes,
)
from .distance import signed_distance as signed_distance
from .edge import Edge as Edge, Steadying as Steadying
from .edge_shaping import shape_edge as shape_edge, shape_edges as shape_edges
from .matte import (
    MATTE_KINDS as MATTE_KINDS,
    MatteModel as MatteModel,
    Mattes as Mattes,
    matte_film as matte_film,
    read_matte_model as read_matte_model,
)
from .overlap import soft_overlap as soft_overlap
