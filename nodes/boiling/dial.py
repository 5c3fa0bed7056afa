"""The dial between a film that holds still and one that is redrawn on every frame."""

from comfy_api.v0_0_2 import io

from escalier.boiling import LONGEST, Dial, parse_curve
from escalier.film import FrameSource, Motion
from escalier.propagation import FADES

from .. import sockets
from ..errors import named_after_node
from ..progress import Progress
from ..scratch import remove_with, scratch_folder
from ..tensors import masks_from_input
from ..video import FilmVideo, clip_from_input, film_from_input


class EscalierDial(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierDial",
            display_name="Indetermination Dial",
            category="escalier/boiling",
            description="From still to boiling: 0 shows the propagated film, 1 the film redrawn on every frame. "
            "Between them a redraw is seen every few frames and fades into the next.",
            search_aliases=["boiling", "flicker amount", "stability", "stroboscope", "mix films", "img2img per frame"],
            inputs=[
                sockets.film_input("The still film: the one that was propagated from keyframes."),
                sockets.film_input(
                    "The same clip redrawn on every frame, for instance by img2img: as many frames, the same size.",
                    id="redrawn",
                ),
                io.Float.Input(
                    "amount",
                    default=0.25,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="What share of the frames is redrawn. 0.25 shows a redraw every 4 frames and fades between "
                    "them, which lives and can still be watched; 1 is as frantic as the redrawn film.",
                ),
                io.String.Input(
                    "curve",
                    default="",
                    tooltip="The amount over time, in place of the dial above: frame and amount, as in 0:0, 48:1. "
                    "Between two points it moves in a straight line. Empty uses the dial.",
                ),
                io.Combo.Input(
                    "mode",
                    options=list(FADES),
                    default=next(iter(FADES)),
                    tooltip="How one redraw fades into the next. 'staggered' switches every pixel at its own time and "
                    "stays crisp; 'linear' and 'smoothstep' mix two drawings.",
                ),
                io.Int.Input(
                    "fade_frames",
                    default=0,
                    min=0,
                    max=999,
                    advanced=True,
                    tooltip="Length of each fade in frames. 0 is from redraw to redraw, which changes most evenly; 1 "
                    "holds each redraw and then cuts.",
                ),
                io.Float.Input(
                    "ramp_frames",
                    default=3.0,
                    min=0.0,
                    max=100.0,
                    step=0.5,
                    advanced=True,
                    tooltip="In 'staggered', how many frames one pixel takes to switch. Fewer is crisper.",
                ),
                io.Int.Input(
                    "longest",
                    default=LONGEST,
                    min=1,
                    max=96,
                    advanced=True,
                    tooltip="Frames from one redraw to the next at most; smaller amounts mix the redraws fainter in "
                    "place of rarer. 12, because a drawing cannot be carried much further. Memory grows with it.",
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
                    tooltip="The filmed clip's motion from Measure Motion, along which redraws are carried. Measured "
                    "from the still film if nothing is connected, which is slower and less exact.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="White where the film may boil, black where it holds still, bit for bit; grey mixes. "
                    "Feather it outwards with Shape Mask Edge for an aura around the subject.",
                ),
            ],
            outputs=[
                io.Video.Output(display_name="video", tooltip="The film between the two, made while it is saved."),
                io.String.Output(display_name="report", tooltip="How many frames are redrawn, and which."),
            ],
        )

    @classmethod
    @named_after_node
    def execute(
        cls, film, redrawn, amount, curve, mode, fade_frames, ramp_frames, longest, seed, motion: Motion | None = None,
        mask=None,
    ) -> io.NodeOutput:  # fmt: skip
        still = film_from_input(film)
        dial = Dial(
            still,
            film_from_input(redrawn),
            parse_curve(curve, len(still)) if curve.strip() else amount,
            motion=motion or _measured(still),
            masks=None if mask is None else masks_from_input(mask),
            mode=mode,
            fade_frames=fade_frames or None,
            ramp_frames=ramp_frames,
            longest=longest,
            seed=seed,
        )
        return io.NodeOutput(FilmVideo(dial, clip_from_input(film)), dial.describe())


def _measured(film: FrameSource) -> Motion:
    with scratch_folder("motion") as folder:
        motion = Motion(film, folder)
        motion.prepare(progress=Progress(previews=False))
    remove_with(motion, folder)
    return motion
