"""Gives the new room the shadows of whoever is set into it."""

import numpy as np
import torch
from comfy_api.v0_0_2 import io

from escalier.composite import Shadows
from escalier.refusals import Refusal

from .. import sockets
from ..dial_inputs import DialValue, dial_inputs, dials_from
from ..node import Node, output
from ..progress import Progress
from ..tensors import masks_from_input
from ..video import FilmInput, FilmVideo, clip_from_input, film_from_input
from .film_on_disk import film_on_disk


class EscalierCastShadow(Node):
    """Puts a subject's shadows into the new room, before she is set into it: the one that she cast in the old room,
    taken along as it was filmed, and a soft one where she touches the ground.
    """

    display_name = "Cast Shadow"
    search_aliases = ("contact shadow", "drop shadow", "shadow matte", "ground shadow")
    inputs = (
        sockets.film_input("The new room, from here on to Place Subject: a film, or one picture.", id="room"),
        io.Mask.Input("mask", tooltip="White where the subject is: one mask for each frame, or one for all."),
        *dial_inputs(Shadows, "cast", "cast_softness_px", "contact", "contact_softness_px", "across_px", "down_px"),
        sockets.film_input(
            "The filmed subject, whose old shadow is looked for. Without it only the contact shadow is made.",
            id="source",
            optional=True,
        ),
        sockets.film_input(
            "The old room without her and without her shadow, in the view of every frame or one for all.",
            id="old_room",
            optional=True,
        ),
    )
    outputs = (
        output(io.Video, "video", "The room with the shadows in it."),
        output(io.Mask, "shadow", "The old shadow's matte, black where there is none: the share of light it takes."),
    )

    @classmethod
    def execute(
        cls,
        room: FilmInput,
        mask: torch.Tensor,
        source: FilmInput | None = None,
        old_room: FilmInput | None = None,
        **dials: DialValue,
    ) -> io.NodeOutput:
        from escalier.composite import find_cast_shadow, shadow_room  # numba, which would double the time to import

        if (source is None) != (old_room is None):
            missing = "source" if source is None else "old_room"
            raise Refusal(missing, "be connected where the other film is", "nothing", "connect both, or neither")
        behind, masks = film_from_input(room, "room"), masks_from_input(mask)
        cast = None
        if source is not None and old_room is not None:
            films = film_from_input(source, "source"), film_from_input(old_room, "old_room")
            cast = np.stack([*find_cast_shadow(*films, masks, progress=Progress())])
        frames = shadow_room(behind, masks, dials_from(Shadows, dials), cast=cast, progress=Progress())
        length = max(len(behind), len(masks), 0 if cast is None else len(cast))
        clip = clip_from_input(room if len(behind) == length or source is None else source)
        matte = np.zeros((1, *masks.shape[1:]), np.float32) if cast is None else cast
        return io.NodeOutput(FilmVideo(film_on_disk(frames, length, clip.rate), clip), torch.from_numpy(matte))
