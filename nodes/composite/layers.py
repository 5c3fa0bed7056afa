"""Lay one film over another inside a mask, as layers of an image editor."""

import torch
from comfy_api.v0_0_2 import io

from escalier.composite import Layering, blend_layers_film

from .. import sockets
from ..dial_inputs import DialValue, dial_inputs, dials_from
from ..node import Node, output
from ..progress import Progress
from ..tensors import masks_from_input
from ..video import FilmInput, FilmVideo, clip_from_input, film_from_input
from .film_on_disk import film_on_disk


class EscalierBlendLayers(Node):
    """Lays one film over another inside a mask, in a blend mode: one region of the shot from the restyled film, all the
    rest from the calm one. Outside the mask no bit changes.
    """

    display_name = "Blend Layers"
    search_aliases = ("multiply", "overlay", "soft light", "blend mode", "selective flicker", "composite")
    inputs = (
        sockets.film_input("What lies below and stays as it is outside the mask: a film or a picture.", id="base"),
        sockets.film_input("What is laid over it: a film or a picture, in the same size.", id="layer"),
        io.Mask.Input(
            "mask",
            tooltip="White where the layer shows: one mask for each frame, or one for all. Grey mixes; feather it with "
            "Shape Mask Edge.",
        ),
        *dial_inputs(Layering, "mode", "opacity", "exposure_compensation"),
    )
    outputs = (output(io.Video, "video", "The blended film, with the sound and timing of the longer input."),)

    @classmethod
    def execute(cls, base: FilmInput, layer: FilmInput, mask: torch.Tensor, **dials: DialValue) -> io.NodeOutput:
        below, over = film_from_input(base, "base"), film_from_input(layer, "layer")
        layering = dials_from(Layering, dials)
        frames = blend_layers_film(below, over, masks_from_input(mask), layering, progress=Progress())
        clip = clip_from_input(base if len(below) >= len(over) else layer)
        return io.NodeOutput(FilmVideo(film_on_disk(frames, max(len(below), len(over)), clip.rate), clip))
