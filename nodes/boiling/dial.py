"""The dial between a film that holds still and one that is redrawn on every frame."""

import torch
from comfy_api.v0_0_2 import io

from escalier.boiling import LONGEST, Dial, parse_curve
from escalier.film import Motion
from escalier.propagation import Fade

from .. import sockets
from ..dial_inputs import DialValue, dial_input, dials_from
from ..film import prepared
from ..node import Node, optional, output, span
from ..progress import Progress
from ..tensors import masks_from_input
from ..video import FilmInput, FilmVideo, clip_from_input, film_from_input


class EscalierDial(Node):
    """From still to boiling: 0 shows the propagated film, 1 the film redrawn on every frame. Between them a redraw is
    seen every few frames and fades into the next.
    """

    display_name = "Indetermination Dial"
    search_aliases = ("boiling", "flicker amount", "stability", "stroboscope", "mix films", "img2img per frame")
    inputs = (
        sockets.film_input("The still film: the one that was propagated from keyframes."),
        sockets.film_input(
            "The same clip redrawn on every frame, for instance by img2img: as many frames, the same size.",
            id="redrawn",
        ),
        io.Float.Input(
            "amount",
            **span(0.25, 0.0, 1.0, step=0.01),
            tooltip="What share of the frames is redrawn. 0.25 shows a redraw every 4 frames and fades between them, "
            "which lives and can still be watched; 1 is as frantic as the redrawn film.",
        ),
        io.String.Input(
            "curve",
            default="",
            tooltip="The amount over time, in place of the dial above: frame and amount, as in 0:0, 48:1. Between two "
            "points it moves in a straight line. Empty uses the dial.",
        ),
        dial_input(
            Fade,
            "mode",
            tooltip="How one redraw fades into the next. 'staggered' switches every pixel at its own time and stays "
            "crisp; 'linear' and 'smoothstep' mix two drawings.",
        ),
        dial_input(
            Fade,
            "fade_frames",
            most=999,
            advanced=True,
            tooltip="Length of each fade in frames. 0 is from redraw to redraw, which changes most evenly; 1 holds "
            "each redraw and then cuts.",
        ),
        dial_input(
            Fade,
            "ramp_frames",
            advanced=True,
            tooltip="In 'staggered', how many frames one pixel takes to switch. Fewer is crisper.",
        ),
        io.Int.Input(
            "longest",
            **span(LONGEST, 1, 96),
            advanced=True,
            tooltip="Frames from one redraw to the next at most; smaller amounts mix the redraws fainter in place of "
            "rarer. 12, because a drawing cannot be carried much further. Memory grows with it.",
        ),
        dial_input(Fade, "seed", advanced=True),
        optional(
            sockets.Motion,
            "motion",
            "The filmed clip's motion from Measure Motion, along which redraws are carried. Measured from the still "
            "film if nothing is connected, which is slower and less exact.",
        ),
        optional(
            io.Mask,
            "mask",
            "White where the film may boil, black where it holds still, bit for bit; grey mixes. Feather it outwards "
            "with Shape Mask Edge for an aura around the subject.",
        ),
    )
    outputs = (
        output(io.Video, "video", "The film between the two, made while it is saved."),
        output(io.String, "report", "How many frames are redrawn, and which."),
    )

    @classmethod
    def execute(
        cls,
        film: FilmInput,
        redrawn: FilmInput,
        amount: float,
        curve: str,
        longest: int,
        motion: Motion | None = None,
        mask: torch.Tensor | None = None,
        **fade: DialValue,
    ) -> io.NodeOutput:
        still = film_from_input(film)
        dial = Dial(
            still,
            film_from_input(redrawn),
            parse_curve(curve, len(still)) if curve.strip() else amount,
            motion=motion or prepared(lambda folder: Motion(still, folder), Progress(previews=False)),
            masks=None if mask is None else masks_from_input(mask),
            fade=dials_from(Fade, fade),
            longest=longest,
        )
        return io.NodeOutput(FilmVideo(dial, clip_from_input(film)), dial.describe())
