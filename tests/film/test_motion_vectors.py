"""Motion from a renderer or another program stands in for the measured one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from escalier.film import ArrayFrames, GivenMotion, Motion, Size, flows_from_pictures, make_clip, warp
from escalier.film.motion_vectors import invert_flow

SIZE = Size(96, 64)


@pytest.fixture(scope="module")
def film() -> ArrayFrames:
    clip = make_clip(SIZE, 4)
    return ArrayFrames(np.stack([clip.frame(index) for index in range(4)]))


def steady(dx: float, dy: float, count: int = 3, size: Size = SIZE) -> np.ndarray:
    return np.full((count, size.height, size.width, 2), (dx, dy), np.float32)


def test_the_given_flow_comes_back_both_ways(film: ArrayFrames, tmp_path: Path) -> None:
    motion = GivenMotion(film, tmp_path, steady(3, -1), steady(-3, 1))
    assert (motion.flow(1, 2) == (3, -1)).all()
    assert (motion.flow(2, 1) == (-3, 1)).all()
    # What leaves the picture is not seen in the next frame.
    assert motion.visible(1, 2)[8:-8, 8:-8].all()


def test_the_way_back_is_found_where_only_one_is_given(film: ArrayFrames, tmp_path: Path) -> None:
    y, x = np.mgrid[: SIZE.height, : SIZE.width].astype(np.float32)
    zoom = np.stack([(x - 48) * 0.05, (y - 32) * 0.05], axis=-1)
    motion = GivenMotion(film, tmp_path, np.stack([zoom] * 3))
    there_and_back = motion.flow(1, 0) + warp(motion.flow(0, 1), motion.flow(1, 0))
    assert np.abs(there_and_back[8:-8, 8:-8]).max() < 0.02


def test_flow_of_another_size_is_scaled_with_its_values(film: ArrayFrames, tmp_path: Path) -> None:
    motion = GivenMotion(film, tmp_path, steady(3, 2, size=Size(48, 32)))
    assert np.allclose(motion.flow(0, 1), (6, 4), atol=0.01)


def test_other_lags_are_still_measured(film: ArrayFrames, tmp_path: Path) -> None:
    given = GivenMotion(film, tmp_path / "given", steady(3, 2))
    measured = Motion(film, tmp_path / "measured")
    assert (given.flow(0, 2) == measured.flow(0, 2)).all()


def test_other_vectors_have_another_fingerprint(film: ArrayFrames, tmp_path: Path) -> None:
    one, again, other = (GivenMotion(film, tmp_path, steady(dx, 0)) for dx in (1, 1, 2))
    assert one.fingerprint == again.fingerprint and one.folder == again.folder
    assert one.fingerprint != other.fingerprint and one.folder != other.folder
    assert one.fingerprint != Motion(film, tmp_path).fingerprint


@pytest.mark.parametrize(("flip_y", "expected"), [(False, (-5.0, 10.0)), (True, (-5.0, -10.0))])
def test_vectors_in_pictures_are_read_as_renderers_write_them(flip_y: bool, expected: tuple[float, float]) -> None:
    picture = np.zeros((4, 4, 3), np.float32) + np.float32((0.25, 1.0, 0.0))
    vectors = flows_from_pictures([picture], scale_px=10, flip_y=flip_y)
    assert np.allclose(vectors, expected)
    assert np.allclose(flows_from_pictures([picture * 8])[0], (2, 8))


def test_inverting_twice_is_the_flow_again() -> None:
    y, x = np.mgrid[:48, :64].astype(np.float32)
    flow = np.stack([2 * np.sin(y / 9), 1.5 * np.cos(x / 11)], axis=-1)
    again = invert_flow(invert_flow(flow))
    assert np.abs(again - flow)[6:-6, 6:-6].max() < 0.02


@pytest.mark.parametrize(
    ("flows", "match"),
    [
        (steady(1, 0, count=4), r"forward must hold one flow for each step of a film of 4 frames, 3, got 4"),
        (steady(1, 0)[..., :1], r"forward\[0\] must be \(H, W, 2\), got \(64, 96, 1\)"),
        (steady(1, 0, size=Size(64, 64)), r"forward\[0\] must have the shape of the film, 96x64, got 64x64"),
        (steady(np.nan, 0), r"forward\[0\] must hold finite numbers"),
        (steady(0, -np.inf), r"forward\[0\] must hold finite numbers"),
        (steady(1e10, 0), r"forward\[0\] must hold moves of at most 30000 px, got 1e\+10"),
        (steady(1, 0)[:, :0], r"forward\[0\] must be \(H, W, 2\), got \(0, 96, 2\)"),
    ],
    ids=["count", "channels", "shape", "NaN", "infinite", "huge", "empty"],
)
def test_vectors_that_do_not_fit_are_refused(film: ArrayFrames, tmp_path: Path, flows, match: str) -> None:
    with pytest.raises(ValueError, match=f"GivenMotion: {match}"):
        GivenMotion(film, tmp_path, flows)


@pytest.mark.parametrize("scale_px", [-1.0, float("nan"), float("inf"), 1e9])
def test_a_scale_that_is_no_number_of_pixels_is_refused(scale_px: float) -> None:
    with pytest.raises(ValueError, match=r"flows_from_pictures: scale_px must be (0 to 30000 px|a finite number)"):
        flows_from_pictures(steady(0, 0), scale_px=scale_px)


@pytest.mark.parametrize(
    ("pictures", "match"),
    [
        ([np.full((4, 4, 3), np.nan, np.float32)], r"pictures\[0\] must hold finite numbers"),
        ([], "pictures must be at least one of shape"),
        ([np.zeros((4, 4), np.float32)], r"all of one shape, got 1 of \(4, 4\)"),
        ([np.zeros((4, 4, 1), np.float32)], r"got 1 of \(4, 4, 1\)"),
        ([np.zeros((4, 4, 3), np.float32), np.zeros((4, 5, 3), np.float32)], r"got 2 of \(4, 4, 3\), \(4, 5, 3\)"),
    ],
    ids=["NaN", "none", "grey", "one channel", "two sizes"],
)
def test_pictures_that_hold_no_vectors_are_refused(pictures: list[np.ndarray], match: str) -> None:
    with pytest.raises(ValueError, match=f"flows_from_pictures: .*{match}"):
        flows_from_pictures(pictures)


def test_a_film_of_one_frame_has_no_motion_to_give(tmp_path: Path) -> None:
    film = ArrayFrames(np.zeros((1, 40, 48, 3), np.uint8))
    motion = GivenMotion(film, tmp_path, np.zeros((0, 40, 48, 2), np.float32))
    motion.prepare()
    with pytest.raises(ValueError, match="two different"):
        motion.flow(0, 1)
