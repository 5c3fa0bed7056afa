"""Show redraws of a film in turn, so that its lines live."""

import torch
from comfy_api.v0_0_2 import io

from escalier.boiling import MOST_HELD, Boil

from .. import sockets
from ..node import Node, optional, output, span
from ..tensors import masks_from_input
from ..video import FilmInput, FilmVideo, clip_from_input, film_from_input


class EscalierLineBoil(Node):
    """Shows two or three redraws of one film in turn, each held for a few frames, as animators loop the drawings of a
    figure that stands still. A mask keeps everything else still, bit for bit.
    """

    display_name = "Line Boil"
    search_aliases = ("boiling", "wiggle", "squigglevision", "wobble", "loop drawings", "on twos")
    inputs = (
        sockets.film_input("The first redraw: the restyled film. It is what is seen outside the mask."),
        sockets.film_input(
            "The second redraw: the same clip, propagated from keyframes that were painted once more, or from the "
            "second set of Vary Keyframes.",
            id="second",
        ),
        sockets.film_input("A third redraw, for a livelier line.", id="third", optional=True),
        io.Int.Input(
            "hold",
            **span(2, 1, MOST_HELD),
            tooltip="Frames for which each redraw is held. 2, on twos, is usual; 1 trembles, 3 breathes.",
        ),
        optional(
            io.Mask,
            "mask",
            "White where lines boil: one mask for each frame, or one for the whole film. Black stays as in the first "
            "redraw, bit for bit.",
        ),
    )
    outputs = (
        output(io.Video, "video", "The boiling film, made while it is saved."),
        output(io.String, "report", "The cycle in frames, and whether the film loops."),
    )

    @classmethod
    def execute(
        cls,
        film: FilmInput,
        second: FilmInput,
        hold: int,
        third: FilmInput | None = None,
        mask: torch.Tensor | None = None,
    ) -> io.NodeOutput:
        redraws = [film_from_input(one) for one in (film, second, third) if one is not None]
        boil = Boil(redraws, hold, masks=None if mask is None else masks_from_input(mask))
        # Single pictures become a loop of their own length, which no clip has.
        clip = clip_from_input(film) if len(boil) == len(redraws[0]) else None
        return io.NodeOutput(FilmVideo(boil, clip), boil.describe())
