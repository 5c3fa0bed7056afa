"""Motion that something else measured: a render's motion vectors, or the flow of another program."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from escalier.arguments import checked
from escalier.refusals import Refusal, named

from .film import Film
from .fingerprint import array_digest, film_fingerprint
from .motion import FLOW_FORMAT, Motion, scale_flow, warp
from .pictures import Size

INVERSION_STEPS = 8
LONGEST_PX = 30_000
"""Flow is kept as float16, which ends at 65,504; and no film is wider."""


class GivenMotion(Motion):
    """Motion between neighbouring frames as it is given, instead of measured from the pictures.

    Everything that takes a `Motion` takes it. Frames further apart, which only the coherence meter asks for, are still
    matched by DIS.

    Parameters
    ----------
    film
        The source film.
    folder
        Where the flow is kept, as for `Motion`.
    forward
        For each frame but the last, where its pixels lie in the next: N - 1 arrays (H, W, 2), (dx, dy) in pixels of
        that array. Another size than the film's is scaled, values included; the shape must be the film's.
    backward
        For each frame but the first, where its pixels lie in the one before: N - 1 arrays; the first belongs to frame
        1. Where it is not given, `forward` is inverted.

    Raises
    ------
    ValueError
        If there are too few or too many, or one has another shape, holds NaN or moves further than 30,000 px.

    >>> import tempfile
    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.zeros((3, 40, 48, 3), np.uint8))
    >>> to_the_right = np.full((2, 40, 48, 2), (2, 0), np.float32)
    >>> motion = GivenMotion(film, tempfile.mkdtemp(), to_the_right)
    >>> float(motion.flow(0, 1)[5, 5, 0]), float(motion.flow(1, 0)[5, 5, 0])
    (2.0, -2.0)
    """

    def __init__(
        self,
        film: Film,
        folder: str | Path,
        forward: Sequence[np.ndarray],
        backward: Sequence[np.ndarray] | None = None,
    ) -> None:
        for name, flows in (("forward", forward), ("backward", backward)):
            if flows is not None:
                _check_flows(name, flows, film)
        self._forward, self._backward = forward, backward
        sides = [flow for flows in (forward, backward) if flows is not None for flow in flows]
        digest = b"".join(array_digest(np.ascontiguousarray(flow, np.float32)) for flow in sides)
        self._given = array_digest(np.frombuffer(digest, np.uint8)).hex()[:16]
        super().__init__(film, folder, fingerprint=f"{film_fingerprint(film)}-{self._given}")
        self.preset = "given"

    def _folder_name(self) -> str:
        return f"motion_{self.fingerprint[:16]}_given_{self._given}_{FLOW_FORMAT}"

    def _matched(self, first: int, last: int) -> np.ndarray:
        if last != first + 1:
            return super()._matched(first, last)
        there = self._scaled(self._forward[first])
        back = invert_flow(there) if self._backward is None else self._scaled(self._backward[first])
        return np.stack([there, back]).astype(np.float16)

    def _scaled(self, flow: np.ndarray) -> np.ndarray:
        return scale_flow(np.ascontiguousarray(flow[..., :2], np.float32), self.working_size)


def invert_flow(flow: np.ndarray) -> np.ndarray:
    """The flow back: at each pixel q of the other frame, minus the flow of the pixel that came to q.

    Both are float32 (H, W, 2), (dx, dy) in pixels.
    Solves b(q) = -f(q + b(q)) by iteration, which converges where neighbours move alike. Where nothing came to, in what
    was uncovered, it is only a guess, and the forward-backward check of `Motion.visible` will say so.

    >>> invert_flow(np.full((8, 8, 2), (1.5, 2), np.float32))[4, 4].tolist()
    [-1.5, -2.0]
    """
    back = -flow
    for _ in range(INVERSION_STEPS):
        back = -warp(flow, back)
    return back


@checked
def flows_from_pictures(pictures: Sequence[np.ndarray], *, scale_px: float = 0.0, flip_y: bool = False) -> np.ndarray:
    """Flow from the first two channels of pictures, the way renderers write motion vectors.

    Parameters
    ----------
    pictures
        float32 (H, W, C >= 2): dx in the first channel, dy in the second.
    scale_px
        0: the values are pixels. Otherwise .5 is no motion, and 0 and 1 are this many pixels to the left and right, as
        in 8-bit pictures of vectors.
    flip_y
        For renderers whose dy points upwards.

    Returns
    -------
    numpy.ndarray
        float32 (N, H, W, 2).

    Raises
    ------
    ValueError
        If there is no picture, one has fewer than two channels, another shape or holds NaN, or `scale_px` is not a
        number of pixels.

    >>> flows_from_pictures(np.full((1, 4, 4, 3), 0.75, np.float32), scale_px=20)[0, 0, 0].tolist()
    [10.0, 10.0]
    """
    if not (math.isfinite(scale_px) and 0 <= scale_px <= LONGEST_PX):
        rule = f"be 0 to {LONGEST_PX} px"
        raise Refusal("scale_px", rule, scale_px, "0 says that the values are pixels, flip_y turns the vectors over")
    shapes = [np.shape(picture) for picture in pictures]
    if not shapes or any(len(shape) != 3 or shape[2] < 2 or 0 in shape or shape != shapes[0] for shape in shapes):
        rule = "be at least one of shape (H, W, 2 or more), all of one shape"
        got = f"{len(shapes)} of {', '.join(map(str, sorted(set(shapes)))) or 'none'}"
        raise Refusal("pictures", rule, got, "give dx and dy in two channels")
    vectors = np.stack([np.asarray(picture[..., :2], np.float32) for picture in pictures])
    for step, vector in enumerate(vectors):
        if not np.isfinite(vector).all():
            raise Refusal(f"pictures[{step}]", "hold finite numbers", "NaN or infinity", "check its source")
    if scale_px:
        vectors = (vectors - np.float32(0.5)) * np.float32(2 * scale_px)
    if flip_y:
        vectors[..., 1] *= -1
    return vectors


@named("GivenMotion")
def _check_flows(name: str, flows: Sequence[np.ndarray], film: Film) -> None:
    if len(flows) != len(film) - 1:
        rule = f"hold one flow for each step of a film of {len(film)} frames, {len(film) - 1}"
        raise Refusal(name, rule, len(flows), "leave out that of the frame at the end")
    for step, flow in enumerate(flows):
        if flow.ndim != 3 or flow.shape[2] < 2 or 0 in flow.shape:
            raise Refusal(f"{name}[{step}]", "be (H, W, 2)", flow.shape, "give dx and dy in pixels")
        size = Size.of(flow)
        if abs(size.width * film.size.height - film.size.width * size.height) > max(*size, *film.size):
            rule = f"have the shape of the film, {film.size}"
            raise Refusal(f"{name}[{step}]", rule, size, "make it from the same clip, not cropped")
        # The largest length is NaN or infinite if any number is.
        longest = float(np.abs(flow[..., :2]).max())
        if not math.isfinite(longest):
            raise Refusal(f"{name}[{step}]", "hold finite numbers", "NaN or infinity", "check its source")
        if longest > LONGEST_PX:
            remedy = "check its unit, and what its source writes where it knows no motion"
            raise Refusal(f"{name}[{step}]", f"hold moves of at most {LONGEST_PX} px", f"{longest:g}", remedy)
