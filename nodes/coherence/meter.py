"""The coherence meter as a node."""

from typing import Any

import torch
from comfy_api.v0_0_2 import io

from escalier.coherence import HeatMap, measure_film, plot_curves
from escalier.film import Motion

from .. import sockets
from ..node import Node, optional, output, span
from ..progress import Progress
from ..scratch import lasting_folder
from ..tensors import images_from_pictures, masks_from_input
from ..video import FilmInput, FilmVideo, clip_from_input, film_from_input, footage_from_input

HEAT_MAPS = ("flicker", "slow changes")


class EscalierMeasureCoherence(Node):
    """Says in figures how steady a restyled film is: flicker, jumps, colour drift, double images, motion that is not
    the film's own, and whether a good figure was bought with blur.
    """

    display_name = "Measure Coherence"
    search_aliases = ("flicker meter", "warp error", "temporal consistency", "stability", "tOF")
    inputs = (
        sockets.film_input("The filmed clip that the restyled film was made from."),
        sockets.film_input(
            "The restyled film, frame for frame as long and as large as the clip. The video of Fade Staircase brings "
            "its keyframes and runs along.",
            id="restyled",
        ),
        io.Combo.Input(
            "heat_map",
            options=list(HEAT_MAPS),
            default=HEAT_MAPS[0],
            tooltip="What the heat map shows: 'flicker' holds each frame against the next one, 'slow changes' against "
            "one some frames later.",
        ),
        io.Int.Input(
            "lag",
            **span(0, 0, 120),
            advanced=True,
            tooltip="How many frames apart slow changes are measured. 0 takes 7, or the next number that divides no "
            "gap between keyframes, since what beats with the keyframes would not show.",
        ),
        optional(
            sockets.Motion, "motion", "The clip's motion from Measure Motion. Measured here if nothing is connected."
        ),
        optional(
            sockets.Keyframes,
            "keyframes",
            "The painted keyframes, by which sharpness is judged; without them, by the clip.",
        ),
        optional(
            io.Mask,
            "mask",
            "White where the subject is, one mask for each frame or one for all. Inside and outside are measured apart "
            "as well.",
        ),
        optional(
            sockets.Runs,
            "runs",
            "The runs the film was faded from, for ghosting and double exposure, where the film comes from a file.",
        ),
    )
    outputs = (
        output(io.String, "report", "Every figure in words, or why there is none."),
        output(io.Image, "plot", "The curves over time, one panel for each figure."),
        output(
            io.Video,
            "heat_map",
            "Where the film changes on its own: dark is steady, yellow changes, blue is not judged.",
        ),
        output(sockets.Measurement, "measurement", "All figures and curves, for the keyframe advisor."),
        output(io.String, "csv", "The curves as a table with one row for each frame."),
        output(io.String, "json", "All figures, reasons and curves, for other programs."),
    )

    @classmethod
    def execute(
        cls,
        film: FilmInput,
        restyled: FilmInput,
        heat_map: str,
        lag: int,
        motion: Motion | None = None,
        mask: torch.Tensor | None = None,
        **made_from: Any,
    ) -> io.NodeOutput:
        source, made = footage_from_input(film), film_from_input(restyled)
        motion = motion or Motion(source, lasting_folder("flow"))
        found = measure_film(
            source,
            made,
            motion=motion,
            masks=None if mask is None else masks_from_input(mask),
            lag=lag or None,
            progress=Progress(),
            **made_from,  # keyframes and runs
        )
        shown_lag = 1 if heat_map == HEAT_MAPS[0] or found.lag is None else found.lag
        heat = FilmVideo(HeatMap(made, motion, lag=shown_lag), clip_from_input(film))
        plot = images_from_pictures([plot_curves(found)])
        return io.NodeOutput(str(found), plot, heat, found, found.to_csv(), found.to_json())
