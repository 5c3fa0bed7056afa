"""Make the pictures of README and docs anew, all of them or those that are named.

    python docs/make_pictures.py [NAME ...] [--scratch FOLDER]

Every picture is made from the clip made by code, with a painterly filter in the artist's place, by the library itself:
one function a picture, under `pictures_made`. The same machine makes the same bytes. All of them take about 12 minutes
of one processor core, half of it for carrying the paintings; with a `--scratch` folder that is kept, carried paintings
are used again. Nothing is drawn for Segment Anything, SAM2, SAM3, matte networks and diffusion: their weights are not
part of the project.
"""

from __future__ import annotations

import argparse
import io
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pictures_made import boiling, coherence, composite, diffusion, film, front, keyframes, mask, propagation
from pictures_made.shot import Shot
from PIL import Image

FOLDER = Path(__file__).resolve().parent / "pictures"
JPEG_QUALITY = 80

MAKERS: dict[str, Callable[[Shot], np.ndarray]] = {
    "icon.png": front.icon,
    "banner.jpg": front.banner,
    "in_and_out.jpg": front.in_and_out,
    "close.jpg": front.close,
    "fade.jpg": front.fade,
    "motion.jpg": film.motion,
    "cadence.jpg": film.cadence,
    "choose.jpg": keyframes.choose,
    "sheet.jpg": keyframes.sheet,
    "colour_lock.jpg": keyframes.colour_lock,
    "fade_modes.jpg": propagation.fade_modes,
    "fade_length.jpg": propagation.fade_length,
    "fade_detail.jpg": propagation.fade_detail,
    "guides.jpg": propagation.guides,
    "mask_guide.jpg": propagation.mask_guide,
    "draft.jpg": propagation.small_draft,
    "ebsynth.jpg": propagation.engine,
    "edge.jpg": mask.edge,
    "edge_clean.jpg": mask.edge_clean,
    "difference.jpg": mask.difference,
    "colour_id.jpg": mask.colour_id,
    "track.jpg": mask.track,
    "place.jpg": composite.place,
    "poisson.jpg": composite.poisson,
    "seam.jpg": composite.seam,
    "layers.jpg": composite.layers,
    "exposure.jpg": composite.exposure,
    "clean_plate.jpg": composite.clean_plate,
    "canny.jpg": diffusion.canny,
    "heat_map.jpg": coherence.heat_map,
    "curves.png": coherence.curves,
    "advice.jpg": coherence.advice,
    "dial.jpg": boiling.dial,
    "boil.jpg": boiling.boil,
}
"""Every picture by its file, with the function that makes it."""

log = logging.getLogger("escalier")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Make the pictures of README and docs anew.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as fade.jpg; all of them by default")
    parser.add_argument("--scratch", type=Path, metavar="FOLDER", help="where carried paintings are kept and found")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(MAKERS))
    if unknown:
        parser.error(f"NAME must be one of {', '.join(MAKERS)}, got {', '.join(unknown)}")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory(prefix="escalier_pictures_") as own:
        shot = Shot(given.scratch or Path(own))
        for name in given.names or MAKERS:
            started = time.process_time()
            data = encoded(MAKERS[name](shot), Path(name).suffix)
            (FOLDER / name).write_bytes(data)
            log.info("%s: %d kB, %.1f s of one core", name, len(data) // 1000, time.process_time() - started)
    return 0


def encoded(picture: np.ndarray, suffix: str) -> bytes:
    """The picture as a file: JPEG with full colour resolution, or PNG."""
    data = io.BytesIO()
    image = Image.fromarray(picture)
    if suffix == ".png":
        image.save(data, "PNG", optimize=True)
    else:
        image.save(data, "JPEG", quality=JPEG_QUALITY, subsampling=0, optimize=True)
    return data.getvalue()


if __name__ == "__main__":
    sys.exit(main())
