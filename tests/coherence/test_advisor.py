"""The advisor finds what no keyframe shows, says why, and what it says helps: on films that know their own truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.coherence import Advice, Measurement, Suggestion, advise_keyframes, draw_advice, measure_film
from escalier.coherence.run_trouble import measured_trouble
from escalier.film import ArrayFrames, FolderFrames, Motion, Size, make_clip
from escalier.keyframes import Keyframes, evenly, paint_picture
from escalier.propagation import Runs, Staircase, propagate

WIDTH, HEIGHT = 96, 54


def acted(length: int, *, size: Size | None = None, uncover_at: int | None = None, seed: int = 0) -> np.ndarray:
    clip = make_clip(size or Size(WIDTH, HEIGHT), length, seed=seed, uncover_at=uncover_at)
    return np.stack([clip.frame(i) for i in range(length)])


def panned(position: np.ndarray) -> ArrayFrames:
    """A camera over a wide scene of soft forms: at frame t it stands position[t] pixels to the right."""
    wide = int(position.max()) + WIDTH
    noise = np.random.default_rng(2).integers(0, 256, (9, wide // 6, 3), np.uint8)
    scene = cv2.resize(noise, (wide, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return ArrayFrames(np.stack([scene[:, x : x + WIDTH] for x in position]))


def seen_from(position: np.ndarray, chosen: tuple[int, ...]) -> float:
    """The part of the film's pixels that lie in the field of view of one of the chosen frames."""
    x = position[:, None] + np.arange(WIDTH)
    return float(np.any([(x >= position[k]) & (x < position[k] + WIDTH) for k in chosen], axis=0).mean())


def still(length: int = 30) -> ArrayFrames:
    return ArrayFrames(np.stack([acted(1)[0]] * length))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("length", "uncover_at", "keyframes"),
    [(40, 20, (0,)), (40, 20, (0, 10, 18)), (48, 24, (0, 20)), (72, 50, (0, 24, 47))],
)
def test_the_first_suggestion_is_within_two_frames_of_the_uncovering_of_a_face(
    length: int, uncover_at: int, keyframes: tuple[int, ...], tmp_path: Path
) -> None:
    film = ArrayFrames(acted(length, size=Size(240, 136), uncover_at=uncover_at))
    advice = advise_keyframes(film, motion=Motion(film, tmp_path), keyframes=keyframes, count=1)
    assert abs(advice.suggestions[0].frame - uncover_at) <= 2
    assert "of the picture is newly uncovered" in advice.suggestions[0].reason


@pytest.mark.slow
def test_a_face_that_is_covered_is_found_from_the_other_side(tmp_path: Path) -> None:
    """The same film backwards, with its keyframe at the end: the face is last seen 20 frames before that."""
    film = ArrayFrames(acted(40, size=Size(240, 136), uncover_at=20)[::-1].copy())
    advice = advise_keyframes(film, motion=Motion(film, tmp_path), keyframes=(39,), count=1)
    assert abs(advice.suggestions[0].frame - 19) <= 2


TRIPOD = make_clip(Size(160, 96), 26, uncover_at=12, drift=0)


@pytest.fixture(scope="module")
def uncovered(tmp_path_factory: pytest.TempPathFactory) -> tuple[ArrayFrames, Motion, Path]:
    film = ArrayFrames(np.stack([TRIPOD.frame(i) for i in range(26)]))
    folder = tmp_path_factory.mktemp("runs")
    return film, Motion(film, folder), folder


def painted_runs(film: ArrayFrames, motion: Motion, folder: Path, places: tuple[int, ...]) -> Runs:
    keyframes = Keyframes(places, [paint_picture(film.frame(i), "poster") for i in places], len(film))
    return propagate(film, keyframes, folder=folder, motion=motion, threads=2)


@pytest.fixture(scope="module")
def before(uncovered) -> Runs:
    return painted_runs(*uncovered, places=(4,))


@pytest.mark.slow
def test_adding_the_suggested_keyframe_lowers_the_long_lag_error_of_the_face_and_paints_it_right(
    uncovered, before: Runs
) -> None:
    """Of the face, not of the picture: elsewhere the new keyframe brings a fade, which the long lag sees."""
    film, motion, folder = uncovered
    advice = advise_keyframes(film, motion=motion, runs=before, count=1)
    after = painted_runs(film, motion, folder, advice.all_frames)
    face = np.stack([TRIPOD.visitor(i) for i in range(len(film))])
    long_lag, wrong = [], []
    for runs in (before, after):
        measured = measure_film(film, Staircase(runs), motion=motion, masks=face.astype(np.float32))
        long_lag.append(measured.regions["inside"].figures["warp_error_long"])
        apart = [
            np.abs(Staircase(runs).frame(i).astype(int) - paint_picture(film.frame(i), "poster"))[face[i]].mean()
            for i in range(14, len(film))
        ]
        wrong.append(np.mean(apart))
    assert long_lag[1] < 0.5 * long_lag[0]
    assert wrong[1] < 0.5 * wrong[0]


