"""Lay one film over another inside a mask, as layers of an image editor."""

import torch
from comfy_api.v0_0_2 import io

from .. import sockets
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
        io.Combo.Input(
            "mode",
            options=["normal", "multiply", "screen", "overlay", "soft_light", "darken", "lighten", "difference"],
            default="normal",
            tooltip="'normal' replaces, 'multiply' and 'darken' make darker, 'screen' and 'lighten' brighter, "
            "'overlay' and 'soft_light' add contrast, 'difference' shows where the two are not the same.",
        ),
        io.Float.Input(
            "opacity",
            default=1.0,
            min=0.0,
            max=1.0,
            step=0.05,
            tooltip="How much of the blend there is. 1 is all of it, 0 leaves the base alone.",
        ),
        io.Float.Input(
            "exposure_compensation",
            default=0.0,
            min=0.0,
            max=1.0,
            step=0.05,
            tooltip="How far the brightness inside the mask is brought back to that of the base, by one gain for the "
            "whole film. 1 takes away all that 'multiply' darkens; 0 leaves it.",
        ),
    )
    outputs = (output(io.Video, "video", "The blended film, with the sound and timing of the longer input."),)

    @classmethod
    def execute(
        cls,
        base: FilmInput,
        layer: FilmInput,
        mask: torch.Tensor,
        mode: str,
        opacity: float,
        exposure_compensation: float,
    ) -> io.NodeOutput:
        from escalier.composite import blend_layers_film

        below, over = film_from_input(base, "base"), film_from_input(layer, "layer")
        frames = blend_layers_film(
            below,
            over,
            masks_from_input(mask),
            mode=mode,
            opacity=opacity,
            exposure_compensation=exposure_compensation,
            progress=Progress(),
        )
        clip = clip_from_input(base if len(below) >= len(over) else layer)
        return io.NodeOutput(FilmVideo(film_on_disk(frames, max(len(below), len(over)), clip.rate), clip))
