"""Segment Anything: point at an object and get its mask. The model lives under ComfyUI's memory manager."""

import numpy as np
import torch
from comfy_api.v0_0_2 import io

from escalier.model_files import WEIGHTS
from escalier.refusals import Refusal
from escalier.sam import ObjectSearch, SamEmbedding, SamModel, parse_prompts, read_sam, segment_everything

from .. import sockets
from ..allowed_files import model_files
from ..dial_inputs import DialValue, dial_inputs, dials_from
from ..held_models import bringing
from ..node import Node, output, span
from ..progress import Progress
from ..tensors import images_from_pictures
from ..video import FilmInput, film_from_input

SAMS = model_files(
    "sams",
    WEIGHTS,
    example="sam_vit_b_01ec64.pth",
    remedy="take sam_vit_b_01ec64.pth (375 MB) from github.com/facebookresearch/segment-anything and put it there",
)
WORKING_BYTES = 3 * 2**30
"""What the encoder of the largest model needs beside its weights: its attention looks at 4096 places from each."""


class EscalierLoadSam(Node):
    """Loads a Segment Anything model from models/sams. What kind it is, is read from the file. For Segment Anything 2
    take Track Mask with SAM2, for Segment Anything 3 ComfyUI's own nodes.
    """

    display_name = "Load Segment Anything"
    search_aliases = ("SAM loader", "SAMLoader", "segment anything model", "load SAM")
    inputs = (
        SAMS.menu(
            "model",
            "A file in models/sams. vit_b is small and good, vit_h finds finer edges and needs six times the memory.",
        ),
    )
    outputs = (output(sockets.Sam, "sam", "The model, for Segment Anything Embedding."),)

    @classmethod
    def validate_inputs(cls, model: str) -> bool | str:
        return SAMS.check(model)

    @classmethod
    def fingerprint_inputs(cls, model: str) -> tuple:
        return SAMS.fingerprint(model)

    @classmethod
    def execute(cls, model: str) -> io.NodeOutput:
        name, module = read_sam(SAMS.path(model))
        return io.NodeOutput(SamModel(module, name, before_use=bringing([module], WORKING_BYTES)))


class EscalierEmbedForSam(Node):
    """Lets Segment Anything look at one picture. This is the slow part; it is done once, and clicks can then be moved
    at will.
    """

    display_name = "Segment Anything Embedding"
    search_aliases = ("SAM embedding", "set image", "image encoder")
    inputs = (
        sockets.Sam.Input("sam", tooltip="The model from Load Segment Anything."),
        sockets.film_input("The picture, or the film of which one frame is looked at."),
        io.Int.Input(
            "frame",
            **span(0, 0, 9_999_999),
            tooltip="Which frame of the film, counted from 0. For a single picture it is 0.",
        ),
    )
    outputs = (
        output(sockets.SamEmbedding, "embedding", "What the model knows about the picture, for Segment Anything."),
    )

    @classmethod
    def execute(cls, sam: SamModel, film: FilmInput, frame: int) -> io.NodeOutput:
        pictures = film_from_input(film)
        if not 0 <= frame < len(pictures):
            raise Refusal("frame", f"be in 0..{len(pictures) - 1}", frame, f"the film has {len(pictures)} frames")
        return io.NodeOutput(sam.embed(pictures.frame(frame)))


class EscalierSegment(Node):
    """The soft mask of every object that is pointed at with clicks or a box."""

    display_name = "Segment Anything"
    search_aliases = ("SAM", "point prompt", "box prompt", "click mask", "select object")
    inputs = (
        sockets.SamEmbedding.Input("embedding", tooltip="The picture from Segment Anything Embedding."),
        io.String.Input(
            "prompts",
            default='{"positive": [[480, 270]], "negative": []}',
            multiline=True,
            tooltip="What is meant, in pixels from the upper left corner: positive points on the object, negative "
            "points beside it, a box [left, top, right, bottom] around it. A list of such objects masks several.",
        ),
        io.Combo.Input(
            "candidate",
            options=["best", "1", "2", "3"],
            default="best",
            tooltip="A click can mean the button, the shirt or the person: the model gives three masks. 'best' takes "
            "the one that it is surest of.",
        ),
        io.Int.Input(
            "object",
            **span(0, 0, 9999),
            tooltip="Which object of the prompts goes into the mask, counted from 1. 0 joins all of them.",
        ),
    )
    outputs = (
        output(io.Mask, "mask", "The chosen object, or all of them in one mask."),
        output(io.Mask, "objects", "The mask of each object by itself, in their order."),
        output(io.Mask, "candidates", "All three masks of each object, one object after another."),
        output(io.String, "report", "The scores of the candidates, and which was taken."),
    )

    @classmethod
    def execute(cls, embedding: SamEmbedding, prompts: str, candidate: str, object: int) -> io.NodeOutput:
        wanted = parse_prompts(prompts)
        if not 0 <= object <= len(wanted):
            rule = f"be in 0..{len(wanted)}"
            raise Refusal("object", rule, object, f"the prompts describe {len(wanted)} objects, and 0 joins them")
        answers = embedding.model.predict(embedding, wanted)
        taken = [answer.best if candidate == "best" else int(candidate) - 1 for answer in answers]
        objects = np.stack([answer.masks[place] for answer, place in zip(answers, taken, strict=True)])
        mask = objects[object - 1] if object else objects.max(axis=0)
        candidates = np.concatenate([answer.masks for answer in answers])
        report = "\n".join(
            f"object {i}: candidate {place + 1}, score {answer.scores[place]:.2f} "
            f"(of {', '.join(f'{score:.2f}' for score in answer.scores)})"
            for i, (answer, place) in enumerate(zip(answers, taken, strict=True), start=1)
        )
        masks = (torch.from_numpy(np.ascontiguousarray(one)) for one in (mask[None], objects, candidates))
        return io.NodeOutput(*masks, report)


class EscalierSegmentEverything(Node):
    """Finds every object of a picture without being pointed at any: Segment Anything is asked at each point of a grid,
    and one mask is kept of each object.
    """

    display_name = "Segment Everything"
    search_aliases = ("automatic mask generator", "SAM automatic", "segmentation map", "AMG")
    inputs = (
        sockets.SamEmbedding.Input("embedding", tooltip="The picture from Segment Anything Embedding."),
        *dial_inputs(ObjectSearch, "points_per_side", "most_objects"),
        *dial_inputs(ObjectSearch, "least_score", "least_stability", "most_overlap", advanced=True),
    )
    outputs = (
        output(io.Mask, "masks", "One soft mask for each object, the largest first."),
        output(io.Image, "map", "Every object in its own colour, for the eye and for Mask from Colour Id."),
        output(io.String, "report", "How many objects were found, and how sure they are."),
    )

    @classmethod
    def execute(cls, embedding: SamEmbedding, **dials: DialValue) -> io.NodeOutput:
        search = dials_from(ObjectSearch, dials)
        found = segment_everything(embedding, search, progress=Progress(previews=False))
        report = f"{len(found.masks)} objects, scores {found.scores.min():.2f} to {found.scores.max():.2f}"
        if found.points_at_once < search.points_at_once:
            report += f"\nthe memory was short: only {found.points_at_once} points went through at once"
        return io.NodeOutput(torch.from_numpy(found.masks), images_from_pictures([found.map()]), report)
