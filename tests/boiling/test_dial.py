"""The dial: still at one end, redrawn on every frame at the other, and the meter rises all the way between."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.boiling import Curve, Dial
from escalier.boiling.dial import redraw_frames
from escalier.coherence import measure_film
from escalier.film import ArrayFrames, Motion, Size, make_clip, warp

LENGTH = 31


def strokes(size: Size, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((size.height, size.width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5)
    return 22 * smooth / smooth.std()


class Shot:
    """A filmed clip, a still restyle whose strokes follow its exact motion, and one redrawn on every frame."""

    def __init__(self, folder: Path) -> None:
        clip = make_clip(Size(176, 100), length=LENGTH)
        filmed = [clip.frame(i) for i in range(LENGTH)]
        flat = [cv2.bilateralFilter(frame, 7, 40, 5).astype(np.float32) for frame in filmed]
        middle = LENGTH // 2
        carried = [warp(strokes(clip.size, 99), clip.flow(i, middle).astype(np.float32)) for i in range(LENGTH)]
        self.film = ArrayFrames(np.stack(filmed))
        self.still = self.painted([one + own for one, own in zip(flat, carried, strict=True)])
        self.redrawn = self.painted([one + strokes(clip.size, i) for i, one in enumerate(flat)])
        self.masks = np.stack([clip.matte(i) for i in range(LENGTH)])
        self.motion = Motion(self.film, folder, preset="fast")

    @staticmethod
    def painted(frames: list[np.ndarray]) -> ArrayFrames:
        return ArrayFrames(np.clip(np.stack(frames), 0, 255).astype(np.uint8))

    def dial(self, amount: float | Curve, **dials: object) -> Dial:
        return Dial(self.still, self.redrawn, amount, motion=self.motion, **dials)  # type: ignore[arg-type]

    def warp_error(self, film: object) -> float:
        error = measure_film(self.film, film, motion=self.motion).regions["whole"].figures["warp_error"]  # type: ignore[arg-type]
        assert error is not None
        return error


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    return Shot(tmp_path_factory.mktemp("motion"))


def level(amount: float) -> Curve:
    return Curve(((0, amount),))


@pytest.mark.slow
def test_warp_error_rises_at_eleven_settings_of_the_dial(shot: Shot) -> None:
    errors = [shot.warp_error(shot.dial(tenth / 10)) for tenth in range(11)]
    assert all(after > before for before, after in itertools.pairwise(errors)), errors
    assert errors[0] == shot.warp_error(shot.still)
    assert errors[-1] == shot.warp_error(shot.redrawn)
    assert errors[-1] > 5 * errors[0]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["linear", "smoothstep"])
def test_warp_error_rises_with_every_fade_and_also_below_the_longest_hold(shot: Shot, mode: str) -> None:
    errors = [shot.warp_error(shot.dial(amount, mode=mode)) for amount in (0.05, 0.2, 0.6)]
    assert all(after > before for before, after in itertools.pairwise(errors)), errors


def test_at_zero_every_frame_is_the_still_one_and_at_one_the_redrawn_one(shot: Shot) -> None:
    still, redrawn = shot.dial(0), shot.dial(1.0)
    for index in range(LENGTH):
        assert (still.frame(index) == shot.still.frame(index)).all()
        assert (redrawn.frame(index) == shot.redrawn.frame(index)).all()


def test_a_redraw_is_seen_whole_when_it_is_due(shot: Shot) -> None:
    dial = shot.dial(0.2)
    assert dial.redraws == tuple(range(0, LENGTH, 5))
    for index in range(LENGTH):
        whole = bool((dial.frame(index) == shot.redrawn.frame(index)).all())
        assert whole == (index % 5 == 0)


def test_between_two_redraws_their_strokes_go_along_with_the_motion(shot: Shot) -> None:
    dial = shot.dial(0.25, mode="linear")
    for index in (9, 11):
        key = 8 if index == 9 else 12
        flow = shot.motion.flow(index, key)
        seen = shot.motion.valid(index, key)
        strokes_there = warp(shot.redrawn.frame(key).astype(np.float32) - shot.still.frame(key), flow)[seen]
        strokes_here = (dial.frame(index).astype(np.float32) - shot.still.frame(index))[seen]
        # Three quarters of this redraw and a quarter of the next, which knows nothing of it.
        assert np.corrcoef(strokes_here.ravel(), strokes_there.ravel())[0, 1] > 0.75


@pytest.mark.parametrize("amount", [0.05, 0.3, 1.0])
def test_outside_the_mask_the_still_film_is_seen_bit_for_bit(shot: Shot, amount: float) -> None:
    dial = shot.dial(amount, masks=shot.masks)
    for index in range(0, LENGTH, 4):
        outside, inside = shot.masks[index] == 0, shot.masks[index] == 1
        frame = dial.frame(index)
        assert (frame[outside] == shot.still.frame(index)[outside]).all()
        assert (frame[inside] != shot.still.frame(index)[inside]).any()


def test_one_mask_stands_for_the_whole_film_and_grey_mixes(shot: Shot) -> None:
    mask = np.zeros((1, 100, 176), np.float32)
    mask[0, :50], mask[0, 50:75] = 1, 0.5
    frame = shot.dial(1.0, masks=mask).frame(7)
    still, redrawn = shot.still.frame(7), shot.redrawn.frame(7)
    assert (frame[:50] == redrawn[:50]).all()
    assert (frame[75:] == still[75:]).all()
    assert np.abs(frame[50:75] - (still[50:75] / 2 + redrawn[50:75] / 2)).max() <= 0.5


def test_a_curve_begins_still_and_ends_redrawn(shot: Shot) -> None:
    dial = shot.dial(Curve(((6, 0.0), (24, 1.0))))
    for index in range(7):
        assert (dial.frame(index) == shot.still.frame(index)).all()
    for index in range(24, LENGTH):
        assert (dial.frame(index) == shot.redrawn.frame(index)).all()
    gaps = np.diff([index for index in dial.redraws if index >= 7])
    assert (np.diff(gaps) <= 1).all() and gaps[-1] == 1


def test_float_films_stay_float_and_keep_their_bits(shot: Shot) -> None:
    still, redrawn = (ArrayFrames(np.random.default_rng(seed).random((5, 40, 48, 3), np.float32)) for seed in (1, 2))
    mask = np.zeros((1, 40, 48), np.float32)
    mask[0, :20] = 1
    for amount in (0.5, 1.0):
        dial = Dial(still, redrawn, amount, motion=Motion(still, shot.motion.folder.parent), masks=mask)
        for index in range(5):
            assert dial.frame(index).dtype == np.float32
            assert (dial.frame(index)[20:] == still.frame(index)[20:]).all()


def test_any_order_of_asking_gives_the_same_frames(shot: Shot) -> None:
    dial, again = shot.dial(0.3), shot.dial(0.3)
    backwards = {index: dial.frame(index) for index in (17, 3, 9, 2)}
    assert all((again.frame(index) == backwards[index]).all() for index in sorted(backwards))


@pytest.mark.parametrize("length", [1, 2])
def test_the_shortest_films_have_a_dial_too(tmp_path: Path, length: int) -> None:
    still, redrawn = (ArrayFrames(np.full((length, 40, 48, 3), grey, np.uint8)) for grey in (50, 200))
    dial = Dial(still, redrawn, 0.5, motion=Motion(still, tmp_path))
    assert int(dial.frame(0).mean()) == 200
    assert int(dial.frame(length - 1).mean()) == 200


@pytest.mark.parametrize("tenths", range(1, 11))
def test_so_many_frames_are_redrawn_as_the_dial_says(tenths: int) -> None:
    due = redraw_frames(level(tenths / 10), 201, longest=12)
    assert len(due) - 1 == 20 * tenths
    assert max(np.diff(due)) - min(np.diff(due)) <= 1


def test_below_the_longest_hold_redraws_grow_fainter_not_rarer(shot: Shot) -> None:
    assert redraw_frames(level(0.01), 49, longest=12) == (0, 12, 24, 36, 48)
    assert [shot.dial(a, longest=10).opacity(3) for a in (0.0, 0.05, 0.1, 0.4)] == pytest.approx([0, 0.5, 1, 1])


def test_the_setting_is_told_in_words(shot: Shot) -> None:
    assert shot.dial(0).describe() == f"amount 0: none of the {LENGTH} frames is redrawn"
    assert shot.dial(0.25).describe().startswith(f"8 of {LENGTH} frames are redrawn, one in 3.9: 0, 4, 8, 12")


def test_films_that_do_not_belong_together_are_refused(shot: Shot, tmp_path: Path) -> None:
    short = ArrayFrames(np.zeros((3, 100, 176, 3), np.uint8))
    small = ArrayFrames(np.zeros((LENGTH, 50, 88, 3), np.uint8))
    with pytest.raises(ValueError, match=r"redrawn film must have 31 frames of 176x100 .* got 3 frames of 176x100"):
        Dial(shot.still, short, 0.5, motion=shot.motion)
    with pytest.raises(ValueError, match=r"Dial: redrawn film must have .* got 31 frames of 88x50; make the film from"):
        Dial(shot.still, small, 0.5, motion=shot.motion)
    with pytest.raises(ValueError, match=r"Dial: motion must have 31 frames .* got 3 frames"):
        Dial(shot.still, shot.redrawn, 0.5, motion=Motion(short, tmp_path))


@pytest.mark.parametrize(
    ("amount", "dials", "message"),
    [
        (1.5, {}, r"amounts must lie in 0\.\.1, got 1\.5"),
        (0.5, {"mode": "swirl"}, r"Dial: mode must be one of staggered, .*got swirl"),
        (0.5, {"longest": 0}, "Dial: longest must be at least 1 frame, got 0"),
        (0.5, {"fade_frames": -1}, "Dial: fade_frames must be >= 0, got -1"),
        (0.5, {"ramp_frames": -1}, "Dial: ramp_frames must be >= 0, got -1"),
        (0.5, {"masks": np.zeros((7, 100, 176))}, "Dial: mask must hold 1 or 31 masks, one for each frame, got 7"),
        (0.5, {"masks": np.zeros((1, 50, 88))}, "Dial: mask must be a single channel of 176x100, got 88x50"),
    ],
)
def test_a_dial_that_cannot_be_set_is_refused(shot: Shot, amount: float, dials: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        shot.dial(amount, **dials)


def test_a_frame_outside_the_film_is_refused(shot: Shot) -> None:
    with pytest.raises(IndexError, match=r"Dial: index must lie in 0\.\.30, got 31"):
        shot.dial(0.5).frame(31)
