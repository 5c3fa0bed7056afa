"""A matte of what differs from the empty room."""

from comfy_api.v0_0_2 import io

from .. import sockets
from ..errors import named_after_node
from ..progress import Progress
from ..video import film_from_input
from .batch import mask_batch


class EscalierDifferenceMatte(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierDifferenceMatte",
            display_name="Difference Matte",
            category="escalier/mask",
            description="A matte of all that differs from the empty room. It needs a tripod and a picture of the room "
            "without the subject, or a plate in the view of every frame.",
            search_aliases=["difference key", "background subtraction", "clean plate matte"],
            inputs=[
                sockets.film_input("The filmed clip with the subject in it."),
                sockets.film_input(
                    "The room without the subject, in the same view: one picture, or one for each frame.", id="plate"
                ),
                io.Float.Input(
                    "threshold",
                    default=24.0,
                    min=0.0,
                    max=255.0,
                    step=1.0,
                    tooltip="Difference at which the matte is half grey, in levels of 255. Lower takes in more, and "
                    "the film's grain with it.",
                ),
                io.Float.Input(
                    "softness",
                    default=16.0,
                    min=0.0,
                    max=255.0,
                    step=1.0,
                    tooltip="Width of the soft step around the threshold, in levels. 0 makes a hard mask.",
                ),
                io.Float.Input(
                    "blur_px",
                    default=1.0,
                    min=0.0,
                    max=100.0,
                    step=0.5,
                    tooltip="Blurs both pictures before they are compared, against grain. More loses thin parts.",
                ),
                io.Float.Input(
                    "ignore_shadows",
                    default=0.5,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="How little a change of brightness counts where the colour stays the same, as in a shadow. "
                    "At 1 a grey subject before a grey wall is lost.",
                ),
            ],
            outputs=[io.Mask.Output(display_name="mask", tooltip="One soft matte for each frame.")],
        )

    @classmethod
    @named_after_node
    def execute(cls, film, plate, threshold, softness, blur_px, ignore_shadows) -> io.NodeOutput:
        from escalier.mask import difference_mattes

        shot = film_from_input(film)
        mattes = difference_mattes(
            shot,
            film_from_input(plate, "plate"),
            threshold=threshold,
            softness=softness,
            blur_px=blur_px,
            ignore_shadows=ignore_shadows,
            progress=Progress(previews=False),
        )
        return io.NodeOutput(mask_batch(mattes, len(shot)))
