"""Set a filmed subject into another room under a light that belongs there."""

import torch
from comfy_api.v0_0_2 import io

from escalier.composite import Placing
from escalier.film import Motion

from .. import sockets
from ..dial_inputs import DialValue, dial_inputs, dials_from
from ..node import Node, output
from ..progress import Progress
from ..tensors import masks_from_input
from ..video import FilmInput, FilmVideo, clip_from_input, film_from_input
from .film_on_disk import film_on_disk


class EscalierPlaceSubject(Node):
    """Sets a filmed subject into another room and keeps her skin and cloth: her own colours in hair and blur, with no
    rim of the old room, and a gentle light that belongs to the new one. Outside the mask no bit changes.
    """

    display_name = "Place Subject"
    search_aliases = ("composite", "alpha over", "decontaminate", "relight", "new background", "paste into")
    inputs = (
        sockets.film_input("The filmed subject: a film, or one picture.", id="source"),
        sockets.film_input("The room she is set into: a film, or one picture, in the same size.", id="room"),
        io.Mask.Input(
            "mask",
            tooltip="White where the subject is, grey where hair and blur let the room through: one mask for each "
            "frame, or one for all. A hard mask makes a hard edge; soften it with Shape Mask Edge.",
        ),
        *dial_inputs(Placing, "light", "most_delta_e", "steady_frames"),
        sockets.film_input(
            "The old room without her, from Make Clean Plate: hair and blur come out nearly exact with it. Looked for "
            "in the other frames of the source if nothing is connected.",
            id="old_room",
            optional=True,
        ),
        sockets.Motion.Input(
            "motion",
            optional=True,
            tooltip="The source's, from Measure Motion. Her colours in hair and blur are averaged along her own "
            "motion, which is measured as finely as this one; with preset 'medium' if nothing is connected.",
        ),
    )
    outputs = (output(io.Video, "video", "The placed film, with the sound and timing of the longer input."),)

    @classmethod
    def execute(
        cls,
        source: FilmInput,
        room: FilmInput,
        mask: torch.Tensor,
        old_room: FilmInput | None = None,
        motion: Motion | None = None,
        **dials: DialValue,
    ) -> io.NodeOutput:
        from escalier.composite import place_subject_film  # numba, which would double the time to import the pack

        subject, behind = film_from_input(source, "source"), film_from_input(room, "room")
        known = None if old_room is None else film_from_input(old_room, "old_room")
        placing = dials_from(Placing, dials)
        frames = place_subject_film(
            subject, behind, masks_from_input(mask), placing, old_room=known, motion=motion, progress=Progress()
        )
        clip = clip_from_input(source if len(subject) >= len(behind) else room)
        return io.NodeOutput(FilmVideo(film_on_disk(frames, max(len(subject), len(behind)), clip.rate), clip))
