"""Line boil: an exact cycle that loops to the bit, and nothing changed outside the mask."""

from __future__ import annotations

import numpy as np
import pytest

from escalier.boiling import Boil
from escalier.film import ArrayFrames


def still_redraw(seed: int, frames: int) -> ArrayFrames:
    picture = np.random.default_rng(seed).integers(0, 256, (20, 24, 3), np.uint8)
    return ArrayFrames(np.repeat(picture[None], frames, axis=0))


def numbered(offset: int, frames: int) -> ArrayFrames:
    return ArrayFrames(
        (offset + np.arange(frames, dtype=np.uint8))[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    )


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("hold", [1, 2, 3])
def test_the_cycle_is_exact_and_loops_to_the_bit(count: int, hold: int) -> None:
    frames = 24
    boil = Boil([still_redraw(seed, frames) for seed in range(count)], hold)
    assert boil.period == count * hold
    shown = [boil.frame(index).tobytes() for index in range(frames)]
    assert all(shown[index] == shown[(index + boil.period) % len(shown)] for index in range(frames - boil.period))
    smaller = [p for p in range(1, boil.period) if all(shown[i] == shown[i + p] for i in range(frames - p))]
    assert smaller == []
    if frames % boil.period == 0:
        assert all(shown[index] == shown[(index + boil.period) % frames] for index in range(frames))


def test_each_frame_is_that_frame_of_the_redraw_whose_turn_it_is() -> None:
    boil = Boil([numbered(0, 9), numbered(100, 9), numbered(200, 9)], hold=2)
    shown = [int(boil.frame(i)[0, 0, 0]) for i in range(9)]
    assert shown == [0, 1, 102, 103, 204, 205, 6, 7, 108]


def test_single_pictures_loop_over_one_cycle() -> None:
    boil = Boil([still_redraw(seed, 1) for seed in range(3)], hold=3)
    assert len(boil) == boil.period == 9
    assert [boil.redraw_at(i) for i in range(9)] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
@pytest.mark.parametrize("masks", [1, 6])
def test_outside_the_mask_the_first_redraw_is_seen_bit_for_bit(kind: type, masks: int) -> None:
    levels = np.random.default_rng(3).integers(0, 256, (3, 6, 20, 24, 3), np.uint8)
    films = [ArrayFrames(film if kind is np.uint8 else film.astype(np.float32) / 255) for film in levels]
    mask = np.zeros((masks, 20, 24), np.float32)
    mask[:, 5:15, 6:18] = 1
    mask[:, 4, 6:18] = 0.5
    boil = Boil(films, hold=1, masks=mask)
    outside, inside = mask[0] == 0, mask[0] == 1
    for index in range(6):
        assert (boil.frame(index)[outside] == films[0].frame(index)[outside]).all()
        assert (boil.frame(index)[inside] == films[index % 3].frame(index)[inside]).all()
    assert not (boil.frame(1)[4, 6:18] == films[0].frame(1)[4, 6:18]).all()


@pytest.mark.parametrize(
    ("frames", "hold", "sentence"),
    [
        (12, 2, "2 redraws, each held for 2 frames: a cycle of 4. The film is 3 whole cycles long: the boil loops"),
        (13, 2, "The film ends 1 frame into a cycle; cut to 12 it loops."),
        (3, 2, "The film ends 3 frames into a cycle."),
        (2, 1, "each held for 1 frame: a cycle of 2. The film is 1 whole cycle long"),
    ],
)
def test_the_cycle_is_told_in_words(frames: int, hold: int, sentence: str) -> None:
    assert sentence in Boil([still_redraw(0, frames), still_redraw(1, frames)], hold).describe()


@pytest.mark.parametrize(
    ("films", "arguments", "message"),
    [
        ([still_redraw(0, 6)], {}, "redraws must be at least 2, got 1; vary the keyframes"),
        ([still_redraw(0, 6), still_redraw(1, 5)], {}, "one length and size, got 5 frames of 24x20 for redraw 2 and 6"),
        ([still_redraw(0, 6), numbered(0, 6)], {}, "got 6 frames of 4x4 for redraw 2 and 6 of 24x20"),
        ([still_redraw(0, 6)] * 2, {"hold": 0}, "hold must be 1 to 12 frames, got 0; 2 is usual"),
        ([still_redraw(0, 6)] * 2, {"masks": np.zeros((4, 20, 24))}, "mask must hold 1 or 6 masks, .* got 4"),
        ([still_redraw(0, 6)] * 2, {"masks": np.zeros((6, 10, 12))}, "must be a single channel of 24x20, got 12x10"),
    ],
)
def test_redraws_that_do_not_belong_together_are_refused(films: list, arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"Boil: .*{message}"):
        Boil(films, **arguments)


def test_a_frame_outside_the_film_is_refused() -> None:
    with pytest.raises(IndexError, match=r"Boil: index must lie in 0\.\.5, got 6"):
        Boil([still_redraw(0, 6), still_redraw(1, 6)]).frame(6)
