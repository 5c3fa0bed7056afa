"""Put a filmed figure into another room so that no seam is seen."""

from dataclasses import replace

import comfy.model_management
import torch
from comfy_api.v0_0_2 import io

from escalier.composite import Blending, Machine

from .. import sockets
from ..dial_inputs import DialValue, dial_input, dial_inputs, dials_from
from ..node import Node, output, span
from ..progress import Progress
from ..tensors import masks_from_input
from ..video import FilmInput, FilmVideo, clip_from_input, film_from_input
from .film_on_disk import film_on_disk

FAINTEST_SCREENING_PX = 316


class EscalierPoissonBlend(Node):
    """Puts what is inside the mask into another film or picture without a seam: it keeps its own drawing and takes the
    colours that it meets at the edge. Outside the mask no bit changes.
    """

    display_name = "Poisson Blend"
    search_aliases = ("seamless clone", "gradient domain", "composite", "paste into", "Poisson editing")
    inputs = (
        sockets.film_input("What is put in, such as the filmed dancer: a film, or one picture.", id="source"),
        sockets.film_input("What it is put into, such as the new room: a film, or one picture.", id="target"),
        io.Mask.Input(
            "mask",
            tooltip="White where the source goes: one mask for each frame, or one for all. It is cut at half grey; "
            "steady it with Shape Mask Edge first, for a mask that trembles makes a seam that flickers.",
        ),
        *dial_inputs(Blending, "gradients", "strength"),
        io.Float.Input(
            "screening_px",
            **span(round(Blending().screening ** -0.5, 1), 0.0, FAINTEST_SCREENING_PX, step=1.0),
            tooltip="How deep the target's colours reach into the source, in pixels. 8 hides the seam and keeps the "
            "body's own colours; more lights it more and burns it sooner. 0 is Poisson's equation itself: it carries "
            "them through all of the body, which a bright room burns white and a dark one black.",
        ),
        dial_input(Blending, "rim_blur_px"),
        dial_input(Blending, "solver", advanced=True),
        dial_input(
            Machine,
            "backend",
            tooltip="'auto' takes the graphics card where ComfyUI uses one that speaks CUDA, else the processor. Both "
            "give the same picture.",
            advanced=True,
        ),
        dial_input(Machine, "memory_mb", whole=True, advanced=True),
        dial_input(Machine, "threads", advanced=True),
    )
    outputs = (
        output(io.Video, "video", "The blended film, with the sound and timing of the longer input."),
        output(io.String, "report", "How much of the body came out black or white that the source has not."),
    )

    @classmethod
    def execute(
        cls, source: FilmInput, target: FilmInput, mask: torch.Tensor, screening_px: float, **dials: DialValue
    ) -> io.NodeOutput:
        from escalier.composite import (
            Clipping,
            poisson_blend_film,
        )  # numba, which would double the time to import the pack

        figure, room = film_from_input(source, "source"), film_from_input(target, "target")
        blending = replace(dials_from(Blending, dials), screening=1 / screening_px**2 if screening_px else 0.0)
        machine, masks = _on_device(dials_from(Machine, dials)), masks_from_input(mask)
        clipping = Clipping()
        frames = poisson_blend_film(
            figure, room, masks, blending, machine=machine, clipping=clipping, progress=Progress()
        )
        clip = clip_from_input(source if len(figure) >= len(room) else target)
        film = film_on_disk(frames, max(len(figure), len(room)), clip.rate)
        return io.NodeOutput(FilmVideo(film, clip), str(clipping))


def _on_device(machine: Machine) -> Machine:
    """The machine on the device that ComfyUI uses, with room made on the card where one is used."""
    device = comfy.model_management.get_torch_device()
    if machine.backend == "cpu" or (machine.backend == "auto" and device.type != "cuda"):
        return replace(machine, backend="cpu")
    if device.type != "cpu":
        comfy.model_management.free_memory(machine.memory_mb * 1e6, device)
    return replace(machine, backend="torch", device=str(device))
