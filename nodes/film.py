"""Menu escalier/film: how a film moves, and how often its picture changes."""

from comfy_api.v0_0_2 import io

from escalier.film import (
    PRESETS,
    ArrayFrames,
    Cadence,
    GivenMotion,
    Motion,
    RestoredCadence,
    flows_from_pictures,
    pick_frames,
)
from escalier.keyframes import format_indices, parse_indices

from . import sockets
from .errors import named_after_node
from .progress import Progress
from .scratch import remove_with, scratch_folder
from .tensors import images_from_pictures, pictures_from_images
from .video import FilmVideo, clip_from_input, film_from_input, footage_from_input

CATEGORY = "escalier/film"


class EscalierMotion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierMotion",
            display_name="Measure Motion",
            category=CATEGORY,
            description="Measures how every pixel of a film moves from frame to frame, once, for all nodes that need "
            "to know: choosing keyframes by motion, and propagation.",
            search_aliases=["optical flow", "motion vectors", "DIS flow"],
            inputs=[
                sockets.film_input("The filmed clip, not the restyled one: a video, or a batch of images."),
                io.Combo.Input(
                    "preset",
                    options=list(PRESETS),
                    default="medium",
                    tooltip="'medium' is the most exact and takes about a tenth of the time that painting a frame "
                    "takes. 'fast' and 'ultrafast' are 4 and 9 times quicker and half as exact: good for a first look.",
                ),
            ],
            outputs=[
                sockets.Motion.Output(
                    display_name="motion", tooltip="The film's motion, kept on disk while ComfyUI remembers it."
                )
            ],
        )

    @classmethod
    @named_after_node
    def execute(cls, film, preset) -> io.NodeOutput:
        with scratch_folder("motion") as folder:
            motion = Motion(footage_from_input(film), folder, preset=preset)
            motion.prepare(progress=Progress())
        remove_with(motion, folder)
        return io.NodeOutput(motion)


class EscalierMotionFromImages(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierMotionFromImages",
            display_name="Motion from Images",
            category=CATEGORY,
            description="Takes the motion of a film from pictures of vectors, such as a renderer's vector pass or the "
            "flow of another node, instead of measuring it.",
            search_aliases=["motion vectors", "vector pass", "optical flow", "velocity", "render"],
            inputs=[
                sockets.film_input("The film that moves so: a video, or a batch of images."),
                io.Image.Input(
                    "forward",
                    tooltip="For each frame but the last, where its pixels go in the next: red is to the right, green "
                    "is down.",
                ),
                io.Float.Input(
                    "scale_px",
                    default=0.0,
                    min=0.0,
                    max=4096.0,
                    step=1.0,
                    tooltip="0 if the values are pixels, as in EXR files. Otherwise middle grey is no motion, and "
                    "black and white are this many pixels, as in PNG files.",
                ),
                io.Boolean.Input(
                    "flip_y",
                    default=False,
                    tooltip="Switch on if green points up, as renderers do that count rows from below.",
                ),
                io.Image.Input(
                    "backward",
                    optional=True,
                    tooltip="For each frame but the first, where its pixels come from in the one before. Found from "
                    "forward if nothing is connected.",
                ),
            ],
            outputs=[
                sockets.Motion.Output(display_name="motion", tooltip="The motion, for every node that asks for it.")
            ],
        )

    @classmethod
    @named_after_node
    def execute(cls, film, forward, scale_px, flip_y, backward=None) -> io.NodeOutput:
        sides = [
            None
            if images is None
            else flows_from_pictures(pictures_from_images(images, name), scale_px=scale_px, flip_y=flip_y)
            for name, images in (("forward", forward), ("backward", backward))
        ]
        with scratch_folder("motion") as folder:
            motion = GivenMotion(footage_from_input(film), folder, *sides)
            motion.prepare(progress=Progress())
        remove_with(motion, folder)
        return io.NodeOutput(motion)


