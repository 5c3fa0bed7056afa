"""A subject set into another room, against films whose matte, colours and motion are known."""

from __future__ import annotations

import itertools
import logging
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.composite import (
    Blending,
    Machine,
    Placing,
    blend_layers,
    estimate_foreground,
    measure_untouched,
    place_subject,
    place_subject_film,
    poisson_blend,
)
from escalier.composite.steady_colours import SteadyColours
from escalier.film import ArrayFrames, Film, Motion, Size
from escalier.refusals import Refusal

SIZE = (120, 160)
FRAMES = 6
GRAIN = 1.5
ROOMS = {"dark": (25, 22, 30), "bright": (235, 232, 228), "coloured": (40, 60, 200)}


def picture(seed: int, colour: tuple[int, int, int], contrast: float = 1.0, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Broad and fine patches around a colour, float32 0..1."""
    rng = np.random.default_rng(seed)
    painted = np.ones((*size, 3), np.float32) * np.float32(colour)
    for cells, amplitude in ((4, 20), (12, 12), (48, 8)):
        patches = rng.standard_normal((cells, cells, 3)).astype(np.float32)
        painted += contrast * amplitude * cv2.resize(patches, size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(painted, 0, 255) / np.float32(255)


class HairyFilm:
    """A body with hair under motion blur passes through a room: frames, mattes and her colours, all known."""

    def __init__(self, step_px: float = 3.3, blur_px: int = 8) -> None:
        times = 4
        height, width = (side * times for side in SIZE)
        drawn = np.zeros((height, width), np.uint8)
        unit = height // 100
        for x, y, a, b, angle in ((0, 30, 10, 12, 0), (0, 62, 14, 24, 8), (18, 52, 19, 4, -25), (-18, 54, 19, 4, 30)):
            centre, axes = (width // 2 + x * unit, y * unit), (a * unit, b * unit)
            cv2.ellipse(drawn, centre, axes, angle, 0, 360, 255, -1)
        rng = np.random.default_rng(5)
        for angle, length in zip(rng.uniform(np.pi, 2 * np.pi, 70), rng.uniform(14, 22, 70), strict=True):
            tip = width // 2 + int(np.cos(angle) * length * unit), 30 * unit + int(np.sin(angle) * length * unit)
            cv2.line(drawn, (width // 2, 30 * unit), tip, 255, int(rng.integers(2, 5)))
        cover = drawn.astype(np.float32)[..., None] / 255
        still = np.concatenate([picture(7, (120, 85, 75), 0.8, (height, width)) * cover, cover], axis=2)
        self.room = picture(2, (150, 120, 70), 1.3)
        self.shifts = [(index - FRAMES / 2) * step_px for index in range(FRAMES)]
        self.mattes = np.zeros((FRAMES, *SIZE), np.float32)
        self.colours = np.zeros((FRAMES, *SIZE, 3), np.float32)
        self.frames = np.zeros((FRAMES, *SIZE, 3), np.uint8)
        for index, shift in enumerate(self.shifts):
            blurred = np.mean([self._moved(still, shift + at, times) for at in np.linspace(-0.5, 0.5, 7) * blur_px], 0)
            seen = cv2.resize(blurred, SIZE[::-1], interpolation=cv2.INTER_AREA)
            matte = seen[..., 3]
            grain = rng.standard_normal((*SIZE, 3)).astype(np.float32) * np.float32(GRAIN / 255)
            self.mattes[index] = np.where(matte > 0.998, 1, np.where(matte < 0.002, 0, matte))
            self.colours[index] = np.clip(seen[..., :3] / np.maximum(seen[..., 3:], 1e-3) + grain, 0, 1)
            share = self.mattes[index][..., None]
            mixed = share * self.colours[index] + (1 - share) * np.clip(self.room + grain, 0, 1)
            self.frames[index] = np.rint(mixed * 255)

    @staticmethod
    def _moved(still: np.ndarray, across_px: float, times: int) -> np.ndarray:
        matrix = np.array([[1, 0, across_px * times], [0, 1, 0]], np.float32)
        return cv2.warpAffine(still, matrix, still.shape[1::-1])

    def plate(self) -> np.ndarray:
        return np.rint(self.room * 255).astype(np.uint8)

    def jitter(self, colours: list[np.ndarray]) -> float:
        """How much colours in the soft band change from frame to frame along the known motion, weighted by matte."""
        total = weight = 0.0
        for (before, after), (one, other), (start, end) in zip(
            *(itertools.pairwise(films) for films in (colours, self.mattes, self.shifts)), strict=True
        ):
            moved, matte = self._moved(before, end - start, 1), np.minimum(self._moved(one, end - start, 1), other)
            band = np.where((matte > 0.05) & (matte < 0.95), matte, 0)
            total += float((np.abs(after - moved).mean(axis=2) * band).sum())
            weight += float(band.sum())
        return total / weight


@pytest.fixture(scope="module")
def hairy() -> HairyFilm:
    return HairyFilm()


class Plate(Film):
    """One picture of any shape, as a film of somebody else may hand it out."""

    def __init__(self, picture: np.ndarray) -> None:
        self.picture = picture

    def __len__(self) -> int:
        return 1

    @property
    def size(self) -> Size:
        return Size.of(self.picture)

    @property
    def rate(self) -> Fraction:
        return Fraction(25)

    def frame(self, index: int) -> np.ndarray:
        return self.picture


def levels(colour: tuple[int, int, int], seed: int = 40) -> np.ndarray:
    return np.rint(picture(seed, colour, 0.4) * 255).astype(np.uint8)


def in_lab(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(frame.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2Lab)


@pytest.fixture(scope="module", params=ROOMS)
def placed(request: pytest.FixtureRequest, hairy: HairyFilm) -> tuple[HairyFilm, np.ndarray, np.ndarray]:
    """The film, one of three rooms, and the film placed in it at the defaults."""
    room = levels(ROOMS[request.param])
    frames = place_subject_film(ArrayFrames(hairy.frames), ArrayFrames(room[None]), hairy.mattes)
    return hairy, room, np.stack([*frames])


def test_body_keeps_its_colours_in_every_region(placed) -> None:
    film, _, result = placed
    means, regions = [], []
    for source, after, matte in zip(film.frames, result, film.mattes, strict=True):
        body = (matte == 1).astype(np.float32)
        change = np.linalg.norm(in_lab(after) - in_lab(source), axis=2) * body
        means.append(change.sum() / body.sum())
        count = cv2.boxFilter(body, -1, (12, 12), normalize=False)
        sums = cv2.boxFilter(change, -1, (12, 12), normalize=False)
        regions.append((sums / np.maximum(count, 1))[count > 36].max())
    assert max(means) <= 4.3  # the dial's 4, and rounding
    assert min(means) > 2  # the room is seen on her
    assert max(regions) <= 8


def test_light_clips_nothing_and_keeps_the_drawing(placed) -> None:
    film, room, result = placed
    for source, after, matte in zip(film.frames, result, film.mattes, strict=True):
        body = matte == 1
        clipped = [((frame == 0) | (frame == 255)).any(axis=2)[body].mean() for frame in (source, after)]
        assert clipped[1] <= clipped[0] + 0.01
        assert measure_untouched(after, source, room, body).gradient_change < 1


def test_light_does_not_flicker(placed) -> None:
    film, _, result = placed
    means = [
        [in_lab(frame)[matte == 1].mean(axis=0) for frame, matte in zip(frames, film.mattes, strict=True)]
        for frames in (film.frames, result)
    ]
    own, after = (np.linalg.norm(np.diff(mean, axis=0), axis=1) for mean in means)
    assert (after - own).max() <= 0.3


def test_no_bit_changes_where_the_matte_is_empty(placed) -> None:
    film, room, result = placed
    for after, matte in zip(result, film.mattes, strict=True):
        assert (after[matte == 0] == room[matte == 0]).all()


@pytest.mark.parametrize(("with_plate", "share_of_cut", "share_of_mixed"), [(True, 0.1, 0.2), (False, 0.25, 0.6)])
def test_hair_and_blur_show_her_own_colours(
    hairy: HairyFilm, with_plate: bool, share_of_cut: float, share_of_mixed: float
) -> None:
    room, own_light = picture(30, (40, 60, 190)), Placing(light=0)
    errors = np.zeros(3)
    for frame, matte, colours in zip(hairy.frames, hairy.mattes, hairy.colours, strict=True):
        share, band = matte[..., None], (matte > 0.02) & (matte < 0.98)
        truth = share * colours + (1 - share) * room
        source = frame / np.float32(255)
        plate = hairy.plate() if with_plate else None
        results = (
            place_subject(frame, room, matte, own_light, old_room=plate),
            np.where(share >= 0.5, source, room),
            blend_layers(room, source, matte),
        )
        errors += [np.abs(result - truth)[band].mean() for result in results]
    assert errors[0] < share_of_cut * errors[1]
    assert errors[0] < share_of_mixed * errors[2]


def test_her_colours_are_as_calm_as_they_are(hairy: HairyFilm) -> None:
    truth = hairy.jitter([*hairy.colours])
    known, alone = (
        [estimate_foreground(*one, plate) for one in zip(hairy.frames, hairy.mattes, strict=True)]
        for plate in (hairy.plate(), None)
    )
    steady = SteadyColours()
    calmed = [steady.next(index, *one) for index, one in enumerate(zip(alone, hairy.mattes, strict=True))]
    assert hairy.jitter(known) <= 1.2 * truth
    assert hairy.jitter(calmed) <= 1.2 * truth < hairy.jitter(alone)
    before, after = (
        sum(
            np.abs(colour - true)[(matte > 0.05) & (matte < 1)].mean()
            for colour, true, matte in zip(colours, hairy.colours, hairy.mattes, strict=True)
        )
        for colours in (alone, calmed)
    )
    assert after < before


def test_colours_are_not_remembered_over_frames_without_her(hairy: HairyFilm) -> None:
    alone = estimate_foreground(hairy.frames[3], hairy.mattes[3])
    steady = SteadyColours()
    steady.next(0, np.zeros_like(alone), hairy.mattes[0])
    assert np.abs(steady.next(3, alone, hairy.mattes[3]) - alone).max() < 1e-5


def test_steadying_a_film_changes_only_hair_and_blur(hairy: HairyFilm) -> None:
    room, plate = levels(ROOMS["dark"]), hairy.plate()
    film = ArrayFrames(hairy.frames), ArrayFrames(room[None])
    steady = [*place_subject_film(*film, hairy.mattes, Placing(light=0), old_room=ArrayFrames(plate[None]))]
    for index, (after, matte) in enumerate(zip(steady, hairy.mattes, strict=True)):
        alone = place_subject(hairy.frames[index], room, matte, Placing(light=0), old_room=plate)
        hard = (matte == 0) | (matte == 1)
        assert (alone[hard] == after[hard]).all()
        assert (alone != after)[~hard].any() == (index > 0)


def test_a_film_gives_the_old_room_itself(hairy: HairyFilm) -> None:
    """She hides none of it in all frames: without a plate hair and blur come out as with one."""
    film = HairyFilm(step_px=24)
    new, errors = picture(30, (40, 60, 190)), []
    for old_room in (ArrayFrames(film.plate()[None]), None):
        placed = place_subject_film(
            ArrayFrames(film.frames), ArrayFrames(new[None]), film.mattes, Placing(light=0), old_room=old_room
        )
        for after, matte, colours in zip(placed, film.mattes, film.colours, strict=True):
            right = matte[..., None] * colours + (1 - matte[..., None]) * new
            errors.append(np.abs(after - right)[(matte > 0.02) & (matte < 0.98)].mean())
    assert sum(errors[FRAMES:]) < 1.2 * sum(errors[:FRAMES])


def test_colours_are_estimated_where_the_old_room_is_not_known(hairy: HairyFilm) -> None:
    frame, matte, plate = hairy.frames[2], hairy.mattes[2], hairy.plate()
    left = np.arange(SIZE[1]) < SIZE[1] // 2
    spoilt = np.where(left[:, None], np.uint8(0), plate)
    unseen = np.broadcast_to(left, SIZE)
    half = estimate_foreground(frame, matte, spoilt, unseen)
    alone, known = estimate_foreground(frame, matte), estimate_foreground(frame, matte, plate)
    band = (matte > 0.05) & (matte < 1)
    assert np.abs(half - alone)[band & unseen].max() < 0.01
    right = band & (np.arange(SIZE[1]) > SIZE[1] // 2 + 12)
    assert np.abs(half - known)[right].mean() < 0.01


def test_motion_of_another_film_is_refused(hairy: HairyFilm, tmp_path: Path) -> None:
    film, room = ArrayFrames(hairy.frames), ArrayFrames(hairy.plate()[None])
    motion = Motion(ArrayFrames(hairy.frames[:3]), tmp_path)
    with pytest.raises(Refusal, match="motion must be that of the source, 6 frames of 160x120, got 3 frames"):
        place_subject_film(film, room, hairy.mattes, motion=motion)


def test_shadow_on_the_plate_is_not_taken_for_her_colour(hairy: HairyFilm) -> None:
    band = (hairy.mattes[2] > 0.1) & (hairy.mattes[2] < 0.9)
    errors = [
        np.abs(estimate_foreground(hairy.frames[2], hairy.mattes[2], plate) - hairy.colours[2])[band].mean()
        for plate in (hairy.plate(), np.rint(hairy.room * 230).astype(np.uint8))
    ]
    assert errors[1] < 1.5 * errors[0]


def test_known_colours_come_back_exactly_where_they_are_even() -> None:
    matte = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (48, 1))
    her, behind = np.float32((0.8, 0.5, 0.4)), np.float32((0.1, 0.3, 0.7))
    shown = matte[..., None] * her + (1 - matte[..., None]) * behind
    for plate in (None, np.broadcast_to(behind, shown.shape).copy()):
        assert np.abs(estimate_foreground(shown, matte, plate) - her)[matte > 0.05].max() < 0.02


def test_colours_are_the_pictures_where_nothing_is_soft(hairy: HairyFilm) -> None:
    estimated, source = estimate_foreground(hairy.frames[0], hairy.mattes[0]), hairy.frames[0] / np.float32(255)
    pure = (hairy.mattes[0] == 0) | (hairy.mattes[0] == 1)
    assert (estimated[pure] == source[pure]).all()
    assert (estimate_foreground(hairy.frames[0], hairy.mattes[0] > 0.5) == source).all()


@pytest.mark.parametrize("light", [0.0, 0.5, 1.0])
def test_room_like_the_old_one_gives_the_film_back(hairy: HairyFilm, light: float) -> None:
    plate = hairy.plate()
    after = place_subject(hairy.frames[1], plate, hairy.mattes[1], Placing(light=light), old_room=plate)
    change = np.abs(after.astype(int) - hairy.frames[1])[hairy.mattes[1] == 1]
    assert change.max() <= 1


def test_all_the_light_is_poisson_blending(hairy: HairyFilm) -> None:
    hard, room = hairy.mattes[0] > 0.5, picture(41, (90, 60, 120))
    source = hairy.frames[0] / np.float32(255)
    after = place_subject(source, room, hard, Placing(light=1))
    assert (
        np.abs(after - poisson_blend(source, room, hard, Blending(screening=0.0), machine=Machine("cpu"))).max() < 1e-5
    )


def test_light_grows_with_its_dial_up_to_the_cap(hairy: HairyFilm) -> None:
    room, body = levels(ROOMS["dark"]), hairy.mattes[0] == 1
    source = hairy.frames[0]

    def shift(**dials: float) -> float:
        after = place_subject(source, room, hairy.mattes[0], Placing(**dials))
        return float(np.linalg.norm(in_lab(after) - in_lab(source), axis=2)[body].mean())

    none, some, gentle, full = (shift(light=light) for light in (0.0, 0.25, 0.5, 1.0))
    assert none == 0
    assert none < some < gentle < full
    assert shift(most_delta_e=8) == pytest.approx(8, abs=0.3)


def test_light_of_a_film_is_calmer_than_that_of_its_frames(hairy: HairyFilm) -> None:
    flashing = np.stack([levels(ROOMS["dark" if index % 2 else "bright"]) for index in range(FRAMES)])

    def step(steady_frames: float) -> float:
        placing = Placing(steady_frames=steady_frames)
        films = place_subject_film(ArrayFrames(hairy.frames), ArrayFrames(flashing), hairy.mattes, placing)
        means = [in_lab(frame)[matte == 1].mean(axis=0) for frame, matte in zip(films, hairy.mattes, strict=True)]
        return float(np.linalg.norm(np.diff(means, axis=0), axis=1).max())

    assert step(12) < 0.5
    assert step(0) > 4


def test_frames_without_her_are_the_room_and_others_keep_their_light(hairy: HairyFilm) -> None:
    mattes, room = hairy.mattes.copy(), levels(ROOMS["dark"])
    mattes[3:] = 0
    result = [*place_subject_film(ArrayFrames(hairy.frames), ArrayFrames(room[None]), mattes)]
    assert all((frame == room).all() for frame in result[3:])
    body = mattes[2] == 1
    change = np.linalg.norm(in_lab(result[2]) - in_lab(hairy.frames[2]), axis=2)[body].mean()
    assert 2 < change < 5


def test_a_thin_and_blurred_subject_is_lit_too(hairy: HairyFilm) -> None:
    matte = np.zeros(SIZE, np.float32)
    matte[40:80, 80] = 0.6
    lit, own = (
        place_subject(hairy.frames[0], levels(ROOMS["dark"]), matte, Placing(light=light)) for light in (0.5, 0.0)
    )
    assert (lit[40:80, 80] != own[40:80, 80]).any()


def test_film_without_her_says_so(hairy: HairyFilm, caplog: pytest.LogCaptureFixture) -> None:
    films = ArrayFrames(hairy.frames[:2]), ArrayFrames(hairy.plate()[None])
    with caplog.at_level(logging.WARNING, "escalier"):
        result = [*place_subject_film(*films, np.zeros((1, *SIZE), np.float32))]
    assert "the mask shows no subject in any of 2 frames: the film is the room alone" in caplog.text
    assert all((frame == hairy.plate()).all() for frame in result)


def test_subject_who_leaves_for_good_is_told_and_the_rest_is_the_room(
    hairy: HairyFilm, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    film, mattes = ArrayFrames(hairy.frames), hairy.mattes.copy()
    mattes[4:] = 0
    with caplog.at_level(logging.WARNING, "escalier"):
        result = [
            *place_subject_film(film, ArrayFrames(levels(ROOMS["dark"])[None]), mattes, motion=Motion(film, tmp_path))
        ]
    assert "no subject in 2 of 6 frames, the first of them 4: they are the room alone" in caplog.text
    assert all((frame == levels(ROOMS["dark"])).all() for frame in result[4:])
    assert (result[3] != levels(ROOMS["dark"])).any()


def test_matte_without_an_opaque_pixel_is_told(hairy: HairyFilm, caplog: pytest.LogCaptureFixture) -> None:
    film, room = ArrayFrames(hairy.frames), ArrayFrames(hairy.plate()[None])
    with caplog.at_level(logging.WARNING, "escalier"):
        whole = [*place_subject_film(film, room, hairy.mattes)]
    assert caplog.text == "" and len(whole) == FRAMES
    with caplog.at_level(logging.WARNING, "escalier"):
        faint = [*place_subject_film(film, room, hairy.mattes * np.float32(0.6))]
    assert "the mask is nowhere opaque, at most 0.60 in 6 frames: the room shows through" in caplog.text
    assert np.isfinite(np.stack(faint)).all()


@pytest.mark.parametrize("name", ["room", "old_room"])
@pytest.mark.parametrize("shape", [(60, 80, 3), (*SIZE, 4)], ids=["smaller", "RGBA"])
def test_film_with_a_plate_that_does_not_fit_is_refused(
    hairy: HairyFilm, name: str, shape: tuple[int, int, int]
) -> None:
    film, plate = ArrayFrames(hairy.frames), ArrayFrames(hairy.plate()[None])
    with pytest.raises(Refusal, match=f"{name} must be (160x120 like the source, got 80x60|an RGB picture .* RGBA)"):
        given = {"room": plate, "old_room": plate, name: Plate(np.zeros(shape, np.uint8))}
        next(place_subject_film(film, given["room"], hairy.mattes, old_room=given["old_room"]))


def test_full_and_faint_mattes_are_placed(hairy: HairyFilm) -> None:
    room = hairy.plate()
    assert (place_subject(hairy.frames[0], room, np.ones(SIZE, bool)) == hairy.frames[0]).all()
    faint = place_subject(hairy.frames[0], room, np.full(SIZE, 0.2, np.float32))
    assert np.abs(faint.astype(int) - room).max() <= 255 * 0.2 + 1


def test_result_has_the_type_of_the_room(hairy: HairyFilm) -> None:
    assert place_subject(hairy.frames[0], hairy.room, hairy.mattes[0]).dtype == np.float32
    assert place_subject(hairy.room, hairy.frames[0], hairy.mattes[0]).dtype == np.uint8


def test_progress_counts_both_passes(hairy: HairyFilm) -> None:
    films: tuple[ArrayFrames, ArrayFrames] = ArrayFrames(hairy.frames), ArrayFrames(hairy.plate()[None])
    told: list[tuple[float, float, bool]] = []

    def report(done: float, total: float, picture: np.ndarray | None = None) -> None:
        told.append((done, total, picture is not None))

    assert len([*place_subject_film(*films, hairy.mattes, progress=report)]) == FRAMES
    assert told == [(done, 2 * FRAMES, done > FRAMES) for done in range(1, 2 * FRAMES + 1)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"room": np.zeros((60, 80, 3), np.uint8)}, "room must be 160x120 like the source, got 80x60"),
        ({"matte": np.zeros((60, 80))}, "mask must be 160x120 like the picture, got 80x60"),
        ({"old_room": np.zeros((60, 80, 3), np.uint8)}, "old_room must be 160x120 like the source, got 80x60"),
        ({"source": np.zeros((*SIZE, 4), np.uint8)}, "source must be an RGB picture .*, got an RGBA picture"),
        ({"matte": np.full(SIZE, 2.0)}, "mask must lie in 0..1, got 2 to 2"),
    ],
    ids=["room", "matte", "old room", "RGBA", "levels"],
)
def test_what_does_not_fit_is_refused(hairy: HairyFilm, change: dict, words: str) -> None:
    given = {"source": hairy.frames[0], "room": hairy.plate(), "matte": hairy.mattes[0], "old_room": None} | change
    with pytest.raises(Refusal, match=f"^place_subject: {words}"):
        place_subject(**given)


def test_films_of_other_lengths_are_refused(hairy: HairyFilm) -> None:
    film, room = ArrayFrames(hairy.frames), ArrayFrames(hairy.plate()[None])
    with pytest.raises(Refusal, match="mask must have 1 or 6 frames, got 4"):
        place_subject_film(film, room, hairy.mattes[:4])
    with pytest.raises(Refusal, match="old_room must have 1 or 6 frames, got 3"):
        place_subject_film(film, room, hairy.mattes, old_room=ArrayFrames(hairy.frames[:3]))
