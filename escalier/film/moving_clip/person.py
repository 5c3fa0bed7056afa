"""The subject of the moving clip: a man in a checked shirt, drawn as a few jointed parts."""

from dataclasses import dataclass

import numpy as np

from .shading import Canvas, Colour, floats, fractal_noise, relief, spot

# Lengths in units of the person: 1 is about the height of the frame. The hip is (0, 0) and y runs down.
NECK = (0.0, -0.475)
SHOULDERS = (-0.150, -0.378), (0.150, -0.378)
UPPER_ARM = 0.215
SKIN: Colour = (0.80, 0.58, 0.45)
HAIR: Colour = (0.235, 0.145, 0.09)


@dataclass(frozen=True)
class Part:
    """One stiff part: its picture, whose origin is its joint, the point it turns about."""

    name: str
    canvas: Canvas


def draw_person(rng: np.random.Generator, scale: float, strands: int = 0) -> list[Part]:
    """The parts of the person from back to front, drawn at `scale` pixels a unit, each about its own joint.

    `strands` of loose hair stand out from the head.
    """
    parts = [
        Part("torso", _draw_torso(rng, Canvas.over(scale, (-0.24, -0.58, 0.24, 0.46)))),
        draw_head(rng, scale, skin=SKIN, hair=HAIR),
    ]
    for side in ("left", "right"):
        forearm = Part(f"{side} forearm", _draw_forearm(rng, Canvas.over(scale, (-0.09, -0.07, 0.09, 0.34))))
        upper = Part(f"{side} upper arm", _draw_upper_arm(rng, Canvas.over(scale, (-0.10, -0.09, 0.10, 0.29))))
        parts += [forearm, upper]
    if strands:
        parts.insert(1, Part("loose hair", _draw_strands(rng, Canvas.over(scale, (-0.34, -0.52, 0.34, 0.16)), strands)))
    return parts


def _cloth(canvas: Canvas, rng: np.random.Generator, bend: float = 0.0) -> np.ndarray:
    """Checked flannel with folds, as colours for the whole canvas."""
    x, y = canvas.coordinates()
    folds = fractal_noise(rng, canvas.shape, 0.10 * canvas.scale, octaves=3, stretch=2.2)
    x = x + 0.004 * folds + bend * y * y
    y = y + 0.004 * folds
    wide = 0.5 + 0.5 * np.tanh(5 * np.sin(x * 2 * np.pi / 0.066))
    high = 0.5 + 0.5 * np.tanh(5 * np.sin(y * 2 * np.pi / 0.066))
    line_x = np.exp(-((np.sin(x * np.pi / 0.066 + 0.4) / 0.16) ** 2))
    line_y = np.exp(-((np.sin(y * np.pi / 0.066 + 0.4) / 0.16) ** 2))
    tone = floats([0.66, 0.17, 0.13]) + np.zeros((*canvas.shape, 1), np.float32)
    tone = tone * (1 - 0.46 * (0.5 * wide + 0.5 * high))[..., None]
    tone = tone + (0.26 * np.maximum(line_x, line_y))[..., None] * (floats([0.85, 0.78, 0.55]) - tone)
    weave = fractal_noise(rng, canvas.shape, 0.006 * canvas.scale, octaves=2)
    return (tone * (1 + 0.10 * folds + 0.045 * weave)[..., None]).astype(np.float32)


