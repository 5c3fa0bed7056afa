"""Masks from segmentation maps: pictures in which every kind of thing has a colour of its own."""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.film import Film, as_uint8
from escalier.progress import Progress
from escalier.refusals import Refusal

Colour = tuple[int, int, int]
"""Red, green and blue, 0..255."""
BIN_LEVELS = 16
"""`colours_in` counts colours in boxes of this size."""
FLAT_LEVELS = 32
"""Neighbours that differ by no more are one region."""


@checked
def parse_colours(text: str) -> list[Colour]:
    """Read colours as artists write them: #rrggbb or three numbers 0..255 each, one after another.

    >>> parse_colours("#ff0000, 120 120 80; #06E6E6")
    [(255, 0, 0), (120, 120, 80), (6, 230, 230)]
    """
    colours: list[Colour] = []
    numbers: list[int] = []
    for word in re.findall(r"[^\s,;()\[\]]+", text):
        if re.fullmatch(r"#[0-9a-fA-F]{6}", word) and not numbers:
            red, green, blue = bytes.fromhex(word[1:])
            colours.append((red, green, blue))
        elif word.isdigit() and int(word) <= 255:
            numbers.append(int(word))
            if len(numbers) == 3:
                colours.append((numbers[0], numbers[1], numbers[2]))
                numbers = []
        else:
            raise Refusal("colours", "be #rrggbb or three numbers 0..255", word, "write for example #ff0000")
    if numbers or not colours:
        got = " ".join(map(str, numbers)) or "nothing"
        raise Refusal("every colour", "have three numbers", got, "write for example 255 0 0")
    return colours


@checked
def colours_in(picture: np.ndarray, *, least_share: float = 0.005) -> list[tuple[Colour, float]]:
    """The colours of a segmentation map and their shares of its flat parts, largest first.

    Colours of less than least_share, and those along the borders of regions, where a codec mixes them, are left out.

    >>> half = np.zeros((4, 8, 3), np.uint8)
    >>> half[:, 4:] = (255, 0, 0)
    >>> colours_in(half)
    [((0, 0, 0), 0.5), ((255, 0, 0), 0.5)]
    """
    _check_map(picture)
    levels = as_uint8(picture)
    spread = cv2.morphologyEx(levels, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).max(axis=2)
    pixels = levels[spread <= FLAT_LEVELS]
    boxes = pixels // BIN_LEVELS
    codes = (boxes[:, 0].astype(np.int32) * 256 + boxes[:, 1]) * 256 + boxes[:, 2]
    found, counts = np.unique(codes, return_counts=True)
    listed: list[tuple[Colour, float]] = []
    for place in np.argsort(-counts, kind="stable"):
        share = float(counts[place] / len(pixels))
        if share < least_share:
            break
        red, green, blue = np.median(pixels[codes == found[place]], axis=0).astype(int).tolist()
        colour = (red, green, blue)
        # Boxes next to each other hold one colour that the codec has spread.
        if all(_distance(np.array(colour), np.array(known)) > BIN_LEVELS for known, _ in listed):
            listed.append((colour, share))
    return listed


@checked
@dataclass(frozen=True)
class ColourId(Dials):
    """How near a pixel must be to a colour, and what is done about specks and about regions that flicker."""

    tolerance: float = dial(
        32.0,
        "How far a pixel may be from its colour, in levels of 255. Maps out of a video need 20 to 40, clean pictures "
        "0.",
        least=0.0,
        most=255.0,
        step=1.0,
        rule="be in 0..255 levels",
        remedy="32 suits most maps",
    )
    steady_frames: int = dial(
        1,
        "Each pixel goes with the majority of so many frames before and after, so that a region which loses its colour "
        "for a moment keeps its mask. 0 takes every frame alone.",
        least=0,
        offered=(0, 50),
        rule="be >= 0",
        remedy="0 takes every frame alone",
    )
    despeckle_px: int = dial(
        1,
        "Takes away specks and lines no wider than twice this, such as mixed colours along the border of two regions.",
        least=0,
        most=63,
        unit="px",
        remedy="0 keeps every speck",
    )


