"""Menu escalier/diffusion: one colour for all painted sheets."""

import torch
from comfy_api.v0_0_2 import io

from escalier.keyframes import PULL, GridPlan, lock_colours
from escalier.refusals import Refusal

from .. import sockets
from ..node import Node, output, span
from ..tensors import images_from_pictures, pictures_from_images


class EscalierGridColourLock(Node):
    """Brings all painted sheets to the colours of one of them. What drifted is measured on the anchor cells, which show
    the same keyframe on several sheets, and taken back by one gentle change of colour for each sheet. Put it between
    the painted sheets and Split Keyframe Grid.
    """

    display_name = "Lock Grid Colours"
    search_aliases = ("colour match", "color match", "color transfer", "colour drift", "grid color lock")
    inputs = (
        sockets.Grid.Input(
            "grid", tooltip="The plan of the sheets, with anchor cells: anchors 'first' or 'first and previous'."
        ),
        io.Image.Input("sheets", tooltip="All painted sheets of the plan, in its order."),
        io.Int.Input(
            "reference",
            **span(1, 1, 999),
            tooltip="The sheet that stays as it is and gives the others its colours. 1, because its look was accepted "
            "first.",
        ),
        io.Float.Input(
            "strength",
            **span(1.0, 0.0, 1.0, step=0.05),
            tooltip="How much of the drift is taken back. 1 takes all of it; 0 only measures, see the report.",
        ),
        io.Float.Input(
            "pull",
            **span(PULL, 0.0001, 1.0, step=0.0001),
            round=0.0001,
            advanced=True,
            tooltip="How strongly a correction holds to doing nothing where anchor cells say little. 0.001 keeps "
            "colours calm that anchor cells do not contain; raise it if such colours turn strange.",
        ),
    )
    outputs = (
        output(io.Image, "sheets", "The sheets in one colour, ready to be split."),
        output(
            io.String, "report", "Mean and largest colour difference of each sheet's anchor cells, before and after."
        ),
    )

    @classmethod
    def execute(
        cls, grid: GridPlan, sheets: torch.Tensor, reference: int, strength: float, pull: float
    ) -> io.NodeOutput:
        pictures = pictures_from_images(sheets, "sheets")
        if reference > len(grid.sheets):
            rule = f"be one of the plan's {len(grid.sheets)} sheets, counted from 1"
            raise Refusal("reference", rule, reference, "1 is a good value")
        locked = lock_colours(grid, pictures, reference=reference - 1, strength=strength, pull=pull)
        return io.NodeOutput(images_from_pictures(locked.sheets), locked.describe())
