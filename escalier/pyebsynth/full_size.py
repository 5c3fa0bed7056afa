"""Full size from a proxy: a field that was matched on small pictures paints a large one from the large style.

Matching costs the most and needs little: at 4K a patch of five pixels shows next to nothing of a form. So the field is
found at a proxy size and enlarged; whole pieces of the large style are copied, as sharp as they were painted. Where the
picture is hardly larger than the proxy, they are copied from between its pixels: else slow motion would stand still and
then hop by most of a small pixel, all of it in one frame. Only in the narrow band where neighbouring pieces meet is the
border between them found anew, by the large film frames.
"""

import cv2
import numpy as np

from escalier.kernel_cache import njit
from escalier.refusals import Refusal

from .layout import patch_shape
from .sub_pixel import keep_detail
from .voting import vote_picture

_ROW = np.uint32(16)
_COLUMN = np.uint32(0xFFFF)
ALIKE_PX = np.float32(1.5)
"""Neighbouring matches that move by no more than this differently show one surface."""
SMOOTH_PX = 7
PARTS = 256
"""A pixel is divided into."""
HOPS_SHOW = 2.5
"""Less than so many times the proxy's size, a hop by one pixel shows."""
BAND_ROWS = 192


def render_full_size(
    style: np.ndarray,
    places: np.ndarray,
    matched_size: tuple[int, int],
    source: np.ndarray,
    target: np.ndarray,
    *,
    patch_size: int = 3,
    between_pixels: bool = True,
) -> np.ndarray:
    """Paint a large picture from a field that was matched at a proxy size.

    Parameters
    ----------
    style
        The large painting, (Hs, Ws, C), uint8 or float32 0..1, C from 1 to 4.
    places
        float32 (h, w, 2), (x, y) in the small style: what was found at the proxy size, as whole matches or as
        `escalier.pyebsynth.sub_pixel.SubPixelPainter.locate` gives them.
    matched_size
        (rows, columns) of the small style that the places point into.
    source, target
        What was filmed where the style was painted, uint8 (Hs, Ws, 3), and where it goes to, uint8 (H, W, 3). H and W
        set the size of the result.
    patch_size
        3, 5 or 7: patches overlap by this, at the large size, and so soften the borders between pieces. 3 hides them
        and keeps the style's sharpness.
    between_pixels
        Without it, and from 2.5 times the proxy's size on, every pixel is copied as it was painted.

    Returns
    -------
    numpy.ndarray
        (H, W, C), of the style's type. Memory: 15 bytes for each of its pixels besides.

    A field that says "everything from its own place" gives the large style back:

    >>> large = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    >>> places = np.stack(np.mgrid[:16, :24][::-1], axis=-1).astype(np.float32)
    >>> painted = render_full_size(large, places, (16, 24), large, large)
    >>> bool((painted == large)[4:-4, 4:-4].all())
    True
    """
    if style.shape[:2] != source.shape[:2]:
        rule, got = f"be {style.shape[1]}x{style.shape[0]} like the style", f"{source.shape[1]}x{source.shape[0]}"
        raise Refusal("source", rule, got, "give the frame that was painted, at full size", who="render_full_size")
    if min(style.shape[:2]) < patch_size:
        rule, got = f"be at least {patch_size} px on a side", f"{style.shape[1]}x{style.shape[0]}"
        raise Refusal("style", rule, got, "use a smaller patch_size", who="render_full_size")
    r = patch_size // 2
    field, rest = enlarge_places(smoothed(places), *target.shape[:2], *matched_size, *style.shape[:2], r)
    step = max(1, round(target.shape[0] / places.shape[0]))
    if step > 1:
        chosen = choose_pieces(field, np.ascontiguousarray(source), np.ascontiguousarray(target), step, r)
        rest[chosen != field] = 0
        field = chosen
    meeting = np.empty(field.shape, np.uint8)
    find_meeting(field, meeting)
    rows = patch_shape(patch_size, style.shape[2], style.shape[2])[1]
    picture = vote_picture(style, field, meeting, rows, None)
    copy_whole(style, field, meeting, picture)
    if between_pixels and target.shape[0] < HOPS_SHOW * places.shape[0]:
        moved = copy_between(style, field, rest, meeting, picture)
        return keep_detail(moved, picture) if style.dtype == np.uint8 and style.shape[2] == 3 else moved
    return picture