@pytest.mark.slow
def test_with_the_runs_of_a_draft_lost_confidence_counts(uncovered, before: Runs) -> None:
    film, motion, _ = uncovered
    advice = advise_keyframes(film, motion=motion, runs=before, count=1)
    assert advice.keyframes == (4,)
    without = advise_keyframes(film, motion=motion, keyframes=(4,), count=1)
    assert (advice.missing >= without.missing - 1e-6).all() and advice.missing.mean() > without.missing.mean()
    assert "confidence fell" in advice.suggestions[0].reason or "uncovered" in advice.suggestions[0].reason


@pytest.mark.slow
def test_two_runs_that_disagree_ask_for_a_keyframe_between_them(uncovered, before: Runs) -> None:
    """Keyframes of opposite colours on a film that stands still: nothing is uncovered, and the runs disagree."""
    film = still(24)
    _, _, folder = uncovered
    pictures = [film.frame(0), 255 - film.frame(0)]
    runs = propagate(film, Keyframes([2, 21], pictures, 24), folder=folder, threads=2)
    suggestion = advise_keyframes(film, runs=runs, count=1).suggestions[0]
    assert 6 <= suggestion.frame <= 17
    assert "the two runs disagree over" in suggestion.reason


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3, 4, 6])
def test_it_sees_more_than_an_even_spread_of_as_many_keyframes(count: int) -> None:
    position = np.concatenate([np.zeros(20), np.linspace(0, 3 * WIDTH, 30), np.full(70, 3 * WIDTH)]).astype(int)
    film = panned(position)
    advised = advise_keyframes(film, count=count).frames
    assert len(advised) <= count
    assert seen_from(position, advised) > seen_from(position, evenly(len(film), count)) + 0.01


