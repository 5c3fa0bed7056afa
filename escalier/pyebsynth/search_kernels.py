"""The search for better matches: PatchMatch over fixed bands of rows, with the usage of the source in the energy.

Every target pixel tries the matches of two neighbours, moved along by one pixel, and some random places round its own
match. A candidate wins when its patch distance plus the price of its usage is lower (Barnes et al. 2009, "PatchMatch";
Fišer et al. 2016, "StyLit", for the usage).

The kernels are compiled once for each patch size and number of channels. Those constants reach the compiler as the
LENGTHS of tuples (`layout.patch_shape`): numba keeps such kernels in its on-disk cache, which it does not do for
closures, and sees constants all the same. numba looks only at the file of a kernel to see whether its cache is out of
date, so a kernel must not call one of another file.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from escalier.kernel_cache import njit

FORBIDDEN = np.int32(1 << 29)
"""Usage of a source position that must never be copied from; far above what counting can reach."""

LANES = 16
"""Rows of patches are read in vectors of this many 16-bit values; planes carry that much slack at their end."""

_FIRST_ROWS = {3: (1,), 5: (1, 3), 7: (1, 5)}
_MOST_SAMPLES = 16
_LARGEST_BOUND = np.float32(2.0e9)
_COLUMN = np.uint32(0xFFFF)
_ROW = np.uint32(16)


def _make_distance(choose_rows, guides_only=False):
    """An intrinsic: the sum of squared differences over some rows of two patches of int16.

    Its arguments are target, source, t, s, t_stride, s_stride, shape: flat planes, the index of each patch's first
    value, the length of a row of each plane, and the constants. It is written in vectors by hand, because what the
    compiler makes of plain loops differs tenfold from one processor to the next. Values past the end of a row are read
    and cleared; narrower machines split the vectors.
    """

    @intrinsic
    def distance(typing_context, target, source, t, s, t_stride, s_stride, shape):
        channels, rows, style_channels = (part.count for part in shape.types)
        row = channels * rows

        def counts(k):
            return k < row and not (guides_only and k % channels < style_channels)

        def generate(context, builder, signature, arguments):
            planes = [context.make_array(signature.args[k])(context, builder, arguments[k]).data for k in (0, 1)]
            starts, strides = arguments[2:4], arguments[4:6]
            values, wide = (ir.VectorType(ir.IntType(bits), LANES) for bits in (16, 32))

            def load(side, j, k):
                offset = builder.add(builder.mul(strides[side], ir.IntType(64)(j)), ir.IntType(64)(k))
                address = builder.gep(planes[side], [builder.add(starts[side], offset)])
                return builder.load(builder.bitcast(address, values.as_pointer()), align=2)

            total = ir.Constant(wide, None)
            for j in choose_rows(rows):
                for k in range(0, row, LANES):
                    difference = builder.sub(load(0, j, k), load(1, j, k))
                    mask = [-1 if counts(k + lane) else 0 for lane in range(LANES)]
                    if 0 in mask:
                        difference = builder.and_(difference, ir.Constant(values, mask))
                    difference = builder.sext(difference, wide)
                    total = builder.add(total, builder.mul(difference, difference))
            count = LANES
            while count > 1:
                count //= 2
                half = ir.VectorType(ir.IntType(32), count)
                low, high = (
                    builder.shuffle_vector(total, ir.Constant(total.type, ir.Undefined), ir.Constant(half, lanes))
                    for lanes in (list(range(count)), list(range(count, 2 * count)))
                )
                total = builder.add(low, high)
            return builder.extract_element(total, ir.IntType(32)(0))

        return types.int32(target, source, t, s, t_stride, s_stride, shape), generate

    return distance


patch_distance = _make_distance(range)
guide_distance = _make_distance(range, guides_only=True)
first_distance = _make_distance(lambda rows: _FIRST_ROWS[rows])
first_guide_distance = _make_distance(lambda rows: _FIRST_ROWS[rows], guides_only=True)
other_distance = _make_distance(lambda rows: [j for j in range(rows) if j not in _FIRST_ROWS[rows]])


@intrinsic
def prefetch(typing_context, array, index):
    """Ask for the cache line of array[index]; nothing waits for it."""

    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        byte, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
        address = builder.bitcast(builder.gep(data, [arguments[1]]), byte)
        ask = builder.module.declare_intrinsic(
            "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
        )
        builder.call(ask, [address, flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(array, index), generate


@njit(cache=True, nogil=True, inline="always")
def modulated_distance(target, source, t, s, t_stride, s_stride, shape, modulation, m, first_channel):
    """As `patch_distance`, with every channel multiplied by the modulation of the patch's centre pixel, from m on."""
    channels, rows, _ = shape
    total = np.float32(0)
    for j in range(len(rows)):
        for i in range(len(rows)):
            for c in range(first_channel, len(channels)):
                k = np.uint64(i * len(channels) + c)
                d = np.float32(target[t + np.uint64(j) * t_stride + k]) - np.float32(
                    source[s + np.uint64(j) * s_stride + k]
                )
                total += modulation[m + np.uint64(c)] * d * d
    return np.int32(min(total, _LARGEST_BOUND))


