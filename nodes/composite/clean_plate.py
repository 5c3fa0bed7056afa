"""The room without the dancer: what she hides in one frame, found in the others."""

from collections.abc import Iterator

import numpy as np
import torch
from comfy_api.v0_0_2 import io

from escalier.composite import (
    FILLS,
    CameraMotion,
    PlatePlan,
    PlateSearch,
    camera_motion,
    make_clean_plate,
    make_clean_plates,
)
from escalier.dials import dials_of
from escalier.film import Film
from escalier.refusals import Refusal

from .. import sockets
from ..dial_inputs import DialValue, dial_input, dial_inputs, dials_from
from ..node import Node, optional, output, span
from ..progress import Progress
from ..tensors import images_from_pictures, masks_from_input
from ..video import FilmInput, FilmVideo, clip_from_input, film_from_input
from .film_on_disk import film_on_disk


def _inputs() -> list[io.Input]:
    return [
        sockets.film_input("The filmed clip with the subject in it."),
        io.Mask.Input(
            "mask",
            tooltip="White where something has to go: one mask for each frame, or one for all. Take in shadows too.",
        ),
        io.Combo.Input(
            "camera",
            options=["moving", "still"],
            default="moving",
            tooltip="'moving' aligns the frames by the camera's motion, found in the room behind the subject. 'still' "
            "is for a tripod: quicker, and nothing can be misjudged.",
        ),
        io.Combo.Input("fill", options=list(FILLS), default="telea", tooltip=dials_of(PlateSearch)["fill"].said("0")),
        dial_input(PlateSearch, "grow_px"),
        dial_input(PlateSearch, "frames", advanced=True),
    ]


def _beside() -> list[io.Input]:
    measured = "From Camera Motion, in place of what 'camera' says."
    return [
        *dial_inputs(PlateSearch, "shadow", "beside_px", advanced=True),
        optional(sockets.CameraMotion, "camera_motion", measured),
    ]


class EscalierCleanPlate(Node):
    """The room without the subject, as one frame sees it: every hidden pixel is looked up in the frames that show it.
    What no frame shows is handed on as a mask.
    """

    display_name = "Make Clean Plate"
    search_aliases = ("background plate", "remove person", "empty room", "temporal median")
    inputs = (
        *_inputs(),
        io.Int.Input("frame", **span(0, 0, 10_000_000), tooltip="The frame whose view the plate has, counted from 0."),
        *_beside(),
        optional(
            sockets.PlatePlan,
            "plan",
            "From Plan Plate: the room comes out as large as the whole move of the camera needs, in the view of the "
            "plan's frame. What is then left to paint is in the mask.",
        ),
    )
    outputs = (
        output(io.Image, "plate", "The room without the subject."),
        output(
            io.Mask, "unseen", "White where no frame shows the room. Give it to an inpainting model, filled or not."
        ),
        output(io.String, "report", "How much of the hidden room was found."),
    )

    @classmethod
    def execute(
        cls,
        film: FilmInput,
        mask: torch.Tensor,
        camera: str,
        frame: int,
        camera_motion: CameraMotion | None = None,
        plan: PlatePlan | None = None,
        **dials: DialValue,
    ) -> io.NodeOutput:
        source, masks = film_from_input(film), masks_from_input(mask)
        if not 0 <= frame < len(source):
            raise Refusal("frame", f"be in 0..{len(source) - 1}", frame, f"the film has {len(source)} frames")
        progress = Progress(previews=False)
        search = dials_from(PlateSearch, dials)
        motion = camera_motion or _motion(camera, source, masks, search.grow_px, progress)
        plate = make_clean_plate(source, masks, frame, search, camera=motion, plan=plan, progress=progress)
        unseen = plate.unseen.astype(np.float32)[None]
        return io.NodeOutput(images_from_pictures([plate.picture]), torch.from_numpy(unseen), str(plate))


class EscalierCleanPlates(Node):
    """The film without the subject: a clean plate in the view of every frame, for a camera that moves. For a tripod,
    Make Clean Plate gives the one picture that is needed.
    """

    display_name = "Make Clean Plate of Every Frame"
    search_aliases = ("background plate", "remove person from video", "empty room", "object removal")
    inputs = (*_inputs(), *_beside())
    outputs = (
        output(io.Video, "video", "The room without the subject, frame by frame."),
        output(
            io.Mask,
            "unseen",
            "White where no frame shows the room, one mask for each frame. Give it to an inpainting model, filled or "
            "not.",
        ),
    )

    @classmethod
    def execute(
        cls,
        film: FilmInput,
        mask: torch.Tensor,
        camera: str,
        camera_motion: CameraMotion | None = None,
        **dials: DialValue,
    ) -> io.NodeOutput:
        source, masks = film_from_input(film), masks_from_input(mask)
        progress = Progress()
        search = dials_from(PlateSearch, dials)
        motion = camera_motion or _motion(camera, source, masks, search.grow_px, progress)
        plates = make_clean_plates(source, masks, search, camera=motion, progress=progress)
        unseen = np.zeros((len(source), source.size.height, source.size.width), np.float32)

        def pictures() -> Iterator[np.ndarray]:
            for index, plate in enumerate(plates):
                unseen[index] = plate.unseen
                yield plate.picture

        clip = clip_from_input(film)
        video = FilmVideo(film_on_disk(pictures(), len(source), clip.rate), clip)
        return io.NodeOutput(video, torch.from_numpy(unseen))


def _motion(camera: str, film: Film, masks: np.ndarray, grow_px: int, progress: Progress) -> CameraMotion:
    if camera == "still":
        return CameraMotion.still(film.size, len(film), film.rate)
    return camera_motion(film, masks, grow_px=grow_px, progress=progress)
