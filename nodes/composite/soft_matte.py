"""A soft matte out of a mask, the film and the empty room."""

import torch
from comfy_api.v0_0_2 import io

from escalier.composite import SoftBand

from .. import sockets
from ..dial_inputs import DialValue, dial_inputs, dials_from
from ..mask.batch import mask_batch
from ..node import Node, output
from ..progress import Progress
from ..tensors import masks_from_input
from ..video import FilmInput, film_from_input


class EscalierSoftMatte(Node):
    """Turns a hard mask into a soft one around its outline: single hairs, motion blur and thin things become as grey as
    they are, steadily from frame to frame. For Place Subject and Blend Layers.
    """

    display_name = "Soften Mask in Hair and Blur"
    search_aliases = ("matting", "alpha matte", "refine mask", "hair", "trimap", "soft matte")
    inputs = (
        sockets.film_input("The filmed clip with the subject in it."),
        io.Mask.Input("mask", tooltip="The subject's masks, from Track Mask: one for each frame, or one for all."),
        sockets.film_input(
            "The room without her in the same view, from Make Clean Plate: one picture, or one for each frame where "
            "the camera moves. Looked for in the other frames of the film if nothing is connected.",
            id="old_room",
            optional=True,
        ),
        *dial_inputs(SoftBand, "inside_px", "outside_px"),
    )
    outputs = (output(io.Mask, "mask", "One soft mask for each frame."),)

    @classmethod
    def execute(
        cls, film: FilmInput, mask: torch.Tensor, old_room: FilmInput | None = None, **dials: DialValue
    ) -> io.NodeOutput:
        from escalier.composite import soft_mattes  # numba, which would double the time to import the pack

        shot = film_from_input(film)
        room = None if old_room is None else film_from_input(old_room, "old_room")
        wanted = dials_from(SoftBand, dials)
        mattes = soft_mattes(shot, masks_from_input(mask), room, wanted, progress=Progress(previews=False))
        return io.NodeOutput(mask_batch(mattes, len(shot)))
