"""Masks from segmentation maps, by the colours of their regions."""

import torch
from comfy_api.v0_0_2 import io

from escalier.film import Film
from escalier.mask import ColourId, colour_id_masks, colours_in, parse_colours

from .. import sockets
from ..dial_inputs import DialValue, dial_input, dial_inputs, dials_from
from ..node import Node, output
from ..progress import Progress
from ..video import FilmInput, film_from_input
from .batch import mask_batch


class EscalierColourIdMask(Node):
    """Makes masks from segmentation maps, in which every kind of thing has a colour of its own: one or several colours,
    with a tolerance, steady over time.
    """

    display_name = "Mask from Colour Id"
    search_aliases = ("segmentation mask", "color id", "color to mask", "cryptomatte", "ADE20K")
    inputs = (
        sockets.film_input("The segmentation maps: a film, or one picture."),
        io.String.Input(
            "colours",
            default="#ff0000",
            multiline=True,
            dynamic_prompts=False,
            tooltip="The colours to take, as #rrggbb or three numbers 0 to 255 each, one after another. The report "
            "lists the colours of the first map.",
        ),
        *dial_inputs(ColourId, "tolerance", "steady_frames"),
        dial_input(ColourId, "despeckle_px", advanced=True),
        io.String.Input(
            "other_colours",
            default="",
            multiline=True,
            dynamic_prompts=False,
            advanced=True,
            tooltip="Colours of other regions that are easily mistaken for these: what is nearer to one of them is "
            "left out.",
        ),
    )
    outputs = (
        output(io.Mask, "mask", "One mask for each map, black and white."),
        output(io.String, "report", "How much the masks cover, and the colours of the first map."),
    )

    @classmethod
    def execute(cls, film: FilmInput, colours: str, other_colours: str, **dials: DialValue) -> io.NodeOutput:
        maps = film_from_input(film)
        masks = colour_id_masks(
            maps,
            parse_colours(colours),
            dials_from(ColourId, dials),
            rivals=parse_colours(other_colours) if other_colours.strip() else (),
            progress=Progress(previews=False),
        )
        batch = mask_batch(masks, len(maps))
        return io.NodeOutput(batch, _report(batch, maps))


def _report(masks: torch.Tensor, maps: Film) -> str:
    shares = [100 * float(mask.mean()) for mask in masks]
    found = ", ".join(f"#{bytes(colour).hex()} {100 * share:.1f} %" for colour, share in colours_in(maps.frame(0)))
    return (
        f"masks cover {min(shares):.1f} to {max(shares):.1f} % of the picture\n"
        f"colours of the first map: {found or 'none that covers more than half a percent'}"
    )