@checked
def colour_id_mask(
    picture: np.ndarray, colours: Sequence[Colour], dials: ColourId | None = None, *, rivals: Sequence[Colour] = ()
) -> np.ndarray:
    """The mask of all regions that have one of the colours.

    Parameters
    ----------
    picture
        Segmentation map (H, W, 3), uint8 or float32 0..1.
    colours
        The colours to take.
    dials
        How near a pixel must be to its colour, in any channel. Over time nothing is steadied here.
    rivals
        Colours of other regions: a pixel that is nearer to one of them is left out, whatever the tolerance.

    Returns
    -------
    float32 (H, W), 0 or 1.

    >>> regions = np.zeros((9, 9, 3), np.uint8)
    >>> regions[3:, 3:] = (250, 4, 0)
    >>> int(colour_id_mask(regions, [(255, 0, 0)], ColourId(despeckle_px=0)).sum())
    36
    """
    _check_map(picture)
    _check_colours(colours, rivals)
    return _mask(picture, colours, rivals, dials or ColourId()).astype(np.float32)


@checked
def colour_id_masks(
    maps: Film,
    colours: Sequence[Colour],
    dials: ColourId | None = None,
    *,
    rivals: Sequence[Colour] = (),
    progress: Progress | None = None,
) -> Iterator[np.ndarray]:
    """The masks of a film of segmentation maps, steadied over time. Gives float32 (H, W) frame by frame.

    Parameters
    ----------
    maps
        One segmentation map for each frame.
    colours, rivals
        As for `colour_id_mask`.
    dials
        How near a pixel must be to its colour, and over how many frames it goes with the majority: what passes a pixel
        faster than that is lost.
    progress
        Called as progress(done, total, mask) after each frame; what it raises ends the film.

    >>> from escalier.film import ArrayFrames
    >>> maps = np.zeros((3, 8, 8, 3), np.uint8)
    >>> maps[:, 2:6, 2:6] = (255, 0, 0)
    >>> maps[1] = 0  # the segmentation lost the region for one frame
    >>> [int(mask.sum()) for mask in colour_id_masks(ArrayFrames(maps), [(255, 0, 0)], ColourId(despeckle_px=0))]
    [16, 16, 16]
    """
    _check_colours(colours, rivals)
    return _steadied(maps, colours, rivals, dials or ColourId(), progress)


def _steadied(
    maps: Film, colours: Sequence[Colour], rivals: Sequence[Colour], dials: ColourId, progress: Progress | None
) -> Iterator[np.ndarray]:
    steady_frames = dials.steady_frames
    length = len(maps)
    window: deque[np.ndarray] = deque()
    first = 0
    for i in range(length):
        while first + len(window) <= min(i + steady_frames, length - 1):
            picture = maps.frame(first + len(window))
            _check_map(picture)
            window.append(_mask(picture, colours, rivals, dials))
        while first < i - steady_frames:
            window.popleft()
            first += 1
        reach = min(steady_frames, i, length - 1 - i)
        votes = np.zeros(window[0].shape, np.int32)
        for k in range(i - reach, i + reach + 1):
            votes += window[k - first]
        mask = (2 * votes > 2 * reach + 1).astype(np.float32)
        if progress is not None:
            progress(i + 1, length, mask)
        yield mask


def _mask(picture: np.ndarray, colours: Sequence[Colour], rivals: Sequence[Colour], dials: ColourId) -> np.ndarray:
    levels = as_uint8(picture).astype(np.int16)
    nearest = np.minimum.reduce([_distance(levels, np.array(colour)) for colour in colours])
    inside = nearest <= dials.tolerance
    for rival in rivals:
        inside &= nearest <= _distance(levels, np.array(rival))
    if dials.despeckle_px:
        inside = cv2.medianBlur(inside.view(np.uint8), 2 * dials.despeckle_px + 1).view(np.bool_)
    return inside


def _distance(levels: np.ndarray, colour: np.ndarray) -> np.ndarray:
    return np.abs(levels - colour.astype(np.int16)).max(axis=-1)


def _check_map(picture: np.ndarray) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3:
        raise Refusal(
            "picture", "be an RGB picture (height, width, 3)", f"the shape {picture.shape}", "convert it to RGB first"
        )
    if picture.dtype != np.uint8 and not np.isfinite(picture).all():
        raise Refusal("picture", "hold finite numbers", "NaN or infinity", "check the node it comes from")


def _check_colours(colours: Sequence[Colour], rivals: Sequence[Colour]) -> None:
    if not colours:
        raise Refusal("colours", "name at least one colour", "none", "write for example 255 0 0")
    for colour in (*colours, *rivals):
        if len(colour) != 3 or not all(0 <= level <= 255 for level in colour):
            raise Refusal("colours", "be three numbers 0..255 each", tuple(colour), "see the map")