class EscalierCadence(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierCadence",
            display_name="Set Cadence",
            category=CATEGORY,
            description="Keeps one frame of a few and holds it until the next: on twos, on threes. The number of "
            "frames, the sound and the duration stay as they are.",
            search_aliases=["hold frames", "on twos", "stop motion", "frame rate", "posterize time", "step"],
            inputs=[
                sockets.film_input("The film, filmed or restyled: a video, or a batch of images."),
                io.Int.Input(
                    "every",
                    default=2,
                    min=1,
                    max=999,
                    tooltip="Frames from one kept frame to the next. 2 is on twos, as most drawn animation is; 3 and 4 "
                    "look like puppets; 1 changes nothing.",
                ),
                io.Int.Input(
                    "phase",
                    default=0,
                    min=0,
                    max=998,
                    advanced=True,
                    tooltip="The first kept frame, less than every. 0 keeps the first frame of the film; another one "
                    "moves the steps, to meet a beat or a keyframe.",
                ),
            ],
            outputs=[io.Video.Output(display_name="video", tooltip="The held film, made while it is saved.")],
        )

    @classmethod
    @named_after_node
    def execute(cls, film, every, phase) -> io.NodeOutput:
        return io.NodeOutput(FilmVideo(Cadence(film_from_input(film), every, phase), clip_from_input(film)))


class EscalierPickFrames(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierPickFrames",
            display_name="Pick Frames to Interpolate",
            category=CATEGORY,
            description="Keeps one frame of a few, for Run Frame Interpolation Model to make new ones between them; "
            "Restore Cadence then lays the result on the film's own clock. What flickers from frame to frame is gone.",
            search_aliases=["RIFE", "FILM", "frame interpolation", "halve frame rate", "drop frames", "deflicker"],
            inputs=[
                sockets.film_input("The film, filmed or restyled: a video, or a batch of images."),
                io.Int.Input(
                    "every",
                    default=2,
                    min=2,
                    max=16,
                    tooltip="Frames from one kept frame to the next. 2 calms the picture and keeps quick movements; "
                    "more is smoother and melts them. The last frame of the film is always kept.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="images", tooltip="The kept frames, for Run Frame Interpolation Model."),
                io.Int.Output(
                    display_name="multiplier", tooltip="The multiplier that the interpolation needs: the same number."
                ),
                io.String.Output(display_name="indices", tooltip="The kept frames' numbers, for Restore Cadence."),
            ],
        )

    @classmethod
    @named_after_node
    def execute(cls, film, every) -> io.NodeOutput:
        source = film_from_input(film)
        kept = pick_frames(len(source), every)
        images = images_from_pictures([source.frame(index) for index in kept])
        return io.NodeOutput(images, every, format_indices(kept))


class EscalierRestoreCadence(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierRestoreCadence",
            display_name="Restore Cadence",
            category=CATEGORY,
            description="Lays interpolated frames back on the film's own clock: exactly as many frames as the film "
            "has, each the one nearest to its time, with the film's sound. Kept frames are seen unchanged.",
            search_aliases=["RIFE", "frame interpolation", "exact frame count", "resync"],
            inputs=[
                sockets.film_input("The film that the frames were picked from: its clock and its sound are taken."),
                io.Image.Input("images", tooltip="What Run Frame Interpolation Model made of the picked frames."),
                io.String.Input(
                    "indices",
                    force_input=True,
                    tooltip="The kept frames' numbers, from Pick Frames to Interpolate.",
                ),
            ],
            outputs=[
                io.Video.Output(display_name="video", tooltip="The calmed film, as long as the one it came from.")
            ],
        )

    @classmethod
    @named_after_node
    def execute(cls, film, images, indices) -> io.NodeOutput:
        clip = clip_from_input(film)
        pictures = ArrayFrames(pictures_from_images(images, "images"))
        kept = parse_indices(indices, len(clip))
        times = getattr(clip, "times", None)
        return io.NodeOutput(FilmVideo(RestoredCadence(pictures, kept, len(clip), rate=clip.rate, times=times), clip))
