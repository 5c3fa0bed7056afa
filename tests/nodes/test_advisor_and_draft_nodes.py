"""Advise Keyframes and Draft Propagation at work on a small film, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from escalier.keyframes import Keyframes

DRAFT = {"first_frame": 0, "frames": 0, "scale": 0.5, "colour": 6.0, "position": 2.0, "temporal": 0.5, "seed": 0}


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Twelve frames of 96x72 in which a texture moves, and a cut before the last four."""
    from escalier.film import Size, make_clip

    one, other = make_clip(Size(96, 72), 8), make_clip(Size(96, 72), 4, seed=3)
    return np.stack([one.frame(i) for i in range(8)] + [255 - other.frame(i)[::-1] for i in range(4)])


@pytest.fixture
def film(to_image: Callable, pictures: np.ndarray):
    return to_image(pictures)


@pytest.fixture
def keyframes(pictures: np.ndarray) -> Keyframes:
    return Keyframes([1, 6, 9], [255 - pictures[i] for i in (1, 6, 9)], length=len(pictures))


@pytest.fixture
def drafted(pack: SimpleNamespace, fresh_folders, film, keyframes: Keyframes):
    return pack.EscalierDraft.execute(film=film, keyframes=keyframes, **DRAFT).args


def test_a_draft_can_be_watched_and_held_against_its_source(pack: SimpleNamespace, drafted, keyframes) -> None:
    runs, video, film = drafted
    assert (video.get_dimensions(), video.get_frame_count()) == ((48, 36), 12)
    assert (film.get_dimensions(), film.get_frame_count()) == ((48, 36), 12)
    assert runs.cuts == (8,) and runs.keyframes.indices == keyframes.indices
    faded, report = pack.EscalierStaircase.execute(
        runs=runs, film=film, mode="staggered", fade_frames=0, ramp_frames=3.0, seed=0
    ).args
    assert faded.get_dimensions() == (48, 36) and "least sure" in report


def test_a_part_is_drafted_alone(pack: SimpleNamespace, fresh_folders, film, keyframes: Keyframes) -> None:
    settings = DRAFT | {"first_frame": 1, "frames": 6}
    runs, video, source = pack.EscalierDraft.execute(film=film, keyframes=keyframes, **settings).args
    assert (runs.first, runs.keyframes.indices) == (1, (0, 5))
    assert video.get_frame_count() == source.get_frame_count() == 6


def test_the_advice_on_a_draft_feeds_choose_keyframes(pack: SimpleNamespace, drafted, film) -> None:
    runs = drafted[0]
    frames, all_frames, report, picture = pack.EscalierAdviseKeyframes.execute(film=film, count=2, runs=runs).args
    assert picture.shape[0] == 1 and picture.shape[2:] == (1200, 3)
    assert "the film is cut before frame 8" in report
    numbers = [int(number) for number in frames.split(", ")]
    assert all_frames == ", ".join(map(str, sorted({1, 6, 9, *numbers})))
    chosen = pack.EscalierChooseKeyframes.execute(
        film=film, mode="list", per_second=0.5, count=0, n=48, minimum_gap=0, frames=all_frames
    ).args
    assert chosen[0].indices == tuple(sorted({1, 6, 9, *numbers})) and chosen[2] == all_frames


def test_advice_begins_from_nothing_with_a_frame_of_each_shot(pack: SimpleNamespace, film) -> None:
    frames, all_frames, report, _ = pack.EscalierAdviseKeyframes.execute(film=film, count=2).args
    first, second = (int(number) for number in frames.split(", "))
    assert first < 8 <= second and all_frames == frames
    assert report.startswith(
        f"a keyframe at frame {first} would help most, because the shot of frames 0 to 7 has none"
    ) or ("has no keyframe" in report.splitlines()[0])


def test_a_shot_without_a_keyframe_is_refused_in_the_artists_words(
    pack: SimpleNamespace, fresh_folders, film, pictures: np.ndarray
) -> None:
    one = Keyframes([1], [pictures[1]], length=len(pictures))
    with pytest.raises(
        ValueError, match="Draft Propagation: keyframes must show every shot, got none in frames 8 to 11"
    ):
        pack.EscalierDraft.execute(film=film, keyframes=one, **DRAFT)
    runs = pack.EscalierDraft.execute(film=film, keyframes=one, stop_at_cuts=False, **DRAFT).args[0]
    assert runs.cuts == ()


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"first_frame": 12}, r"Draft Propagation: the part must lie in the film's frames 0\.\.11, got 12"),
        ({"first_frame": 2, "frames": 3}, "the part must hold a keyframe, got none in frames 2 to 4; .* at 1, 6, 9"),
        ({"frames": 13}, r"the part must lie in the film's frames 0\.\.11, got 0 to 12"),
    ],
)
def test_impossible_parts_are_refused(pack: SimpleNamespace, film, keyframes, settings: dict, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        pack.EscalierDraft.execute(film=film, keyframes=keyframes, **(DRAFT | settings))


def test_where_no_keyframe_would_help_nothing_is_chosen_and_nothing_fails(
    pack: SimpleNamespace, to_image, pictures
) -> None:
    one = Keyframes([0], [pictures[0]], length=1)
    frames, all_frames, report, _ = pack.EscalierAdviseKeyframes.execute(
        film=to_image(pictures[:1]), count=1, keyframes=one
    ).args
    assert type(frames).__name__ == "ExecutionBlocker" and frames.message is None
    assert all_frames == "0" and "one more would hardly help" in report


def test_no_frames_at_all_are_refused_by_choose_keyframes(pack: SimpleNamespace, film) -> None:
    settings = {"mode": "list", "per_second": 0.5, "count": 0, "n": 48, "minimum_gap": 0}
    with pytest.raises(ValueError, match="Choose Keyframes: frames must be given for mode 'list', got none; name them"):
        pack.EscalierChooseKeyframes.execute(film=film, frames=" ", **settings)


def test_keyframes_of_another_film_are_refused_by_the_advisor(pack: SimpleNamespace, film, pictures) -> None:
    other = Keyframes([20], [pictures[0]], length=30)
    with pytest.raises(
        ValueError, match=r"Advise Keyframes: keyframes must belong to a film of 12 frames, got .* of 30"
    ):
        pack.EscalierAdviseKeyframes.execute(film=film, count=1, keyframes=other)
