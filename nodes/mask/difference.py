"""A matte of what differs from the empty room."""

from comfy_api.v0_0_2 import io

from escalier.mask import Difference, difference_mattes

from .. import sockets
from ..dial_inputs import DialValue, dial_inputs, dials_from
from ..node import Node, output
from ..progress import Progress
from ..video import FilmInput, film_from_input
from .batch import mask_batch


class EscalierDifferenceMatte(Node):
    """A matte of all that differs from the empty room. It needs a tripod and a picture of the room without the subject,
    or a plate in the view of every frame.
    """

    display_name = "Difference Matte"
    search_aliases = ("difference key", "background subtraction", "clean plate matte")
    inputs = (
        sockets.film_input("The filmed clip with the subject in it."),
        sockets.film_input(
            "The room without the subject, in the same view: one picture, or one for each frame.", id="plate"
        ),
        *dial_inputs(Difference, "threshold", "softness", "blur_px", "ignore_shadows"),
    )
    outputs = (output(io.Mask, "mask", "One soft matte for each frame."),)

    @classmethod
    def execute(cls, film: FilmInput, plate: FilmInput, **dials: DialValue) -> io.NodeOutput:
        shot, room = film_from_input(film), film_from_input(plate, "plate")
        mattes = difference_mattes(shot, room, dials_from(Difference, dials), progress=Progress(previews=False))
        return io.NodeOutput(mask_batch(mattes, len(shot)))