def _add_usage(typing_context, usage, centre, stride, sign, rows):
    """Count one match more (sign 1) or less (-1) in the usage that every patch around it sees.

    The usage of a patch is the sum, over its pixels, of the number of target patches that lie on them. Two patches at
    an offset (dx, dy) share (P - |dx|)(P - |dy|) pixels, so one match changes a tent of sums. Reading is then one load.
    A row of the tent is one vector, to the end of which nothing is added. It never leaves the map: patches lie within
    the source, and there is more margin than they need.
    """
    size = rows.count
    width = 2 * size - 1

    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        _, centre, stride, sign, _ = arguments
        values, index = ir.VectorType(ir.IntType(32), LANES), ir.IntType(64)
        nothing = ir.Constant(values, ir.Undefined)
        one = builder.insert_element(nothing, builder.trunc(sign, ir.IntType(32)), ir.IntType(32)(0))
        one = builder.shuffle_vector(one, nothing, ir.Constant(values, [0] * LANES))
        tent = [max(size - abs(i - (size - 1)), 0) for i in range(LANES)]
        rises = [builder.mul(one, ir.Constant(values, tent))]
        for _ in range(size - 1):
            rises.append(builder.add(rises[-1], rises[0]))
        corner = builder.sub(centre, builder.mul(index(size - 1), builder.add(stride, index(1))))
        for j in range(width):
            row = builder.gep(data, [builder.add(corner, builder.mul(stride, index(j)))])
            row = builder.bitcast(row, values.as_pointer())
            risen = builder.add(builder.load(row, align=4), rises[min(j, width - 1 - j)])
            builder.store(risen, row, align=4)
        return context.get_dummy_value()

    return types.void(usage, centre, stride, sign, rows), generate


add_usage: Any = intrinsic(_add_usage)


@njit(cache=True, nogil=True)
def fill_usage(nnf, counted, usage, margin, stride, rows):
    """Count the matches of the pixels that count into `usage`."""
    height, width = nnf.shape
    for y in range(height):
        for x in range(width):
            if counted[y, x]:
                n = nnf[y, x]
                add_usage(usage, np.uint64(n >> _ROW) * stride + np.uint64(n & _COLUMN) + margin, stride, 1, rows)


@njit(cache=True, nogil=True)
def move_usage(old, new, usage, margin, stride, rows):
    """Count the matches of one field in place of those of another."""
    height, width = old.shape
    for y in range(height):
        for x in range(width):
            n = new[y, x]
            o = old[y, x]
            if n != o:
                add_usage(usage, np.uint64(n >> _ROW) * stride + np.uint64(n & _COLUMN) + margin, stride, 1, rows)
                add_usage(usage, np.uint64(o >> _ROW) * stride + np.uint64(o & _COLUMN) + margin, stride, -1, rows)


@njit(cache=True, nogil=True)
def merge_usage(usages):
    """Add what every band counted in its own copy (rows 1..) to the common map (row 0) and hand it back to all."""
    bands, length = usages.shape
    block = 4096  # small enough to stay in the nearest cache while all copies pass
    for start in range(0, length, block):
        end = min(start + block, length)
        base = usages[0, start:end].copy()
        total = usages[0, start:end]
        for b in range(1, bands):
            for k in range(end - start):
                total[k] += usages[b, start + k] - base[k]
        for b in range(1, bands):
            usages[b, start:end] = total


