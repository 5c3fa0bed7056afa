"""Full size from a proxy: matched small, painted from the large keyframe, and as sharp."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.coherence import measure_fades, measure_film
from escalier.film import ArrayFrames, Motion, Size, make_clip, scale_film
from escalier.keyframes import Keyframes, paint_picture
from escalier.propagation import DraftPart, Fade, FilmMatching, Staircase, make_draft, propagate

SIZE = Size(640, 360)


@pytest.fixture(scope="module")
def shot():
    clip = make_clip(SIZE, length=4)
    film = ArrayFrames(np.stack([clip.frame(i) for i in range(4)]))
    masks = np.stack([clip.matte(i) for i in range(4)])
    painted = [paint_picture(film.frame(i), "poster") for i in range(4)]
    return film, masks, painted


def sharpness(picture: np.ndarray) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())


@pytest.mark.slow
@pytest.mark.parametrize("with_masks", [False, True], ids=["whole", "subject and set apart"])
def test_a_frame_matched_small_is_nearly_as_sharp_as_one_painted(shot, tmp_path: Path, with_masks: bool) -> None:
    film, masks, painted = shot
    keyframes = Keyframes([0], [painted[0]], 4)
    matching = FilmMatching(match_side=160)
    given = masks if with_masks else None
    runs = propagate(film, keyframes, folder=tmp_path, masks=given, matching=matching, threads=1, cuts=())
    run = runs.forward[0]
    assert run.frames.shape == (4, 360, 640, 3) and run.guide_error.shape == (4, 90, 160)
    for index in (1, 3):
        assert sharpness(run.frame(index)) > 0.9 * sharpness(painted[index])
        apart = np.abs(run.frame(index).astype(float) - painted[index]).mean()
        still = np.abs(painted[0].astype(float) - painted[index]).mean()
        assert apart < 0.75 * still, "the picture must follow the film"


@pytest.mark.slow
def test_between_pixels_a_large_frame_lies_nearer_to_the_truth(shot, tmp_path: Path) -> None:
    film, _, painted = shot
    keyframes = Keyframes([0], [painted[0]], 4)
    errors = []
    for fine in (True, False):
        matching = FilmMatching(match_side=160, sub_pixel=fine)
        run = propagate(film, keyframes, folder=tmp_path, matching=matching, threads=1, cuts=()).forward[0]
        errors.append(np.mean([np.square(run.frame(i).astype(float) - painted[i]).mean() for i in (1, 2, 3)]))
    assert errors[0] < 0.85 * errors[1]


@pytest.mark.slow
def test_the_staircase_of_small_matches_has_the_films_size(shot, tmp_path: Path) -> None:
    film, _, painted = shot
    keyframes = Keyframes([0, 3], [painted[0], painted[3]], 4)
    runs = propagate(film, keyframes, folder=tmp_path, matching=FilmMatching(match_side=160), threads=1, cuts=())
    for mode in ("staggered", "by_error"):
        staircase = Staircase(runs, Fade(mode=mode))
        assert staircase.frame(1).shape == (360, 640, 3)
        assert (staircase.frame(3) == painted[3]).all()


def test_a_film_smaller_than_the_match_side_is_matched_as_it_is(tmp_path: Path) -> None:
    film = ArrayFrames(np.stack([np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)] * 2))
    keyframes = Keyframes([0], [255 - film.frame(0)], 2)
    motion = Motion(film, tmp_path)
    one, other = (
        propagate(film, keyframes, folder=tmp_path, motion=motion, matching=FilmMatching(match_side=side), cuts=())
        for side in (None, 960)
    )
    assert (one.forward[0].frames == other.forward[0].frames).all()


def test_a_match_side_that_shows_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Matching: match_side must be at least 64 px, got 20; 960 is enough"):
        FilmMatching(match_side=20)


def halved(film: ArrayFrames) -> ArrayFrames:
    return ArrayFrames(np.stack([scale_film(film.frame(i), Size(320, 180)) for i in range(len(film))]))


@pytest.mark.slow
@pytest.mark.parametrize("with_masks", [False, True], ids=["whole", "subject and set apart"])
def test_keyframes_twice_the_films_size_give_a_film_of_their_size(shot, tmp_path: Path, with_masks: bool) -> None:
    film, masks, painted = shot
    small = halved(film)
    given = np.stack([scale_film(mask, small.size) for mask in masks]) if with_masks else None
    keyframes = Keyframes([0, 3], [painted[0], painted[3]], 4)
    runs = propagate(small, keyframes, folder=tmp_path, masks=given, threads=1, cuts=())
    run, staircase = runs.forward[0], Staircase(runs)
    assert run.frames.shape == (3, 360, 640, 3) and run.guide_error.shape == (3, 180, 320)
    assert staircase.size == SIZE and (staircase.frame(3) == painted[3]).all()
    for index in (1, 2):
        enlarged = scale_film(scale_film(painted[index], small.size), SIZE)
        assert sharpness(run.frame(index)) > 2 * sharpness(enlarged)
        apart = np.abs(staircase.frame(index).astype(float) - painted[index]).mean()
        nearest = painted[0 if index == 1 else 3]
        assert apart < 0.75 * np.abs(nearest.astype(float) - painted[index]).mean(), "the picture must follow the film"
    report = measure_fades(staircase, small, Motion(small, tmp_path))
    assert report.pop is not None
    found = measure_film(small, staircase, motion=Motion(small, tmp_path))
    assert found.figures["sharpness"] is not None


def slow_pan(size: Size, length: int) -> list[np.ndarray]:
    """A soft texture that moves by a tenth of a pixel of 160x96 a frame, seen at any size of that shape."""
    noise = cv2.GaussianBlur(np.random.default_rng(0).standard_normal((400, 600, 3)), (0, 0), 3.0)
    texture = np.clip(128 + 45 * noise / noise.std(), 0, 255).astype(np.float32)
    zoom = size.width / 320
    shifts = [np.array([[zoom, 0, -(100 + 0.2 * i) * zoom], [0, zoom, -60 * zoom]]) for i in range(length)]
    return [np.rint(cv2.warpAffine(texture, shift, size)).astype(np.uint8) for shift in shifts]


@pytest.mark.parametrize("fine", [True, False])
def test_a_large_film_of_slow_motion_does_not_hop_from_pixel_to_pixel(tmp_path: Path, fine: bool) -> None:
    film, truth = (slow_pan(size, 8) for size in (Size(160, 96), Size(240, 144)))
    small = ArrayFrames(np.stack(film))
    keyframes = Keyframes([0], [truth[0]], 8)
    run = propagate(
        small, keyframes, folder=tmp_path, matching=FilmMatching(sub_pixel=fine), threads=1, cuts=()
    ).forward[0]
    inside = (slice(8, -8), slice(8, -8))
    errors = [float(cv2.PSNR(run.frame(i)[inside], truth[i][inside])) for i in range(1, 8)]
    hops = [np.abs(run.frame(i + 1).astype(float) - run.frame(i)).mean() for i in range(7)]
    step = np.abs(truth[1].astype(float) - truth[0]).mean()
    if fine:
        assert min(errors) > 40 and max(hops) < 2 * step
    else:
        assert min(errors) < 36 and max(hops) > 5 * step, "copied as it was painted, whole pixels cannot follow"


@pytest.mark.slow
def test_a_draft_takes_keyframes_larger_than_the_film(shot, tmp_path: Path) -> None:
    film, _, painted = shot
    runs = make_draft(
        halved(film), Keyframes([0], [painted[0]], 4), folder=tmp_path, part=DraftPart(0.5), threads=1, cuts=()
    )
    assert runs.size == Size(160, 90)


@pytest.mark.parametrize("size", [Size(641, 361), Size(960, 480), Size(320, 180)])
def test_keyframes_that_are_no_enlargement_are_refused(shot, tmp_path: Path, size: Size) -> None:
    film, _, painted = shot
    keyframes = Keyframes([0], [scale_film(painted[0], size)], 4)
    with pytest.raises(ValueError, match=f"640x360 like the film, or larger by one factor, got {size}"):
        propagate(film, keyframes, folder=tmp_path)
