"""The set of the moving clip: a papered room with a window, pictures, a shelf of books and a wooden floor."""

from typing import NamedTuple

import cv2
import numpy as np

from .person import draw_head
from .shading import Canvas, Colour, floats, fractal_noise, relief, spot

# Where things stand, in frame heights: x from the left wall of a 16:9 view, y from the top.
ROOM_ASPECT = 16 / 9
WINDOW = (0.080, 0.10, 0.453, 0.62)
FLOOR = 0.80
SKIRTING = 0.745
VISITOR = (0.366, 0.515)  # the nape of the one who looks in, in the lower right pane
VISITOR_SCALE = 0.56  # of the subject's size


class View(NamedTuple):
    """What a frame sees of the room, in frame heights: its left edge and its width."""

    left: float
    width: float


def draw_room(rng: np.random.Generator, view: View, scale: float, margin: float) -> Canvas:
    """Draw the set at `scale` pixels a frame height, `margin` of a frame height beyond the view on every side."""
    size = (int(np.ceil((view.width + 2 * margin) * scale)), int(np.ceil((1 + 2 * margin) * scale)))
    canvas = Canvas(size, scale, ((margin - view.left) * scale, margin * scale))
    _draw_wall(canvas, rng)
    _draw_floor(canvas, rng)
    _draw_window(canvas, rng)
    _draw_picture(canvas, rng, (0.613, 0.15, 0.827, 0.43), (0.75, 0.50, 0.30))
    _draw_picture(canvas, rng, (0.907, 0.10, 1.067, 0.36), (0.35, 0.50, 0.62))
    _draw_shelf(canvas, rng, (1.245, 0.13, 1.698, 0.70))
    _draw_plant(canvas, rng, (1.13, 0.79))
    _light_room(canvas, rng)
    canvas.cover[:] = 1.0
    return canvas


def _draw_wall(canvas: Canvas, rng: np.random.Generator) -> None:
    """Wallpaper: staggered rows of leaf sprays over soft stripes, on uneven plaster."""
    x, _ = canvas.coordinates()
    stripe = 0.5 + 0.5 * np.tanh(4 * np.sin(x * 2 * np.pi / 0.092))
    canvas.colour[:] = floats([0.42, 0.49, 0.45])
    canvas.colour += stripe[..., None] * floats([0.030, 0.036, 0.030])
    step = 0.092
    first, last = (int(edge / step) for edge in (float(x[0, 0]), float(x[0, -1])))
    for row in range(-2, int(1.2 / (step * 0.8))):
        for column in range(first - 2, last + 2):
            centre_x = (column + 0.5 * (row % 2)) * step + 0.023
            centre_y = row * step * 0.8
            tone: Colour = (0.56, 0.56, 0.44) if (row + column) % 2 else (0.33, 0.42, 0.40)
            for turn in (-58, 0, 58):
                lean = np.radians(turn - 90)
                leaf = (centre_x + 0.016 * float(np.cos(lean)), centre_y + 0.016 * float(np.sin(lean)))
                spray = canvas.corner(leaf[0] - 0.013, leaf[1] - 0.013, leaf[0] + 0.013, leaf[1] + 0.013)
                spray.lay(spray.oval(leaf, (0.0125, 0.0048), turn - 90) * np.float32(0.75), tone)
    plaster = fractal_noise(rng, canvas.shape, 0.25 * canvas.scale, octaves=6)
    canvas.colour *= (1 + 0.035 * plaster)[..., None]


def _draw_floor(canvas: Canvas, rng: np.random.Generator) -> None:
    """Boards running towards the camera, below a white skirting."""
    canvas = canvas.corner(-8.0, SKIRTING - 0.05, 8.0, 2.0)
    x, y = canvas.coordinates()
    x = x - ROOM_ASPECT / 2
    depth = 1.0 / np.maximum(y - FLOOR + 0.28, 0.28)
    across = x * depth * 3.2
    board = np.floor(across).astype(np.int32)
    tones = rng.random(256).astype(np.float32)[board % 256]
    seam = np.minimum(across - board, 1 - (across - board))
    fibre = fractal_noise(rng, canvas.shape, 0.02 * canvas.scale, octaves=4, stretch=7.0)
    wood = floats([0.47, 0.31, 0.19]) * (0.82 + 0.32 * tones + 0.07 * fibre)[..., None]
    steepness = np.hypot(depth, x * depth * depth) * (3.2 / canvas.scale)  # boards crossed in one pixel
    wide_seam = np.maximum(0.025, 0.8 * steepness)  # a thinner line would break into dots
    wood *= (1 - 0.55 * (0.025 / wide_seam) ** 0.5 * np.exp(-((seam / wide_seam) ** 2)))[..., None]
    wide = 8.0
    canvas.lay(canvas.box(-wide, FLOOR, wide, 2.0), wood)
    skirting = canvas.box(-wide, SKIRTING, wide, FLOOR)
    grooves = (
        1 - 0.25 * np.exp(-(((y - SKIRTING - 0.013) / 0.003) ** 2)) + 0.12 * np.exp(-(((y - SKIRTING) / 0.004) ** 2))
    )
    canvas.lay(skirting, floats([0.74, 0.71, 0.63]) * grooves[..., None])
    canvas.light(canvas.soften(canvas.box(-wide, FLOOR - 0.008, wide, FLOOR + 0.012), 0.008), 0.62)


