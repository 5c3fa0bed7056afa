"""The kernels of the card engine, in NVIDIA Warp: search, usage and vote on one level of the pyramid.

One source for the graphics card and for Warp's processor device. Patch size and number of channels arrive with the
call, so everything compiles once. Imported only by `card`: importing Warp costs half a second.

The same input gives the same bits. Pixels are cut into colours so that a pixel's neighbours at odd distances never have
its own: while one colour is searched, all that it reads stands still. Usage stands still too, and is made anew from
whole-number counts, whose atomic sums do not depend on their order.
"""

# Kernels are Warp's language: `int(0)` is a variable there, a plain 0 a constant, and types are calls.
# ruff: noqa: RUF046, UP018
# mypy: ignore-errors

import warp as wp

from .search_kernels import FORBIDDEN as _FORBIDDEN

# Without these the compiler unrolls every loop and builds derivatives that nobody needs: 45 s instead of 2.
wp.set_module_options({"enable_backward": False, "max_unroll": 1})

FORBIDDEN = wp.constant(int(_FORBIDDEN))
NO_BOUND = wp.constant(2147483647)
LARGEST_BOUND = wp.constant(2.0e9)


@wp.struct
class Sides:
    """Both sides of a level, as `layout` packs them."""

    target: wp.array(dtype=wp.int16)
    source: wp.array(dtype=wp.int16)
    modulation: wp.array(dtype=wp.float32)
    modulated: int
    height: int
    width: int
    source_height: int
    source_width: int
    patch_size: int
    channels: int
    style_channels: int


@wp.func
def row_of(match: wp.uint32):
    return wp.int32(match >> wp.uint32(16))


@wp.func
def column_of(match: wp.uint32):
    return wp.int32(match & wp.uint32(65535))


@wp.func
def pack(row: int, column: int):
    return (wp.uint32(row) << wp.uint32(16)) | wp.uint32(column)


@wp.func
def is_centre(sides: Sides, row: int, column: int):
    """Whether the patch round a place lies inside the source."""
    r = sides.patch_size // 2
    return row >= r and row < sides.source_height - r and column >= r and column < sides.source_width - r


@wp.func
def patch_distance(sides: Sides, y: int, x: int, row: int, column: int, first_channel: int, bound: int):
    """Sum of squared differences of two patches, given up where it reaches `bound`."""
    size = sides.patch_size
    r = size // 2
    t_stride = (sides.width + 2 * r) * sides.channels
    s_stride = sides.source_width * sides.channels
    t = y * t_stride + x * sides.channels
    s = (row - r) * s_stride + (column - r) * sides.channels
    m = (y * sides.width + x) * sides.channels
    total = int(0)
    weighted = float(0.0)
    for _ in range(size):
        if sides.modulated != 0 or first_channel > 0:
            for i in range(size):
                for c in range(first_channel, sides.channels):
                    k = i * sides.channels + c
                    d = int(sides.target[t + k]) - int(sides.source[s + k])
                    if sides.modulated != 0:
                        weighted += sides.modulation[m + c] * float(d) * float(d)
                    else:
                        total += d * d
        else:
            for k in range(size * sides.channels):
                d = int(sides.target[t + k]) - int(sides.source[s + k])
                total += d * d
        if sides.modulated != 0:
            total = int(wp.min(weighted, LARGEST_BOUND))
        if total >= bound:
            break
        t += t_stride
        s += s_stride
    return total


@wp.func
def improve(
    sides: Sides, usage: wp.array2d(dtype=int), price: float, y: int, x: int, row: int, column: int,
    here: wp.uint32, error: int,
):  # fmt: skip
    """The error of a candidate where its energy is below that of the match `here` with its error; else -1."""
    if not is_centre(sides, row, column):
        return -1
    if pack(row, column) == here:
        return -1
    used = usage[row, column]
    if used >= FORBIDDEN:
        return -1
    bound = float(error) + price * float(usage[row_of(here), column_of(here)] - used)
    if bound <= 0.0:
        return -1
    candidate = patch_distance(sides, y, x, row, column, 0, int(wp.min(bound, LARGEST_BOUND)))
    if float(candidate) >= bound:
        return -1
    return candidate