@pytest.mark.slow
def test_a_shot_without_a_keyframe_comes_first_the_longest_before_the_others() -> None:
    film = ArrayFrames(np.concatenate([acted(12), 255 - acted(5, seed=3)[:, ::-1], acted(9, seed=4)[..., ::-1] // 2]))
    advice = advise_keyframes(film, keyframes=[3], count=2)
    assert advice.cuts == (12, 17)
    assert [advice.suggestions[0].frame in range(17, 26), advice.suggestions[1].frame in range(12, 17)] == [True] * 2
    assert advice.suggestions[0].reason == "the shot of frames 17 to 25 has no keyframe"
    assert advice.bare_shots == ()
    one = advise_keyframes(film, keyframes=[3], count=1)
    assert one.bare_shots == ((12, 16),)
    assert "still without a keyframe: the shots of frames 12 to 16" in str(one)


def test_what_is_said_and_drawn_counts_as_the_plates_do_and_frames_from_0(tmp_path: Path) -> None:
    film = ArrayFrames(np.concatenate([acted(12), 255 - acted(5, seed=3)[:, ::-1], acted(9, seed=4)[..., ::-1] // 2]))
    for index in range(len(film)):
        cv2.imwrite(str(tmp_path / f"plate_{index + 1001}.png"), film.frame(index)[..., ::-1])
    plates = FolderFrames(tmp_path, rate=24)
    plain, counted = (advise_keyframes(source, keyframes=[3], count=1) for source in (film, plates))
    assert (plain.first, counted.first) == (0, 1001)
    assert (counted.frames, counted.cuts, counted.bare_shots) == (plain.frames, (12, 17), ((12, 16),))
    said = str(counted)
    assert f"a keyframe at frame {plain.frames[0] + 1001} would help most" in said
    assert "because the shot of frames 1018 to 1026 has no keyframe" in said
    assert "the film is cut before frames 1013, 1018" in said and "the shots of frames 1013 to 1017" in said
    assert (draw_advice(counted, plates) != draw_advice(replace(counted, first=0), plates)).any()
    measured = measure_film(film, film, first=1)
    assert advise_keyframes(film, keyframes=[3], measurement=measured, count=1).first == 1


def test_hard_cuts_everywhere_are_told_as_shots_without_keyframes() -> None:
    film = ArrayFrames(np.random.default_rng(0).integers(0, 256, (7, HEIGHT, WIDTH, 3), np.uint8))
    advice = advise_keyframes(film, keyframes=[2], count=3)
    assert len(advice.cuts) == 6 and len(advice.frames) == 3 and len(advice.bare_shots) == 3


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 3])
def test_without_motion_keyframes_are_shared_out(count: int) -> None:
    advice = advise_keyframes(still(60), count=count)
    edges = [-60 / count / 2, *advice.frames, 60 + 60 / count / 2]
    assert len(advice.frames) == count
    assert np.diff(edges).max() <= 1.5 * 60 / count
    assert advice.suggestions[0].reason == "there is none yet"


def test_a_film_far_from_its_only_keyframe_is_told_the_distance() -> None:
    suggestion = advise_keyframes(still(60), keyframes=[0], count=1).suggestions[0]
    assert suggestion.reason == f"the nearest one is {suggestion.frame} frames away"
    assert 25 <= suggestion.frame <= 50


def test_all_black_gives_an_answer_without_nan() -> None:
    advice = advise_keyframes(ArrayFrames(np.zeros((20, HEIGHT, WIDTH, 3), np.uint8)), keyframes=[0], count=2)
    assert advice.frames and np.isfinite(advice.missing).all() and "nan" not in str(advice)


def test_one_frame_needs_one_keyframe() -> None:
    film = ArrayFrames(acted(1))
    assert advise_keyframes(film, count=1).frames == (0,)
    done = advise_keyframes(film, keyframes=[0], count=1)
    assert done.frames == () and done.all_frames == (0,)
    assert str(done) == "the keyframes hold 100 % of the film; one more would hardly help"
    assert draw_advice(done, film).shape[1] == 1200


def test_suggestions_keep_their_distance_and_reckon_with_one_another() -> None:
    position = np.linspace(0, 2 * WIDTH, 60).astype(int)
    advice = advise_keyframes(panned(position), keyframes=[0], count=4)
    assert (np.diff(advice.all_frames) >= 4).all()
    assert (advice.missing_after <= advice.missing + 1e-6).all()
    gains = [suggestion.gain for suggestion in advice.suggestions]
    assert sum(gains) == pytest.approx(float((advice.missing - advice.missing_after).mean()), abs=1e-4)


@pytest.mark.slow
def test_a_jump_in_the_measurement_draws_the_suggestion_to_it() -> None:
    film = still(60)
    measured: Measurement = measure_film(film, film)
    curve = np.full(60, 1.0)
    curve[44] = 9.0
    jumped = replace(
        measured,
        regions={"whole": replace(measured.regions["whole"], curves=measured.curves | {"visible_change": curve})},
    )
    assert measured_trouble(jumped)[[43, 44, 45, 46]].tolist() == [1, 9, 9, 1]
    plain, drawn = (advise_keyframes(film, keyframes=[0, 59], measurement=m, count=1) for m in (None, jumped))
    assert plain.missing[44] < drawn.missing[44] == 1
    assert plain.missing[10] == drawn.missing[10]


def test_a_measurement_without_any_change_says_nothing_against_a_frame() -> None:
    film = still(8)
    assert measured_trouble(measure_film(film, film)).tolist() == [1.0] * 8


def test_progress_rises_to_its_total_and_a_cancel_goes_through() -> None:
    told: list[tuple[int, int]] = []
    advise_keyframes(still(12), count=1, progress=lambda *done: told.append(done))
    assert told == sorted(told) and told[-1][0] == told[-1][1]

    def cancel(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        advise_keyframes(still(12), count=1, progress=cancel)


def test_the_picture_shows_the_suggested_frames_over_the_curve() -> None:
    film = ArrayFrames(np.stack([np.full((HEIGHT, WIDTH, 3), (7, 99, 211), np.uint8)] * 40))
    advice: Advice = advise_keyframes(film, keyframes=[0], count=2)
    sheet = draw_advice(advice, film)
    thumbnails = (sheet == (7, 99, 211)).all(axis=-1)
    assert thumbnails.sum() > 2 * 100 * 150
    assert not thumbnails[-200:].any()
    assert draw_advice(replace(advice, suggestions=()), film).shape[0] < sheet.shape[0]


@pytest.mark.parametrize("length", [600, 12])
def test_the_picture_has_room_for_many_suggestions(length: int) -> None:
    film = still(length)
    indices = evenly(length, min(length // 2, 40))
    advice = Advice(
        tuple(Suggestion(index, 0.1, "there is none yet") for index in indices),
        (),
        np.ones(length, np.float32),
        np.zeros(length, np.float32),
        (),
        (),
    )
    assert draw_advice(advice, film).shape[1] == 1200


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"count": 0}, r"count must lie in 1\.\.12, the film's length, got 0"),
        ({"count": 13}, r"count must lie in 1\.\.12, the film's length, got 13"),
        ({"keyframes": [3, 12]}, r"advise_keyframes: indices must lie in 0\.\.11, got 12"),
        ({"keyframes": [5, 3]}, "indices must rise, got 3 after 5"),
        (
            {"keyframes": Keyframes([2], [np.zeros((4, 4, 3), np.uint8)], 20)},
            "keyframes must belong to a film of 12 frames, got keyframes of one of 20; choose them from the same clip",
        ),
    ],
)
def test_refusals(settings: dict, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        advise_keyframes(still(12), **{"count": 1, **settings})


def test_what_belongs_to_another_film_is_refused(before: Runs, tmp_path: Path) -> None:
    film, other = still(12), still(9)
    with pytest.raises(ValueError, match="runs must be those of a film of 12 frames, got runs of one of 26; connect"):
        advise_keyframes(film, runs=before)
    with pytest.raises(ValueError, match="motion must be that of a film of 12 frames, got one of 9; measure it"):
        advise_keyframes(film, motion=Motion(other, tmp_path))
    with pytest.raises(ValueError, match="measurement must be that of a film of 12 frames, got one of 9"):
        advise_keyframes(film, measurement=measure_film(other, other))