def copy_between(
    style: np.ndarray, field: np.ndarray, rest: np.ndarray, meeting: np.ndarray, picture: np.ndarray
) -> np.ndarray:
    """The picture, but where no surfaces meet, each pixel is interpolated at its own place of the style."""
    copied = np.empty_like(picture)
    for top in range(0, len(field), BAND_ROWS):
        rows = slice(top, top + BAND_ROWS)
        x, y = (
            (whole + rest[rows, :, k] / np.float32(PARTS)).astype(np.float32)
            for k, whole in enumerate((field[rows] & _COLUMN, field[rows] >> _ROW))
        )
        moved = cv2.remap(style, x, y, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
        if style.dtype != np.uint8:
            moved = np.clip(moved, 0, 1)
        copied[rows] = np.where(meeting[rows, :, None], picture[rows], moved.reshape(picture[rows].shape))
    return copied


@njit(cache=True, nogil=True)
def _mark_borders(matches, others, rows, columns, marked):
    """Mark where the others, of pixels this far below and to the right, do not continue the matches, but for rounding.

    Rows of packed fields; one step in one direction for a whole row, so that it runs in vectors.
    """
    step = np.uint32((rows - 1) * 65536 + columns - 1)
    width = len(matches)
    first, last = max(-columns, 0), width - max(columns, 0)
    own, beside, out = matches[first:last], others[first + columns : last + columns], marked[first:last]
    for x in range(len(own)):
        apart = np.uint32(beside[x] - own[x] - step)  # each difference plus one
        out[x] |= np.uint8((apart >> _ROW) > np.uint32(2)) | np.uint8((apart & _COLUMN) > np.uint32(2))


@njit(cache=True, nogil=True)
def find_meeting(field, meeting):
    """Set where neighbouring pixels are copied from places that are not neighbours too, but for rounding; uint8."""
    height = field.shape[0]
    for y in range(height):
        meeting[y] = 0
        for j in range(max(y - 1, 0), min(y + 2, height)):
            for i in range(-1, 2):
                if j != y or i:
                    _mark_borders(field[y], field[j], j - y, i, meeting[y])


@njit(cache=True, nogil=True)
def copy_whole(style, field, meeting, picture):
    """Copy every pixel where no surfaces meet from its own place."""
    for y in range(field.shape[0]):
        for x in range(field.shape[1]):
            if not meeting[y, x]:
                for c in range(style.shape[2]):
                    picture[y, x, c] = style[field[y, x] >> _ROW, field[y, x] & _COLUMN, c]


def smoothed(places: np.ndarray) -> np.ndarray:
    """Places whose neighbours move alike, moved by their mean, as patches agree when they vote; float32 (h, w, 2).

    A match is known to some tenths of a small pixel, which at full size is enough to make straight edges waver.
    """
    y, x = np.mgrid[: places.shape[0], : places.shape[1]]
    own = np.stack([x, y], axis=-1).astype(np.float32)
    moved = places - own
    mean = cv2.boxFilter(moved, -1, (SMOOTH_PX, SMOOTH_PX))
    spread = (cv2.boxFilter(moved * moved, -1, (SMOOTH_PX, SMOOTH_PX)) - mean * mean).sum(axis=2, keepdims=True)
    return np.where(spread <= ALIKE_PX**2 / 4, own + mean, places)


@njit(cache=True, nogil=True)
def enlarge_places(places, height, width, small_height, small_width, source_height, source_width, r):
    """A packed field at any larger size, and what it lacks, (x, y) in parts of a pixel.

    Where the places round a pixel move alike, it moves by their bilinear mean; elsewhere each small pixel becomes a
    piece that is copied as a whole.
    """
    field = np.empty((height, width), np.uint32)
    rest = np.zeros((height, width, 2), np.int8)
    rows, columns = places.shape[:2]
    zoom_y, zoom_x = np.float32(height / rows), np.float32(width / columns)
    source_y, source_x = np.float32(source_height / small_height), np.float32(source_width / small_width)
    half, one = np.float32(0.5), np.float32(1)
    us, lefts, acrosses = np.empty(width, np.float32), np.empty(width, np.int32), np.empty(width, np.float32)
    for x in range(width):
        us[x] = (np.float32(x) + half) / zoom_x - half
        lefts[x] = max(int(np.floor(us[x])), 0)
        acrosses[x] = min(max(us[x] - np.float32(lefts[x]), np.float32(0)), one)
    for y in range(height):
        v = (np.float32(y) + half) / zoom_y - half
        top = max(int(np.floor(v)), 0)
        bottom = min(top + 1, rows - 1)
        down = min(max(v - np.float32(top), np.float32(0)), one)
        for x in range(width):
            u, left, across = us[x], lefts[x], acrosses[x]
            right = min(left + 1, columns - 1)
            # How far each of the four matches lies from its own pixel.
            ax, ay = places[top, left, 0] - left, places[top, left, 1] - top
            bx, by = places[top, right, 0] - right, places[top, right, 1] - top
            cx, cy = places[bottom, left, 0] - left, places[bottom, left, 1] - bottom
            dx, dy = places[bottom, right, 0] - right, places[bottom, right, 1] - bottom
            spread_x = max(ax, bx, cx, dx) - min(ax, bx, cx, dx)
            spread_y = max(ay, by, cy, dy) - min(ay, by, cy, dy)
            alike = spread_x <= ALIKE_PX and spread_y <= ALIKE_PX
            if alike:
                mx = (one - down) * (ax + across * (bx - ax)) + down * (cx + across * (dx - cx))
                my = (one - down) * (ay + across * (by - ay)) + down * (cy + across * (dy - cy))
                place_x, place_y = u + mx, v + my
                beside_x = beside_y = np.float32(0)
            else:
                row, column = (bottom if down >= half else top), (right if across >= half else left)
                place_x, place_y = np.float32(places[row, column, 0]), np.float32(places[row, column, 1])
                beside_x, beside_y = (u - np.float32(column)) * zoom_x, (v - np.float32(row)) * zoom_y
            at_x, at_y = (place_x + half) * source_x + beside_x, (place_y + half) * source_y + beside_y
            sx, sy = int(np.floor(at_x)), int(np.floor(at_y))
            if alike and r <= sx < source_width - r and r <= sy < source_height - r:
                rest[y, x, 0] = np.int8((at_x - np.float32(sx) - half) * np.float32(PARTS))
                rest[y, x, 1] = np.int8((at_y - np.float32(sy) - half) * np.float32(PARTS))
            sy = min(max(sy, r), source_height - 1 - r)
            sx = min(max(sx, r), source_width - 1 - r)
            field[y, x] = np.uint32(sx) | (np.uint32(sy) << _ROW)
    return field, rest


@njit(cache=True, nogil=True)
def choose_pieces(field, source, target, step, r):
    """Where pieces meet, give each pixel to the neighbouring piece whose filmed colours fit best, over 3x3 pixels.

    Neighbouring pieces are those `step` px above, below, left and right. A pixel that all of them agree on, which is
    most of the picture, stays as it is.
    """
    height, width = field.shape
    source_height, source_width = source.shape[:2]
    source, target = source.reshape(-1), target.reshape(-1)
    chosen = field.copy()
    between = np.empty(width, np.uint8)
    for y in range(1, height - 1):
        between[:] = 0
        for k in range(4):
            dy = step * ((k == 1) - (k == 0))
            dx = step * ((k == 3) - (k == 2))
            if 0 <= y + dy < height:
                _mark_borders(field[y], field[y + dy], dy, dx, between)
        for x in range(1, width - 1):
            if not between[x]:
                continue
            own = field[y, x]
            best = np.int32(-1)
            for k in range(4):
                dy = step * ((k == 1) - (k == 0))
                dx = step * ((k == 3) - (k == 2))
                if not (0 <= y + dy < height and 0 <= x + dx < width):
                    continue
                n = field[y + dy, x + dx]
                sy = np.int64(n >> _ROW) - dy
                sx = np.int64(n & _COLUMN) - dx
                # Pieces that lie on one grid may differ by the rounding of their places.
                if abs(sy - np.int64(own >> _ROW)) <= 1 and abs(sx - np.int64(own & _COLUMN)) <= 1:
                    continue
                if sy < r + 1 or sx < r + 1 or sy >= source_height - r - 1 or sx >= source_width - r - 1:
                    continue
                if best < 0:
                    row, column = np.int64(own >> _ROW), np.int64(own & _COLUMN)
                    best = _colour_difference(source, target, source_width, width, y, x, row, column)
                other = _colour_difference(source, target, source_width, width, y, x, sy, sx)
                if other < best:
                    best = other
                    chosen[y, x] = np.uint32(sx) | (np.uint32(sy) << _ROW)
    return chosen


@njit(cache=True, nogil=True, inline="always")
def _colour_difference(source, target, source_width, width, y, x, sy, sx):
    """Over 3x3 pixels, of flat pictures of three channels."""
    total = np.int32(0)
    for j in range(-1, 2):
        t = np.uint64(((y + j) * width + x - 1) * 3)
        s = np.uint64(((sy + j) * source_width + sx - 1) * 3)
        for k in range(9):
            d = np.int32(target[t + np.uint64(k)]) - np.int32(source[s + np.uint64(k)])
            total = np.int32(total + d * d)
    return total