@wp.func
def move(
    nnf: wp.array2d(dtype=wp.uint32), error: wp.array2d(dtype=int), counts: wp.array2d(dtype=int),
    moved: wp.array2d(dtype=wp.uint8), y: int, x: int, match: wp.uint32, new_error: int,
):  # fmt: skip
    before = nnf[y, x]
    if match != before:
        wp.atomic_add(counts, row_of(match), column_of(match), 1)
        wp.atomic_add(counts, row_of(before), column_of(before), -1)
        nnf[y, x] = match
        error[y, x] = new_error
        moved[y, x] = wp.uint8(1)


@wp.func
def pixel_of(line: int, place: int, colour: int, colours: int):
    """The column of the place-th pixel of a colour on a line: those with (column + 3 line) % colours == colour."""
    return place * colours + (colour + (colours - 1) * 3 * line) % colours


@wp.kernel
def search(
    sides: Sides, nnf: wp.array2d(dtype=wp.uint32), error: wp.array2d(dtype=int), usage: wp.array2d(dtype=int),
    counts: wp.array2d(dtype=int), active: wp.array2d(dtype=wp.uint8), moved: wp.array2d(dtype=wp.uint8),
    price: float, colour: int, colours: int, far: int, rungs: int, seed: int,
):  # fmt: skip
    """Try the matches of eight neighbours, moved along, then a random place on every rung of the ladder of radii."""
    y, place = wp.tid()
    x = pixel_of(y, place, colour, colours)
    if x >= sides.width:
        return
    if active[y, x] == wp.uint8(0):
        return
    best = nnf[y, x]
    best_error = error[y, x]
    state = wp.rand_init(seed, y * sides.width + x)
    r = sides.patch_size // 2
    for c in range(8 + rungs):
        row = int(-1)
        column = int(-1)
        if c < 8:
            step = 1
            if c >= 4:
                step = far
            if c % 2 == 1:
                step = -step
            dy = 0
            dx = step
            if c % 4 >= 2:
                dy = step
                dx = 0
            if y + dy >= 0 and y + dy < sides.height and x + dx >= 0 and x + dx < sides.width:
                near = nnf[y + dy, x + dx]
                row = row_of(near) - dy
                column = column_of(near) - dx
        else:
            radius = 1 << (rungs - 1 - (c - 8))
            top = wp.max(row_of(best) - radius, r)
            left = wp.max(column_of(best) - radius, r)
            row = wp.randi(state, top, wp.min(row_of(best) + radius, sides.source_height - 1 - r) + 1)
            column = wp.randi(state, left, wp.min(column_of(best) + radius, sides.source_width - 1 - r) + 1)
        candidate = improve(sides, usage, price, y, x, row, column, best, best_error)
        if candidate >= 0:
            best = pack(row, column)
            best_error = candidate
    move(nnf, error, counts, moved, y, x, best, best_error)


@wp.kernel
def take_offers(
    sides: Sides, nnf: wp.array2d(dtype=wp.uint32), error: wp.array2d(dtype=int), usage: wp.array2d(dtype=int),
    counts: wp.array2d(dtype=int), searched: wp.array2d(dtype=wp.uint8), moved: wp.array2d(dtype=wp.uint8),
    offers: wp.array2d(dtype=wp.uint32), price: float, colour: int, colours: int,
):  # fmt: skip
    """Take the offered match where its energy is lower."""
    y, place = wp.tid()
    x = pixel_of(y, place, colour, colours)
    if x >= sides.width:
        return
    if searched[y, x] == wp.uint8(0):
        return
    offer = offers[y, x]
    candidate = improve(
        sides, usage, price, y, x, row_of(offer), column_of(offer), nnf[y, x], error[y, x]
    )  # fmt: skip
    if candidate >= 0:
        move(nnf, error, counts, moved, y, x, offer, candidate)


@wp.kernel
def offer_best_guides(
    sides: Sides, usage: wp.array2d(dtype=int), searched: wp.array2d(dtype=wp.uint8),
    offers: wp.array2d(dtype=wp.uint32),
):  # fmt: skip
    """Offer every pixel the place whose guides fit best, by trying all."""
    y, x = wp.tid()
    if searched[y, x] == wp.uint8(0):
        return
    r = sides.patch_size // 2
    best = int(NO_BOUND)
    for row in range(r, sides.source_height - r):
        for column in range(r, sides.source_width - r):
            if usage[row, column] < FORBIDDEN:
                e = patch_distance(sides, y, x, row, column, sides.style_channels, best)
                if e < best:
                    best = e
                    offers[y, x] = pack(row, column)