@njit(cache=True, nogil=True, inline="always")
def shuffle_bits(state):
    """The next number of a 32-bit xorshift generator (Marsaglia 2003)."""
    state ^= np.uint32(state << np.uint32(13))
    state ^= np.uint32(state >> np.uint32(17))
    state ^= np.uint32(state << np.uint32(5))
    return state


@njit(cache=True, nogil=True, inline="always")
def draw_samples(count, match, rungs, state, source, source_height, source_width, shape, drawn, drawn_rung):
    """Draw random places round a match, one for each of `count` even steps through the table of rungs."""
    channels, rows, _ = shape
    r = len(rows) // 2
    x = np.int64(match & _COLUMN)
    y = np.int64(match >> _ROW)
    pace = np.uint32(65536 // count)
    place = np.uint32(state & _COLUMN)
    for c in range(count):
        rung = rungs[(place >> np.uint32(8)) & np.uint32(0xFF)]
        place += pace
        radius = 1 << np.int64(rung)
        left = max(x - radius, r)
        top = max(y - radius, r)
        columns = np.uint64(min(x + radius, source_width - 1 - r) - left + 1)
        lines = np.uint64(min(y + radius, source_height - 1 - r) - top + 1)
        state = shuffle_bits(state)
        nx = left + np.int64((np.uint64(state & _COLUMN) * columns) >> np.uint64(16))
        ny = top + np.int64((np.uint64(state >> _ROW) * lines) >> np.uint64(16))
        drawn[c] = np.uint32(nx) | (np.uint32(ny) << _ROW)
        drawn_rung[c] = rung
        start = np.uint64(((ny - r + 1) * source_width + nx - r) * len(channels))
        apart = np.uint64((len(rows) - 3) * source_width * len(channels))
        for k in range(0, len(rows) * len(channels), 32):  # the rows that `first_distance` reads
            prefetch(source, start + np.uint64(k))  # type: ignore[call-arg]
            prefetch(source, start + apart + np.uint64(k))
    return state


@njit(cache=True, nogil=True)
def sweep_band(
    target, source, modulation, nnf, error, active, moved, usage, edge, rungs, tally,
    first_row, last_row, source_height, source_width, price, thrift, samples, seed, forward, rescore, shape,
):  # fmt: skip
    """One PatchMatch sweep over the rows first_row..last_row-1, in reading order (forward) or back.

    Only these rows of nnf, error and moved are read or written; `edge` is a copy of the neighbouring band's nearest
    row, taken before the sweep (empty at the rim of the picture). With `rescore`, errors are made anew for the target
    as it is now. Random samples go where the energy is: a pixel gets `samples` times the power 3/2 of its energy times
    `thrift`, their radii are drawn from the table `rungs`; `tally` counts tries and gained energy for each rung.
    Gives the sum of the energies and the number of the pixels visited.
    """
    channels, rows, _ = shape
    size = len(rows)
    r = size // 2
    width = nnf.shape[1]
    t_width = width + 2 * r
    t_stride = np.uint64(t_width * len(channels))
    s_stride = np.uint64(source_width * len(channels))
    u_stride = np.uint64(source_width + 2 * (size - 1))
    margin = np.uint64(size - 1) * (u_stride + np.uint64(1))
    step = 1 if forward else -1
    # Random candidates are drawn one pixel ahead: their memory is on its way while the pixel before is searched.
    drawn = np.empty((2, _MOST_SAMPLES), np.uint32)
    drawn_rung = np.empty((2, _MOST_SAMPLES), np.uint8)
    counts = np.zeros(2, np.int64)
    energy = np.float64(0)
    visits = 0
    for line in range(last_row - first_row):
        y = first_row + line if forward else last_row - 1 - line
        state = np.uint32((seed + (y + 1) * 2891336453) & 0xFFFFFFFF) | np.uint32(1)
        inside = first_row <= y - step < last_row
        x = -1
        ahead = 0 if forward else width - 1
        mine = 1
        while True:
            while 0 <= ahead < width and active[y, ahead] == 0:
                ahead += step
            more = 0 <= ahead < width
            if more:
                n = nnf[y, ahead]
                used = usage[np.uint64(n >> _ROW) * u_stride + np.uint64(n & _COLUMN) + margin]
                total = np.float32(error[y, ahead]) + price * np.float32(used)
                state = shuffle_bits(state)
                luck = np.float32(state >> _ROW) * np.float32(1 / 65536)
                wealth = total * thrift
                count = np.int64(min(samples * wealth * np.sqrt(wealth) + luck, np.float32(_MOST_SAMPLES)))
                counts[1 - mine] = count
                if count > 0:
                    state = draw_samples(
                        count, n, rungs, state, source, source_height, source_width, shape,
                        drawn[1 - mine], drawn_rung[1 - mine],
                    )  # fmt: skip
            if x >= 0:
                t = np.uint64((y * t_width + x) * len(channels))
                m = np.uint64((y * width + x) * len(channels))
                match = nnf[y, x]
                cx = np.int64(match & _COLUMN)
                cy = np.int64(match >> _ROW)
                best = error[y, x]
                if rescore:
                    s = np.uint64(((cy - r) * source_width + cx - r) * len(channels))
                    if modulation is None:
                        best = patch_distance(target, source, t, s, t_stride, s_stride, shape)
                    else:
                        best = modulated_distance(target, source, t, s, t_stride, s_stride, shape, modulation, m, 0)
                here = np.uint64(cy) * u_stride + np.uint64(cx) + margin
                total = np.float32(best) + price * np.float32(usage[here])
                for c in range(2 + counts[mine]):
                    if c == 0:
                        if x - step < 0 or x - step >= width:
                            continue
                        n = nnf[y, x - step]
                        nx = np.int64(n & _COLUMN) + step
                        ny = np.int64(n >> _ROW)
                        if nx < r or nx >= source_width - r:
                            continue
                    elif c == 1:
                        if inside:
                            n = nnf[y - step, x]
                        elif len(edge):
                            n = edge[x]
                        else:
                            continue
                        nx = np.int64(n & _COLUMN)
                        ny = np.int64(n >> _ROW) + step
                        if ny < r or ny >= source_height - r:
                            continue
                    else:
                        n = drawn[mine, c - 2]
                        nx = np.int64(n & _COLUMN)
                        ny = np.int64(n >> _ROW)
                    there = np.uint64(ny) * u_stride + np.uint64(nx) + margin
                    if there == here:
                        continue
                    if c > 1:
                        tally[drawn_rung[mine, c - 2], 0] += 1
                    s = np.uint64(((ny - r) * source_width + nx - r) * len(channels))
                    if modulation is None:
                        # A few rows settle most random candidates, before their usage is even read.
                        e = first_distance(target, source, t, s, t_stride, s_stride, shape)
                        # A random one that needs most of what there is for them is as good as lost.
                        if np.float32(e) >= (total if c < 2 else np.float32(0.8) * total):
                            continue
                    used = usage[there]
                    bound = total - price * np.float32(used)
                    if bound <= 0 or used >= FORBIDDEN:
                        continue
                    if modulation is None:
                        e = np.int32(e + other_distance(target, source, t, s, t_stride, s_stride, shape))
                    else:
                        e = modulated_distance(target, source, t, s, t_stride, s_stride, shape, modulation, m, 0)
                    if np.float32(e) < bound:
                        if price > 0:
                            add_usage(usage, there, u_stride, 1, rows)
                            add_usage(usage, here, u_stride, -1, rows)
                        cx = nx
                        cy = ny
                        best = e
                        here = there
                        before = total
                        total = np.float32(best) + price * np.float32(usage[here])
                        if c > 1:
                            tally[drawn_rung[mine, c - 2], 1] += before - total
                energy += total
                visits += 1
                error[y, x] = best
                n = np.uint32(cx) | (np.uint32(cy) << _ROW)
                if n != match:
                    nnf[y, x] = n
                    moved[y, x] = 1
            if not more:
                break
            x = ahead
            ahead += step
            mine = 1 - mine
    return energy, visits


@njit(cache=True, nogil=True)
def score_band(target, source, modulation, nnf, wanted, error, guide_error, first_row, last_row, source_width, shape):
    """Patch errors of the wanted pixels' matches as they are; the part of the guides too, unless that is None."""
    channels, rows, style_channels = shape
    r = len(rows) // 2
    width = nnf.shape[1]
    t_stride = np.uint64((width + 2 * r) * len(channels))
    s_stride = np.uint64(source_width * len(channels))
    for y in range(first_row, last_row):
        for x in range(width):
            if wanted is not None and not wanted[y, x]:
                continue
            n = nnf[y, x]
            t = np.uint64(y) * t_stride + np.uint64(x * len(channels))
            s = np.uint64(np.int64(n >> _ROW) - r) * s_stride + np.uint64((np.int64(n & _COLUMN) - r) * len(channels))
            m = np.uint64((y * width + x) * len(channels))
            if modulation is None:
                error[y, x] = patch_distance(target, source, t, s, t_stride, s_stride, shape)
            else:
                error[y, x] = modulated_distance(target, source, t, s, t_stride, s_stride, shape, modulation, m, 0)
            if guide_error is not None:
                if modulation is None:
                    guide_error[y, x] = guide_distance(target, source, t, s, t_stride, s_stride, shape)
                else:
                    guide_error[y, x] = modulated_distance(
                        target, source, t, s, t_stride, s_stride, shape, modulation, m, len(style_channels)
                    )


@njit(cache=True, nogil=True)
def best_by_guides(target, source, usage, source_height, source_width, searched, shape):
    """For every searched pixel the place whose guides fit best, by trying all; a few rows of each patch decide."""
    channels, rows, _ = shape
    size = len(rows)
    r = size // 2
    height, width = searched.shape
    t_stride = np.uint64((width + 2 * r) * len(channels))
    s_stride = np.uint64(source_width * len(channels))
    u_stride = np.uint64(source_width + 2 * (size - 1))
    margin = np.uint64(size - 1) * (u_stride + np.uint64(1))
    found = np.zeros((height, width), np.uint32)
    for y in range(height):
        for x in range(width):
            if searched[y, x] == 0:
                continue
            t = np.uint64(y) * t_stride + np.uint64(x * len(channels))
            best = np.int32(2147483647)
            for sy in range(source_height - 2 * r):
                for sx in range(source_width - 2 * r):
                    s = np.uint64(sy) * s_stride + np.uint64(sx * len(channels))
                    e = first_guide_distance(target, source, t, s, t_stride, s_stride, shape)
                    if e < best and usage[np.uint64(sy + r) * u_stride + np.uint64(sx + r) + margin] < FORBIDDEN:
                        best = e
                        found[y, x] = np.uint32(sx + r) | (np.uint32(sy + r) << _ROW)
    return found


@njit(cache=True, nogil=True)
def take_offers(target, source, modulation, nnf, error, moved, usage, offers, searched, source_width, price, shape):
    """Take the offered match of every searched pixel where its energy is lower; errors must be up to date."""
    channels, rows, _ = shape
    size = len(rows)
    r = size // 2
    height, width = nnf.shape
    t_stride = np.uint64((width + 2 * r) * len(channels))
    s_stride = np.uint64(source_width * len(channels))
    u_stride = np.uint64(source_width + 2 * (size - 1))
    margin = np.uint64(size - 1) * (u_stride + np.uint64(1))
    for y in range(height):
        for x in range(width):
            n = offers[y, x]
            match = nnf[y, x]
            if searched[y, x] == 0 or n == match:
                continue
            t = np.uint64(y) * t_stride + np.uint64(x * len(channels))
            s = np.uint64(np.int64(n >> _ROW) - r) * s_stride + np.uint64((np.int64(n & _COLUMN) - r) * len(channels))
            m = np.uint64((y * width + x) * len(channels))
            if modulation is None:
                e = patch_distance(target, source, t, s, t_stride, s_stride, shape)
            else:
                e = modulated_distance(target, source, t, s, t_stride, s_stride, shape, modulation, m, 0)
            here = np.uint64(match >> _ROW) * u_stride + np.uint64(match & _COLUMN) + margin
            there = np.uint64(n >> _ROW) * u_stride + np.uint64(n & _COLUMN) + margin
            if usage[there] >= FORBIDDEN:
                continue
            gain = np.float32(error[y, x]) - np.float32(e) + price * np.float32(usage[here] - usage[there])
            if gain > 0:
                add_usage(usage, there, u_stride, 1, rows)
                add_usage(usage, here, u_stride, -1, rows)
                nnf[y, x] = n
                moved[y, x] = 1
