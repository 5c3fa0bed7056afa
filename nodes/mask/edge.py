"""The edge of a mask: moved, softened, cleaned and steadied."""

from comfy_api.v0_0_2 import io

from ..errors import named_after_node
from ..progress import Progress
from ..tensors import masks_from_input
from .batch import mask_batch


def _pixels(name: str, tooltip: str) -> io.Float.Input:
    return io.Float.Input(name, default=0.0, min=0.0, max=2000.0, step=0.5, tooltip=tooltip)


def _area(name: str, tooltip: str) -> io.Int.Input:
    return io.Int.Input(name, default=0, min=0, max=100_000_000, tooltip=tooltip, advanced=True)


class EscalierMaskEdge(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierMaskEdge",
            display_name="Shape Mask Edge",
            category="escalier/mask",
            description="Moves the edge of a mask, feathers it inwards and outwards, fills holes, drops islands and "
            "steadies it over time. All in true pixels, soft masks included.",
            search_aliases=[
                "grow mask",
                "feather mask",
                "blur mask",
                "expand",
                "erode",
                "dilate",
                "choke",
                "stabilize",
            ],
            inputs=[
                io.Mask.Input("mask", tooltip="The masks of a clip, or a single one."),
                _pixels("spread_px", "Grows the mask by so many pixels, with round corners."),
                _pixels("choke_px", "Shrinks the mask by so many pixels. Use either this or the spread."),
                _pixels(
                    "feather_inside_px",
                    "Width of the soft edge inside the mask, in pixels. At 0 all of the subject stays fully covered.",
                ),
                _pixels(
                    "feather_outside_px",
                    "Width of the soft edge outside the mask, in pixels. It takes nothing away from the subject.",
                ),
                io.Combo.Input(
                    "profile",
                    options=["linear", "smoothstep", "gaussian"],
                    default="smoothstep",
                    tooltip="How the soft edge fades: evenly, with soft ends, or as a blur does.",
                ),
                io.Int.Input(
                    "steady_frames",
                    default=0,
                    min=0,
                    max=50,
                    tooltip="Calms an edge that trembles: it is averaged with so many frames before and after. 2 does "
                    "for most masks; an edge that moves evenly keeps its place.",
                ),
                io.Float.Input(
                    "steady_limit_px",
                    default=2.0,
                    min=0.0,
                    max=100.0,
                    step=0.5,
                    advanced=True,
                    tooltip="Steadying moves no edge by more than so many pixels, so that thin fast limbs stay. Raise "
                    "it for coarse masks.",
                ),
                _area("fill_holes_area", "Fills holes of at most so many pixels of area. 0 fills none."),
                _area("drop_islands_area", "Drops islands of at most so many pixels of area. 0 drops none."),
            ],
            outputs=[io.Mask.Output(display_name="mask", tooltip="The shaped masks, as many as came in.")],
        )

    @classmethod
    @named_after_node
    def execute(
        cls, mask, spread_px, choke_px, feather_inside_px, feather_outside_px, profile, steady_frames, steady_limit_px,
        fill_holes_area, drop_islands_area,
    ) -> io.NodeOutput:  # fmt: skip
        from escalier.mask import shape_edges

        masks = masks_from_input(mask)
        shaped = shape_edges(
            masks,
            spread_px=spread_px,
            choke_px=choke_px,
            feather_inside_px=feather_inside_px,
            feather_outside_px=feather_outside_px,
            profile=profile,
            fill_holes_area=fill_holes_area,
            drop_islands_area=drop_islands_area,
            steady_frames=steady_frames,
            steady_limit_px=steady_limit_px,
            progress=Progress(previews=False),
        )
        return io.NodeOutput(mask_batch(shaped, len(masks)))
