"""What is installed with pip, and what the registry is told of the pack."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
import trove_classifiers
from PIL import Image

import escalier

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, REGISTRY = SETTINGS["project"], SETTINGS["tool"]["comfy"]


def test_the_version_is_stated_once_more_and_the_same() -> None:
    assert PROJECT["version"] == escalier.__version__


def test_the_changelog_tells_of_what_is_released_or_to_be() -> None:
    assert re.search(
        rf"^## (Unreleased|{re.escape(PROJECT['version'])})", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M
    )


def test_classifiers_name_every_python_that_is_allowed() -> None:
    named = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)]
    assert named[0] == PROJECT["requires-python"].removeprefix(">=")
    minors = [int(version.partition(".")[2]) for version in named]
    assert minors == list(range(minors[0], minors[-1] + 1))
    assert {"Typing :: Typed", "Operating System :: OS Independent"} <= set(PROJECT["classifiers"])
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"Python {named[0]} to {named[-1]}" in text


def test_classifiers_are_known_and_said_once() -> None:
    assert set(PROJECT["classifiers"]) <= trove_classifiers.classifiers
    assert len(set(PROJECT["classifiers"])) == len(PROJECT["classifiers"])


def test_the_registry_knows_whom_and_what() -> None:
    assert {"PublisherId", "DisplayName", "Icon", "Banner", "requires-comfyui"} <= set(REGISTRY)
    assert PROJECT["name"] == PROJECT["name"].lower() and "comfyui" not in PROJECT["name"]
    assert {"Repository", "Documentation", "Issues", "Changelog"} == set(PROJECT["urls"])


@pytest.mark.parametrize(("which", "largest", "shape"), [("Icon", 400, 1), ("Banner", 2560, 21 / 9)])
def test_the_registrys_pictures_are_here_and_have_the_shape_that_it_asks_for(
    which: str, largest: int, shape: float
) -> None:
    repository = PROJECT["urls"]["Repository"].replace("github.com", "raw.githubusercontent.com")
    assert REGISTRY[which].startswith(f"{repository}/main/")
    file = ROOT / REGISTRY[which].removeprefix(f"{repository}/main/")
    width, height = Image.open(file).size
    assert max(width, height) <= largest
    assert width / height == pytest.approx(shape, rel=0.01)
    assert file.stat().st_size < 300_000


def test_files_that_python_does_not_see_as_code_are_named_for_the_wheel() -> None:
    stray = {path.name for path in (ROOT / "escalier").rglob("*") if path.is_file()} - {
        path.name
        for pattern in ("*.py", "*.pyi", "py.typed", "*.pyc", "*.nb?")
        for path in (ROOT / "escalier").rglob(pattern)
    }
    assert stray == set()
    assert SETTINGS["tool"]["setuptools"]["package-data"] == {"*": ["*.pyi", "py.typed"]}


# One tiny film from two keyframes, in a folder that holds nothing of the repository.
STYLISE = """
import numpy as np
from escalier.film import ArrayFrames, write_film, open_film
from escalier.keyframes import Keyframes, write_keyframes
from escalier.commands import main

frames = np.zeros((3, 48, 64, 3), np.uint8)
for index in range(3):
    frames[index, 10:30, 10 + 4 * index : 30 + 4 * index] = (200, 120, 40)
write_film("shot.mp4", ArrayFrames(frames, 24))
write_keyframes("painted", Keyframes([0, 2], [255 - frames[0], 255 - frames[2]], 3))
code = main(["stylise", "shot.mp4", "--keyframes", "painted", "--output", "film.mkv"])
assert code == 0 and len(open_film("film.mkv")) == 3
import escalier
print(escalier.__file__)
"""


@pytest.mark.slow
def test_wheel_and_source_archive_are_accepted_and_the_wheel_paints(tmp_path: Path) -> None:
    def run(*command: str | Path, cwd: Path = tmp_path) -> str:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=cwd)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    dist = tmp_path / "dist"
    run(sys.executable, "-m", "build", "--outdir", dist, ROOT)
    wheel, archive = next(dist.glob("*.whl")), next(dist.glob("*.tar.gz"))
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, archive)

    packed = set(zipfile.ZipFile(wheel).namelist())
    stubs = {f"escalier/{path.relative_to(ROOT / 'escalier')}" for path in (ROOT / "escalier").rglob("*.pyi")}
    assert stubs | {"escalier/py.typed"} <= packed
    assert {name.partition("/")[0] for name in packed} == {
        "escalier",
        wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info",
    }
    with tarfile.open(archive) as source:
        held = {name.partition("/")[2] for name in source.getnames()}
    assert {
        "__init__.py",
        "nodes/__init__.py",
        "js/docs/EscalierMotion.md",
        "workflows/staircase.json",
        "docs/index.md",
    } <= held
    assert not [name for name in held if name.endswith(".pyc")]

    # What the packages around here bring is borrowed; only escalier itself is installed anew.
    venv.create(tmp_path / "venv", with_pip=True, symlinks=sys.platform != "win32")
    python = next(place for place in (tmp_path / "venv").glob("*/python*") if place.stem == "python")
    run(python, "-m", "pip", "install", "-q", "--no-deps", wheel)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    borrowed = [place for place in sys.path if place.endswith("site-packages")]
    (site / "borrowed.pth").write_text("\n".join(borrowed), encoding="utf-8")
    assert "stylise" in run(python, "-m", "escalier", "--help")
    assert str(site / "escalier") in run(python, "-c", STYLISE)