def _draw_torso(rng: np.random.Generator, canvas: Canvas) -> Canvas:
    neck = canvas.area([(-0.058, -0.56), (0.058, -0.56), (0.064, -0.43), (0.0, -0.36), (-0.064, -0.43)], smooth=1)
    legs = canvas.area([(-0.15, -0.06), (0.15, -0.06), (0.165, 0.40), (-0.165, 0.40)])
    denim = fractal_noise(rng, canvas.shape, 0.008 * canvas.scale, octaves=2, stretch=3.0)
    blue = floats([0.19, 0.25, 0.36]) * (1 + 0.10 * denim)[..., None]
    canvas.lay(legs, blue * relief(legs, 0.11 * canvas.scale, ambient=0.35)[..., None])
    outline = [(-0.055, -0.485), (-0.12, -0.458), (-0.188, -0.430), (-0.208, -0.35), (-0.165, -0.25), (-0.158, -0.10)]
    outline += [(-0.165, 0.055), (-0.05, 0.07), (0.05, 0.07), (0.165, 0.055), (0.158, -0.10), (0.165, -0.25)]
    outline += [(0.208, -0.35), (0.188, -0.430), (0.12, -0.458), (0.055, -0.485)]
    shirt = canvas.area(outline, smooth=2)
    canvas.lay(shirt, _cloth(canvas, rng) * relief(shirt, 0.12 * canvas.scale, ambient=0.38)[..., None])
    inner = canvas.area([(-0.05, -0.50), (0.05, -0.50), (0.0, -0.325)])
    canvas.lay(inner, floats([0.80, 0.79, 0.74]))
    canvas.lay(neck, floats(SKIN) * (0.90 * relief(neck, 0.06 * canvas.scale, ambient=0.40))[..., None])
    canvas.light(canvas.soften(canvas.oval((0.005, -0.465), (0.07, 0.040)), 0.014), 0.62)
    for side in (-1, 1):
        collar = [(side * 0.052, -0.490), (side * 0.078, -0.455), (side * 0.046, -0.352), (side * 0.004, -0.335)]
        flap = canvas.area([*collar, (side * 0.030, -0.41)])
        canvas.light(canvas.soften(canvas.shifted(flap, 0.0, 0.008), 0.006), 0.7)
        canvas.lay(flap, _cloth(canvas, rng) * (1.12 * relief(flap, 0.02 * canvas.scale))[..., None])
    placket = canvas.box(-0.013, -0.33, 0.013, 0.062)
    canvas.light(canvas.soften(placket, 0.003), 0.80)
    for button in np.arange(-0.29, 0.05, 0.066):
        canvas.lay(canvas.oval((0.0, float(button)), (0.0065, 0.0065)), (0.86, 0.82, 0.70))
    pocket = canvas.box(0.05, -0.29, 0.125, -0.20)
    canvas.light(np.clip(canvas.soften(pocket, 0.003) * (1 - 0.85 * pocket), 0, 1), 0.45)
    canvas.light(pocket, 1.06)
    return canvas


def _draw_upper_arm(rng: np.random.Generator, canvas: Canvas) -> Canvas:
    outline = [(-0.053, -0.01), (-0.040, -0.046), (0.0, -0.056), (0.040, -0.046), (0.053, -0.01), (0.053, 0.10)]
    outline += [(0.050, UPPER_ARM), (0.03, UPPER_ARM + 0.048), (-0.03, UPPER_ARM + 0.048), (-0.050, UPPER_ARM)]
    outline += [(-0.058, 0.10)]
    sleeve = canvas.area(outline, smooth=2)
    canvas.lay(sleeve, _cloth(canvas, rng, bend=0.12) * relief(sleeve, 0.055 * canvas.scale, ambient=0.36)[..., None])
    return canvas


def _draw_forearm(rng: np.random.Generator, canvas: Canvas) -> Canvas:
    skin = fractal_noise(rng, canvas.shape, 0.03 * canvas.scale, octaves=4)
    tone = floats(SKIN) * (1 + 0.035 * skin)[..., None]
    fingers = canvas.area(
        [(-0.030, 0.19), (0.030, 0.19), (0.037, 0.235), (0.026, 0.315), (-0.022, 0.315), (-0.036, 0.24)], smooth=2
    )
    thumb = canvas.oval((-0.036, 0.245), (0.012, 0.034), 18)
    hand = np.maximum(fingers, thumb)
    canvas.lay(hand, tone * relief(hand, 0.030 * canvas.scale, ambient=0.42)[..., None])
    for gap in (-0.011, 0.003, 0.016):
        canvas.light(canvas.soften(canvas.box(gap - 0.0015, 0.262, gap + 0.0015, 0.308), 0.002), 0.62)
    outline = [(-0.048, -0.035), (0.0, -0.055), (0.048, -0.035), (0.050, 0.06), (0.043, 0.155), (-0.043, 0.155)]
    sleeve = canvas.area([*outline, (-0.050, 0.06)], smooth=2)
    canvas.lay(sleeve, _cloth(canvas, rng, bend=-0.15) * relief(sleeve, 0.05 * canvas.scale, ambient=0.36)[..., None])
    cuff = canvas.area([(-0.044, 0.135), (0.044, 0.135), (0.043, 0.187), (-0.043, 0.187)])
    canvas.light(canvas.soften(canvas.shifted(cuff, 0.0, 0.012), 0.005) * (1 - cuff), 0.66)
    canvas.lay(cuff, _cloth(canvas, rng) * (1.1 * relief(cuff, 0.04 * canvas.scale, ambient=0.4))[..., None])
    return canvas


