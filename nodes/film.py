"""Menu escalier/film: how a film moves."""

from comfy_api.v0_0_2 import io

from escalier.film.motion import PRESETS, Motion

from . import sockets
from .errors import named_after_node
from .progress import Progress
from .scratch import remove_with, scratch_folder
from .video import film_from_input


class EscalierMotion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierMotion",
            display_name="Measure Motion",
            category="escalier/film",
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
            motion = Motion(film_from_input(film), folder, preset=preset)
            motion.prepare(progress=Progress())
        remove_with(motion, folder)
        return io.NodeOutput(motion)
