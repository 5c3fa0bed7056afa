"""Say where more keyframes would help most."""

from comfy_api.v0_0_2 import io
from comfy_execution.graph_utils import ExecutionBlocker

from escalier.coherence import Measurement, advise_keyframes, draw_advice
from escalier.film import Motion
from escalier.keyframes import Keyframes, format_indices
from escalier.propagation import Runs

from .. import sockets
from ..node import Node, optional, output, span
from ..progress import Progress
from ..tensors import images_from_pictures
from ..video import FilmInput, footage_from_input


class EscalierAdviseKeyframes(Node):
    """Says which frames to paint next, and why: what is newly uncovered there, what two runs paint differently, where
    confidence fell. Ask before painting, or after a draft. Shots without a keyframe come first.
    """

    display_name = "Advise Keyframes"
    search_aliases = ("keyframe advisor", "suggest keyframes", "missing keyframe", "where to paint", "shot cuts")
    inputs = (
        sockets.film_input("The filmed clip at its full length, also when the runs are the draft of a part."),
        io.Int.Input(
            "count",
            **span(3, 1, 999),
            tooltip="How many frames to suggest at most. Each one reckons with those before it. 3 are painted in an "
            "evening; then draft and ask again.",
        ),
        sockets.measured_motion(),
        optional(
            sockets.Keyframes,
            "keyframes",
            "The keyframes there are, painted or only chosen. Those of the runs if nothing is connected; without "
            "either the advice begins from nothing.",
        ),
        optional(
            sockets.Runs,
            "runs",
            "What Draft Propagation or Propagate Keyframes made: where two runs disagree and where confidence fell "
            "then counts too.",
        ),
        optional(
            sockets.Measurement,
            "measurement",
            "What Measure Coherence said of the restyled film: where the picture jumps then counts too. It must be of "
            "the whole film.",
        ),
    )
    outputs = (
        output(
            io.String,
            "frames",
            "The suggested frame numbers in the film's order, for Choose Keyframes in its mode 'list'. When one more "
            "would hardly help, what is connected here is not run.",
        ),
        output(
            io.String,
            "all_frames",
            "The keyframes there are and the suggested ones: to paint them all anew on one grid.",
        ),
        output(io.String, "report", "The suggestions in words, the most helpful first."),
        output(
            io.Image, "picture", "How much of each frame no keyframe holds, over time, with the suggested frames above."
        ),
    )

    @classmethod
    def execute(
        cls,
        film: FilmInput,
        count: int,
        motion: Motion | None = None,
        keyframes: Keyframes | None = None,
        runs: Runs | None = None,
        measurement: Measurement | None = None,
    ) -> io.NodeOutput:
        source = footage_from_input(film)
        advice = advise_keyframes(
            source,
            motion=motion,
            keyframes=keyframes,
            runs=runs,
            measurement=measurement,
            count=count,
            progress=Progress(),
        )
        picture = images_from_pictures([draw_advice(advice, source)])
        # Without a suggestion, what would choose and save the frames has nothing to do, which is no error.
        frames = format_indices(advice.frames) if advice.frames else ExecutionBlocker(None)
        return io.NodeOutput(frames, format_indices(advice.all_frames), str(advice), picture)
