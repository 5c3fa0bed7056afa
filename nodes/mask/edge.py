"""The edge of a mask: moved, softened, cleaned and steadied."""

import torch
from comfy_api.v0_0_2 import io

from escalier.mask import Edge, Steadying

from ..dial_inputs import DialValue, dial_input, dial_inputs, dials_from
from ..node import Node, output
from ..progress import Progress
from ..tensors import masks_from_input
from .batch import mask_batch


class EscalierMaskEdge(Node):
    """Moves the edge of a mask, feathers it inwards and outwards, fills holes, drops islands and steadies it over time.
    All in true pixels, soft masks included.
    """

    display_name = "Shape Mask Edge"
    search_aliases = ("grow mask", "feather mask", "blur mask", "expand", "erode", "dilate", "choke", "stabilize")
    inputs = (
        io.Mask.Input("mask", tooltip="The masks of a clip, or a single one."),
        *dial_inputs(Edge, "spread_px", "choke_px", "feather_inside_px", "feather_outside_px", "profile"),
        dial_input(Steadying, "steady_frames"),
        dial_input(Steadying, "steady_limit_px", advanced=True),
        *dial_inputs(Edge, "fill_holes_area", "drop_islands_area", whole=True, advanced=True),
    )
    outputs = (output(io.Mask, "mask", "The shaped masks, as many as came in."),)

    @classmethod
    def execute(cls, mask: torch.Tensor, **dials: DialValue) -> io.NodeOutput:
        from escalier.mask import shape_edges  # numba, which would double the time to import the pack

        masks = masks_from_input(mask)
        wanted = dials_from(Edge, dials), dials_from(Steadying, dials)
        shaped = shape_edges(masks, *wanted, progress=Progress(previews=False))
        return io.NodeOutput(mask_batch(shaped, len(masks)))
