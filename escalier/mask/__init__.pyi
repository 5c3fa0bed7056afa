from .colour_id import (
    colour_id_mask as colour_id_mask,
)
from .colour_id import (
    colour_id_masks as colour_id_masks,
)
from .colour_id import (
    colours_in as colours_in,
)
from .colour_id import (
    parse_colours as parse_colours,
)
from .difference import (
    difference_matte as difference_matte,
)
from .difference import (
    difference_mattes as difference_mattes,
)
from .distance import signed_distance as signed_distance
from .edge import (
    shape_edge as shape_edge,
)
from .edge import (
    shape_edges as shape_edges,
)
from .matte import (
    MatteModel as MatteModel,
)
from .matte import (
    Mattes as Mattes,
)
from .matte import (
    matte_film as matte_film,
)
from .matte import (
    read_matte_model as read_matte_model,
)
from .overlap import soft_overlap as soft_overlap