def draw_head(rng: np.random.Generator, scale: float, *, skin: Colour, hair: Colour) -> Part:
    """A face seen from the front: the joint is the nape, the chin a little below it, the crown at about -0.30."""
    canvas = Canvas.over(scale, (-0.16, -0.34, 0.16, 0.09))
    beard_line = [(-0.100, -0.135), (-0.098, -0.06), (-0.072, 0.02), (-0.030, 0.055), (0.030, 0.055), (0.072, 0.02)]
    face = canvas.area(
        [*beard_line, (0.098, -0.06), (0.100, -0.135), (0.085, -0.23), (0.0, -0.275), (-0.085, -0.23)], smooth=3
    )
    for side in (-1, 1):
        ear = canvas.oval((side * 0.098, -0.100), (0.018, 0.034), -side * 8)
        canvas.lay(ear, floats(skin) * (0.88 * relief(ear, 0.014 * canvas.scale))[..., None])
        canvas.light(canvas.soften(canvas.oval((side * 0.099, -0.098), (0.007, 0.018)), 0.004), 0.72)
    pores = fractal_noise(rng, canvas.shape, 0.05 * canvas.scale, octaves=5)
    canvas.lay(
        face, floats(skin) * (1 + 0.03 * pores)[..., None] * relief(face, 0.085 * canvas.scale, ambient=0.40)[..., None]
    )
    _blush(canvas)
    _draw_features(canvas)
    _draw_hair(canvas, rng, hair)
    return Part("head", canvas)


def _blush(canvas: Canvas) -> None:
    """Warmth on cheeks and nose, shade in the sockets, under the nose, lip and jaw, stubble on the chin."""

    def at(x: float, y: float, rx: float, ry: float) -> np.ndarray:
        return spot(canvas.shape, canvas.to_pixels((x, y)), (rx * canvas.scale, ry * canvas.scale))

    for x, y, rx, ry, gain in (
        (-0.040, -0.118, 0.024, 0.015, 0.74),
        (0.042, -0.118, 0.024, 0.015, 0.70),
        (0.020, -0.065, 0.010, 0.022, 0.80),
        (0.0, -0.038, 0.017, 0.006, 0.66),
        (0.0, 0.018, 0.022, 0.005, 0.76),
        (-0.008, -0.072, 0.007, 0.028, 1.16),
        (-0.05, -0.072, 0.022, 0.016, 1.10),
        (-0.015, -0.195, 0.045, 0.025, 1.10),
    ):
        canvas.light(at(x, y, rx, ry), gain)
    warm = at(-0.056, -0.060, 0.020, 0.016) + at(0.056, -0.060, 0.020, 0.016) + at(0.0, -0.05, 0.013, 0.012)
    canvas.colour *= 1 + warm[..., None] * floats([0.06, -0.08, -0.08])
    stubble = at(0.0, 0.035, 0.055, 0.035) * (1 - at(0.0, -0.008, 0.02, 0.010))
    canvas.colour *= 1 + stubble[..., None] * floats([-0.30, -0.24, -0.18])


