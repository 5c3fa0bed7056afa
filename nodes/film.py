"""Menu escalier/film: how a film moves, and how often its picture changes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from comfy_api.v0_0_2 import io

from escalier.film import (
    PRESETS,
    ArrayFrames,
    Cadence,
    GivenMotion,
    HeldFilm,
    Motion,
    RestoredCadence,
    flows_from_pictures,
    pick_frames,
)
from escalier.keyframes import format_indices, parse_indices

from . import sockets
from .dial_inputs import DialValue, dial_input, dials_from
from .node import Node, optional, output, span
from .progress import Progress
from .scratch import remove_with, scratch_folder
from .tensors import images_from_pictures, pictures_from_images
from .video import FilmInput, FilmVideo, clip_from_input, film_from_input, footage_from_input


def prepared(make: Callable[[Path], Motion], progress: Progress) -> Motion:
    """A motion, measured into a folder of its own that goes when ComfyUI's cache forgets the motion."""
    with scratch_folder("motion") as folder:
        motion = make(folder)
        motion.prepare(progress=progress)
    remove_with(motion, folder)
    return motion


class EscalierMotion(Node):
    """Measures how every pixel of a film moves from frame to frame, once, for all nodes that need to know: choosing
    keyframes by motion, and propagation.
    """

    display_name = "Measure Motion"
    search_aliases = ("optical flow", "motion vectors", "DIS flow")
    inputs = (
        sockets.film_input("The filmed clip, not the restyled one: a video, or a batch of images."),
        io.Combo.Input(
            "preset",
            options=list(PRESETS),
            default="medium",
            tooltip="'medium' is the most exact and takes about a tenth of the time that painting a frame takes. "
            "'fast' and 'ultrafast' are 4 and 9 times quicker and half as exact: good for a first look.",
        ),
    )
    outputs = (output(sockets.Motion, "motion", "The film's motion, kept on disk while ComfyUI remembers it."),)

    @classmethod
    def execute(cls, film: FilmInput, preset: str) -> io.NodeOutput:
        pictures = footage_from_input(film)
        return io.NodeOutput(prepared(lambda folder: Motion(pictures, folder, preset=preset), Progress()))


class EscalierMotionFromImages(Node):
    """Takes the motion of a film from pictures of vectors, such as a renderer's vector pass or the flow of another
    node, instead of measuring it.
    """

    display_name = "Motion from Images"
    search_aliases = ("motion vectors", "vector pass", "optical flow", "velocity", "render")
    inputs = (
        sockets.film_input("The film that moves so: a video, or a batch of images."),
        io.Image.Input(
            "forward",
            tooltip="For each frame but the last, where its pixels go in the next: red is to the right, green is down.",
        ),
        io.Float.Input(
            "scale_px",
            **span(0.0, 0.0, 4096.0, step=1.0),
            tooltip="0 if the values are pixels, as in EXR files. Otherwise middle grey is no motion, and black and "
            "white are this many pixels, as in PNG files.",
        ),
        io.Boolean.Input(
            "flip_y", default=False, tooltip="Switch on if green points up, as renderers do that count rows from below."
        ),
        optional(
            io.Image,
            "backward",
            "For each frame but the first, where its pixels come from in the one before. Found from forward if nothing "
            "is connected.",
        ),
    )
    outputs = (output(sockets.Motion, "motion", "The motion, for every node that asks for it."),)

    @classmethod
    def execute(
        cls, film: FilmInput, forward: torch.Tensor, scale_px: float, flip_y: bool, backward: torch.Tensor | None = None
    ) -> io.NodeOutput:
        def flows(images: torch.Tensor, name: str) -> list[np.ndarray]:
            return list(flows_from_pictures(list(pictures_from_images(images, name)), scale_px=scale_px, flip_y=flip_y))

        sides = flows(forward, "forward"), None if backward is None else flows(backward, "backward")
        pictures = footage_from_input(film)
        return io.NodeOutput(prepared(lambda folder: GivenMotion(pictures, folder, *sides), Progress()))


class EscalierCadence(Node):
    """Keeps one frame of a few and holds it until the next: on twos, on threes. The number of frames, the sound and the
    duration stay as they are.
    """

    display_name = "Set Cadence"
    search_aliases = ("hold frames", "on twos", "stop motion", "frame rate", "posterize time", "step")
    inputs = (
        sockets.film_input("The film, filmed or restyled: a video, or a batch of images."),
        dial_input(Cadence, "every"),
        dial_input(Cadence, "phase", advanced=True),
    )
    outputs = (output(io.Video, "video", "The held film, made while it is saved."),)

    @classmethod
    def execute(cls, film: FilmInput, **cadence: DialValue) -> io.NodeOutput:
        held = HeldFilm(film_from_input(film), dials_from(Cadence, cadence))
        return io.NodeOutput(FilmVideo(held, clip_from_input(film)))


class EscalierPickFrames(Node):
    """Keeps one frame of a few, for Run Frame Interpolation Model to make new ones between them; Restore Cadence then
    lays the result on the film's own clock. What flickers from frame to frame is gone.
    """

    display_name = "Pick Frames to Interpolate"
    search_aliases = ("RIFE", "FILM", "frame interpolation", "halve frame rate", "drop frames", "deflicker")
    inputs = (
        sockets.film_input("The film, filmed or restyled: a video, or a batch of images."),
        io.Int.Input(
            "every",
            **span(2, 2, 16),
            tooltip="Frames from one kept frame to the next. 2 calms the picture and keeps quick movements; more is "
            "smoother and melts them. The last frame of the film is always kept.",
        ),
    )
    outputs = (
        output(io.Image, "images", "The kept frames, for Run Frame Interpolation Model."),
        output(io.Int, "multiplier", "The multiplier that the interpolation needs: the same number."),
        output(io.String, "indices", "The kept frames' numbers, for Restore Cadence."),
    )

    @classmethod
    def execute(cls, film: FilmInput, every: int) -> io.NodeOutput:
        source = film_from_input(film)
        kept = pick_frames(len(source), every)
        images = images_from_pictures([source.frame(index) for index in kept])
        return io.NodeOutput(images, every, format_indices(kept))


class EscalierRestoreCadence(Node):
    """Lays interpolated frames back on the film's own clock: exactly as many frames as the film has, each the one
    nearest to its time, with the film's sound. Kept frames are seen unchanged.
    """

    display_name = "Restore Cadence"
    search_aliases = ("RIFE", "frame interpolation", "exact frame count", "resync")
    inputs = (
        sockets.film_input("The film that the frames were picked from: its clock and its sound are taken."),
        io.Image.Input("images", tooltip="What Run Frame Interpolation Model made of the picked frames."),
        io.String.Input(
            "indices", force_input=True, tooltip="The kept frames' numbers, from Pick Frames to Interpolate."
        ),
    )
    outputs = (output(io.Video, "video", "The calmed film, as long as the one it came from."),)

    @classmethod
    def execute(cls, film: FilmInput, images: torch.Tensor, indices: str) -> io.NodeOutput:
        clip = clip_from_input(film)
        pictures = ArrayFrames(pictures_from_images(images, "images"))
        kept = parse_indices(indices, len(clip))
        times = getattr(clip, "times", None)
        return io.NodeOutput(FilmVideo(RestoredCadence(pictures, kept, len(clip), rate=clip.rate, times=times), clip))


NODES: list[type[io.ComfyNode]] = [
    EscalierMotion,
    EscalierMotionFromImages,
    EscalierCadence,
    EscalierPickFrames,
    EscalierRestoreCadence,
]
