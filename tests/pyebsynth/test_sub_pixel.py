"""Sub-pixel painting: where matches lie exactly, and what is copied from there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from escalier.pyebsynth import SubPixelPainter
from escalier.pyebsynth.sub_pixel import BAND_ROWS, REACH_PX, enlarged_words, keep_detail, steps_for

HEIGHT, WIDTH = 72, 96
INNER = (slice(8, -8), slice(8, -8))


def drawing(seed: int, softness: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (HEIGHT, WIDTH, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), softness)
    return np.clip(128 + 45 * soft / soft.std(), 0, 255).astype(np.uint8)


def shifted(picture: np.ndarray, dx: float, dy: float) -> np.ndarray:
    """What is seen when the picture moves to the left by dx and up by dy: the result at p is the picture at p + d."""
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32) + dx, np.arange(HEIGHT, dtype=np.float32) + dy)
    return cv2.remap(picture, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LANCZOS4)


def whole_matches() -> np.ndarray:
    return np.stack(np.mgrid[:HEIGHT, :WIDTH], axis=-1).astype(np.int32)


def as_places(nnf: np.ndarray) -> np.ndarray:
    return nnf[..., ::-1].astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("shift", [(0.3, 0.0), (0.0, -0.45), (0.5, 0.5), (-0.25, 0.45)])
def test_the_filmed_frames_say_by_what_part_of_a_pixel_they_moved(shift: tuple[float, float]) -> None:
    filmed = drawing(0, 2)
    painter = SubPixelPainter(drawing(1, 1), filmed, patch_size=5)
    places = painter.locate(shifted(filmed, *shift), whole_matches(), as_places(whole_matches()))
    found = (places - as_places(whole_matches()))[INNER]
    assert np.abs(np.median(found, axis=(0, 1)) - shift).max() < 0.08


def test_a_flat_film_leaves_matches_where_the_flow_carried_them() -> None:
    flat = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    painter = SubPixelPainter(drawing(1, 1), flat, patch_size=5)
    carried = as_places(whole_matches()) + np.float32((0.4, -0.3))
    assert np.abs(painter.locate(flat, whole_matches(), carried) - carried)[INNER].max() < 1e-3


@pytest.mark.parametrize("far", [np.nan, REACH_PX + 1, -50.0])
def test_a_carried_place_that_is_unknown_or_far_is_not_heard(far: float) -> None:
    flat = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    painter = SubPixelPainter(drawing(1, 1), flat, patch_size=5)
    places = painter.locate(flat, whole_matches(), as_places(whole_matches()) + np.float32(far))
    assert (places == as_places(whole_matches()))[INNER].all()


def test_a_place_never_leaves_the_keyframe() -> None:
    filmed = drawing(0, 2)
    painter = SubPixelPainter(filmed, filmed, patch_size=5)
    wild = np.random.default_rng(0).integers(-40, 200, (HEIGHT, WIDTH, 2)).astype(np.int32)
    places = painter.locate(drawing(3, 2), wild, as_places(wild) + np.float32(1))
    assert places.min() >= 2 and (places.max(axis=(0, 1)) <= (WIDTH - 3, HEIGHT - 3)).all()
    painter.paint(places, filmed)


def test_what_moved_by_half_a_pixel_is_painted_there_and_stays_sharp() -> None:
    filmed, style = drawing(0, 2), drawing(1, 1.2)
    painter = SubPixelPainter(style, filmed, patch_size=5)
    truth = shifted(style, 0.5, 0.25)
    places = painter.locate(shifted(filmed, 0.5, 0.25), whole_matches(), as_places(whole_matches()))
    painted = painter.paint(places, style)
    apart = np.abs(painted.astype(float) - truth)[INNER].mean()
    assert apart < 0.35 * np.abs(style.astype(float) - truth)[INNER].mean()
    assert painted[INNER].std() > 0.95 * truth[INNER].std()


def test_whole_matches_paint_the_keyframe_bit_for_bit() -> None:
    style = drawing(1, 0.5)
    painter = SubPixelPainter(style, style, patch_size=5)
    assert (painter.paint(as_places(whole_matches()), style) == style)[INNER].all()


def test_only_what_is_wanted_is_painted() -> None:
    style = drawing(1, 1)
    wanted = np.zeros((HEIGHT, WIDTH), bool)
    wanted[:, :40] = True
    painted = SubPixelPainter(style, style, patch_size=5).paint(
        as_places(whole_matches()), style * wanted[..., None], wanted
    )
    assert not painted[:, 42:].any() and painted[:, :36].any()


def test_nothing_is_brought_in_from_beyond_the_mask() -> None:
    style = drawing(1, 1)
    style[:, 48:] = (255, 0, 0)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[:, :48] = True
    matches = whole_matches()
    matches[..., 1] = np.minimum(matches[..., 1], 45)  # the last centre whose patch lies inside
    filmed = drawing(0, 2)
    other = style.copy()
    other[:, 48:] = (0, 0, 255)
    pictures = []
    for keyframe in (style, other):
        painter = SubPixelPainter(keyframe, filmed, patch_size=5).within(mask)
        places = painter.locate(shifted(filmed, 0.5, 0.5), matches, as_places(matches))
        pictures.append(painter.paint(places, np.zeros_like(style)))
    assert (places[matches[..., 1] < 40] != as_places(matches)[matches[..., 1] < 40]).any()
    assert (pictures[0] == pictures[1]).all()


def test_the_number_of_threads_changes_no_bit() -> None:
    pictures = drawing(0, 2), drawing(1, 1), shifted(drawing(0, 2), 0.4, 0.2)
    filmed, style, moved = (np.tile(picture, (6, 1, 1)) for picture in pictures)
    assert len(style) > 2 * BAND_ROWS
    matches = np.stack(np.mgrid[: len(style), :WIDTH], axis=-1).astype(np.int32)
    made = []
    for threads in (1, 2, 4):
        painter = SubPixelPainter(style, filmed, patch_size=5, threads=threads)
        places = painter.locate(moved, matches, as_places(matches))
        made.append((places, painter.paint(places, style)))
    for places, picture in made[1:]:
        assert (places == made[0][0]).all() and (picture == made[0][1]).all()


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_the_first_plane_of_the_enlarged_keyframe_is_the_keyframe(steps: int) -> None:
    style = drawing(1, 1)
    words = enlarged_words(style, steps)
    assert words.shape == (steps * steps * HEIGHT * WIDTH,)
    first = words[: HEIGHT * WIDTH].reshape(HEIGHT, WIDTH)
    for channel in range(3):
        assert ((first >> np.uint32(8 * channel)) & np.uint32(0xFF) == style[..., channel]).all()


@pytest.mark.parametrize("steps", [2, 4])
def test_the_other_planes_are_the_keyframe_moved_by_parts_of_a_pixel(steps: int) -> None:
    style = drawing(1, 1)
    planes = enlarged_words(style, steps).view(np.uint8).reshape(steps, steps, HEIGHT, WIDTH, 4)[..., :3]
    for j in range(steps):
        for i in range(steps):
            moved = shifted(style, i / steps, j / steps)
            assert np.abs(planes[j, i].astype(int) - moved)[INNER].max() <= 1


def test_large_keyframes_are_enlarged_less() -> None:
    assert [steps_for(w * h) for w, h in ((64, 64), (1280, 720), (1920, 1080), (2560, 1440), (7680, 4320))] == [
        4,
        4,
        2,
        2,
        1,
    ]


def test_detail_is_never_taken_away() -> None:
    sharp, soft = drawing(1, 0.6), drawing(1, 3)
    assert (keep_detail(sharp, soft) == sharp).all()


def test_a_filmed_frame_of_another_size_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"SubPixelPainter: source must have the style's shape \(72, 96, 3\), got \(36,"
    ):
        SubPixelPainter(drawing(0, 1), drawing(0, 1)[:36], patch_size=5)