def _draw_features(canvas: Canvas) -> None:
    for side in (-1, 1):
        x, y = side * 0.041, -0.112
        rim = [(x - 0.022, y + 0.002), (x, y - 0.013), (x + 0.022, y + 0.001), (x, y + 0.009)]
        white = canvas.area(rim, smooth=2)
        canvas.lay(white, (0.84, 0.81, 0.77), cover=False)
        iris = canvas.oval((x + 0.003, y - 0.001), (0.0085, 0.0090)) * white
        canvas.lay(iris, (0.25, 0.33, 0.30), cover=False)
        pupil = canvas.oval((x + 0.003, y - 0.001), (0.0042, 0.0046)) * white
        canvas.lay(pupil, (0.05, 0.04, 0.04), cover=False)
        lid = [(x - 0.026, y + 0.002), (x, y - 0.019), (x + 0.026, y), (x, y - 0.011)]
        canvas.lay(canvas.area(lid, smooth=2) * 0.85, (0.17, 0.09, 0.07), cover=False)
        canvas.lay(canvas.oval((x + 0.0005, y - 0.004), (0.0019, 0.0019)), (0.97, 0.97, 0.95), cover=False)
        brow = [(x - 0.030, -0.140), (x - 0.004 * side, -0.156), (x + 0.030, -0.141 - 0.002 * side)]
        brow += [(x + 0.024, -0.135), (x, -0.143), (x - 0.024, -0.135)]
        canvas.lay(canvas.soften(canvas.area(brow, smooth=1), 0.0015) * 0.85, (0.19, 0.115, 0.075), cover=False)
        canvas.light(canvas.soften(canvas.oval((side * 0.010, -0.046), (0.0048, 0.0032)), 0.0016), 0.42)
    upper = canvas.area(
        [(-0.034, -0.006), (-0.010, -0.017), (0.0, -0.014), (0.010, -0.017), (0.034, -0.006), (0.0, -0.003)], smooth=1
    )
    lower = canvas.area([(-0.034, -0.006), (0.0, -0.003), (0.034, -0.006), (0.014, 0.009), (-0.014, 0.009)], smooth=1)
    canvas.lay(upper * 0.85, (0.54, 0.27, 0.24), cover=False)
    canvas.lay(lower * 0.80, (0.68, 0.38, 0.33), cover=False)
    slit = canvas.area([(-0.037, -0.0075), (0.0, -0.0055), (0.037, -0.0075), (0.0, -0.0005)])
    canvas.lay(canvas.soften(slit, 0.001) * 0.85, (0.25, 0.09, 0.08), cover=False)


def _draw_strands(rng: np.random.Generator, canvas: Canvas, strands: int) -> Canvas:
    """Curved strands from the skull outwards and a little down, each with its own length and shade."""
    for turn, length, curl, width, shade in zip(*rng.random((5, strands)), strict=True):
        angle = np.pi * (0.95 + 1.1 * turn)
        along = np.linspace(0, 1, 9)
        heading = angle + (curl - 0.5) * 1.6 * along
        reach = 0.105 + (0.06 + 0.11 * length) * along
        x, y = reach * np.cos(heading), -0.16 + 1.15 * reach * np.sin(heading) + 0.05 * along**2
        half = 0.0007 + 0.0013 * width * (1.2 - along)
        side = np.stack([-np.sin(heading), np.cos(heading)], 1) * half[:, None]
        middle = np.stack([x, y], 1)
        outline = [(float(px), float(py)) for px, py in np.concatenate([middle + side, (middle - side)[::-1]])]
        canvas.lay(canvas.area(outline), floats(HAIR) * np.float32(0.7 + 0.9 * shade))
    return canvas


def _draw_hair(canvas: Canvas, rng: np.random.Generator, colour: Colour) -> None:
    crown = [(-0.112, -0.115), (-0.122, -0.20), (-0.088, -0.285), (0.0, -0.315), (0.092, -0.285), (0.122, -0.20)]
    fringe = [(0.112, -0.110), (0.097, -0.125), (0.090, -0.195), (0.040, -0.225), (-0.045, -0.205), (-0.088, -0.190)]
    hair = canvas.area([*crown, *fringe, (-0.097, -0.125)], smooth=2)
    x, y = canvas.coordinates()
    lie = np.sin(
        (np.arctan2(x - 0.03, y + 0.34 + 0 * x)) * 55
        + 2.2 * fractal_noise(rng, canvas.shape, 0.03 * canvas.scale, octaves=3)
    )
    tone = floats(colour) * (1 + 0.36 * lie)[..., None]
    canvas.light(canvas.soften(canvas.shifted(hair, 0.0, 0.012), 0.012), 0.78)
    canvas.lay(hair, tone * (1.15 * relief(hair, 0.075 * canvas.scale, ambient=0.45))[..., None])
