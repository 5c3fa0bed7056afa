"""The difference matte: what differs from the empty room, and not its grain or its shadows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from escalier.film import ArrayFrames
from escalier.mask import difference_matte, difference_mattes


@pytest.fixture(scope="module")
def plate() -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal((12, 16, 3)).astype(np.float32)
    room = 110 + 30 * cv2.resize(noise, (160, 120), interpolation=cv2.INTER_CUBIC)
    return np.clip(room, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def subject() -> np.ndarray:
    mask = np.zeros((120, 160), np.uint8)
    cv2.ellipse(mask, (80, 60), (25, 45), 15, 0, 360, 1, -1)
    return mask > 0


def grained(picture: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 4, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def test_subject_is_found_through_grain(plate: np.ndarray, subject: np.ndarray) -> None:
    frame = np.where(subject[..., None], np.uint8((220, 60, 40)), plate)
    matte = difference_matte(grained(frame, 1), grained(plate, 2))
    found = matte >= 0.5
    assert (found & subject).sum() / (found | subject).sum() > 0.92


def test_empty_room_has_an_empty_matte(plate: np.ndarray) -> None:
    assert not difference_matte(plate, plate).any()
    assert difference_matte(grained(plate, 1), grained(plate, 2)).mean() < 1e-3


def test_shadow_is_ignored_as_far_as_asked(plate: np.ndarray, subject: np.ndarray) -> None:
    shadowed = np.where(subject[..., None], (plate * 0.8).astype(np.uint8), plate)
    taken = difference_matte(shadowed, plate, ignore_shadows=0)
    left = difference_matte(shadowed, plate, ignore_shadows=0.9)
    assert taken[subject].mean() > 0.7
    assert left[subject].mean() < 0.1


def test_threshold_lies_where_the_matte_is_one_half() -> None:
    plate = np.zeros((4, 4, 3), np.float32)
    frame = plate.copy()
    frame[..., 0] = 30 / 255
    distance = 30 * np.sqrt(2 / 3)  # of pure red from black, brightness left out
    dials = {"softness": 20, "blur_px": 0, "ignore_shadows": 1}
    assert difference_matte(frame, plate, threshold=distance, **dials)[0, 0] == pytest.approx(0.5, abs=1e-3)
    assert difference_matte(frame, plate, threshold=distance - 5, **dials)[0, 0] == pytest.approx(0.75, abs=1e-3)
    hard = difference_matte(frame, plate, threshold=distance - 1, softness=0, blur_px=0, ignore_shadows=1)
    assert (hard == 1).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"plate": np.zeros((4, 6, 3), np.uint8)}, "plate must be 5x4 like the frame, got 6x4"),
        ({"frame": np.zeros((4, 5, 4), np.uint8)}, r"frame must be an RGB picture.*\(4, 5, 4\)"),
        ({"plate": np.full((4, 5, 3), np.nan, np.float32)}, "plate must hold finite numbers"),
        ({"threshold": -1}, r"threshold must be in 0\.\.255, got -1"),
        ({"ignore_shadows": 1.5}, r"ignore_shadows must be in 0\.\.1, got 1.5"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_bad_mattes_are_refused_by_name(change: dict, words: str) -> None:
    good = {"frame": np.zeros((4, 5, 3), np.uint8), "plate": np.zeros((4, 5, 3), np.uint8)}
    with pytest.raises(ValueError, match=f"^difference_matte: {words}"):
        difference_matte(**{**good, **change})


def test_film_is_its_frames_against_one_plate_or_one_each(plate: np.ndarray, subject: np.ndarray) -> None:
    shot = ArrayFrames(
        np.stack([np.where(np.roll(subject, 9 * i, 1)[..., None], 255 - plate, plate) for i in range(3)])
    )
    told = []
    mattes = list(difference_mattes(shot, ArrayFrames(plate[None]), progress=lambda *what: told.append(what[:2])))
    each = list(difference_mattes(shot, ArrayFrames(np.stack([plate] * 3))))
    for i in range(3):
        assert (mattes[i] == difference_matte(shot.frame(i), plate)).all()
        assert (each[i] == mattes[i]).all()
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_plates_of_another_number_are_refused(plate: np.ndarray) -> None:
    shot, plates = (ArrayFrames(np.stack([plate] * count)) for count in (3, 2))
    with pytest.raises(
        ValueError, match="difference_mattes: plate must have 1 or 3 pictures, one for each frame, got 2"
    ):
        difference_mattes(shot, plates)
