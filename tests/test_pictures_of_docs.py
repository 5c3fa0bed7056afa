"""The pictures of README and docs: made by the script, all of them, and shown on a page."""

from __future__ import annotations

import importlib.util
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PICTURES = DOCS / "pictures"
OF_THE_REGISTRY = {"icon.png", "banner.jpg"}
WIDEST_PX, MOST_BYTES = 1280, 6_000_000


@pytest.fixture(scope="module")
def make_pictures() -> Iterator[ModuleType]:
    """The script as a module; its package is found beside it, as when it is run."""
    sys.path.insert(0, str(DOCS))
    try:
        spec = importlib.util.spec_from_file_location("escalier_make_pictures", DOCS / "make_pictures.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(DOCS))


def opened(file: Path | io.BytesIO) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB"), np.float32)


@pytest.mark.parametrize("name", ["cadence.jpg", "icon.png"])
def test_a_picture_made_anew_is_the_committed_one(name: str, make_pictures: ModuleType, tmp_path: Path) -> None:
    shot = make_pictures.Shot(tmp_path)
    first, again = (make_pictures.encoded(make_pictures.MAKERS[name](shot), Path(name).suffix) for _ in range(2))
    assert first == again
    # Another processor rounds a few pixels otherwise, and another Pillow encodes otherwise.
    made, committed = opened(io.BytesIO(first)), opened(PICTURES / name)
    assert made.shape == committed.shape
    assert np.abs(made - committed).mean() < 1.0


def test_every_picture_has_a_maker_and_every_maker_its_picture(make_pictures: ModuleType) -> None:
    assert {path.name for path in PICTURES.iterdir()} == set(make_pictures.MAKERS)


def test_every_picture_is_shown_on_a_page(make_pictures: ModuleType) -> None:
    pages = [ROOT / "README.md", *DOCS.glob("*.md")]
    shown = {name for page in pages for name in re.findall(r"pictures/([\w.]+)\)", page.read_text(encoding="utf-8"))}
    assert set(make_pictures.MAKERS) - OF_THE_REGISTRY == shown - OF_THE_REGISTRY


def test_pictures_are_small_enough_for_a_page() -> None:
    sizes = {path.name: opened(path).shape[1] for path in PICTURES.iterdir()}
    assert max(sizes.values()) <= WIDEST_PX
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) <= MOST_BYTES


def test_the_registry_takes_icon_and_banner() -> None:
    height, width, _ = opened(PICTURES / "icon.png").shape
    assert height == width <= 400
    height, width, _ = opened(PICTURES / "banner.jpg").shape
    assert width * 9 == height * 21


def test_a_name_that_no_maker_has_is_refused_with_those_there_are(
    make_pictures: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        make_pictures.main(["nothing.jpg"])
    assert "must be one of icon.png" in capsys.readouterr().err