@wp.kernel
def score(
    sides: Sides, nnf: wp.array2d(dtype=wp.uint32), asked: wp.array2d(dtype=wp.uint8), error: wp.array2d(dtype=int)
):
    """Errors of the matches as they are."""
    y, x = wp.tid()
    if asked[y, x] != wp.uint8(0):
        match = nnf[y, x]
        error[y, x] = patch_distance(sides, y, x, row_of(match), column_of(match), 0, NO_BOUND)


@wp.kernel
def sum_counts(counts: wp.array2d(dtype=int), size: int, sums: wp.array2d(dtype=int)):
    """The tent-weighted sum of the counts above and below: the first half of `spread_usage`."""
    y, x = wp.tid()
    total = int(0)
    for j in range(wp.max(y - size + 1, 0), wp.min(y + size, counts.shape[0])):
        total += (size - wp.abs(j - y)) * counts[j, x]
    sums[y, x] = total


@wp.kernel
def spread_usage(
    sums: wp.array2d(dtype=int), forbidden: wp.array2d(dtype=wp.uint8), size: int, usage: wp.array2d(dtype=int)
):
    """How much every patch of the source is used: two patches at (dx, dy) share (P - |dx|)(P - |dy|) pixels."""
    y, x = wp.tid()
    total = int(0)
    for i in range(wp.max(x - size + 1, 0), wp.min(x + size, sums.shape[1])):
        total += (size - wp.abs(i - x)) * sums[y, i]
    if forbidden[y, x] != wp.uint8(0):
        total += FORBIDDEN
    usage[y, x] = total


@wp.kernel
def vote(
    sides: Sides, nnf: wp.array2d(dtype=wp.uint32), error: wp.array2d(dtype=int), moved: wp.array2d(dtype=wp.uint8),
    weighted: int, error_scale: float, change: wp.array2d(dtype=int),
):  # fmt: skip
    """Make the style of the target anew wherever a patch has moved; change = the largest step of a channel there."""
    y, x = wp.tid()
    r = sides.patch_size // 2
    top = wp.max(y - r, 0)
    bottom = wp.min(y + r + 1, sides.height)
    left = wp.max(x - r, 0)
    right = wp.min(x + r + 1, sides.width)
    any_moved = int(0)
    for j in range(top, bottom):
        for i in range(left, right):
            any_moved += int(moved[j, i])
    largest = int(0)
    if any_moved > 0:
        t = ((y + r) * (sides.width + 2 * r) + x + r) * sides.channels
        for c in range(sides.style_channels):
            total = float(0.0)
            weights = float(0.0)
            for j in range(top, bottom):
                for i in range(left, right):
                    match = nnf[j, i]
                    weight = float(1.0)
                    if weighted != 0:
                        weight = 1.0 / (1.0 + float(error[j, i]) * error_scale)
                    s = (row_of(match) + y - j) * sides.source_width + column_of(match) + x - i
                    total += weight * float(sides.source[s * sides.channels + c])
                    weights += weight
            value = int(total / weights + 0.5)
            largest = wp.max(largest, wp.abs(int(sides.target[t + c]) - value))
            sides.target[t + c] = wp.int16(value)
    change[y, x] = largest


@wp.kernel
def extend_edges(sides: Sides):
    """Repeat the rim of the target's style into its margin of half a patch."""
    y, x = wp.tid()
    r = sides.patch_size // 2
    inner_y = wp.clamp(y, r, sides.height + r - 1)
    inner_x = wp.clamp(x, r, sides.width + r - 1)
    if inner_y != y or inner_x != x:
        stride = sides.width + 2 * r
        for c in range(sides.style_channels):
            sides.target[(y * stride + x) * sides.channels + c] = sides.target[
                (inner_y * stride + inner_x) * sides.channels + c
            ]


@wp.kernel
def wake(
    change: wp.array2d(dtype=int), threshold: int, searched: wp.array2d(dtype=wp.uint8), r: int,
    active: wp.array2d(dtype=wp.uint8),
):  # fmt: skip
    """A pixel is active where the style of any pixel of its patch has changed by the threshold; the others rest."""
    y, x = wp.tid()
    any_changed = int(0)
    if searched[y, x] != wp.uint8(0):
        for j in range(wp.max(y - r, 0), wp.min(y + r + 1, change.shape[0])):
            for i in range(wp.max(x - r, 0), wp.min(x + r + 1, change.shape[1])):
                if change[j, i] >= threshold:
                    any_changed = int(1)
    active[y, x] = wp.uint8(any_changed)
