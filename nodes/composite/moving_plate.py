"""A still room that follows the camera of a film: its motion, the plate that the whole move needs, the plate moved."""

import numpy as np
import torch
from comfy_api.v0_0_2 import io

from escalier.composite import CameraMotion, PlatePlan, PlateSearch, camera_motion, move_plate, plan_plate
from escalier.refusals import Refusal

from .. import sockets
from ..dial_inputs import dial_input
from ..node import Node, optional, output, span
from ..progress import Progress
from ..tensors import masks_from_input, pictures_from_images
from ..video import FilmInput, FilmVideo, film_from_input


class EscalierCameraMotion(Node):
    """How the camera pans, tilts, zooms and rolls, found in the room behind the subject, without drift over a long
    shot. The report says what does not move as one, near and far, and where.
    """

    display_name = "Camera Motion"
    search_aliases = ("camera track", "match move", "stabilise", "homography", "pan", "zoom")
    inputs = (
        sockets.film_input("The filmed clip with the subject in it: one shot."),
        io.Mask.Input(
            "mask", tooltip="White where something moves by itself: one mask for each frame, or one for all."
        ),
        dial_input(PlateSearch, "grow_px"),
    )
    outputs = (
        output(
            sockets.CameraMotion, "camera_motion", "The camera's motion, for Plan Plate and Move Plate with Camera."
        ),
        output(io.String, "report", "How far the camera moves, and which frames it leaves unexplained (parallax)."),
    )

    @classmethod
    def execute(cls, film: FilmInput, mask: torch.Tensor, grow_px: int) -> io.NodeOutput:
        source, progress = film_from_input(film), Progress(previews=False)
        found = camera_motion(source, masks_from_input(mask), grow_px=grow_px, progress=progress)
        return io.NodeOutput(found, str(found))


class EscalierPlanPlate(Node):
    """How large a room must be painted so that it fills the picture through the whole move of the camera. Give the plan
    to Make Clean Plate, and the room comes out at that size, with what is left to paint as a mask.
    """

    display_name = "Plan Plate"
    search_aliases = ("overscan", "outpaint", "background size", "panorama")
    inputs = (
        sockets.CameraMotion.Input("camera_motion", tooltip="From Camera Motion."),
        io.Int.Input(
            "frame",
            **span(0, 0, 10_000_000),
            tooltip="The frame in whose view the room is painted, counted from 0. The middle of a move needs the "
            "smallest room.",
        ),
        io.Int.Input(
            "margin_px",
            **span(4, 0, 4096),
            tooltip="Room to spare around what the camera sees, in pixels. More forgives a room that is painted a "
            "little off.",
        ),
    )
    outputs = (
        output(sockets.PlatePlan, "plan", "The plan, for Make Clean Plate and Move Plate with Camera."),
        output(io.Int, "width", "Width of the room to paint, a multiple of 8 where it is larger than the film."),
        output(io.Int, "height", "Height of the room to paint."),
        output(io.String, "report", "How large it is, and where the frame lies in it."),
    )

    @classmethod
    def execute(cls, camera_motion: CameraMotion, frame: int, margin_px: int) -> io.NodeOutput:
        plan = plan_plate(camera_motion, frame, margin_px=margin_px)
        return io.NodeOutput(plan, plan.size.width, plan.size.height, str(plan))


class EscalierMovePlate(Node):
    """A still, restyled room follows pan, tilt, zoom and roll of the filmed camera, so that the subject does not slide
    against it. It is drawn anew for each frame, once, from the painted picture.
    """

    display_name = "Move Plate with Camera"
    search_aliases = ("match move", "background follows camera", "camera projection", "animate still")
    inputs = (
        io.Image.Input("plate", tooltip="The restyled room: one picture, of the planned size."),
        sockets.CameraMotion.Input("camera_motion", tooltip="From Camera Motion, of the film that it has to follow."),
        optional(
            sockets.PlatePlan,
            "plan",
            "From Plan Plate, as the room was painted. Without it the room has the film's size and shows frame 0.",
        ),
    )
    outputs = (
        output(io.Video, "video", "The room as a film, for the room of Place Subject."),
        output(io.Mask, "unseen", "White where the painted room does not reach, one mask for each frame."),
        output(io.String, "report", "How the camera moves, and which frames see beyond the painted room."),
    )

    @classmethod
    def execute(cls, plate: torch.Tensor, camera_motion: CameraMotion, plan: PlatePlan | None = None) -> io.NodeOutput:
        if len(plate) != 1:
            raise Refusal("plate", "be one picture", len(plate), "choose one with Image From Batch")
        moved = move_plate(pictures_from_images(plate, "plate")[0], camera_motion, plan)
        unseen = np.stack([moved.unseen(i) for i in range(len(moved))]).astype(np.float32)
        return io.NodeOutput(FilmVideo(moved), torch.from_numpy(unseen), moved.report())
