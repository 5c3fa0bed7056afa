"""The clip made by code: the same for the same arguments, and true about its own motion."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from escalier.film import FrameSource, MovingClip, Size, make_clip


@pytest.fixture(scope="module")
def clip() -> MovingClip:
    return make_clip(Size(240, 136), length=24, grain=0.0)


def warped_back(clip: MovingClip, index: int, other: int) -> np.ndarray:
    """Frame `other` seen from frame `index`, by the clip's own flow."""
    flow = clip.flow(index, other)
    y, x = np.mgrid[0 : clip.size.height, 0 : clip.size.width].astype(np.float32)
    return cv2.remap(clip.frame(other), x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)


def test_it_is_a_film(clip: MovingClip) -> None:
    assert isinstance(clip, FrameSource)
    assert (len(clip), clip.size, clip.rate) == (24, Size(240, 136), 24)
    assert clip.frame(0).shape == (136, 240, 3) and clip.frame(0).dtype == np.uint8


def test_same_arguments_same_bits_whatever_the_threads(clip: MovingClip) -> None:
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        alone = make_clip(Size(240, 136), length=24, grain=2.0)
        frames = [alone.frame(i) for i in range(6)]
        cv2.setNumThreads(4)
        again = make_clip(Size(240, 136), length=24, grain=2.0)
        with ThreadPoolExecutor(3) as pool:
            others = list(pool.map(again.frame, reversed(range(6))))[::-1]
    finally:
        cv2.setNumThreads(threads)
    assert all(np.array_equal(a, b) for a, b in zip(frames, others, strict=True))


def test_another_seed_is_another_clip(clip: MovingClip) -> None:
    other = make_clip(Size(240, 136), length=24, grain=0.0, seed=1)
    assert np.abs(other.frame(0).astype(int) - clip.frame(0)).mean() > 3


@pytest.mark.parametrize("index", [0, 7, 12, 22])
@pytest.mark.parametrize("step", [1, -1, 3])
def test_flow_leads_each_visible_pixel_to_the_same_surface(clip: MovingClip, index: int, step: int) -> None:
    other = int(np.clip(index + step, 0, 23))
    seen = cv2.erode(clip.visible(index, other).astype(np.uint8), np.ones((3, 3))) > 0
    difference = np.abs(warped_back(clip, index, other).astype(int) - clip.frame(index)).mean(axis=-1)
    standing = np.abs(clip.frame(other).astype(int) - clip.frame(index)).mean(axis=-1)
    moved = np.hypot(*np.moveaxis(clip.flow(index, other), -1, 0)) > 1.5
    # What is left is sampling, and the man's shadow that travels over the set.
    assert np.median(difference[seen]) < 2.5 and difference[seen].mean() < 2.3 + 0.7 * abs(step)
    assert index == other or difference[seen & moved].mean() < 0.4 * standing[seen & moved].mean()


def test_flow_there_and_back_again_is_nothing(clip: MovingClip) -> None:
    there, back, seen = clip.flow(5, 9), clip.flow(9, 5), clip.visible(5, 9)
    y, x = np.mgrid[0:136, 0:240].astype(np.float32)
    returned = there + cv2.remap(back, x + there[..., 0], y + there[..., 1], cv2.INTER_LINEAR)
    # Within a stiff part the way is affine, so even the interpolation is exact; edges between parts are a few percent.
    distance = np.hypot(returned[..., 0], returned[..., 1])[seen]
    assert np.quantile(distance, 0.94) < 0.01
    assert np.abs(clip.flow(5, 5)).max() < 1e-9 and clip.visible(5, 5).all()


def test_matte_covers_the_man_and_nothing_else(clip: MovingClip) -> None:
    matte = clip.matte(12)
    assert matte.dtype == np.float32 and matte.min() >= 0 and matte.max() <= 1
    assert 0.15 < matte.mean() < 0.5
    assert ((matte > 0.02) & (matte < 0.98)).mean() < 0.03
    flow = clip.flow(12, 13)
    assert flow[matte > 0.99][:, 0].mean() > 2 and np.abs(flow[matte < 0.01]).max() < 1.5


def test_the_man_crosses_the_room_and_uncovers_the_set(clip: MovingClip) -> None:
    columns = np.arange(240)
    middles = [float((clip.matte(i) * columns).sum() / clip.matte(i).sum()) for i in range(24)]
    assert (np.diff(middles) > 0).all() and middles[-1] - middles[0] > 0.3 * 240
    for index in range(1, 24):
        hidden = ~clip.visible(index, index - 1)
        assert 0.002 < hidden.mean() < 0.08


def test_the_visitor_appears_at_the_given_frame_and_not_before() -> None:
    clip = make_clip(Size(240, 136), length=20, uncover_at=8, grain=0.0)
    seen = [int(clip.visitor(i).sum()) for i in range(20)]
    assert not any(seen[:8]) and seen[8] > 50 and min(seen[11:]) > 400
    plain = make_clip(Size(240, 136), length=20, grain=0.0)
    assert not plain.visitor(15).any()
    # It is a face that the set without a visitor does not show, at the place that visitor() gives.
    difference = np.abs(clip.frame(19).astype(int) - plain.frame(19)).mean(axis=-1)
    assert difference[clip.visitor(19)].mean() > 25


def test_grain_has_the_strength_that_was_asked_for() -> None:
    still = {"length": 2, "drift": 0.0}
    clean, noisy = make_clip(Size(128, 72), grain=0.0, **still), make_clip(Size(128, 72), grain=3.0, **still)
    noise = noisy.frame(1).astype(int) - clean.frame(1)
    middle = (clean.frame(1) > 20) & (clean.frame(1) < 235)
    assert noise[middle].std() == pytest.approx(3.0, rel=0.1) and abs(noise[middle].mean()) < 0.15
    assert not np.array_equal(noise, noisy.frame(0).astype(int) - clean.frame(0))


def test_a_tripod_keeps_the_set_still() -> None:
    clip = make_clip(Size(128, 72), length=6, drift=0.0)
    assert not clip.flow(0, 5)[clip.matte(0) < 0.01].any()


@pytest.mark.slow
@pytest.mark.parametrize("size", [(271, 153), (72, 128), (100, 100), (241, 100), (32, 32)], ids=str)
@pytest.mark.parametrize("uncover_at", [None, 1], ids=["", "with a visitor"])
def test_any_shape_of_frame_will_do(size: tuple[int, int], uncover_at: int | None) -> None:
    clip = make_clip(Size(*size), length=2, uncover_at=uncover_at)
    assert clip.frame(1).shape == (size[1], size[0], 3)
    assert 0.03 < clip.matte(1).mean() < 0.6 and clip.frame(1).std() > 20
    assert uncover_at is None or clip.visitor(1).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": Size(16, 90)}, "size must be at least 32x32, got 16x90"),
        ({"length": 0}, "length must be at least 1 frame, got 0"),
        ({"length": 5, "uncover_at": 5}, "uncover_at must be 0 to 4, got 5"),
        ({"grain": -1.0}, "grain must be >= 0 levels, got -1.0"),
        ({"rate": 0}, "rate must be above 0 frames per second, got 0"),
    ],
)
def test_what_cannot_be_made_is_refused(arguments, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_clip(**arguments)


@pytest.mark.parametrize("index", [-1, 24])
def test_a_frame_past_the_end_is_refused(clip: MovingClip, index: int) -> None:
    for call in (clip.frame, clip.matte, clip.visitor, lambda i: clip.flow(0, i), lambda i: clip.visible(i, 0)):
        with pytest.raises(IndexError, match=f"index must be 0 to 23, got {index}"):
            call(index)
