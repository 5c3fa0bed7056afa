"""Makes the pictures that the ComfyUI registry shows: icon.png and banner.jpg, from the clip made by code.

    python docs/make_icon.py [FOLDER]

The filmed frame above a staircase, the painted one below it.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from escalier.film import Size, make_clip  # noqa: E402  (the folder above has to be found first)
from escalier.keyframes import paint_picture  # noqa: E402

FRAME = 24
PAPER = (250, 246, 236)
ICON = Size(400, 400)
BANNER = Size(1260, 540)
"""The registry takes icons up to 400x400, and banners of 21:9."""


def draw(size: Size, steps: int, left: float, title: str = "") -> Image.Image:
    """One picture: `steps` stairs that rise to the right, `title` at the lower right.

    `left` is where the square of the scene begins that an upright picture shows, as a share of its width.
    """
    clip = make_clip(Size(BANNER.width, BANNER.height), length=48, rate=24, seed=3)
    filmed = clip.frame(FRAME)
    painted = paint_picture(filmed, "gouache", seed=1)
    if size != BANNER:
        start = round(left * (BANNER.width - BANNER.height))
        square = np.s_[:, start : start + BANNER.height]
        filmed, painted = (
            cv2.resize(picture[square], tuple(size), interpolation=cv2.INTER_AREA) for picture in (filmed, painted)
        )
    grey = cv2.cvtColor(cv2.cvtColor(filmed, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    step = np.arange(size.width) * steps // size.width
    top = np.round(size.height * (1 - (step + 0.75) / (steps + 0.5))).astype(int)
    below = np.arange(size.height)[:, None] >= top
    picture = Image.fromarray(np.where(below[..., None], painted, grey).astype(np.uint8))
    brush = ImageDraw.Draw(picture)
    corners = [(x, int(top[x])) for x in range(size.width) if x in (0, size.width - 1) or step[x] != step[x - 1]]
    line = [corners[0]]
    for (_, before), (x, y) in itertools.pairwise(corners):
        line += [(x, before), (x, y)]
    brush.line(line, fill=PAPER, width=size.height // 50, joint="curve")
    if title:
        margin = size.height // 12
        font = ImageFont.load_default(size.height / 5)
        brush.text((size.width - margin, size.height - margin), title, PAPER, font, "rs")
    return picture


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draw(ICON, 4, left=0.5).save(folder / "icon.png", optimize=True)
    draw(BANNER, 9, left=0.0, title="Escalier").save(folder / "banner.jpg", quality=88)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures")
