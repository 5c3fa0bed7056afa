"""Accepted anchor cells, held fast while later sheets are painted."""

import torch
from comfy_api.v0_0_2 import io

from escalier.keyframes import GridPlan, lock_anchors, paste_anchors

from .. import sockets
from ..node import Node, output, span
from ..tensors import images_from_pictures, pictures_from_images

ACCEPTED_TOOLTIP = "The painted sheets that you accepted: the first ones of the plan, in its order."


class EscalierLockAnchorCells(Node):
    """Lays the anchor cells that you accepted into the sheets that are still to be painted, and gives the inpainting
    mask that keeps the model off them: it sees finished cells and paints the others to match.
    """

    display_name = "Lock Anchor Cells"
    search_aliases = ("anchor mask", "inpaint grid", "next sheet", "keep anchor")
    inputs = (
        sockets.Grid.Input("grid", tooltip="The plan of the sheets, with anchor cells."),
        io.Image.Input("sheets", tooltip="All sheets of Tile Keyframe Grid, not yet painted."),
        io.Image.Input("accepted", tooltip=ACCEPTED_TOOLTIP),
        io.Int.Input(
            "count",
            **span(0, 0, 999),
            tooltip="How many sheets to hand out. 0 hands out all that remain; 1 only the next one, as anchors "
            "'previous' need it: the last cell of a sheet must be accepted before the next sheet repeats it.",
        ),
    )
    outputs = (
        output(io.Image, "sheets", "The next sheets, with the accepted cells in them."),
        output(
            io.Mask,
            "mask",
            "White where the model paints, black on accepted cells. For Set Latent Noise Mask or an inpainting model.",
        ),
    )

    @classmethod
    def execute(cls, grid: GridPlan, sheets: torch.Tensor, accepted: torch.Tensor, count: int) -> io.NodeOutput:
        locked = lock_anchors(
            grid, pictures_from_images(sheets, "sheets"), pictures_from_images(accepted, "accepted"), count=count
        )
        return io.NodeOutput(images_from_pictures(locked.sheets), torch.from_numpy(locked.masks))


class EscalierPasteAnchorCells(Node):
    """Joins accepted sheets and the ones painted after them, and lays the accepted anchor cells over their repeats,
    pixel for pixel: a VAE changes even what was masked.
    """

    display_name = "Paste Anchor Cells"
    search_aliases = ("restore anchor", "join sheets", "append sheets")
    inputs = (
        sockets.Grid.Input("grid", tooltip="The plan of the sheets."),
        io.Image.Input("accepted", tooltip=ACCEPTED_TOOLTIP),
        io.Image.Input("painted", tooltip="The sheets that were painted after them, in the plan's order."),
    )
    outputs = (
        output(
            io.Image,
            "sheets",
            "Accepted and painted sheets as one batch: for Split Keyframe Grid when it is whole, or as accepted sheets "
            "for the next ones.",
        ),
    )

    @classmethod
    def execute(cls, grid: GridPlan, accepted: torch.Tensor, painted: torch.Tensor) -> io.NodeOutput:
        joined = paste_anchors(
            grid, pictures_from_images(accepted, "accepted"), pictures_from_images(painted, "painted")
        )
        return io.NodeOutput(images_from_pictures(joined))
