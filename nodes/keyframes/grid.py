"""Lay keyframes on sheets for diffusion, and cut the sheets back."""

from dataclasses import replace

import torch
from comfy_api.v0_0_2 import io

from escalier.keyframes import ANCHORS, GridPlan, Keyframes, Sheet, plan_grid, split, tile

from .. import sockets
from ..dial_inputs import DialValue, dial_inputs, dials_from
from ..node import Node, output
from ..tensors import images_from_pictures, pictures_from_images
from ..video import FilmInput, film_from_input


class EscalierPlanGrid(Node):
    """Plans how keyframes share one or more sheets, so that one diffusion pass paints them all in the same look, and
    says beforehand what may go wrong: cells too small, too many, too close in time.
    """

    display_name = "Plan Keyframe Grid"
    search_aliases = ("contact sheet", "sprite sheet", "grid layout", "keyframe sheet")
    inputs = (
        sockets.Keyframes.Input("keyframes", tooltip="The keyframes to lay out, not yet painted."),
        sockets.film_input(
            "Connect the film to be warned when keyframes follow one another faster than 2 per second.", optional=True
        ),
        *dial_inputs(Sheet, "max_side", "per_sheet"),
        io.Combo.Input(
            "anchors",
            options=list(ANCHORS),
            default="first",
            tooltip="Cells repeated on every sheet when there are several, so that faces and colours do not drift from "
            "sheet to sheet. 'first' repeats the first keyframe, 'previous' the last new one of the sheet before.",
        ),
        *dial_inputs(Sheet, "fit", "gutter", advanced=True),
    )
    outputs = (
        output(sockets.Grid, "grid", "The plan, for Tile Keyframe Grid and Split Keyframe Grid."),
        output(io.String, "report", "The plan in words, with its warnings. Read it before diffusion."),
    )

    @classmethod
    def execute(
        cls, keyframes: Keyframes, anchors: str, film: FilmInput | None = None, **dials: DialValue
    ) -> io.NodeOutput:
        sheet = replace(dials_from(Sheet, dials), anchors=anchors)
        rate = None if film is None else film_from_input(film).rate
        plan = plan_grid(keyframes.indices, keyframes.size, keyframes.length, sheet, rate=rate)
        return io.NodeOutput(plan, plan.describe())


class EscalierTileGrid(Node):
    """Lays keyframes on the sheets of a plan. Send the sheets through diffusion, then cut them back with Split Keyframe
    Grid.
    """

    display_name = "Tile Keyframe Grid"
    search_aliases = ("make grid", "contact sheet", "join keyframes")
    inputs = (
        sockets.Grid.Input("grid", tooltip="The plan that Plan Keyframe Grid made for these keyframes."),
        sockets.Keyframes.Input("keyframes", tooltip="The keyframes to lay on the sheets."),
    )
    outputs = (
        output(io.Image, "sheets", "One picture for each sheet. Its sides are multiples of 64, so no model crops it."),
    )

    @classmethod
    def execute(cls, grid: GridPlan, keyframes: Keyframes) -> io.NodeOutput:
        return io.NodeOutput(images_from_pictures(tile(grid, keyframes)))


class EscalierSplitGrid(Node):
    """Cuts painted sheets back into keyframes, each at its place in the film. Pixels that were not scaled come back bit
    for bit. A sheet that was upscaled by a whole factor is welcome: it makes sharper keyframes. A cropped or stretched
    sheet is refused.
    """

    display_name = "Split Keyframe Grid"
    search_aliases = ("cut grid", "slice grid", "ungrid")
    inputs = (
        sockets.Grid.Input("grid", tooltip="The plan that the sheets were laid out by."),
        io.Image.Input("sheets", tooltip="The painted sheets, in the same order."),
        io.Combo.Input(
            "size",
            options=["film", "painted"],
            default="film",
            advanced=True,
            tooltip="'film' brings every keyframe to the film's size, as propagation needs it. 'painted' leaves the "
            "pixels exactly as they stand on the sheet.",
        ),
    )
    outputs = (output(sockets.Keyframes, "keyframes", "The painted keyframes."),)

    @classmethod
    def execute(cls, grid: GridPlan, sheets: torch.Tensor, size: str) -> io.NodeOutput:
        return io.NodeOutput(split(grid, pictures_from_images(sheets, "sheets"), size=size))
