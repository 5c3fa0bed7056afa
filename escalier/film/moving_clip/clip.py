"""The moving clip: stiff layers drawn once, moved by one affine map a frame, so that every motion is known exactly."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.film.film import FilmBase
from escalier.film.pictures import Size
from escalier.refusals import Refusal

from .acting import Acting
from .person import Part, draw_person
from .room import draw_curtain, draw_room, draw_visitor
from .shading import Canvas, floats

DETAIL = 1.25  # texture pixels for one frame pixel: sharp under the strongest zoom, without shimmer
MARGIN = 0.08  # of the set beyond the frame, for the drift of the hand-held camera

SET, CURTAIN, SUBJECT = 0, 1, 2
DEFAULT_SIZE = Size(480, 270)
EXPOSURES = 9  # moments of a frame that are averaged where the shutter is open


@dataclass(frozen=True)
class _Layer:
    """A stiff picture, premultiplied RGBA uint8, and the map from its own units to its pixels."""

    name: str
    picture: np.ndarray
    to_pixels: np.ndarray
    kind: int


class _Look(NamedTuple):
    grain: float
    hair: int
    shutter: float


class MovingClip(FilmBase):
    """A `Film` made with code, with the truth about itself. Made by `make_clip`.

    Every method is a pure function of its frame numbers, so any order and any number of threads will do.

    `frame(i)` uint8 (H, W, 3), `matte(i)` float32 (H, W), `own_colours(i)` float32 (H, W, 3), `room(i)` uint8
    (H, W, 3), `flow(i, j)` float32 (H, W, 2), `visible(i, j)` bool (H, W), `visitor(i)` bool (H, W).
    """

    _OUTSIDE = "the clip ends there"

    def __init__(
        self, size: Size, length: int, rate: Fraction, seed: int, uncover_at: int | None, look: _Look, drift: float
    ) -> None:
        super().__init__(size, rate, length)
        self._grain, self._shutter = look.grain, look.shutter
        self.uncover_at = uncover_at
        set_seed, person_seed, grain_seed, self._seed = np.random.SeedSequence(seed).generate_state(4).tolist()
        self._acting = Acting(size, length, rate, seed=self._seed, drift=drift, uncover_at=uncover_at)
        self._layers: list[_Layer] = []
        self._visitor: np.ndarray | None = None
        self._build_set(np.random.default_rng(set_seed))
        # A small man is drawn twice as large and averaged down, for finer edges; a large one has pixels enough.
        times = 2 if self._acting.unit < 500 else 1
        for part in draw_person(np.random.default_rng(person_seed), times * DETAIL * self._acting.unit, look.hair):
            self._layers.append(_person_layer(part, times))
        self._vignette = _vignette(size)
        self._grain_tile = _grain_tile(np.random.default_rng(grain_seed), size, look.grain)

    def _frame(self, index: int) -> np.ndarray:
        picture = self._exposed(index, self._seen)
        picture *= self._lens(index)
        return cv2.add(picture, self._grain_of(index), dtype=cv2.CV_8U)

    def matte(self, index: int) -> np.ndarray:
        """How much of each pixel of frame `index` the subject covers: float32 (H, W), 0..1."""
        return self._exposed(self.check_index(index), lambda moment: self._cover(self._standing(moment, SUBJECT)))

    def own_colours(self, index: int) -> np.ndarray:
        """The subject's colours in frame `index` without the room, also in hair and blur: float32 (H, W, 3), 0..1.

        Black where the matte is 0. The frame is the matte times these and the rest times the room, and grain.
        """

        def alone(moment: float) -> np.ndarray:
            light = np.zeros((self.size.height, self.size.width, 3), np.float32)
            body = np.zeros(light.shape[:2], np.float32)
            for layer, matrix in self._standing(moment, SUBJECT):
                self._lay(light, layer, matrix, body)
            return light

        light = self._exposed(self.check_index(index), alone) * self._lens(index)
        return np.clip(light / (255 * np.maximum(self.matte(index), np.float32(1e-3))[..., None]), 0, 1)

    def room(self, index: int) -> np.ndarray:
        """Frame `index` without the subject, his shadow and grain: uint8 (H, W, 3)."""
        picture = self._exposed(self.check_index(index), self._empty) * self._lens(index)
        return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)

    def _exposed(self, index: int, seen: Callable[[float], np.ndarray]) -> np.ndarray:
        """The mean of what is seen while the shutter is open about frame `index`."""
        if not self._shutter:
            return seen(index)
        moments = index + self._shutter * np.linspace(-0.5, 0.5, EXPOSURES)
        return np.asarray(np.mean([seen(float(moment)) for moment in moments], axis=0, dtype=np.float32))

    def _standing(self, moment: float, kind: int) -> list[tuple[_Layer, np.ndarray]]:
        """The layers of a kind, from back to front, and where they are."""
        return [pair for pair in zip(self._layers, self._maps(moment), strict=True) if pair[0].kind == kind]

    def _empty(self, moment: float) -> np.ndarray:
        """The set without the subject: float32 (H, W, 3) in levels."""
        ((layer, matrix),) = self._standing(moment, SET)
        picture = _warp(layer.picture, matrix, self._box())[..., :3].astype(np.float32)
        for curtain in self._standing(moment, CURTAIN):
            self._lay(picture, *curtain)
        return picture

    def _seen(self, moment: float) -> np.ndarray:
        picture = self._empty(moment)
        subject = self._standing(moment, SUBJECT)
        self._cast_shadow(picture, self._cover(subject))
        body = np.zeros(picture.shape[:2], np.float32)
        for layer, matrix in subject:
            self._lay(picture, layer, matrix, body)
        return picture

    def _lens(self, index: int) -> np.ndarray:
        """What the lens and the breathing exposure of frame `index` make of the light."""
        return self._vignette * np.float32(1 + 0.006 * np.sin(0.9 * index + self._seed % 7))

    def flow(self, index: int, other: int) -> np.ndarray:
        """Where the surface seen at each pixel of frame `index` lies in frame `other`: float32 (H, W, 2) as (dx, dy).

        Exact for any two frames, also where the surface is hidden in `other` (see `visible`). Positions are pixel
        centres: pixel (row, column) lies at x = column, y = row, as OpenCV counts.
        """
        index, other = self.check_index(index), self.check_index(other)
        labels, here, there = self._labels(index), self._maps(index), self._maps(other)
        steps = [b @ np.linalg.inv(a) - np.eye(3) for a, b in zip(here, there, strict=True)]
        moves = np.stack(steps)[:, :2].astype(np.float32)
        y, x = np.mgrid[0 : self.size.height, 0 : self.size.width].astype(np.float32)
        move = moves[labels]
        return move[..., 0] * x[..., None] + move[..., 1] * y[..., None] + move[..., 2]

    def visible(self, index: int, other: int) -> np.ndarray:
        """Whether the surface seen at each pixel of frame `index` is seen in frame `other` too: bool (H, W)."""
        flow, labels, there = self.flow(index, other), self._labels(index), self._labels(other)
        width, height = self.size
        x = np.rint(np.arange(width, dtype=np.float32)[None] + flow[..., 0]).astype(np.int32)
        y = np.rint(np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]).astype(np.int32)
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        return inside & (there[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)] == labels)

    def visitor(self, index: int) -> np.ndarray:
        """Where the face behind the curtain is seen in frame `index`: bool (H, W); nowhere before `uncover_at`."""
        labels = self._labels(self.check_index(index))
        if self._visitor is None:
            return np.zeros(labels.shape, bool)
        face = _warp(self._visitor, self._maps(index)[0], self._box())
        return (face > 127) & (labels == 0)

    def _build_set(self, rng: np.random.Generator) -> None:
        """Draw the room, and the curtain and the face behind it where a frame is given at which it opens."""
        view = self._acting.view
        room = draw_room(rng, view, DETAIL * self.size.height, MARGIN)
        if self.uncover_at is not None:
            visitor = draw_visitor(rng, room)
            self._visitor = np.rint(visitor * 255).astype(np.uint8)
        self._layers.append(_Layer("set", _premultiplied(room), _units_to_pixels(room), SET))
        if self.uncover_at is not None:
            curtain = draw_curtain(rng, DETAIL * self.size.height)
            self._layers.append(_Layer("curtain", _premultiplied(curtain), _units_to_pixels(curtain), CURTAIN))

    def _maps(self, index: float) -> list[np.ndarray]:
        """For each layer the 3x3 map from its pixels to the pixels of frame `index`."""
        poses = self._acting.poses(index)
        return [poses[layer.name] @ np.linalg.inv(layer.to_pixels) for layer in self._layers]

    def _labels(self, index: int) -> np.ndarray:
        """Which layer is seen at each pixel: the foremost one that covers at least half of it."""
        labels = np.zeros((self.size.height, self.size.width), np.intp)
        for number, matrix in enumerate(self._maps(index)):
            if number:
                box = _reach(self._layers[number].picture, matrix, self.size)
                cover = _warp(self._layers[number].picture[..., 3], matrix, box)
                labels[_slices(box)][cover > 127] = number
        return labels

    def _cover(self, layers: list[tuple[_Layer, np.ndarray]]) -> np.ndarray:
        """How much of each pixel these layers cover together: float32 (H, W)."""
        open_part = np.ones((self.size.height, self.size.width), np.float32)
        for layer, matrix in layers:
            box = _reach(layer.picture, matrix, self.size)
            open_part[_slices(box)] *= 1 - _warp(layer.picture[..., 3], matrix, box).astype(np.float32) / 255
        return 1 - open_part

    def _lay(self, picture: np.ndarray, layer: _Layer, matrix: np.ndarray, body: np.ndarray | None = None) -> None:
        """Lay one layer over the picture; with `body`, what it covers already, it casts a soft shadow on that."""
        box = _reach(layer.picture, matrix, self.size)
        if box[0] >= box[2] or box[1] >= box[3]:
            return
        warped = _warp(layer.picture, matrix, box).astype(np.float32)
        cover = warped[..., 3] * np.float32(1 / 255)
        corner = picture[_slices(box)]
        if body is not None:
            under = body[_slices(box)]
            reach = 0.012 * self._acting.unit
            shadow = cv2.GaussianBlur(cover, (0, 0), max(reach, 0.5)) * under
            corner *= (1 - np.float32(0.5) * shadow)[..., None]
            np.maximum(under, cover, out=under)
        corner *= (1 - cover)[..., None]
        corner += warped[..., :3]

    def _cast_shadow(self, picture: np.ndarray, cover: np.ndarray) -> None:
        """The subject's soft shadow on the set, away from the window."""
        small = cv2.resize(
            cover, (max(self.size.width // 4, 1), max(self.size.height // 4, 1)), interpolation=cv2.INTER_AREA
        )
        unit = self._acting.unit / 4
        shift = floats([[1, 0, 0.085 * unit], [0, 1, 0.045 * unit]])
        small = cv2.warpAffine(small, shift, (small.shape[1], small.shape[0]), borderMode=cv2.BORDER_REPLICATE)
        small = cv2.GaussianBlur(small, (0, 0), max(0.040 * unit, 0.5))
        shadow = cv2.resize(small, (self.size.width, self.size.height), interpolation=cv2.INTER_LINEAR)
        picture *= (1 - np.float32(0.34) * shadow)[..., None]

    def _grain_of(self, index: int) -> np.ndarray:
        """The camera noise of one frame: another corner of the tile, sometimes mirrored, for each frame."""
        place = np.random.default_rng([self._seed, index])
        row, column = place.integers(0, 65, 2)
        grain = self._grain_tile[row : row + self.size.height, column : column + self.size.width]
        return np.ascontiguousarray(grain[:: 1 - 2 * int(place.integers(2)), :: 1 - 2 * int(place.integers(2))])

    def _box(self) -> tuple[int, int, int, int]:
        return 0, 0, self.size.width, self.size.height


@checked
def make_clip(
    size: Size = DEFAULT_SIZE,
    length: int = 48,
    rate: Fraction | float = 24,
    *,
    seed: int = 0,
    uncover_at: int | None = None,
    grain: float = 1.8,
    drift: float = 1.0,
    hair: int = 0,
    shutter: float = 0.0,
) -> MovingClip:
    """Make a small filmed-looking clip with code: a man crosses a room, turns, swings his arms and uncovers the set.

    The same arguments give the same clip. It is a `Film` that also knows its truth: the subject's matte, the
    exact flow of the surface seen at each pixel, and which pixels stay visible from one frame to another.

    Parameters
    ----------
    size : Size
        Width x height in pixels, at least 32x32; any shape of frame, odd sizes too.
    length : int
        How many frames; the man takes all of them for his way, so a longer clip moves more slowly.
    rate : Fraction or float
        Frames per second; his gait follows the seconds.
    seed : int
        Changes the drawing, the grain and the drift of the camera.
    uncover_at : int, optional
        From this frame on a curtain before the window is drawn aside and a second face is seen (`visitor`), of which no
        earlier frame shows a pixel. Without it the window has no curtain and nobody looks in.
    grain : float
        Standard deviation of the camera noise in 8-bit levels; 0 for none.
    drift : float
        How much the hand-held camera sways: 1 is about 1 % of the frame height, 0 a tripod.
    hair : int
        How many loose strands stand out from his head, thinner than a pixel in a small frame. The matte knows each.
    shutter : float
        For which share of a frame's time the shutter is open: more blurs what moves. 0 is a still in every frame, 0.5
        is usual. Matte and colours are those of the same exposure.

    Returns
    -------
    MovingClip

    Raises
    ------
    ValueError
        For a size under 32x32, a length under 1, `uncover_at` outside the clip, or a grain, rate, number of strands or
        shutter that cannot be.

    >>> clip = make_clip(Size(96, 54), length=4)
    >>> clip.frame(0).shape, clip.flow(0, 1).shape, len(clip)
    ((54, 96, 3), (54, 96, 2), 4)
    """
    size = Size(*size)
    if min(size) < 32:
        raise Refusal("size", "be at least 32x32", size, "ask for a larger clip")
    if length < 1:
        raise Refusal("length", "be at least 1 frame", length, "ask for a longer clip")
    if uncover_at is not None and not 0 <= uncover_at < length:
        raise Refusal("uncover_at", f"be 0 to {length - 1}", uncover_at, "name a frame of the clip")
    if not 0 <= grain < 100:
        raise Refusal("grain", "be >= 0 levels", grain, "2 is a good camera, 0 none")
    if hair < 0:
        raise Refusal("hair", "be >= 0 strands", hair, "120 is a loose head of hair, 0 none")
    if not 0 <= shutter <= 1:
        raise Refusal("shutter", "be in 0..1 of a frame", shutter, "0.5 is usual, 0 blurs nothing")
    if not 0 < rate < 10_000:
        raise Refusal("rate", "be above 0 frames per second", rate, "24 is usual")
    return MovingClip(
        size, length, Fraction(rate).limit_denominator(100_000), seed, uncover_at, _Look(grain, hair, shutter), drift
    )


def _units_to_pixels(canvas: Canvas) -> np.ndarray:
    return np.array([[canvas.scale, 0, canvas.origin[0]], [0, canvas.scale, canvas.origin[1]], [0, 0, 1]], np.float64)


def _premultiplied(canvas: Canvas) -> np.ndarray:
    """A canvas as premultiplied RGBA uint8."""
    cover = np.clip(canvas.cover, 0, 1)[..., None]
    rgba = np.concatenate([np.clip(canvas.colour, 0, 1) * cover, cover], axis=-1)
    return np.rint(rgba * 255).astype(np.uint8)


def _person_layer(part: Part, times: int) -> _Layer:
    """A part of the person, averaged down from a drawing `times` as large."""
    picture = _premultiplied(part.canvas)
    height, width = picture.shape[0] // times, picture.shape[1] // times
    picture = picture[: height * times, : width * times]
    picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    centre = (1 / times - 1) / 2  # the centre of the first large pixel, in small pixels
    shrink = np.array([[1 / times, 0, centre], [0, 1 / times, centre], [0, 0, 1]])
    return _Layer(part.name, picture, shrink @ _units_to_pixels(part.canvas), SUBJECT)


def _reach(picture: np.ndarray, matrix: np.ndarray, size: Size) -> tuple[int, int, int, int]:
    """The box (left, top, right, bottom) of the frame that a layer can touch."""
    height, width = picture.shape[:2]
    corners = matrix[:2] @ np.array([[-1, width, width, -1], [-1, -1, height, height], [1, 1, 1, 1]], np.float64)
    left, top = np.floor(corners.min(1)).astype(int)
    right, bottom = np.ceil(corners.max(1)).astype(int) + 1
    left, top = min(max(left, 0), size.width), min(max(top, 0), size.height)
    return left, top, max(min(right, size.width), left), max(min(bottom, size.height), top)


def _slices(box: tuple[int, int, int, int]) -> tuple[slice, slice]:
    left, top, right, bottom = box
    return slice(top, bottom), slice(left, right)


def _warp(picture: np.ndarray, matrix: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """A layer's picture as it falls into a box of the frame: inverse warp, bilinear, empty outside."""
    left, top, right, bottom = box
    if left >= right or top >= bottom:
        return np.zeros((bottom - top, right - left, *picture.shape[2:]), picture.dtype)
    to_layer = np.linalg.inv(matrix) @ np.array([[1, 0, left], [0, 1, top], [0, 0, 1]], np.float64)
    return cv2.warpAffine(
        picture, to_layer[:2], (right - left, bottom - top), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )


def _vignette(size: Size) -> np.ndarray:
    """The lens darkens towards the corners: (H, W, 1) float32, 1 in the middle, about 0.72 in a corner."""
    x = np.linspace(-1, 1, size.width, dtype=np.float32)[None]
    y = np.linspace(-1, 1, size.height, dtype=np.float32)[:, None]
    return (1 / (1 + 0.19 * (x * x + y * y)))[..., None]


def _grain_tile(rng: np.random.Generator, size: Size, deviation: float) -> np.ndarray:
    """Camera noise in levels, float32, 64 pixels larger than the frame each way; mostly grey, slightly soft."""
    shape = (size.height + 64, size.width + 64)
    grey = rng.standard_normal((*shape, 1), np.float32)
    colour = rng.standard_normal((*shape, 3), np.float32)
    noise = cv2.GaussianBlur(0.8 * grey + 0.6 * colour, (0, 0), 0.55)
    return noise * np.float32(deviation / max(float(noise.std()), 1e-6))
