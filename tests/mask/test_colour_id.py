"""Masks from segmentation maps: tolerance, several ids, and no flicker."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from escalier.film import ArrayFrames
from escalier.mask import colour_id_mask, colour_id_masks, colours_in, parse_colours

WALL, FLOOR, PERSON = (120, 120, 120), (80, 50, 50), (150, 5, 61)


def segmentation(person_at: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """A map as a network paints it, and where the person is."""
    regions = np.zeros((90, 120, 3), np.uint8)
    regions[:60], regions[60:] = WALL, FLOOR
    person = np.zeros((90, 120), np.uint8)
    cv2.ellipse(person, (person_at + 20, 50), (14, 32), 0, 0, 360, 1, -1)
    regions[person > 0] = PERSON
    return regions, person > 0


def through_a_codec(picture: np.ndarray) -> np.ndarray:
    ok, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 60])
    assert ok
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    found = mask >= 0.5
    return float((found & truth).sum() / (found | truth).sum())


def test_region_is_found_exactly_in_a_clean_map() -> None:
    regions, person = segmentation()
    assert (colour_id_mask(regions, [PERSON], despeckle_px=0) == person).all()


def test_region_is_found_in_a_map_that_went_through_a_codec() -> None:
    regions, person = segmentation()
    dirty = through_a_codec(regions)
    assert overlap(colour_id_mask(dirty, [PERSON], tolerance=40), person) > 0.95
    assert overlap(colour_id_mask(dirty, [PERSON], tolerance=0, despeckle_px=0), person) < 0.5


def test_several_ids_make_one_mask() -> None:
    regions, person = segmentation()
    both = colour_id_mask(regions, [PERSON, FLOOR], despeckle_px=0)
    floor = (regions == FLOOR).all(axis=2)
    assert (both == (person | floor)).all()


def test_nearer_rival_takes_the_pixel() -> None:
    picture = np.zeros((4, 8, 3), np.uint8)
    picture[:, 4:] = (30, 0, 0)
    greedy = colour_id_mask(picture, [(0, 0, 0)], tolerance=40, despeckle_px=0)
    fair = colour_id_mask(picture, [(0, 0, 0)], rivals=[(32, 0, 0)], tolerance=40, despeckle_px=0)
    assert greedy.all()
    assert fair[:, :4].all()
    assert not fair[:, 4:].any()


def test_mixed_colours_along_a_border_are_no_region() -> None:
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[:, 20:] = (200, 200, 200)
    picture[:, 19:21] = (100, 100, 100)  # the codec's mixture looks like a third region
    assert not colour_id_mask(picture, [(100, 100, 100)], despeckle_px=2).any()
    assert colour_id_mask(picture, [(100, 100, 100)], despeckle_px=0).any()


@pytest.mark.parametrize("lost", [1, 4])
def test_region_that_is_lost_for_a_frame_keeps_its_mask(lost: int) -> None:
    maps, truth = zip(*(segmentation(30) for _ in range(6)), strict=True)
    flickering = np.stack(maps)
    flickering[lost][truth[lost]] = WALL
    masks = list(colour_id_masks(ArrayFrames(flickering), [PERSON]))
    assert overlap(masks[lost], truth[lost]) > 0.97
    alone = list(colour_id_masks(ArrayFrames(flickering), [PERSON], steady_frames=0))
    assert not alone[lost].any()


def test_region_that_moves_is_followed() -> None:
    maps, truth = zip(*(segmentation(20 + 3 * i) for i in range(8)), strict=True)
    for mask, person in zip(colour_id_masks(ArrayFrames(np.stack(maps)), [PERSON]), truth, strict=True):
        assert overlap(mask, person) > 0.95


def test_colours_of_a_map_are_listed_by_their_share() -> None:
    regions, _ = segmentation()
    listed = colours_in(through_a_codec(regions))
    assert len(listed) == 3
    for (colour, share), wanted in zip(listed, (WALL, FLOOR, PERSON), strict=True):
        assert np.abs(np.subtract(colour, wanted)).max() <= 8
        assert 0 < share < 1


def test_float_maps_are_read_alike() -> None:
    regions, _ = segmentation()
    assert (colour_id_mask(regions, [PERSON]) == colour_id_mask(regions.astype(np.float32) / 255, [PERSON])).all()


def test_masks_of_a_film_tell_their_progress_and_can_be_stopped() -> None:
    maps = ArrayFrames(np.stack([segmentation()[0]] * 4))

    def stop(done: int, total: int, mask: np.ndarray) -> None:
        assert total == 4
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(colour_id_masks(maps, [PERSON], progress=stop))


@pytest.mark.parametrize("text", ["", "#ff00", "255 0", "300 0 0", "red", "#ff0000 12"])
def test_malformed_colours_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^parse_colours: "):
        parse_colours(text)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"picture": np.zeros((4, 4), np.uint8)}, r"picture must be an RGB picture.*\(4, 4\)"),
        ({"picture": np.full((4, 4, 3), np.nan, np.float32)}, "picture must hold finite numbers"),
        ({"colours": []}, "colours must name at least one colour, got none"),
        ({"colours": [(1, 2, 256)]}, r"colours must be three numbers 0\.\.255 each, got \(1, 2, 256\)"),
        ({"tolerance": 300}, r"tolerance must be in 0\.\.255 levels, got 300"),
        ({"despeckle_px": -1}, r"despeckle_px must be in 0\.\.63 px, got -1"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_bad_maps_are_refused_by_name(change: dict, words: str) -> None:
    with pytest.raises(ValueError, match=f"^colour_id_mask: {words}"):
        colour_id_mask(**{"picture": np.zeros((4, 4, 3), np.uint8), "colours": [(0, 0, 0)], **change})
