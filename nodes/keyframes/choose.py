"""Choose which frames of a film are to be painted."""

from typing import Any

from comfy_api.v0_0_2 import io

from escalier.film import Motion
from escalier.keyframes import MODES, PER_SECOND, Keyframes, choose_keyframes, format_indices, parse_indices

from .. import sockets
from ..node import Node, optional, output, span
from ..progress import Progress
from ..tensors import images_from_pictures
from ..video import FilmInput, footage_from_input


class EscalierChooseKeyframes(Node):
    """Chooses the frames of a film that are to be painted, and hands them out as pictures."""

    display_name = "Choose Keyframes"
    search_aliases = ("pick frames", "extract frames", "select frames", "every nth frame")
    inputs = (
        sockets.film_input(),
        io.Combo.Input(
            "mode",
            options=list(MODES),
            default=MODES[0],
            tooltip="How to choose. 'per second': evenly, so many a second. 'count': evenly, so many in all. 'every "
            "n': every n frames. 'motion': where the motion uncovers the most; connect motion for it. 'list': those "
            "that frames names.",
        ),
        io.Float.Input(
            "per_second",
            **span(PER_SECOND, 0.01, 60.0, step=0.05),
            tooltip="Keyframes per second of film. 0.5 is one every two seconds: fades between them are then long "
            "enough to go unnoticed. Over 2, fades look like jump cuts.",
        ),
        io.Int.Input(
            "count",
            **span(0, 0, 9999),
            tooltip="How many keyframes in all, for the modes 'count' and 'motion'. In 'motion', 0 takes as many as "
            "per_second gives.",
        ),
        io.Int.Input(
            "n",
            **span(48, 1, 99_999),
            tooltip="Frames from one keyframe to the next, for the mode 'every n'. 48 is two seconds at 24 frames per "
            "second.",
        ),
        io.Int.Input(
            "minimum_gap",
            **span(0, 0, 99_999),
            advanced=True,
            tooltip="In the mode 'motion', at least so many frames from one keyframe to the next. 0 takes half of the "
            "even spacing.",
        ),
        optional(
            sockets.Motion, "motion", "How the film moves, from Measure Motion. Needed for the mode 'motion' only."
        ),
        io.String.Input(
            "frames",
            default="",
            optional=True,
            tooltip="Frame numbers for the mode 'list', counted from 0, rising: 0, 24, 48. Connect the frames of "
            "Advise Keyframes here.",
        ),
    )
    outputs = (
        output(sockets.Keyframes, "keyframes", "The chosen frames with their places in the film, unpainted."),
        output(io.Image, "images", "The chosen frames as pictures, to paint or to save."),
        output(io.String, "indices", "Their frame numbers, counted from 0: 0, 24, 48."),
    )

    @classmethod
    def execute(
        cls,
        film: FilmInput,
        mode: str,
        count: int,
        minimum_gap: int,
        motion: Motion | None = None,
        frames: str = "",
        **spacing: Any,
    ) -> io.NodeOutput:
        source = footage_from_input(film)
        indices = choose_keyframes(
            source,
            mode,
            count=None if mode == "motion" and count == 0 else count,
            motion=motion,
            minimum_gap=minimum_gap or None,
            frames=parse_indices(frames, len(source)) if mode == "list" and frames.strip() else None,
            progress=Progress(),
            **spacing,  # per_second and n
        )
        keyframes = Keyframes(indices, [source.frame(index) for index in indices], len(source))
        return io.NodeOutput(keyframes, images_from_pictures(keyframes.pictures), format_indices(indices))
