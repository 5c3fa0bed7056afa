"""One real ComfyUI server with a small clip in its input folder, and its real page in headless Chromium."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

from escalier.comfyui import ComfyUIError, Server, ServerSettings
from escalier.comfyui.embedded import embedded_folder
from escalier.comfyui.find import ComfyUI
from escalier.comfyui.requirements import NEEDED, NEEDED_BY_EMBEDDED, NEEDED_BY_PACK
from escalier.film import ArrayFrames, Encoding, Size
from escalier.keyframes import Keyframes, write_keyframes

CLIP = "escalier_clip.mp4"
PAINTED = "escalier_keyframes"
RESTYLED = "escalier_restyled.mp4"
REGION = "escalier_region.png"
PLATE = "escalier_plate.png"
MASK, DEPTH, IDS = "escalier_mask.mp4", "escalier_depth.mp4", "escalier_ids.mp4"
SAM = "sam_vit_b_01ec64.pth"
RIFE = "rife_v4.26.safetensors"


def is_missing(module: str) -> bool:
    return importlib.util.find_spec(module) is None


@pytest.fixture(scope="session")
def film():
    """What the clip in the input folder shows."""
    from escalier.film import make_clip

    return make_clip(Size(160, 96), length=12, rate=6)


@pytest.fixture(scope="session")
def keyframes(film) -> Keyframes:
    """What the folder of painted keyframes in the input folder holds."""
    return Keyframes([2, 8], [255 - film.frame(index) for index in (2, 8)], length=len(film))


def write_restyled(folder: Path, film) -> None:
    """The clip's negative as a film, its first frame as a plate, and the mask of a region."""
    from escalier.film import write_film

    negative = ArrayFrames(255 - np.stack([film.frame(index) for index in range(len(film))]), film.rate)
    write_film(folder / RESTYLED, negative)
    region = np.zeros((film.size.height, film.size.width), np.uint8)
    region[20:60, 30:90] = 255
    cv2.imwrite(str(folder / REGION), region)
    cv2.imwrite(str(folder / PLATE), negative.frame(0)[..., ::-1])


def write_passes(folder: Path, film) -> None:
    """Films of the subject as a renderer gives them: its mask, its depth before an even set, its colour id."""
    from escalier.film import write_film

    mattes = np.stack([film.matte(index) for index in range(len(film))]) > 0.5
    shapes = mattes[..., None].repeat(3, axis=-1) * np.uint8(255)
    for name, frames in ((MASK, shapes), (DEPTH, shapes // 2 + 64), (IDS, shapes * np.array([1, 0, 0], np.uint8))):
        write_film(folder / name, ArrayFrames(frames, film.rate), encoding=Encoding(crf=0))


def write_models(folder: Path) -> None:
    """Tiny models with random weights, under the names that the shipped workflows ask for."""
    (folder / "sams").mkdir(parents=True)
    if not is_missing("segment_anything"):
        from tiny_models.sam import write_tiny_sam

        write_tiny_sam(folder / "sams" / SAM)


@pytest.fixture(scope="session")
def server(film, keyframes: Keyframes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server; starting it costs some ten seconds, so all tests of this folder share it."""
    from escalier.film import write_film

    missing = [name for name in (*NEEDED, *NEEDED_BY_PACK, *NEEDED_BY_EMBEDDED) if is_missing(name)]
    if missing:
        pytest.skip(f"ComfyUI's requirements are not installed ({', '.join(missing)}): pip install -e '.[headless]'")
    try:
        folder = Path(os.environ.get("ESCALIER_TEST_COMFYUI") or embedded_folder())
    except ComfyUIError as error:
        pytest.skip(f"no ComfyUI to test with: {error}")
    from tiny_models import interpolation

    base = tmp_path_factory.mktemp("base")
    (base / "input").mkdir()
    write_film(base / "input" / CLIP, film)
    write_restyled(base / "input", film)
    write_passes(base / "input", film)
    write_models(base / "models")
    write_keyframes(base / "input" / PAINTED, keyframes)
    write_keyframes(base / "input" / "small", Keyframes([1], [np.zeros((48, 80, 3), np.uint8)], length=2))
    (base / "input" / "empty").mkdir()
    interpolation.write_tiny_rife(base / "models" / "frame_interpolation" / RIFE)
    comfyui = ComfyUI(folder, Path(sys.executable), "for tests", embedded=True)
    with Server(comfyui, ServerSettings(device="cpu"), base=base) as running:
        yield running


@pytest.fixture(scope="session")
def page_driver() -> ModuleType:
    """page.py beside this file; skips where the page cannot be driven."""
    spec = importlib.util.spec_from_file_location("escalier_page_driver", Path(__file__).with_name("page.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if is_missing("playwright"):
        pytest.skip("playwright is not installed: pip install -e '.[test]'")
    if module.find_chromium() is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    return module


# Closed with its module: while the browser driver is open, its event loop runs in this thread, and no other may.
@pytest.fixture(scope="module", params=[False, True], ids=["classic nodes", "Nodes 2.0"])
def page(request: pytest.FixtureRequest, server: Server, page_driver: ModuleType) -> Iterator[Any]:
    """The server's page with its graph, in either way that ComfyUI draws nodes."""
    with page_driver.open_page(server.url, nodes_2=request.param) as opened:
        yield opened
