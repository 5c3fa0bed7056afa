"""Which colours belong to the subject here, and which to what is around it: in pictures of known colours."""

from __future__ import annotations

import numpy as np

from escalier.tracking.colour_model import ColourSample, LocalColours

SHAPE = (48, 240)
RED, GREEN, BLUE = (200, 40, 40), (40, 160, 60), (40, 60, 200)
EVERYWHERE = np.ones(SHAPE, bool)


def picture(*bands: tuple[int, int, int]) -> np.ndarray:
    """Bands of colour from left to right."""
    width = SHAPE[1] // len(bands)
    return np.repeat(np.uint8(bands)[None], width, axis=1).repeat(SHAPE[0], axis=0)


def odds(samples: list[ColourSample], seen: np.ndarray) -> np.ndarray:
    lab = ColourSample.of(seen, np.zeros(SHAPE)).lab
    return LocalColours(samples).log_odds(lab, EVERYWHERE).reshape(SHAPE)


def test_the_same_red_is_the_subject_here_and_the_set_there() -> None:
    seen = picture(RED, GREEN, RED)
    known = np.zeros(SHAPE, np.float32)
    known[:24, :80], known[:24, 160:] = 1, -1
    said = odds([ColourSample.of(seen, known)], seen)
    assert said[30:, :60].min() > 1 and said[30:, 180:].max() < -1  # below what was known, too


def test_a_colour_that_nobody_knows_is_given_no_opinion() -> None:
    seen = picture(RED, GREEN, BLUE)
    known = np.zeros(SHAPE, np.float32)
    known[:, :80], known[:, 80:160] = 1, -1
    said = odds([ColourSample.of(seen, known)], seen)
    assert np.abs(said[:, 200:]).max() < 1e-6
    assert said[:, :60].min() > 1 and said[:, 100:140].max() < -1


def test_how_surely_a_pixel_is_known_counts() -> None:
    seen = picture(RED, RED)
    known = np.zeros(SHAPE, np.float32)
    known[::2], known[1::2] = 0.9, -0.1
    strong = odds([ColourSample.of(seen, known)], seen)[24, 60]
    known[1::2] = -0.9
    even = odds([ColourSample.of(seen, known)], seen)[24, 60]
    assert strong > 2 and abs(even) < 0.2


def test_what_earlier_frames_knew_adds_to_this_one() -> None:
    seen = picture(RED, GREEN)
    nothing = ColourSample.of(seen, np.zeros(SHAPE, np.float32))
    earlier = ColourSample.of(seen, np.where(np.arange(SHAPE[1]) < 120, 1, -1) * np.ones(SHAPE, np.float32))
    assert np.abs(odds([nothing], seen)).max() < 1e-6
    said = odds([nothing, earlier], seen)
    assert said[:, :90].min() > 1 and said[:, 150:].max() < -1


def test_only_the_pixels_asked_about_are_answered_in_their_order() -> None:
    seen = picture(RED, GREEN)
    sample = ColourSample.of(seen, np.where(np.arange(SHAPE[1]) < 120, 1, -1) * np.ones(SHAPE, np.float32))
    where = np.zeros(SHAPE, bool)
    where[3, [10, 230]] = True
    answered = LocalColours([sample]).log_odds(sample.lab, where)
    assert answered.shape == (2,) and answered[0] > 1 > -1 > answered[1]


def test_a_part_of_a_sample_is_that_part_of_the_picture() -> None:
    sample = ColourSample.of(picture(RED, GREEN), np.ones(SHAPE))
    part = sample.part((slice(0, 4), slice(100, 140)))
    assert part.lab.shape == (4, 40, 3) and part.known.shape == (4, 40) and part.known.dtype == np.float32
    assert np.array_equal(part.lab[0, 0], sample.lab[0, 0]) and np.array_equal(part.lab[0, -1], sample.lab[0, -1])
