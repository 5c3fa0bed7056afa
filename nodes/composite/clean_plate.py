"""The room without the dancer: what she hides in one frame, found in the others."""

import numpy as np
import torch
from comfy_api.v0_0_2 import io

from escalier.film import Film
from escalier.refusals import Refusal

from .. import sockets
from ..errors import named_after_node
from ..progress import Progress
from ..tensors import images_from_pictures, masks_from_input
from ..video import FilmVideo, clip_from_input, film_from_input
from .film_on_disk import film_on_disk

CATEGORY = "escalier/composite"


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
        io.Combo.Input(
            "fill",
            options=["none", "telea", "navier_stokes"],
            default="telea",
            tooltip="What becomes of pixels that no frame shows: left as they are for an inpainting model ('none'), or "
            "filled from around them by one of two classic methods, good for small holes.",
        ),
        io.Int.Input(
            "grow_px",
            default=6,
            min=0,
            max=500,
            tooltip="How far around the mask nothing is trusted, in pixels. 6 avoids halos of the subject's edge; more "
            "has more to find.",
        ),
        io.Int.Input(
            "frames",
            default=60,
            min=1,
            max=100_000,
            advanced=True,
            tooltip="How many other frames are looked at, spread over the film. 60 is plenty for most shots; more sees "
            "more of the room and takes longer.",
        ),
    ]


class EscalierCleanPlate(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierCleanPlate",
            display_name="Make Clean Plate",
            category=CATEGORY,
            description="The room without the subject, as one frame sees it: every hidden pixel is looked up in the "
            "frames that show it. What no frame shows is handed on as a mask.",
            search_aliases=["background plate", "remove person", "empty room", "temporal median"],
            inputs=[
                *_inputs(),
                io.Int.Input(
                    "frame",
                    default=0,
                    min=0,
                    max=10_000_000,
                    tooltip="The frame whose view the plate has, counted from 0.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="plate", tooltip="The room without the subject."),
                io.Mask.Output(
                    display_name="unseen",
                    tooltip="White where no frame shows the room. Give it to an inpainting model, filled or not.",
                ),
                io.String.Output(display_name="report", tooltip="How much of the hidden room was found."),
            ],
        )

    @classmethod
    @named_after_node
    def execute(cls, film, mask, camera, fill, grow_px, frames, frame) -> io.NodeOutput:
        from escalier.composite import make_clean_plate

        source, masks = film_from_input(film), masks_from_input(mask)
        if not 0 <= frame < len(source):
            raise Refusal("frame", f"be in 0..{len(source) - 1}", frame, f"the film has {len(source)} frames")
        progress = Progress(previews=False)
        motion = _motion(camera, source, masks, grow_px, progress)
        plate = make_clean_plate(
            source, masks, frame, camera=motion, frames=frames, grow_px=grow_px, fill=fill, progress=progress
        )
        unseen = plate.unseen.astype(np.float32)[None]
        return io.NodeOutput(images_from_pictures([plate.picture]), torch.from_numpy(unseen), str(plate))


class EscalierCleanPlates(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierCleanPlates",
            display_name="Make Clean Plate of Every Frame",
            category=CATEGORY,
            description="The film without the subject: a clean plate in the view of every frame, for a camera that "
            "moves. For a tripod, Make Clean Plate gives the one picture that is needed.",
            search_aliases=["background plate", "remove person from video", "empty room", "object removal"],
            inputs=_inputs(),
            outputs=[
                io.Video.Output(display_name="video", tooltip="The room without the subject, frame by frame."),
                io.Mask.Output(
                    display_name="unseen",
                    tooltip="White where no frame shows the room, one mask for each frame. Give it to an inpainting "
                    "model, filled or not.",
                ),
            ],
        )

    @classmethod
    @named_after_node
    def execute(cls, film, mask, camera, fill, grow_px, frames) -> io.NodeOutput:
        from escalier.composite import make_clean_plates

        source, masks = film_from_input(film), masks_from_input(mask)
        progress = Progress()
        motion = _motion(camera, source, masks, grow_px, progress)
        plates = make_clean_plates(
            source, masks, camera=motion, frames=frames, grow_px=grow_px, fill=fill, progress=progress
        )
        unseen = np.zeros((len(source), source.size.height, source.size.width), np.float32)

        def pictures():
            for index, plate in enumerate(plates):
                unseen[index] = plate.unseen
                yield plate.picture

        clip = clip_from_input(film)
        video = FilmVideo(film_on_disk(pictures(), len(source), clip.rate), clip)
        return io.NodeOutput(video, torch.from_numpy(unseen))


def _motion(camera: str, film: Film, masks: np.ndarray, grow_px: int, progress: Progress) -> list[np.ndarray]:
    from escalier.composite import camera_motion

    if camera == "still":
        return [np.eye(3)] * len(film)
    return camera_motion(film, masks, grow_px=grow_px, progress=progress)
