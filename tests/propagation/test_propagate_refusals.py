"""Refusals of propagate that need a film of their own; those about one argument stand beside its other tests."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from escalier.film import ArrayFrames, Size
from escalier.keyframes import Keyframes
from escalier.propagation import Guides, propagate


class Film:
    """A film whose frames need not be alike."""

    rate = Fraction(24)

    def __init__(self, frames: list[np.ndarray]) -> None:
        self.frames = frames
        self.size = Size.of(frames[0])

    def __len__(self) -> int:
        return len(self.frames)

    def frame(self, index: int) -> np.ndarray:
        return self.frames[index]


def grey(*shape: int) -> np.ndarray:
    return np.full(shape, 90, np.uint8)


@pytest.fixture
def film() -> ArrayFrames:
    still = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    return ArrayFrames(np.stack([still] * 3))


@pytest.fixture
def keyframes(film: ArrayFrames) -> Keyframes:
    return Keyframes([0], [255 - film.frame(0)], 3)


def remains(folder: Path) -> list[Path]:
    names = ("run_", "unfinished_")
    found = [path for path in folder.rglob("*") if "part" in path.name or path.name.startswith(names)]
    return [path for path in found if path.suffix != ".lock"]


def test_a_keyframe_that_holds_nan_is_refused_by_its_frame() -> None:
    picture = np.zeros((48, 64, 3), np.float32)
    picture[3, 4, 1] = np.nan
    with pytest.raises(ValueError, match="picture at frame 2 must hold finite numbers, got NaN or infinity; check"):
        Keyframes([2], [picture], 3)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_keyframe_spoilt_after_it_was_made_is_refused(film, tmp_path: Path, value: float) -> None:
    picture = np.zeros((48, 64, 3), np.float32)
    keyframes = Keyframes([1], [picture], 3)
    picture[3, 4, 1] = value
    with pytest.raises(ValueError, match="propagate: keyframe at frame 1 must hold finite numbers"):
        propagate(film, keyframes, folder=tmp_path)


@pytest.mark.parametrize("shape", [(48, 64, 1), (48, 64, 4), (48, 64)], ids=["grey", "RGBA", "flat"])
def test_keyframes_that_are_not_rgb_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"picture at frame 0 must be RGB, got an array of shape \(48, 64.*; convert"):
        Keyframes([0], [grey(*shape)], 3)


@pytest.mark.parametrize(
    ("odd", "match"),
    [
        (grey(48, 64, 4), r"propagate: frame 1 must be RGB, got an array of shape \(48, 64, 4\); convert grey or RGBA"),
        (grey(48, 64), r"propagate: frame 1 must be RGB, got an array of shape \(48, 64\)"),
        (grey(40, 64, 3), "propagate: frame 1 must be 64x48 like the film, got 64x40; export the film at one size"),
        (np.full((48, 64, 3), np.inf, np.float32), "propagate: frame 1 must hold finite numbers, got NaN or infinity"),
    ],
    ids=["RGBA", "grey", "size", "infinite"],
)
def test_one_odd_frame_in_a_film_is_refused_and_leaves_no_run(keyframes, tmp_path: Path, odd, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        propagate(Film([grey(48, 64, 3), odd, grey(48, 64, 3)]), keyframes, folder=tmp_path)
    assert not remains(tmp_path)


@pytest.mark.parametrize("size", [(40, 64), (96, 64), (64, 48)], ids=["lower", "taller", "turned"])
def test_one_mask_of_another_size_is_refused_by_its_frame(film, keyframes, tmp_path: Path, size) -> None:
    whole = np.full((48, 64), 255, np.uint8)
    with pytest.raises(ValueError, match="propagate: mask at frame 2 must be a single channel of 64x48"):
        propagate(film, keyframes, folder=tmp_path, masks=[whole, whole, np.ones(size, np.uint8)])
    assert not remains(tmp_path)


@pytest.mark.parametrize("count", [1, 3])
def test_black_masks_are_refused_with_their_number(film, keyframes, tmp_path: Path, count: int) -> None:
    masks = np.zeros((count, 48, 64), np.uint8)
    with pytest.raises(
        ValueError, match=f"must mark the subject in at least one frame, got black in all {count}; check"
    ):
        propagate(film, keyframes, folder=tmp_path, masks=masks)
    assert not remains(tmp_path)


@pytest.mark.parametrize(
    ("pictures", "match"),
    [
        ([grey(48, 64, 3)] * 2, "guide 'depth' must have 1 keyframe pictures, got 2; give one for each keyframe"),
        ([grey(40, 64, 3)], "keyframe pictures of guide 'depth' must be 64x48, got 64x40; scale them"),
    ],
    ids=["count", "size"],
)
def test_keyframe_pictures_of_a_guide_must_fit(film, keyframes, tmp_path: Path, pictures, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        propagate(film, keyframes, folder=tmp_path, guides=Guides().with_guide("depth", film, 1.0, pictures))


def test_a_guide_that_holds_nan_is_refused(film, keyframes, tmp_path: Path) -> None:
    depth = np.zeros((3, 48, 64, 3), np.float32)
    depth[1, 0, 0] = np.nan
    with pytest.raises(ValueError, match="frame 1 must hold finite numbers, got NaN"):
        propagate(film, keyframes, folder=tmp_path, guides=Guides().with_guide("depth", ArrayFrames(depth), 1.0))


@pytest.mark.parametrize("name", ["colour", "edge", "position", "temporal", "mask"])
def test_negative_weights_are_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"Guides: {name} must be a weight >= 0, got -1; use 0 to leave the guide out"):
        Guides(**{name: -1})


def test_weights_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="must weigh more than 0, got 0 for all"):
        Guides(colour=0, edge=0, position=0, temporal=0, mask=0)


def test_a_full_disk_names_what_is_needed_and_what_there_is(film, keyframes, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 1000, "total": 10**12})())
    needed = r"must have [\d.]+ kB free for the film, its flow and \d+ runs .*, got 1\.0 kB; "
    with pytest.raises(OSError, match=needed):
        propagate(film, keyframes, folder=tmp_path)
    assert not remains(tmp_path)


def test_a_disk_that_fills_in_the_middle_leaves_no_run(film, keyframes, tmp_path: Path, monkeypatch) -> None:
    def full(self, piece: np.ndarray) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("escalier.scratch.kept_files.GrowingArrayFile.append", full)
    with pytest.raises(OSError, match="no space left"):
        propagate(film, keyframes, folder=tmp_path, threads=1)
    assert not remains(tmp_path)
