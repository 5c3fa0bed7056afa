"""Carry painted keyframes through the film."""

import torch
from comfy_api.v0_0_2 import io

from escalier.film import Motion
from escalier.keyframes import Keyframes
from escalier.propagation import FilmMatching, Guides, propagate

from .. import sockets
from ..dial_inputs import DialValue, dial_input, dial_inputs, dials_from
from ..node import Node, optional, output, span
from ..progress import Progress
from ..scratch import lasting_folder
from ..tensors import masks_from_input
from ..video import FilmInput, footage_from_input


def seed_input() -> io.Int.Input:
    return io.Int.Input(
        "seed",
        **span(0, 0, 2**31 - 1),
        control_after_generate=False,
        tooltip="Another seed gives other brush strokes of the same quality. The same seed gives the same film, to the "
        "bit.",
    )


def mask_input() -> io.Mask.Input:
    return optional(
        io.Mask,
        "mask",
        "White where the subject is: one mask for each frame, or one for the whole film. Keeps a moving subject from "
        "dragging the set along.",
    )


def cuts_input() -> io.Boolean.Input:
    return io.Boolean.Input(
        "stop_at_cuts",
        default=True,
        optional=True,
        advanced=True,
        tooltip="Finds the cuts of the film and carries no keyframe across one; every shot then needs a keyframe of "
        "its own. Switch it off when a sudden change inside one shot is taken for a cut.",
    )


class EscalierPropagate(Node):
    """Carries every painted keyframe through the film, forwards and backwards, up to its neighbours or to the ends of
    its shot. This is where the time goes. After a cancel, or when one keyframe was painted anew, only what is missing
    is made.
    """

    display_name = "Propagate Keyframes"
    search_aliases = ("EbSynth", "style propagation", "stylize video", "restyle video")
    inputs = (
        sockets.film_input(),
        sockets.Keyframes.Input(
            "keyframes",
            tooltip="The painted keyframes, in the film's size; or larger, and the film comes out as large.",
        ),
        *dial_inputs(Guides, "colour", "position", "temporal"),
        seed_input(),
        dial_input(Guides, "edge", advanced=True),
        dial_input(Guides, "mask", id="mask_weight", advanced=True),
        *dial_inputs(
            FilmMatching,
            "uniformity",
            "patch_size",
            "voting",
            "extra_pass_3x3",
            "search_vote_iterations",
            "patchmatch_iterations",
            "backend",
            advanced=True,
        ),
        io.Int.Input(
            "threads",
            **span(0, 0, 256),
            advanced=True,
            tooltip="Processor cores to use. 0 uses all. The film does not depend on it.",
        ),
        sockets.measured_motion(),
        mask_input(),
        cuts_input(),
        *dial_inputs(FilmMatching, "apart", "match_side", "sub_pixel", optional=True, advanced=True),
    )
    outputs = (output(sockets.Runs, "runs", "Every keyframe's run in both directions, for Fade Staircase."),)

    @classmethod
    def execute(
        cls,
        film: FilmInput,
        keyframes: Keyframes,
        seed: int,
        threads: int,
        motion: Motion | None = None,
        mask: torch.Tensor | None = None,
        stop_at_cuts: bool = True,
        **dials: DialValue,
    ) -> io.NodeOutput:
        runs = propagate(
            footage_from_input(film),
            keyframes,
            folder=lasting_folder("runs"),
            motion=motion,
            masks=None if mask is None else masks_from_input(mask),
            guides=dials_from(Guides, dials, {"mask": "mask_weight"}),
            matching=dials_from(FilmMatching, dials),
            cuts=None if stop_at_cuts else (),
            seed=seed,
            threads=threads or None,
            progress=Progress(),
        )
        return io.NodeOutput(runs)
