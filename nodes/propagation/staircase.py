"""Fade the runs into one film."""

from comfy_api.v0_0_2 import io

from escalier.coherence import measure_fades
from escalier.film import Motion
from escalier.propagation import Fade, Runs, Staircase

from .. import sockets
from ..dial_inputs import DialValue, dial_inputs, dials_from
from ..node import Node, optional, output
from ..progress import Progress
from ..video import FilmInput, FilmVideo, clip_from_input, footage_from_input


class EscalierStaircase(Node):
    """Fades neighbouring runs one into the next, step after step: the restyled film. Every keyframe is seen in it
    exactly as it was painted.
    """

    display_name = "Fade Staircase"
    search_aliases = ("crossfade", "blend runs", "join keyframes", "EbSynth blend")
    inputs = (
        sockets.Runs.Input("runs", tooltip="What Propagate Keyframes made."),
        sockets.film_input("The filmed clip again: its sound, its timing and its colour tags go to the result."),
        *dial_inputs(Fade, "mode", "fade_frames"),
        *dial_inputs(Fade, "ramp_frames", "seed", advanced=True),
        optional(
            sockets.Motion,
            "motion",
            "Connect the film's motion to have the fades judged: double images and jumps in figures.",
        ),
        *dial_inputs(Fade, "keep_contrast", "seam_removal", optional=True, advanced=True),
    )
    outputs = (
        output(io.Video, "video", "The restyled film, made while it is saved."),
        output(
            io.String,
            "report",
            "Where the film is least sure; with motion connected, how crisp and even the fades are.",
        ),
    )

    @classmethod
    def execute(cls, runs: Runs, film: FilmInput, motion: Motion | None = None, **dials: DialValue) -> io.NodeOutput:
        staircase = Staircase(runs, dials_from(Fade, dials))
        # Where a keyframe would help most, the advisor alone says.
        confidence = runs.confidence()
        frame = int(confidence.argmin())
        report = f"least sure at frame {frame}: confidence {confidence[frame]:.2f} of 1"
        if motion is not None:
            fades = measure_fades(staircase, footage_from_input(film), motion, progress=Progress(previews=False))
            report += f"\n{fades}"
        return io.NodeOutput(FilmVideo(staircase, clip_from_input(film)), report)
