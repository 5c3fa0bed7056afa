"""A quick look at a propagation, small, before the long run."""

from comfy_api.v0_0_2 import io

from escalier.keyframes import Keyframes
from escalier.propagation import DraftPart, Guides, Staircase, draft_film, make_draft

from .. import sockets
from ..dial_inputs import dial_input, dial_inputs, dials_from
from ..errors import named_after_node
from ..progress import Progress
from ..scratch import lasting_folder
from ..tensors import masks_from_input
from ..video import FilmVideo, clip_from_input, footage_from_input
from .propagate import CATEGORY, cuts_input, mask_input, seed_input


class EscalierDraft(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierDraft",
            display_name="Draft Propagation",
            category=CATEGORY,
            description="Propagates the keyframes at a quarter of the size, through the whole film or a part of it: a "
            "hundred frames in some ten seconds. Look at it, ask the advisor and the meter, and start the long run "
            "when the keyframes are right.",
            search_aliases=["preview", "proxy", "quick look", "quarter size", "low resolution"],
            inputs=[
                sockets.film_input("The filmed clip at its full size: a video, or a batch of images."),
                sockets.Keyframes.Input("keyframes", tooltip="The painted keyframes of the whole film, in its size."),
                io.Int.Input(
                    "first_frame",
                    default=0,
                    min=0,
                    max=999_999,
                    tooltip="Where the part begins, counted from 0. 0 is the beginning of the film. Take the number of "
                    "a keyframe to see the fade that begins there.",
                ),
                io.Int.Input(
                    "frames",
                    default=0,
                    min=0,
                    max=999_999,
                    tooltip="How many frames to draft. 0 is all of them, up to the end of the film. For the fade from "
                    "keyframe 24 to keyframe 72 it is 49.",
                ),
                dial_input(DraftPart, "scale"),
                *dial_inputs(Guides, "colour", "position", "temporal"),
                seed_input(),
                mask_input(),
                cuts_input(),
            ],
            outputs=[
                sockets.Runs.Output(
                    display_name="runs",
                    tooltip="The small runs, for Advise Keyframes with the film itself, or for Fade Staircase with the "
                    "small film.",
                ),
                io.Video.Output(display_name="video", tooltip="The small runs faded into one film, ready to watch."),
                io.Video.Output(
                    display_name="film",
                    tooltip="The filmed clip, as small and as long as the draft: the source for Measure Coherence.",
                ),
            ],
        )

    @classmethod
    @named_after_node
    def execute(
        cls, film, keyframes: Keyframes, first_frame, frames, scale, seed, mask=None, stop_at_cuts=True, **guides
    ) -> io.NodeOutput:
        source = footage_from_input(film)
        part = DraftPart(scale, first_frame, first_frame + frames if frames else None)
        runs = make_draft(
            source,
            keyframes,
            folder=lasting_folder("runs"),
            part=part,
            masks=None if mask is None else masks_from_input(mask),
            guides=dials_from(Guides, guides),
            cuts=None if stop_at_cuts else (),
            seed=seed,
            progress=Progress(),
        )
        # Sound and timestamps of the clip fit the whole film only.
        clip = clip_from_input(film) if len(runs) == len(source) else None
        small = draft_film(source, part)
        return io.NodeOutput(runs, FilmVideo(Staircase(runs), clip), FilmVideo(small, clip))
