"""A quick look at a propagation, small, before the long run."""

from dataclasses import replace

import torch
from comfy_api.v0_0_2 import io

from escalier.keyframes import Keyframes
from escalier.propagation import DraftPart, Guides, Staircase, draft_film, make_draft

from .. import sockets
from ..dial_inputs import DialValue, dial_input, dial_inputs, dials_from
from ..node import Node, output, span
from ..progress import Progress
from ..scratch import lasting_folder
from ..tensors import masks_from_input
from ..video import FilmInput, FilmVideo, clip_from_input, footage_from_input
from .propagate import cuts_input, mask_input, seed_input


class EscalierDraft(Node):
    """Propagates the keyframes at a quarter of the size, through the whole film or a part of it: a hundred frames in
    some ten seconds. Look at it, ask the advisor and the meter, and start the long run when the keyframes are right.
    """

    display_name = "Draft Propagation"
    search_aliases = ("preview", "proxy", "quick look", "quarter size", "low resolution")
    inputs = (
        sockets.film_input("The filmed clip at its full size: a video, or a batch of images."),
        sockets.Keyframes.Input("keyframes", tooltip="The painted keyframes of the whole film, in its size."),
        io.Int.Input(
            "first_frame",
            **span(0, 0, 999_999),
            tooltip="Where the part begins, counted from 0. 0 is the beginning of the film. Take the number of a "
            "keyframe to see the fade that begins there.",
        ),
        io.Int.Input(
            "frames",
            **span(0, 0, 999_999),
            tooltip="How many frames to draft. 0 is all of them, up to the end of the film. For the fade from keyframe "
            "24 to keyframe 72 it is 49.",
        ),
        dial_input(DraftPart, "scale"),
        *dial_inputs(Guides, "colour", "position", "temporal"),
        seed_input(),
        mask_input(),
        cuts_input(),
    )
    outputs = (
        output(
            sockets.Runs,
            "runs",
            "The small runs, for Advise Keyframes with the film itself, or for Fade Staircase with the small film.",
        ),
        output(io.Video, "video", "The small runs faded into one film, ready to watch."),
        output(
            io.Video, "film", "The filmed clip, as small and as long as the draft: the source for Measure Coherence."
        ),
    )

    @classmethod
    def execute(
        cls,
        film: FilmInput,
        keyframes: Keyframes,
        first_frame: int,
        frames: int,
        seed: int,
        mask: torch.Tensor | None = None,
        stop_at_cuts: bool = True,
        **dials: DialValue,
    ) -> io.NodeOutput:
        source = footage_from_input(film)
        stop = first_frame + frames if frames else None
        part = replace(dials_from(DraftPart, dials), start=first_frame, stop=stop)
        runs = make_draft(
            source,
            keyframes,
            folder=lasting_folder("runs"),
            part=part,
            masks=None if mask is None else masks_from_input(mask),
            guides=dials_from(Guides, dials),
            cuts=None if stop_at_cuts else (),
            seed=seed,
            progress=Progress(),
        )
        # Sound and timestamps of the clip fit the whole film only.
        clip = clip_from_input(film) if len(runs) == len(source) else None
        small = draft_film(source, part)
        return io.NodeOutput(runs, FilmVideo(Staircase(runs), clip), FilmVideo(small, clip))
