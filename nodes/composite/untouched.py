"""What a composite did to the body and to the room, in figures and in a picture."""

import torch
from comfy_api.v0_0_2 import io

from .. import sockets
from ..node import Node, output, span
from ..progress import Progress
from ..tensors import images_from_pictures, masks_from_input
from ..video import FilmInput, film_from_input


class EscalierMeasureUntouched(Node):
    """Measures how far a body was left alone when it was put into another room: how much of its drawing and its colours
    changed inside the mask, and whether anything changed outside it.
    """

    display_name = "Measure Body Untouched"
    search_aliases = ("compare composite", "difference report", "body untouched", "Poisson report")
    inputs = (
        sockets.film_input(
            "The composite, straight from Poisson Blend or Blend Layers: a saved film differs everywhere, by what its "
            "codec loses.",
            id="result",
        ),
        sockets.film_input("The filmed body that was put in.", id="source"),
        sockets.film_input("The room that it was put into: a film or a picture.", id="target"),
        io.Mask.Input("mask", tooltip="The mask of the blend: one for each frame, or one for all."),
        io.Int.Input(
            "erode_px",
            **span(4, 0, 500),
            tooltip="How far from the edge of the mask the body begins, in pixels. 4 leaves the edge out, which the "
            "blend has to change.",
        ),
    )
    outputs = (
        output(
            io.String,
            "report",
            "Changes in levels of 255: of the body's drawing, of its colours, and outside the mask.",
        ),
        output(
            io.Image,
            "picture",
            "The frame that changed most: changed drawing in red, changes outside the mask in blue.",
        ),
    )

    @classmethod
    def execute(
        cls, result: FilmInput, source: FilmInput, target: FilmInput, mask: torch.Tensor, erode_px: int
    ) -> io.NodeOutput:
        from escalier.composite import measure_untouched_film

        report = measure_untouched_film(
            film_from_input(result, "result"),
            film_from_input(source, "source"),
            film_from_input(target, "target"),
            masks_from_input(mask),
            erode_px=erode_px,
            progress=Progress(),
        )
        return io.NodeOutput(str(report), images_from_pictures([report.picture]))
