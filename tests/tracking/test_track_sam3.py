"""What ComfyUI's SAM3 nodes hand on, written here as its own code writes it."""

from __future__ import annotations

import numpy as np
import pytest

from escalier.tracking import masks_from_sam3

HEIGHT, WIDTH = 54, 96


def packed(masks: np.ndarray) -> np.ndarray:
    """(N, objects, h, w) bool in bytes, the leftmost pixel in the lowest bit."""
    return (masks.reshape(*masks.shape[:-1], -1, 8) * (1 << np.arange(8))).sum(-1).astype(np.uint8)


@pytest.fixture
def truth() -> np.ndarray:
    """Two objects in three frames at 64x48; the second one leaves after the first frame."""
    masks = np.zeros((3, 2, 48, 64), bool)
    masks[:, 0, 10:30, 5:20] = True
    masks[0, 1, 20:40, 40:60] = True
    return masks


@pytest.fixture
def track(truth: np.ndarray) -> dict:
    return {"packed_masks": packed(truth), "orig_size": (HEIGHT, WIDTH), "scores": [0.8, 0.95], "n_frames": 3}


def test_every_object_is_where_it_was(track: dict, truth: np.ndarray) -> None:
    for number in (0, 1):
        tracked = masks_from_sam3(track, [number])
        assert tracked.masks.shape == (3, HEIGHT, WIDTH)
        for mask, true in zip(tracked.masks, truth[:, number], strict=True):
            assert mask.mean() == pytest.approx(true.mean(), abs=2e-3)
            rows, columns = np.nonzero(true)
            if len(rows):
                y, x = np.nonzero(mask > 0.5)
                assert (y.mean() + 0.5) / HEIGHT == pytest.approx((rows.mean() + 0.5) / 48, abs=0.01)
                assert (x.mean() + 0.5) / WIDTH == pytest.approx((columns.mean() + 0.5) / 64, abs=0.01)


def test_all_objects_are_joined_when_none_is_named(track: dict) -> None:
    both = masks_from_sam3(track).masks
    apart = np.maximum(masks_from_sam3(track, [0]).masks, masks_from_sam3(track, [1]).masks)
    assert np.abs(both - apart).max() < 1e-6


def test_edges_are_soft_and_masks_stay_in_range(track: dict) -> None:
    masks = masks_from_sam3(track).masks
    assert masks.dtype == np.float32
    assert ((masks > 0) & (masks < 1)).any()
    assert masks.min() >= 0
    assert masks.max() <= 1


def test_confidence_is_the_score_of_what_is_seen(track: dict) -> None:
    assert masks_from_sam3(track).confidence == pytest.approx([0.95, 0.8, 0.8])
    assert masks_from_sam3(track, [1]).confidence == pytest.approx([0.95, 0, 0])


def test_tensors_are_taken_as_well(track: dict) -> None:
    torch = pytest.importorskip("torch")
    tensors = {**track, "packed_masks": torch.from_numpy(track["packed_masks"])}
    assert np.array_equal(masks_from_sam3(tensors).masks, masks_from_sam3(track).masks)


def test_nothing_found_is_an_empty_mask_for_every_frame() -> None:
    tracked = masks_from_sam3({"packed_masks": None, "orig_size": (HEIGHT, WIDTH), "n_frames": 5, "scores": []})
    assert tracked.masks.shape == (5, HEIGHT, WIDTH)
    assert not tracked.masks.any()
    assert not tracked.confidence.any()


@pytest.mark.parametrize(
    ("change", "objects", "words"),
    [
        ({}, [2], r"objects must be in 0\.\.1, got 2; SAM3 tracked 2"),
        ({"packed_masks": None}, [0], "objects must be those that were tracked, got 0 of none"),
        ({"packed_masks": np.zeros((3, 48, 8), np.uint8)}, None, "packed_masks must be uint8"),
        ({"packed_masks": np.zeros((3, 1, 48, 8), np.float32)}, None, "packed_masks must be uint8"),
    ],
)
def test_bad_input_is_refused_by_name(track: dict, change: dict, objects: list[int] | None, words: str) -> None:
    with pytest.raises(ValueError, match=f"^masks_from_sam3: {words}"):
        masks_from_sam3({**track, **change}, objects)


def test_other_data_is_refused() -> None:
    with pytest.raises(ValueError, match=r"track must be SAM3's.*connect Run SAM3 Video Track"):
        masks_from_sam3({"masks": 1})
