"""Make redraws of keyframes, for a line boil."""

from comfy_api.v0_0_2 import io

from escalier.keyframes import Keyframes, Variation, vary_keyframes

from .. import sockets
from ..dial_inputs import DialValue, dial_input, dials_from
from ..node import Node, output


class EscalierVaryKeyframes(Node):
    """Redraws painted keyframes twice by bending them a little, as a hand does that traces a drawing. Propagate each
    set by itself and show them in turn with Line Boil.
    """

    display_name = "Vary Keyframes"
    search_aliases = ("line boil", "wiggle", "jitter", "displacement", "redraw", "variants")
    inputs = (
        sockets.Keyframes.Input("keyframes", tooltip="The painted keyframes."),
        dial_input(Variation, "amplitude_px", id="amplitude"),
        dial_input(Variation, "feature_px", id="feature_size"),
        dial_input(Variation, "seed"),
    )
    outputs = (
        output(sockets.Keyframes, "second", "The second redraw; the first is the original."),
        output(sockets.Keyframes, "third", "The third redraw."),
    )

    @classmethod
    def execute(cls, keyframes: Keyframes, **dials: DialValue) -> io.NodeOutput:
        variation = dials_from(Variation, dials, {"amplitude_px": "amplitude", "feature_px": "feature_size"})
        return io.NodeOutput(*vary_keyframes(keyframes, 2, variation))
