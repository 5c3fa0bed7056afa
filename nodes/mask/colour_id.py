"""Masks from segmentation maps, by the colours of their regions."""

from comfy_api.v0_0_2 import io

from escalier.film import FrameSource

from .. import sockets
from ..errors import named_after_node
from ..progress import Progress
from ..video import film_from_input
from .batch import mask_batch


class EscalierColourIdMask(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierColourIdMask",
            display_name="Mask from Colour Id",
            category="escalier/mask",
            description="Makes masks from segmentation maps, in which every kind of thing has a colour of its own: one "
            "or several colours, with a tolerance, steady over time.",
            search_aliases=["segmentation mask", "color id", "color to mask", "cryptomatte", "ADE20K"],
            inputs=[
                sockets.film_input("The segmentation maps: a film, or one picture."),
                io.String.Input(
                    "colours",
                    default="#ff0000",
                    multiline=True,
                    dynamic_prompts=False,
                    tooltip="The colours to take, as #rrggbb or three numbers 0 to 255 each, one after another. The "
                    "report lists the colours of the first map.",
                ),
                io.Float.Input(
                    "tolerance",
                    default=32.0,
                    min=0.0,
                    max=255.0,
                    step=1.0,
                    tooltip="How far a pixel may be from its colour, in levels of 255. Maps out of a video need 20 to "
                    "40, clean pictures 0.",
                ),
                io.Int.Input(
                    "steady_frames",
                    default=1,
                    min=0,
                    max=50,
                    tooltip="Each pixel goes with the majority of so many frames before and after, so that a region "
                    "which loses its colour for a moment keeps its mask. 0 takes every frame alone.",
                ),
                io.Int.Input(
                    "despeckle_px",
                    default=1,
                    min=0,
                    max=63,
                    advanced=True,
                    tooltip="Takes away specks and lines no wider than twice this, such as mixed colours along the "
                    "border of two regions.",
                ),
                io.String.Input(
                    "other_colours",
                    default="",
                    multiline=True,
                    dynamic_prompts=False,
                    advanced=True,
                    tooltip="Colours of other regions that are easily mistaken for these: what is nearer to one of "
                    "them is left out.",
                ),
            ],
            outputs=[
                io.Mask.Output(display_name="mask", tooltip="One mask for each map, black and white."),
                io.String.Output(
                    display_name="report", tooltip="How much the masks cover, and the colours of the first map."
                ),
            ],
        )

    @classmethod
    @named_after_node
    def execute(cls, film, colours, tolerance, steady_frames, despeckle_px, other_colours) -> io.NodeOutput:
        from escalier.mask import colour_id_masks, parse_colours

        maps = film_from_input(film)
        masks = mask_batch(
            colour_id_masks(
                maps,
                parse_colours(colours),
                rivals=parse_colours(other_colours) if other_colours.strip() else (),
                tolerance=tolerance,
                despeckle_px=despeckle_px,
                steady_frames=steady_frames,
                progress=Progress(previews=False),
            ),
            len(maps),
        )
        return io.NodeOutput(masks, _report(masks, maps))


def _report(masks, maps: FrameSource) -> str:
    from escalier.mask import colours_in

    shares = [100 * float(mask.mean()) for mask in masks]
    found = ", ".join(f"#{bytes(colour).hex()} {100 * share:.1f} %" for colour, share in colours_in(maps.frame(0)))
    return (
        f"masks cover {min(shares):.1f} to {max(shares):.1f} % of the picture\n"
        f"colours of the first map: {found or 'none that covers more than half a percent'}"
    )
