"""Masks from files lie over the frames that their numbers say, or are refused."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.film import ArrayFrames, Film, FolderFrames, open_masks, write_film

LENGTH = 5
WHITE = np.full((16, 24), 255, np.uint8)


def numbered(folder: Path, first: int) -> Path:
    folder.mkdir()
    for number in range(first, first + LENGTH):
        cv2.imwrite(str(folder / f"{number:04d}.png"), WHITE)
    return folder


def clip(tmp_path: Path, first: int | None) -> Film:
    if first is None:
        return ArrayFrames(np.zeros((LENGTH, 16, 24, 3), np.uint8))
    return FolderFrames(numbered(tmp_path / "plates", first), rate=24)


@pytest.mark.parametrize(
    ("film", "first", "masks", "said"),
    [
        (None, None, 0, ""),
        (None, None, 1, "the masks are numbered from 1 and the film from 0; 0001.png is taken for its first frame"),
        (None, None, 1001, "0000.png|1001.png is taken for its first frame"),
        (None, 1, 1, ""),
        (1001, None, 1001, ""),
        (1001, None, 0, "numbered from 0 and the film from 1001"),
        (1001, 1, 1, ""),
    ],
)
def test_masks_in_step_are_taken_and_another_count_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, film: int | None, first: int | None, masks: int, said: str
) -> None:
    shot = clip(tmp_path, film)
    with caplog.at_level(logging.WARNING, "escalier"):
        found = open_masks(numbered(tmp_path / "masks", masks), shot, first)
    assert found is not None and len(found) == LENGTH
    assert ("taken for its first frame" in caplog.text) is bool(said)


@pytest.mark.parametrize(("film", "masks"), [(1, 2), (1, 5), (1001, 1003), (1001, 999), (None, 2)])
def test_masks_whose_numbers_are_those_of_other_frames_are_refused(
    tmp_path: Path, film: int | None, masks: int
) -> None:
    shot = clip(tmp_path, film)
    with pytest.raises(ValueError, match=rf".* must be numbered from {film or 0} like the film, .*got {masks}"):
        open_masks(numbered(tmp_path / "masks", masks), shot, None)


def test_masks_of_another_rate_are_taken_frame_for_frame_and_not_silently(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frames = np.full((LENGTH, 16, 24, 3), 255, np.uint8)
    for rate, said in ((24, False), (12, True)):
        caplog.clear()
        video = write_film(tmp_path / f"{rate}.mkv", ArrayFrames(frames, rate=rate))
        with caplog.at_level(logging.WARNING, "escalier"):
            open_masks(video, clip(tmp_path, None), None)
        assert ("12 frames a second where the clip has 24" in caplog.text) is said
