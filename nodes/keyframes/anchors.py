"""Accepted anchor cells, held fast while later sheets are painted."""

import torch
from comfy_api.v0_0_2 import io

from escalier.keyframes import GridPlan, lock_anchors, paste_anchors

from .. import sockets
from ..errors import named_after_node
from ..tensors import images_from_pictures, pictures_from_images

ACCEPTED_TOOLTIP = "The painted sheets that you accepted: the first ones of the plan, in its order."


class EscalierLockAnchorCells(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierLockAnchorCells",
            display_name="Lock Anchor Cells",
            category="escalier/keyframes",
            description="Lays the anchor cells that you accepted into the sheets that are still to be painted, and "
            "gives the inpainting mask that keeps the model off them: it sees finished cells and paints the others to "
            "match.",
            search_aliases=["anchor mask", "inpaint grid", "next sheet", "keep anchor"],
            inputs=[
                sockets.Grid.Input("grid", tooltip="The plan of the sheets, with anchor cells."),
                io.Image.Input("sheets", tooltip="All sheets of Tile Keyframe Grid, not yet painted."),
                io.Image.Input("accepted", tooltip=ACCEPTED_TOOLTIP),
                io.Int.Input(
                    "count",
                    default=0,
                    min=0,
                    max=999,
                    tooltip="How many sheets to hand out. 0 hands out all that remain; 1 only the next one, as anchors "
                    "'previous' need it: the last cell of a sheet must be accepted before the next sheet repeats it.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="sheets", tooltip="The next sheets, with the accepted cells in them."),
                io.Mask.Output(
                    display_name="mask",
                    tooltip="White where the model paints, black on accepted cells. For Set Latent Noise Mask or an "
                    "inpainting model.",
                ),
            ],
        )

    @classmethod
    @named_after_node
    def execute(cls, grid: GridPlan, sheets, accepted, count) -> io.NodeOutput:
        locked = lock_anchors(
            grid, pictures_from_images(sheets, "sheets"), pictures_from_images(accepted, "accepted"), count=count
        )
        return io.NodeOutput(images_from_pictures(locked.sheets), torch.from_numpy(locked.masks))


class EscalierPasteAnchorCells(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierPasteAnchorCells",
            display_name="Paste Anchor Cells",
            category="escalier/keyframes",
            description="Joins accepted sheets and the ones painted after them, and lays the accepted anchor cells "
            "over their repeats, pixel for pixel: a VAE changes even what was masked.",
            search_aliases=["restore anchor", "join sheets", "append sheets"],
            inputs=[
                sockets.Grid.Input("grid", tooltip="The plan of the sheets."),
                io.Image.Input("accepted", tooltip=ACCEPTED_TOOLTIP),
                io.Image.Input("painted", tooltip="The sheets that were painted after them, in the plan's order."),
            ],
            outputs=[
                io.Image.Output(
                    display_name="sheets",
                    tooltip="Accepted and painted sheets as one batch: for Split Keyframe Grid when it is whole, or as "
                    "accepted sheets for the next ones.",
                )
            ],
        )

    @classmethod
    @named_after_node
    def execute(cls, grid: GridPlan, accepted, painted) -> io.NodeOutput:
        joined = paste_anchors(
            grid, pictures_from_images(accepted, "accepted"), pictures_from_images(painted, "painted")
        )
        return io.NodeOutput(images_from_pictures(joined))
