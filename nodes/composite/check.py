"""Judges a composite as people see it, in figures and in pictures of where."""

from typing import Any

import torch
from comfy_api.v0_0_2 import io

from .. import sockets
from ..node import Node, optional, output
from ..progress import Progress
from ..tensors import images_from_pictures, masks_from_input
from ..video import FilmInput, film_from_input

PoseKeypoint = io.Custom("POSE_KEYPOINT")  # of comfyui_controlnet_aux: one OpenPose object a frame


class EscalierCheckComposite(Node):
    """Judges a composite against the film that the body was taken from: her colours, what is burnt, a rim of the old
    room, flicker, lost edges; each good or bad, with a picture of where.
    """

    display_name = "Check Composite"
    search_aliases = ("quality report", "Delta E", "halo", "burnt", "clipping", "composite report")
    inputs = (
        sockets.film_input(
            "The composite, straight from Place Subject or Poisson Blend: a saved film has its codec's losses.",
            id="result",
        ),
        sockets.film_input("The filmed body that was put in.", id="source"),
        sockets.film_input("The room that it was put into: a film or a picture.", id="room"),
        io.Mask.Input("mask", tooltip="White where the body is: one mask for each frame, or one for all."),
        optional(
            PoseKeypoint,
            "poses",
            "Poses of the filmed body, from DWPose or OpenPose: face, hands and torso are then judged apart.",
        ),
    )
    outputs = (
        output(io.String, "report", "Every figure with its limit, good or bad, and its worst frame."),
        output(
            io.Image,
            "pictures",
            "One for each figure, in the report's order: its worst frame, glowing where the fault is.",
        ),
        output(io.Boolean, "good", "Whether a body was seen and no figure is bad."),
    )

    @classmethod
    def execute(
        cls,
        result: FilmInput,
        source: FilmInput,
        room: FilmInput,
        mask: torch.Tensor,
        poses: list[dict[str, Any]] | None = None,
    ) -> io.NodeOutput:
        from escalier.composite import measure_composite

        made = film_from_input(result, "result")
        filmed, behind = film_from_input(source, "source"), film_from_input(room, "room")
        check = measure_composite(made, filmed, behind, masks_from_input(mask), poses=poses, progress=Progress())
        black = [made.frame(0) * 0]
        return io.NodeOutput(str(check), images_from_pictures([*check.pictures.values()] or black), check.is_good)
