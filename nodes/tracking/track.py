"""Masks over time: given at a few frames, carried to all of them."""

from collections.abc import Collection
from typing import Any

import numpy as np
import torch
from comfy_api.v0_0_2 import io

from escalier.film import Film, Motion, find_cuts
from escalier.keyframes import parse_indices
from escalier.refusals import Refusal
from escalier.sam import SamModel, SamRefine
from escalier.tracking import TRACKING_FADES, Sam2Video, TrackedMasks, masks_from_sam3, read_sam2_video, steady_masks

from .. import sockets
from ..allowed_files import model_folders
from ..held_models import bringing
from ..node import Node, optional, output
from ..progress import Progress
from ..scratch import lasting_folder
from ..tensors import masks_from_input
from ..video import FilmInput, footage_from_input

SAM2 = model_folders(
    "sam2",
    "config.json",
    example="sam2.1-hiera-small",
    remedy="take the whole folder of facebook/sam2.1-hiera-small (184 MB) from huggingface.co and put it there",
)
Sam3Track = io.Custom("SAM3_TRACK_DATA")  # ComfyUI's own, from comfy_extras/nodes_sam3.py
SAM2_WORKING_BYTES = 2 * 2**30
"""What the largest Segment Anything 2 needs beside its weights: one frame of 1024x1024, and its memory of sixteen."""

FRAMES_TOOLTIP = (
    "The frames to which the masks belong, counted from 0, such as '0, 47'. As many numbers as there are masks."
)


def prompted_masks(mask: torch.Tensor, frames: str, length: int) -> dict[int, np.ndarray]:
    """Frame index -> mask, from a MASK batch and the text that says where each of them belongs."""
    masks, indices = masks_from_input(mask), parse_indices(frames, length)
    if len(masks) != len(indices):
        rule = f"hold one mask for each of the {len(indices)} frames named ({frames.strip()})"
        raise Refusal("mask", rule, len(masks), "name as many frames as there are masks")
    return dict(zip(indices, masks, strict=True))


def mended(tracked: TrackedMasks, film: Film, motion: Motion | None, given: Collection[int] = ()) -> TrackedMasks:
    """What a model has tracked, with the last step of Track Mask: neighbouring masks mend one another."""
    motion = motion or Motion(film, lasting_folder("motion"))
    return steady_masks(tracked, motion, given=given, cuts=find_cuts(film, motion))


def tracked_output(tracked: TrackedMasks) -> io.NodeOutput:
    """The masks, and in words how sure they are."""
    by_frame = " ".join(f"{value:.2f}" for value in tracked.confidence)
    return io.NodeOutput(torch.from_numpy(tracked.masks), f"{tracked}\nconfidence frame by frame: {by_frame}")


def fade_input(where: str) -> io.Input:
    return io.Combo.Input(
        "fade",
        options=list(TRACKING_FADES),
        default=next(iter(TRACKING_FADES)),
        advanced=True,
        tooltip=f"How weight passes from one given mask to the next, where {where}.",
    )


def tracked_outputs() -> list[io.Output]:
    return [
        output(io.Mask, "mask", "One soft mask for every frame of the film."),
        output(
            io.String,
            "report",
            "How sure the masks are, frame by frame, how much their area trembles, and where one more helps.",
        ),
    ]


class EscalierTrackMask(Node):
    """Carries masks that are given at one or a few frames to every frame of the film, along its motion. What goes
    behind something leaves the mask and comes back. No model is needed; with Segment Anything connected, every mask is
    refined by it.
    """

    display_name = "Track Mask"
    search_aliases = ("video mask", "mask propagation", "rotoscope", "roto brush", "object tracking")
    inputs = (
        sockets.film_input(),
        io.Mask.Input(
            "mask",
            tooltip="The subject's mask in one or a few frames, in the film's size. First and last frame are a good "
            "choice.",
        ),
        io.String.Input("frames", default="0", tooltip=FRAMES_TOOLTIP),
        fade_input("both know a pixel equally well"),
        sockets.measured_motion(),
        optional(
            sockets.Sam,
            "sam",
            "A Segment Anything model that refines every mask. Where it contradicts what was carried, it is not "
            "believed.",
        ),
    )
    outputs = tracked_outputs()

    @classmethod
    def execute(
        cls,
        film: FilmInput,
        mask: torch.Tensor,
        frames: str,
        fade: str,
        motion: Motion | None = None,
        sam: SamModel | None = None,
    ) -> io.NodeOutput:
        from escalier.tracking import track_masks  # numba, which would double the time to import the pack

        pictures = footage_from_input(film)
        tracked = track_masks(
            pictures,
            prompted_masks(mask, frames, len(pictures)),
            motion=motion or Motion(pictures, lasting_folder("motion")),
            refine=None if sam is None else SamRefine(sam),
            fade=fade,
            progress=Progress(previews=False),
        )
        return tracked_output(tracked)


