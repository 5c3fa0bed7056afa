"""The coherence meter as a node."""

from comfy_api.v0_0_2 import io

from escalier.coherence import HeatMap, measure_film, plot_curves
from escalier.film import Motion

from .. import sockets
from ..errors import named_after_node
from ..progress import Progress
from ..scratch import lasting_folder
from ..tensors import images_from_pictures, masks_from_input
from ..video import FilmVideo, clip_from_input, film_from_input, footage_from_input

HEAT_MAPS = ("flicker", "slow changes")


class EscalierMeasureCoherence(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierMeasureCoherence",
            display_name="Measure Coherence",
            category="escalier/coherence",
            description="Says in figures how steady a restyled film is: flicker, jumps, colour drift, double images, "
            "motion that is not the film's own, and whether a good figure was bought with blur.",
            search_aliases=["flicker meter", "warp error", "temporal consistency", "stability", "tOF"],
            inputs=[
                sockets.film_input("The filmed clip that the restyled film was made from."),
                sockets.film_input(
                    "The restyled film, frame for frame as long and as large as the clip. The video of Fade Staircase "
                    "brings its keyframes and runs along.",
                    id="restyled",
                ),
                io.Combo.Input(
                    "heat_map",
                    options=list(HEAT_MAPS),
                    default=HEAT_MAPS[0],
                    tooltip="What the heat map shows: 'flicker' holds each frame against the next one, 'slow changes' "
                    "against one some frames later.",
                ),
                io.Int.Input(
                    "lag",
                    default=0,
                    min=0,
                    max=120,
                    advanced=True,
                    tooltip="How many frames apart slow changes are measured. 0 takes 7, or the next number that "
                    "divides no gap between keyframes, since what beats with the keyframes would not show.",
                ),
                sockets.Motion.Input(
                    "motion",
                    optional=True,
                    tooltip="The clip's motion from Measure Motion. Measured here if nothing is connected.",
                ),
                sockets.Keyframes.Input(
                    "keyframes",
                    optional=True,
                    tooltip="The painted keyframes, by which sharpness is judged; without them, by the clip.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="White where the subject is, one mask for each frame or one for all. Inside and outside "
                    "are measured apart as well.",
                ),
                sockets.Runs.Input(
                    "runs",
                    optional=True,
                    tooltip="The runs the film was faded from, for ghosting and double exposure, where the film comes "
                    "from a file.",
                ),
            ],
            outputs=[
                io.String.Output(display_name="report", tooltip="Every figure in words, or why there is none."),
                io.Image.Output(display_name="plot", tooltip="The curves over time, one panel for each figure."),
                io.Video.Output(
                    display_name="heat_map",
                    tooltip="Where the film changes on its own: dark is steady, yellow changes, blue is not judged.",
                ),
                sockets.Measurement.Output(
                    display_name="measurement", tooltip="All figures and curves, for the keyframe advisor."
                ),
                io.String.Output(display_name="csv", tooltip="The curves as a table with one row for each frame."),
                io.String.Output(display_name="json", tooltip="All figures, reasons and curves, for other programs."),
            ],
        )

    @classmethod
    @named_after_node
    def execute(
        cls, film, restyled, heat_map, lag, motion: Motion | None = None, keyframes=None, mask=None, runs=None
    ) -> io.NodeOutput:
        source, made = footage_from_input(film), film_from_input(restyled)
        motion = motion or Motion(source, lasting_folder("flow"))
        found = measure_film(
            source,
            made,
            motion=motion,
            keyframes=keyframes,
            masks=None if mask is None else masks_from_input(mask),
            runs=runs,
            lag=lag or None,
            progress=Progress(),
        )
        shown_lag = 1 if heat_map == HEAT_MAPS[0] or found.lag is None else found.lag
        heat = FilmVideo(HeatMap(made, motion, lag=shown_lag), clip_from_input(film))
        plot = images_from_pictures([plot_curves(found)])
        return io.NodeOutput(str(found), plot, heat, found, found.to_csv(), found.to_json())
