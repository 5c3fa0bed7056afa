"""Make redraws of keyframes, for a line boil."""

from comfy_api.v0_0_2 import io

from escalier.keyframes import AMPLITUDE_PX, FEATURE_PX, Keyframes, vary_keyframes

from .. import sockets
from ..node import Node, output, span


class EscalierVaryKeyframes(Node):
    """Redraws painted keyframes twice by bending them a little, as a hand does that traces a drawing. Propagate each
    set by itself and show them in turn with Line Boil.
    """

    display_name = "Vary Keyframes"
    search_aliases = ("line boil", "wiggle", "jitter", "displacement", "redraw", "variants")
    inputs = (
        sockets.Keyframes.Input("keyframes", tooltip="The painted keyframes."),
        io.Float.Input(
            "amplitude",
            **span(AMPLITUDE_PX, 0.0, 50.0, step=0.1),
            tooltip="How far lines move, in pixels. 1.5 lives without being noticed in a picture 540 pixels high; "
            "double it for 1080. A face changes its expression over about 3.",
        ),
        io.Float.Input(
            "feature_size",
            **span(FEATURE_PX, 4.0, 1000.0, step=1.0),
            tooltip="From a place that moves one way to one that moves the other, in pixels. Small trembles, large "
            "sways. At least 12 times the amplitude, or lines would tear.",
        ),
        io.Int.Input(
            "seed",
            **span(0, 0, 2**31 - 1),
            control_after_generate=False,
            tooltip="Another seed bends the drawing elsewhere.",
        ),
    )
    outputs = (
        output(sockets.Keyframes, "second", "The second redraw; the first is the original."),
        output(sockets.Keyframes, "third", "The third redraw."),
    )

    @classmethod
    def execute(cls, keyframes: Keyframes, amplitude: float, feature_size: float, seed: int) -> io.NodeOutput:
        return io.NodeOutput(*vary_keyframes(keyframes, 2, amplitude_px=amplitude, feature_px=feature_size, seed=seed))
