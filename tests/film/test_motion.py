"""Optical flow against known motion, its check for occlusion, and what is kept on disk."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.film import ArrayFrames, Motion, Size, chain, make_clip, visibility, warp, working_size
from escalier.film.motion import motion_boundary

SIZE = Size(160, 120)


def textured(height: int, width: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.5), None, 0, 255, cv2.NORM_MINMAX)


def sliding_film(step: tuple[int, int], length: int = 4, size: Size = SIZE) -> ArrayFrames:
    scene = textured(size.height, size.width)
    return ArrayFrames(np.stack([np.roll(scene, (step[1] * i, step[0] * i), axis=(0, 1)) for i in range(length)]))


@pytest.fixture(scope="module")
def film() -> ArrayFrames:
    return sliding_film((3, -2))


@pytest.mark.parametrize(("i", "j", "expected"), [(0, 1, (3, -2)), (2, 1, (-3, 2))], ids=["forward", "backward"])
def test_a_sliding_picture_has_its_own_step_as_flow(film, tmp_path: Path, i, j, expected) -> None:
    inner = Motion(film, tmp_path).flow(i, j)[20:-20, 20:-20]
    assert np.linalg.norm(inner - np.float32(expected), axis=-1).mean() < 0.1


def test_accumulated_flow_follows_every_step(film, tmp_path: Path) -> None:
    inner = Motion(film, tmp_path).accumulated(3, 0)[20:-20, 20:-20]
    assert np.linalg.norm(inner - np.float32((-9, 6)), axis=-1).mean() < 0.2


def test_flow_of_the_moving_clip_is_close_to_its_truth_where_the_surface_stays_visible(tmp_path: Path) -> None:
    clip = make_clip(Size(240, 136), length=3, grain=0.5)
    motion = Motion(clip, tmp_path)
    error = np.linalg.norm(motion.flow(0, 1) - clip.flow(0, 1), axis=-1)
    assert np.median(error[clip.visible(0, 1) & motion.visible(0, 1)]) < 0.5


def test_pixels_that_a_moving_square_covers_are_not_visible(tmp_path: Path) -> None:
    scene, square = textured(120, 160), 255 - textured(48, 48, seed=1)
    frames = np.stack([scene, scene])
    frames[0, 36:84, 40:88] = square
    frames[1, 36:84, 48:96] = square
    visible = Motion(ArrayFrames(frames), tmp_path).visible(0, 1)
    covered, elsewhere = visible[44:76, 90:95], visible[:, 110:]
    assert covered.mean() < 0.2
    assert elsewhere.mean() > 0.95


def test_the_check_follows_the_published_formula_to_the_letter() -> None:
    rng = np.random.default_rng(0)
    flow, back = (cv2.GaussianBlur(rng.normal(0, 4, (20, 24, 2)).astype(np.float32), (0, 0), 2) for _ in range(2))
    visible, boundary = visibility(flow, back), motion_boundary(flow)
    for y in range(19):
        for x in range(23):
            px, py = x + flow[y, x, 0], y + flow[y, x, 1]
            inside = 0 <= px <= 23 and 0 <= py <= 19
            b = cv2.remap(back, np.float32([[px]]), np.float32([[py]]), cv2.INTER_LINEAR)[0, 0]
            there, returned, gap = (float((v**2).sum()) for v in (flow[y, x], b, flow[y, x] + b))
            if inside:
                assert visible[y, x] == (gap <= 0.01 * (there + returned) + 0.5)
            else:
                assert not visible[y, x]
            slope = ((flow[y, x + 1] - flow[y, x]) ** 2).sum() + ((flow[y + 1, x] - flow[y, x]) ** 2).sum()
            assert boundary[y, x] == (slope > 0.01 * there + 0.002)


def test_warp_undoes_the_motion(film, tmp_path: Path) -> None:
    back = warp(film.frame(1), Motion(film, tmp_path).flow(0, 1))
    assert np.abs(back.astype(int) - film.frame(0))[20:-20, 20:-20].mean() < 2


def test_chained_flows_add_up() -> None:
    first, second = np.full((6, 8, 2), (1, 0), np.float32), np.full((6, 8, 2), (0.5, 2), np.float32)
    assert np.allclose(chain(first, second), (1.5, 2))


def test_large_frames_are_matched_small_and_the_flow_is_scaled_back(tmp_path: Path) -> None:
    film = sliding_film((6, 0), length=2, size=Size(1200, 900))
    motion = Motion(film, tmp_path)
    assert motion.working_size.width * motion.working_size.height <= 1.01 * 960 * 540
    flow = motion.flow(0, 1)
    assert flow.shape == (900, 1200, 2)
    assert abs(float(np.median(flow[..., 0])) - 6) < 0.3
    assert motion.visible(0, 1).shape == (900, 1200)
    assert motion.flow(0, 1, motion.working_size).shape[:2] == motion.working_size[::-1]


def test_working_size_keeps_small_films_as_they_are() -> None:
    assert working_size(Size(541, 301)) == Size(541, 301)


@pytest.mark.parametrize("preset", ["ultrafast", "fast", "medium"])
@pytest.mark.parametrize("shape", [(31, 93), (93, 31), (8, 8)], ids=["wide", "tall", "tiny"])
def test_small_frames_do_not_crash_the_process(shape: tuple[int, int], preset: str, tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, *shape, 3), np.uint8)
    assert np.isfinite(Motion(ArrayFrames(frames), tmp_path, preset=preset).flow(0, 1)).all()


def test_flow_is_made_once_and_found_again_by_another_motion(film, tmp_path: Path) -> None:
    Motion(film, tmp_path).prepare(threads=2)
    files = sorted(tmp_path.rglob("flow_*.npy"))
    assert len(files) == len(film) - 1
    written = [file.stat().st_mtime_ns for file in files]
    again = Motion(film, tmp_path)
    again.prepare()
    again.flow(0, 1)
    assert [file.stat().st_mtime_ns for file in files] == written


def test_another_film_in_the_same_folder_has_its_own_flow(film, tmp_path: Path) -> None:
    other = sliding_film((-3, 1))
    before = Motion(film, tmp_path).flow(0, 1)
    assert not np.allclose(Motion(other, tmp_path).flow(0, 1), before, atol=1)


def test_flow_is_the_same_on_any_number_of_threads(film, tmp_path: Path) -> None:
    results = []
    for threads in (1, 4):
        motion = Motion(film, tmp_path / str(threads))
        motion.prepare(threads)
        results.append(np.stack([motion.flow(i, i + 1) for i in range(len(film) - 1)]))
    assert (results[0] == results[1]).all()


def test_a_cancelled_preparation_leaves_whole_files_and_goes_on_later(tmp_path: Path) -> None:
    film = sliding_film((2, 0), length=8)

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Motion(film, tmp_path).prepare(threads=1, progress=stop)
    assert not list(tmp_path.rglob("*.part"))
    told: list[tuple[int, int]] = []
    Motion(film, tmp_path).prepare(threads=1, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (7, 7)
    assert len(told) <= 5


@pytest.mark.parametrize(("i", "j"), [(0, 0), (3, 4), (-1, 0)])
def test_frames_that_the_film_has_not_are_refused(film, tmp_path: Path, i: int, j: int) -> None:
    with pytest.raises(ValueError, match=r"frames must be two different ones in 0\.\.3"):
        Motion(film, tmp_path).flow(i, j)


def test_frames_further_apart_are_matched_with_each_other_once(film, tmp_path: Path) -> None:
    motion = Motion(film, tmp_path)
    motion.prepare(threads=2, lags=[3])
    files = sorted(tmp_path.rglob("flow_*.npy"))
    written = [file.stat().st_mtime_ns for file in files]
    inner = motion.flow(3, 0)[20:-20, 20:-20]
    assert np.linalg.norm(inner - np.float32((-9, 6)), axis=-1).mean() < 0.1
    assert [file.stat().st_mtime_ns for file in sorted(tmp_path.rglob("flow_*.npy"))] == written
    assert len(files) == 1


def test_a_lag_longer_than_the_film_has_nothing_to_prepare(film, tmp_path: Path) -> None:
    Motion(film, tmp_path).prepare(lags=[9])
    assert not list(tmp_path.rglob("flow_*.npy"))


@pytest.mark.parametrize("size", [SIZE, Size(1200, 900)], ids=["as it is", "reduced"])
def test_pictures_of_the_film_are_matched_to_the_very_bits_of_its_flow(tmp_path: Path, size: Size) -> None:
    film = sliding_film((3, -2), length=2, size=size)
    motion = Motion(film, tmp_path)
    matched = motion.match(film.frame(0), film.frame(1))
    assert (matched == motion.flow(0, 1, motion.working_size)).all()


def test_unknown_presets_are_refused(film, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="preset must be one of ultrafast, fast, medium, got slow"):
        Motion(film, tmp_path, preset="slow")


def test_a_film_of_one_frame_has_nothing_to_prepare(tmp_path: Path) -> None:
    Motion(ArrayFrames(textured(40, 40)[None]), tmp_path).prepare()