def _draw_window(canvas: Canvas, rng: np.random.Generator) -> None:
    """A garden in haze behind four panes, with a deep white frame and a sill."""
    left, top, right, bottom = WINDOW
    hole = canvas.box(left, top, right, bottom)
    down = (canvas.coordinates()[1] - top) / (bottom - top)
    haze = np.clip(down, 0, 1)[..., None]
    garden = floats([0.80, 0.90, 0.98]) * (1 - haze) + floats([0.93, 0.93, 0.80]) * haze
    garden = np.broadcast_to(garden, canvas.colour.shape).copy()
    for horizon, reach, tint in ((0.52, 0.10, (0.62, 0.73, 0.66)), (0.68, 0.14, (0.42, 0.58, 0.36))):
        crown = fractal_noise(rng, (1, canvas.shape[1]), 0.10 * canvas.scale, octaves=4)
        leaves = fractal_noise(rng, canvas.shape, 0.05 * canvas.scale, octaves=4)
        trees = np.clip((down - horizon - reach * 0.5 * crown) * 14 + 0.5 * leaves, 0, 1)[..., None]
        garden += (floats(tint) * (1 + 0.20 * leaves[..., None]) - garden) * trees
    canvas.lay(hole, garden)
    white = (0.83, 0.81, 0.75)
    middle_x, middle_y = (left + right) / 2, top + 0.42 * (bottom - top)
    bars = [
        canvas.box(left - 0.03, top - 0.03, right + 0.03, bottom + 0.03) - canvas.box(left, top, right, bottom),
        canvas.box(middle_x - 0.009, top, middle_x + 0.009, bottom),
        canvas.box(left, middle_y - 0.008, right, middle_y + 0.008),
        canvas.box(left - 0.045, bottom + 0.018, right + 0.045, bottom + 0.05),
    ]
    for bar in bars:
        bar = np.clip(bar, 0, 1)
        canvas.light(canvas.soften(canvas.shifted(bar, 0.008, 0.008), 0.006), 0.78)
        canvas.lay(bar, floats(white) * relief(bar, 0.010 * canvas.scale)[..., None])


def _draw_picture(
    canvas: Canvas, rng: np.random.Generator, box: tuple[float, float, float, float], tint: Colour
) -> None:
    """A framed landscape, with its mount and its shadow on the wall."""
    left, top, right, bottom = box
    canvas = canvas.corner(left - 0.04, top - 0.04, right + 0.05, bottom + 0.06)
    shadow = canvas.soften(canvas.box(left + 0.012, top + 0.014, right + 0.016, bottom + 0.020), 0.010)
    canvas.light(shadow, 0.60)
    frame = canvas.box(left, top, right, bottom)
    canvas.lay(frame, floats([0.36, 0.22, 0.11]) * relief(frame, 0.012 * canvas.scale)[..., None])
    canvas.lay(canvas.box(left + 0.018, top + 0.018, right - 0.018, bottom - 0.018), (0.83, 0.79, 0.69))
    inner = (left + 0.038, top + 0.038, right - 0.038, bottom - 0.038)
    down = np.clip((canvas.coordinates()[1] - inner[1]) / (inner[3] - inner[1]), 0, 1)
    clouds = fractal_noise(rng, canvas.shape, 0.07 * canvas.scale, octaves=5)
    hills = np.clip((down - 0.5 + 0.16 * fractal_noise(rng, canvas.shape, 0.12 * canvas.scale, octaves=2)) * 30, 0, 1)
    sky = floats(tint) * (1.10 - 0.25 * down + 0.16 * clouds)[..., None]
    land = floats([0.22, 0.27, 0.16]) * (1.25 + 0.35 * clouds)[..., None]
    canvas.lay(canvas.box(*inner), sky + (land - sky) * hills[..., None])


