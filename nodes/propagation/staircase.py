"""Fade the runs into one film."""

from comfy_api.v0_0_2 import io

from escalier.coherence import measure_fades
from escalier.film import Motion
from escalier.propagation import FADES, Runs, Staircase

from .. import sockets
from ..errors import named_after_node
from ..progress import Progress
from ..video import FilmVideo, clip_from_input, film_from_input
from .propagate import CATEGORY


class EscalierStaircase(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierStaircase",
            display_name="Fade Staircase",
            category=CATEGORY,
            description="Fades neighbouring runs one into the next, step after step: the restyled film. Every keyframe "
            "is seen in it exactly as it was painted.",
            search_aliases=["crossfade", "blend runs", "join keyframes", "EbSynth blend"],
            inputs=[
                sockets.Runs.Input("runs", tooltip="What Propagate Keyframes made."),
                sockets.film_input(
                    "The filmed clip again: its sound, its timing and its colour tags go to the result."
                ),
                io.Combo.Input(
                    "mode",
                    options=list(FADES),
                    default=next(iter(FADES)),
                    tooltip="'staggered' lets every pixel switch at its own time, so that no double image is seen. "
                    "'linear' and 'smoothstep' mix the two pictures: softer, with a double image in the middle. "
                    "'by_error' switches each pixel once, where its errors are least: truest, and less even.",
                ),
                io.Int.Input(
                    "fade_frames",
                    default=0,
                    min=0,
                    max=9999,
                    tooltip="Length of each fade in frames. 0 is as long as the gap between keyframes allows, which "
                    "shows least; 1 is nearly a cut.",
                ),
                io.Float.Input(
                    "ramp_frames",
                    default=3.0,
                    min=0.0,
                    max=100.0,
                    step=0.5,
                    advanced=True,
                    tooltip="In 'staggered' and 'by_error', how many frames one pixel takes to switch. 3 hides the "
                    "seam; more softens it and blurs what it crosses.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=2**31 - 1,
                    control_after_generate=False,
                    advanced=True,
                    tooltip="In 'staggered', another seed lets other places switch first.",
                ),
                sockets.Motion.Input(
                    "motion",
                    optional=True,
                    tooltip="Connect the film's motion to have the fades judged: double images and jumps in figures.",
                ),
                io.Boolean.Input(
                    "keep_contrast",
                    default=False,
                    optional=True,
                    advanced=True,
                    tooltip="Where two runs are mixed, strengthens the mix to the contrast that they have. For "
                    "'linear' and 'smoothstep', which look washed out in the middle of a fade.",
                ),
                io.Float.Input(
                    "seam_removal",
                    default=0.0,
                    min=0.0,
                    max=0.99,
                    step=0.05,
                    optional=True,
                    advanced=True,
                    tooltip="Takes edges between the two runs out of the picture by blending their gradients. 0 is "
                    "off, 0.9 removes most seams and lets colours flow a little.",
                ),
            ],
            outputs=[
                io.Video.Output(display_name="video", tooltip="The restyled film, made while it is saved."),
                io.String.Output(
                    display_name="report",
                    tooltip="Where the film is least sure; with motion connected, how crisp and even the fades are.",
                ),
            ],
        )

    @classmethod
    @named_after_node
    def execute(
        cls, runs: Runs, film, mode, fade_frames, ramp_frames, seed, motion: Motion | None = None,
        keep_contrast=False, seam_removal=0.0,
    ) -> io.NodeOutput:  # fmt: skip
        staircase = Staircase(
            runs,
            mode=mode,
            fade_frames=fade_frames or None,
            ramp_frames=ramp_frames,
            seed=seed,
            keep_contrast=keep_contrast,
            seam_removal=seam_removal,
        )
        report = _least_sure(runs)
        if motion is not None:
            report += f"\n{measure_fades(staircase, film_from_input(film), motion, progress=Progress(previews=False))}"
        return io.NodeOutput(FilmVideo(staircase, clip_from_input(film)), report)


def _least_sure(runs: Runs) -> str:
    """Where the runs trust themselves least, in words. Where a keyframe would help most, the advisor alone says."""
    confidence = runs.confidence()
    frame = int(confidence.argmin())
    return f"least sure at frame {frame}: confidence {confidence[frame]:.2f} of 1"
