"""Make redraws of keyframes, for a line boil."""

from comfy_api.v0_0_2 import io

from escalier.keyframes import AMPLITUDE_PX, FEATURE_PX, Keyframes, vary_keyframes

from .. import sockets
from ..errors import named_after_node

CATEGORY = "escalier/keyframes"


class EscalierVaryKeyframes(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EscalierVaryKeyframes",
            display_name="Vary Keyframes",
            category=CATEGORY,
            description="Redraws painted keyframes twice by bending them a little, as a hand does that traces a "
            "drawing. Propagate each set by itself and show them in turn with Line Boil.",
            search_aliases=["line boil", "wiggle", "jitter", "displacement", "redraw", "variants"],
            inputs=[
                sockets.Keyframes.Input("keyframes", tooltip="The painted keyframes."),
                io.Float.Input(
                    "amplitude",
                    default=AMPLITUDE_PX,
                    min=0.0,
                    max=50.0,
                    step=0.1,
                    tooltip="How far lines move, in pixels. 1.5 lives without being noticed in a picture 540 pixels "
                    "high; double it for 1080. A face changes its expression over about 3.",
                ),
                io.Float.Input(
                    "feature_size",
                    default=FEATURE_PX,
                    min=4.0,
                    max=1000.0,
                    step=1.0,
                    tooltip="From a place that moves one way to one that moves the other, in pixels. Small trembles, "
                    "large sways. At least 12 times the amplitude, or lines would tear.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=2**31 - 1,
                    control_after_generate=False,
                    tooltip="Another seed bends the drawing elsewhere.",
                ),
            ],
            outputs=[
                sockets.Keyframes.Output(
                    display_name="second", tooltip="The second redraw; the first is the original."
                ),
                sockets.Keyframes.Output(display_name="third", tooltip="The third redraw."),
            ],
        )

    @classmethod
    @named_after_node
    def execute(cls, keyframes: Keyframes, amplitude, feature_size, seed) -> io.NodeOutput:
        return io.NodeOutput(*vary_keyframes(keyframes, 2, amplitude_px=amplitude, feature_px=feature_size, seed=seed))