def _draw_shelf(canvas: Canvas, rng: np.random.Generator, box: tuple[float, float, float, float]) -> None:
    """An open bookcase: four boards, books of many colours, a few leaning, a bowl here and there."""
    left, top, right, bottom = box
    canvas = canvas.corner(left - 0.06, top - 0.06, right + 0.10, bottom + 0.08)
    canvas.light(canvas.soften(canvas.box(left + 0.01, top + 0.02, right + 0.035, bottom + 0.02), 0.016), 0.55)
    case = canvas.box(left, top, right, bottom)
    fibre = fractal_noise(rng, canvas.shape, 0.015 * canvas.scale, octaves=3, stretch=5.0)
    canvas.lay(case, floats([0.40, 0.26, 0.15]) * (1 + 0.08 * fibre)[..., None])
    boards = 4
    room_height = (bottom - top) / boards
    palette = [(0.55, 0.18, 0.14), (0.17, 0.27, 0.42), (0.67, 0.55, 0.28), (0.20, 0.36, 0.26), (0.74, 0.69, 0.58)]
    palette += [(0.35, 0.20, 0.32), (0.60, 0.36, 0.18), (0.28, 0.42, 0.46)]
    for board in range(boards):
        upper, lower = top + board * room_height + 0.016, top + (board + 1) * room_height - 0.004
        canvas.lay(canvas.box(left + 0.014, upper, right - 0.014, lower), (0.17, 0.11, 0.075))
        x = left + 0.018
        while x < right - 0.05:
            thick = 0.012 + 0.016 * float(rng.random())
            tall = (lower - upper) * (0.62 + 0.32 * float(rng.random()))
            lean = 0.018 * float(rng.random()) if rng.random() < 0.15 else 0.0
            tone = floats(palette[int(rng.integers(len(palette)))]) * np.float32(0.8 + 0.4 * rng.random())
            _draw_book(canvas, (x + lean, lower - tall, thick, tall), lean, tone, rng)
            x += thick + lean + 0.0015
            if rng.random() < 0.07:
                x += 0.035
        canvas.light(canvas.soften(canvas.box(left, upper - 0.002, right, upper + 0.022), 0.008), 0.62)
    edge = np.clip(case - canvas.box(left + 0.010, top + 0.012, right - 0.010, bottom - 0.004), 0, 1)
    canvas.lay(edge, floats([0.44, 0.29, 0.17]) * relief(edge, 0.006 * canvas.scale)[..., None])


def _draw_book(
    canvas: Canvas, place: tuple[float, float, float, float], lean: float, tone: np.ndarray, rng: np.random.Generator
) -> None:
    """One spine with a rounded light and, often, two gilt bands."""
    x, y, thick, tall = place
    canvas = canvas.corner(x - lean - 0.004, y - 0.004, x + thick + 0.004, y + tall + 0.004)
    outline = [(x, y), (x + thick, y), (x + thick - lean, y + tall), (x - lean, y + tall)]
    spine = canvas.area(outline)
    across, _ = canvas.coordinates()
    roundness = 0.55 + 0.55 * np.sin(np.pi * np.clip((across - x + 0.003) / (thick + 0.004), 0.06, 0.94))
    canvas.lay(spine, tone * roundness[..., None])
    if rng.random() < 0.6:
        for band in (0.16, 0.80):
            stripe = canvas.box(x - lean * band, y + band * tall, x + thick - lean * band, y + band * tall + 0.006)
            canvas.lay(stripe * 0.7, (0.78, 0.66, 0.38))


def _draw_plant(canvas: Canvas, rng: np.random.Generator, foot: tuple[float, float]) -> None:
    """A rubber plant in a clay pot that stands on the floor in front of the skirting."""
    x, y = foot
    canvas = canvas.corner(x - 0.32, y - 0.42, x + 0.32, y + 0.12)
    canvas.light(canvas.soften(canvas.oval((x + 0.03, y + 0.055), (0.085, 0.02)), 0.012), 0.5)
    for _ in range(30):
        angle = -90 + 62 * (2 * float(rng.random()) - 1)
        reach = 0.06 + 0.21 * float(rng.random())
        along = (float(np.cos(np.radians(angle))), float(np.sin(np.radians(angle))))
        tip = (x + reach * along[0], y - 0.09 + reach * along[1])
        stem = [(x - 0.003, y - 0.08), (x + 0.003, y - 0.08), (tip[0] + 0.002, tip[1]), (tip[0] - 0.002, tip[1])]
        canvas.lay(canvas.area(stem), (0.20, 0.27, 0.12))
        leaf = canvas.oval(tip, (0.036, 0.0145), angle + 40 * (float(rng.random()) - 0.5))
        tone = floats([0.20, 0.38, 0.17]) * np.float32(0.65 + 0.7 * rng.random())
        canvas.light(canvas.soften(canvas.shifted(leaf, 0.006, 0.006), 0.004), 0.72)
        canvas.lay(leaf, tone * relief(leaf, 0.010 * canvas.scale)[..., None])
    pot = canvas.area([(x - 0.052, y - 0.085), (x + 0.052, y - 0.085), (x + 0.038, y + 0.055), (x - 0.038, y + 0.055)])
    canvas.lay(pot, floats([0.63, 0.34, 0.22]) * relief(pot, 0.045 * canvas.scale, ambient=0.35)[..., None])
    rim = canvas.box(x - 0.058, y - 0.095, x + 0.058, y - 0.068)
    canvas.lay(rim, floats([0.68, 0.38, 0.25]) * relief(rim, 0.014 * canvas.scale, ambient=0.4)[..., None])


