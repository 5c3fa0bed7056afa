"""What moves, what moves as the subject does, and where something else moves: from flows made here."""

from __future__ import annotations

import numpy as np

from escalier.tracking.moving_parts import OTHERS_FROM_PX, moving, moving_like, others_moving

SHAPE = (200, 400)


def steps(*vectors: tuple[float, float]) -> np.ndarray:
    return np.float32([vectors])


def test_a_pixel_moves_from_three_quarters_of_a_pixel_on_whatever_its_direction() -> None:
    said = moving(steps((0, 0.74), (0.75, 0), (0, -1.0), (1.5, 0), (-30, 40)))[0]
    assert said[0] == said[1] == 0 and 0.3 < said[2] < 0.4 and said[3] == said[4] == 1


def test_what_moves_as_the_subject_does_is_told_by_direction_and_speed() -> None:
    subject = steps(*[(6, 0)] * 5)
    said = moving_like(steps((6, 0), (5, 1), (0, 6), (-6, 0), (0, 0)), subject)[0]
    assert said[0] > 0.99 and 0.6 < said[1] < said[0] and said[2:].max() < 0.01


def test_what_stands_still_is_never_like_the_subject_even_where_that_stands_too() -> None:
    assert not moving_like(steps((0.2, 0)), steps((0.2, 0))).any()


def label_and_distance() -> tuple[np.ndarray, np.ndarray]:
    """The subject fills the left third; distances grow to the right."""
    columns = np.tile(np.arange(SHAPE[1], dtype=np.float32), (SHAPE[0], 1))
    return np.where(columns < 130, 1, -1).astype(np.float32), np.abs(columns - 130)


def test_something_that_moves_far_from_the_subject_is_noticed_around_it() -> None:
    label, distance = label_and_distance()
    relative = np.zeros((*SHAPE, 2), np.float32)
    relative[:, 320:] = (3, 0)
    others = others_moving(relative, label, distance)
    assert others[100, 390] == 1 and others[100, 300] > 0.5 and others[100, 180] == 0


def test_the_subject_itself_and_what_its_flow_smears_over_are_nothing_else() -> None:
    label, distance = label_and_distance()
    relative = np.zeros((*SHAPE, 2), np.float32)
    relative[(label > 0) | (distance <= OTHERS_FROM_PX)] = (8, 0)
    assert not others_moving(relative, label, distance).any()
    assert others_moving(relative, -label, distance).any()


def test_slow_drift_is_nothing_that_moves() -> None:
    label, distance = label_and_distance()
    drift = np.full((*SHAPE, 2), 1.0, np.float32)  # 1.41 px
    assert not others_moving(drift, label, distance).any()
    assert others_moving(1.1 * drift, label, distance).max() == 1
