"""Paintings at a wrong frame are named whatever their look, and those at the right one never are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from escalier.film import MovingClip, Size, make_clip
from escalier.keyframes import Keyframes, find_misplaced, paint_picture

INDICES = (0, 20, 40)


def lines(picture: np.ndarray) -> np.ndarray:
    edges = cv2.dilate(cv2.Canny(cv2.GaussianBlur(picture, (0, 0), 1.5), 40, 100), np.ones((2, 2), np.uint8))
    return np.repeat(255 - edges[..., None], 3, axis=2)


def textured(picture: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(int(picture[0, 0, 0]))
    paper = cv2.GaussianBlur(rng.standard_normal(picture.shape).astype(np.float32), (0, 0), 2)
    return np.clip(picture * 0.7 + 40 + 25 * paper / paper.std(), 0, 255).astype(np.uint8)


LOOKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "gouache": lambda picture: paint_picture(picture, "gouache"),
    "woodcut": lambda picture: paint_picture(picture, "woodcut"),
    "inverted": lambda picture: 255 - picture,
    "posterised": lambda picture: picture // 64 * 85,
    "blurred": lambda picture: cv2.GaussianBlur(picture, (0, 0), 4),
    "line art": lines,
    "other hues": lambda picture: picture[..., [1, 2, 0]],
    "on rough paper": textured,
    "twice as large": lambda picture: cv2.resize(255 - picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC),
}


@pytest.fixture(scope="module")
def film() -> MovingClip:
    return make_clip(Size(320, 180), length=41, rate=24)


def found(film: MovingClip, pictures: Sequence[np.ndarray], indices: Sequence[int] = INDICES) -> list[tuple]:
    keyframes = Keyframes(indices, [np.ascontiguousarray(picture) for picture in pictures], len(film))
    return [(one.frame, one.fits, one.turned) for one in find_misplaced(keyframes, film)]


@pytest.mark.slow
@pytest.mark.parametrize("look", LOOKS)
def test_paintings_are_placed_by_their_structure(film: MovingClip, look: str) -> None:
    painted = [LOOKS[look](film.frame(index)) for index in INDICES]
    assert found(film, painted) == []
    assert found(film, [painted[1], painted[0], painted[2]]) == [(0, 20, None), (20, 0, None)]
    assert found(film, [*painted[1:], painted[0]]) == [(0, 20, None), (20, 40, None), (40, 0, None)]
    assert found(film, [painted[0], painted[1][::-1, ::-1], painted[2]]) == [(20, 20, "turned upside down")]
    assert found(film, [painted[0][:, ::-1], *painted[1:]]) == [(0, 0, "mirrored left to right")]
    assert found(film, [*painted[:2], painted[2][::-1]]) == [(40, 40, "mirrored top to bottom")]


def test_one_painting_alone_is_compared_with_its_neighbours(film: MovingClip) -> None:
    assert found(film, [paint_picture(film.frame(16))], [0]) == [(0, 16, None)]
    assert found(film, [paint_picture(film.frame(21))], [20]) == [(20, 21, None)]
    assert found(film, [paint_picture(film.frame(20))], [20]) == []


@pytest.mark.parametrize("picture", ["white", "noise"])
def test_what_has_nothing_in_common_with_any_frame_is_passed(film: MovingClip, picture: str) -> None:
    shape = (180, 320, 3)
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    assert found(film, [np.full(shape, 250, np.uint8) if picture == "white" else noise] * 3) == []


def test_a_film_that_stands_still_has_no_wrong_frames() -> None:
    clip = make_clip(Size(320, 180), length=1, rate=24)

    class Still:
        size, rate = clip.size, clip.rate

        def __len__(self) -> int:
            return 30

        def frame(self, index: int) -> np.ndarray:
            return clip.frame(0)

    painted = [paint_picture(clip.frame(0), seed=seed) for seed in (1, 2)]
    assert find_misplaced(Keyframes([3, 20], painted, 30), Still()) == []


def test_progress_counts_the_frames_that_are_read(film: MovingClip) -> None:
    told: list[tuple[int, int]] = []
    keyframes = Keyframes.of(film, INDICES)
    find_misplaced(keyframes, film, progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] <= 7 * len(INDICES)