def _light_room(canvas: Canvas, rng: np.random.Generator) -> None:
    """Daylight from the window falls off across the wall; its bright patch lies on the floor."""
    shape = canvas.shape
    glow = spot(shape, canvas.to_pixels((0.267, 0.42)), (0.75 * canvas.scale, 0.62 * canvas.scale))
    inside = 1 - canvas.box(*WINDOW)
    tint = floats([0.84, 0.86, 0.92]) + glow[..., None] * floats([0.66, 0.58, 0.40])
    canvas.colour *= 1 + (tint - 1) * inside[..., None]
    for left in (0.39, 0.66):
        patch = [(left, 0.85), (left + 0.23, 0.85), (left + 0.35, 1.10), (left + 0.05, 1.10)]
        warm = canvas.soften(canvas.area(patch), 0.012)
        canvas.colour *= 1 + warm[..., None] * floats([0.55, 0.45, 0.26])
    canvas.colour *= (1 + 0.02 * fractal_noise(rng, shape, 0.5 * canvas.scale, octaves=2))[..., None]


def draw_visitor(rng: np.random.Generator, canvas: Canvas) -> np.ndarray:
    """Somebody looks in at the window: draw her on the set, behind the bars; returns where she is, (H, W) float32."""
    x = VISITOR[0]
    coat = canvas.area(
        [(x - 0.10, 0.62), (x - 0.075, 0.575), (x, 0.545), (x + 0.07, 0.575), (x + 0.086, 0.62)], smooth=1
    )
    canvas.lay(coat, floats([0.24, 0.30, 0.40]) * relief(coat, 0.05 * canvas.scale)[..., None])
    head = draw_head(rng, 2 * VISITOR_SCALE * canvas.scale, skin=(0.74, 0.55, 0.46), hair=(0.45, 0.27, 0.12)).canvas
    at_x, at_y = canvas.to_pixels(VISITOR)
    shrink = floats([[0.5, 0, at_x - 0.5 * head.origin[0]], [0, 0.5, at_y - 0.5 * head.origin[1]]])
    layer = np.concatenate([head.colour * head.cover[..., None], head.cover[..., None]], axis=-1)
    layer = cv2.warpAffine(cv2.blur(layer, (2, 2)), shrink, canvas.shape[::-1], flags=cv2.INTER_LINEAR)
    canvas.colour *= 1 - layer[..., 3:]
    canvas.colour += 0.92 * layer[..., :3] + 0.06 * layer[..., 3:] * floats([0.8, 0.9, 1.0])
    return np.maximum(layer[..., 3], coat)


def draw_curtain(rng: np.random.Generator, scale: float) -> Canvas:
    """A heavy curtain that hides the whole window, in the units of the room."""
    left, top, right, bottom = WINDOW[0] - 0.05, WINDOW[1] - 0.055, WINDOW[2] + 0.05, WINDOW[3] + 0.10
    canvas = Canvas.over(scale, (left, top, right, bottom))
    cloth = canvas.box(left, top, right, bottom)
    x, y = canvas.coordinates()
    folds = np.sin(x * 2 * np.pi / 0.047 + 0.6 * np.sin(x * 31)) * 0.5 + 0.5
    weave = fractal_noise(rng, canvas.shape, 0.010 * scale, octaves=2, stretch=2.0)
    bands = 0.5 + 0.5 * np.tanh(6 * np.sin(y * 2 * np.pi / 0.11))
    tone = floats([0.56, 0.36, 0.22]) + bands[..., None] * floats([0.14, 0.18, 0.16])
    canvas.lay(cloth, tone * (0.55 + 0.55 * folds + 0.05 * weave)[..., None])
    return canvas