class EscalierTrackMaskSam2(Node):
    """Carries masks that are given at one or a few frames to every frame of the film with a Segment Anything 2 model,
    forwards and backwards. It knows the subject again by its looks, also after it was hidden. What one mask alone has
    lost, those before and after it bring back, along the film's motion.
    """

    display_name = "Track Mask with SAM2"
    search_aliases = ("SAM2 video", "segment anything 2", "video segmentation", "video mask", "rotoscope")
    inputs = (
        sockets.film_input(),
        io.Mask.Input(
            "mask",
            tooltip="The subject's mask in one or a few frames, in the film's size. The model takes its form at one "
            "half.",
        ),
        io.String.Input("frames", default="0", tooltip=FRAMES_TOOLTIP),
        SAM2.menu(
            "model",
            "A folder in models/sam2, with config.json and model.safetensors, as huggingface.co shows it. Nothing is "
            "downloaded.",
        ),
        fade_input("both directions know a frame"),
        sockets.measured_motion(),
    )
    outputs = tracked_outputs()

    @classmethod
    def validate_inputs(cls, model: str) -> bool | str:
        return SAM2.check(model)

    @classmethod
    def fingerprint_inputs(cls, model: str) -> tuple:
        return SAM2.fingerprint(model)

    @classmethod
    def execute(
        cls, film: FilmInput, mask: torch.Tensor, frames: str, model: str, fade: str, motion: Motion | None = None
    ) -> io.NodeOutput:
        pictures = footage_from_input(film)
        prompted = prompted_masks(mask, frames, len(pictures))
        module = read_sam2_video(SAM2.path(model))
        model_for_films = Sam2Video(module, before_use=bringing([module], SAM2_WORKING_BYTES))
        tracked = model_for_films.track(pictures, prompted, fade=fade, progress=Progress(previews=False))
        return tracked_output(mended(tracked, pictures, motion, prompted))


class EscalierMaskFromSam3Track(Node):
    """Turns what ComfyUI's own SAM3 nodes have tracked into soft masks, one for every frame, frame by frame, so that a
    long clip does not fill the memory. With the film connected, what one mask alone has lost, those before and after
    it bring back, along the film's motion.
    """

    display_name = "Mask from SAM3 Track"
    search_aliases = ("SAM3", "track to mask", "SAM3 video", "tracked object")
    inputs = (
        Sam3Track.Input("track_data", tooltip="What Run SAM3 Video Track has found."),
        io.String.Input(
            "objects",
            default="",
            tooltip="Which objects are joined into the mask, counted from 0, such as '0, 2'. Empty takes all.",
        ),
        sockets.film_input(
            "The film that was tracked. Connected, neighbouring masks mend one another along its motion; without it "
            "they are handed on as SAM3 gave them.",
            optional=True,
        ),
        sockets.measured_motion(),
    )
    outputs = tracked_outputs()

    @classmethod
    def execute(
        cls, track_data: dict[str, Any], objects: str, film: FilmInput | None = None, motion: Motion | None = None
    ) -> io.NodeOutput:
        tracked = masks_from_sam3(track_data, objects_from_text(objects))
        if film is None:
            if motion is not None:
                raise Refusal("film", "be connected where the motion is", "none", "connect the film that was tracked")
            return tracked_output(tracked)
        return tracked_output(mended(tracked, footage_from_input(film), motion))


def objects_from_text(text: str) -> list[int] | None:
    """Object numbers from text; None where there are none."""
    parts = text.replace(",", " ").replace(";", " ").split()
    for part in parts:
        if not part.isdecimal():
            raise Refusal("objects", "be whole numbers such as '0, 2'", f"{part!r}", "remove or replace it")
    return [int(part) for part in parts] or None
