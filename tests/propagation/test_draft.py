"""A draft is a propagation, only smaller: of the whole film or of a part, with the same result object."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from escalier.coherence import advise_keyframes, measure_film
from escalier.film import ArrayFrames, Size, make_clip
from escalier.keyframes import Keyframes, paint_picture
from escalier.propagation import Guides, Runs, Staircase, draft_film, make_draft

LENGTH, PLACES = 16, (2, 7, 13)


@pytest.fixture(scope="module")
def film() -> ArrayFrames:
    clip = make_clip(Size(256, 160), LENGTH)
    return ArrayFrames(np.stack([clip.frame(i) for i in range(LENGTH)]), rate=12)


@pytest.fixture(scope="module")
def keyframes(film: ArrayFrames) -> Keyframes:
    return Keyframes(PLACES, [paint_picture(film.frame(i), "poster") for i in PLACES], LENGTH)


@pytest.fixture(scope="module")
def runs(film, keyframes, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return make_draft(film, keyframes, folder=tmp_path_factory.mktemp("draft"), threads=2)


@pytest.mark.slow
def test_the_whole_film_comes_back_at_a_quarter_of_its_size(runs: Runs, film: ArrayFrames) -> None:
    assert (runs.size, len(runs), runs.rate) == (Size(64, 40), LENGTH, 12)
    assert (runs.keyframes.indices, runs.first, runs.whole) == (PLACES, 0, LENGTH)
    assert Staircase(runs).frame(5).shape == (40, 64, 3)


@pytest.mark.slow
def test_a_draft_looks_like_the_painted_film_made_small(runs: Runs, film: ArrayFrames) -> None:
    staircase = Staircase(runs)
    small = draft_film(ArrayFrames(np.stack([paint_picture(film.frame(i), "poster") for i in (4, 10)])))
    for number, index in enumerate((4, 10)):
        assert np.abs(staircase.frame(index).astype(int) - small.frame(number)).mean() < 12


def test_the_meter_and_the_advisor_work_on_a_draft(runs: Runs, film: ArrayFrames) -> None:
    measured = measure_film(draft_film(film), Staircase(runs))
    assert measured.figures["warp_error"] is not None and measured.figures["ghosting_kept"] is not None
    advice = advise_keyframes(film, runs=runs, measurement=measured, count=1)
    assert advice.keyframes == PLACES


@pytest.mark.slow
def test_a_part_is_counted_from_its_own_beginning(film, keyframes, runs: Runs, tmp_path: Path) -> None:
    part = make_draft(film, keyframes, folder=tmp_path, start=7, stop=14, threads=2)
    assert (len(part), part.keyframes.indices, part.first, part.whole) == (7, (0, 6), 7, LENGTH)
    for index in (8, 10, 12):
        # The same keyframes, film and seed make another drawing: the seed counts frames from the part's beginning.
        apart = np.abs(Staircase(part).frame(index - 7).astype(int) - Staircase(runs).frame(index))
        assert apart.mean() < 8
    assert advise_keyframes(film, runs=part, count=1).keyframes == (7, 13)


@pytest.mark.slow
def test_masks_and_guides_are_made_small_too(film, keyframes, tmp_path: Path) -> None:
    clip = make_clip(Size(256, 160), LENGTH)
    masks = np.stack([clip.matte(i) for i in range(LENGTH)])
    guides = Guides().with_guide("depth", film, 1.0, keyframes.pictures)
    part = make_draft(film, keyframes, folder=tmp_path, start=6, stop=9, masks=masks, guides=guides, threads=1)
    assert len(part.forward[1]) == 2


def test_cuts_are_told_in_the_numbers_of_the_whole_film(film, keyframes, tmp_path: Path) -> None:
    part = make_draft(film, keyframes, folder=tmp_path, start=5, stop=14, cuts=[3, 10], threads=2)
    assert part.cuts == (5,)


def test_a_cancel_leaves_nothing_half_written(film, keyframes, tmp_path: Path) -> None:
    def cancel(done: int, total: int, picture: np.ndarray | None = None) -> None:
        if picture is not None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_draft(film, keyframes, folder=tmp_path, threads=1, progress=cancel)
    assert not [path for path in tmp_path.rglob("*") if "part" in path.name]


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"scale": 0}, "scale must lie above 0 and at most at 1, got 0; 0.25 is a quarter"),
        ({"scale": 2}, "scale must lie above 0 and at most at 1, got 2"),
        ({"start": 9, "stop": 9}, r"the part must lie in the film's frames 0\.\.15, got 9 to 8"),
        ({"stop": 17}, r"the part must lie in the film's frames 0\.\.15, got 0 to 16; choose a first frame"),
        ({"start": 8, "stop": 12}, "the part must hold a keyframe, got none in frames 8 to 11; .* at 2, 7, 13"),
        ({"masks": np.zeros((3, 160, 256))}, "make_draft: mask must hold 1 or 16 masks"),
    ],
)
def test_what_cannot_be_drafted_is_refused(film, keyframes, tmp_path: Path, settings: dict, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        make_draft(film, keyframes, folder=tmp_path, **settings)


def test_keyframes_of_another_film_are_refused(film, keyframes, tmp_path: Path) -> None:
    other = Keyframes([0], [np.zeros((80, 128, 3), np.uint8)], LENGTH)
    with pytest.raises(ValueError, match=r"keyframes must belong to a film of 16 frames of 256x160 .* of 128x80"):
        make_draft(film, other, folder=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("length", [1, 6], ids=["one frame", "all black"])
def test_films_without_anything_to_follow_are_drafted(film, tmp_path: Path, length: int) -> None:
    black = ArrayFrames(np.zeros((length, 160, 256, 3), np.uint8))
    runs = make_draft(black, Keyframes([0], [film.frame(0)], length), folder=tmp_path, threads=1)
    assert len(runs) == length and runs.cuts == ()
    assert np.isfinite(runs.confidence()).all()
