"""The nodes that hold, pick, vary, boil and dial: what they hand on, and what they refuse by name."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from escalier.keyframes import Keyframes

DIAL = {"curve": "", "mode": "staggered", "fade_frames": 0, "ramp_frames": 3.0, "longest": 12, "seed": 0}


@pytest.fixture
def film(to_image: Callable, clip: np.ndarray):
    return to_image(clip)


@pytest.fixture
def redrawn(to_image: Callable, clip: np.ndarray):
    return to_image(np.random.default_rng(4).integers(0, 256, clip.shape, np.uint8))


def same(images, others) -> bool:
    return bool((images == others).all())


def test_set_cadence_holds_frames_and_keeps_the_count(pack: SimpleNamespace, film) -> None:
    (video,) = pack.EscalierCadence.execute(film, every=4, phase=0).args
    images = video.get_components().images
    assert video.get_frame_count() == 6
    assert all(same(images[i], film[kept]) for i, kept in enumerate([0, 0, 0, 0, 4, 4]))


def test_set_cadence_refuses_a_phase_beyond_its_step(pack: SimpleNamespace, film) -> None:
    with pytest.raises(ValueError, match=r"^Set Cadence: phase must be 0 to 1 frames, got 2"):
        pack.EscalierCadence.execute(film, every=2, phase=2)


def test_picked_frames_come_back_to_the_exact_count_through_comfyuis_own_node(
    pack: SimpleNamespace, film, to_image: Callable
) -> None:
    images, multiplier, indices = pack.EscalierPickFrames.execute(film, 2).args
    assert (multiplier, indices) == (2, "0, 2, 4, 5")
    assert same(images, film[[0, 2, 4, 5]])
    made = to_image(np.repeat(images.numpy(), multiplier, axis=0)[: 3 * multiplier + 1])
    (video,) = pack.EscalierRestoreCadence.execute(film, made, indices).args
    restored = video.get_components()
    assert len(restored.images) == 6 and restored.frame_rate == 24
    assert same(restored.images[[0, 2, 4]], film[[0, 2, 4]])


def test_restore_cadence_refuses_images_that_were_not_made_of_these_frames(pack: SimpleNamespace, film) -> None:
    with pytest.raises(ValueError, match=r"^Restore Cadence: pictures must be 3 times the multiplier, and 1 more"):
        pack.EscalierRestoreCadence.execute(film, film[:5], "0, 2, 4, 5")
    with pytest.raises(ValueError, match=r"^Restore Cadence: kept frames must rise from 0 to the film's last, 5"):
        pack.EscalierRestoreCadence.execute(film, film[:3], "0, 4")


def test_varied_keyframes_stay_at_their_places(pack: SimpleNamespace, clip: np.ndarray) -> None:
    keyframes = Keyframes([1, 4], [clip[1], clip[4]], length=6)
    second, third = pack.EscalierVaryKeyframes.execute(keyframes, amplitude=1.0, feature_size=16.0, seed=0).args
    assert second.indices == third.indices == (1, 4)
    assert (second.pictures[0] != third.pictures[0]).any()
    with pytest.raises(ValueError, match=r"^Vary Keyframes: feature_px must be at least 12 times amplitude_px"):
        pack.EscalierVaryKeyframes.execute(keyframes, amplitude=4.0, feature_size=16.0, seed=0)


def test_line_boil_shows_the_redraws_in_turn_inside_the_mask(
    pack: SimpleNamespace, film, redrawn, to_image: Callable
) -> None:
    torch = pytest.importorskip("torch")
    mask = torch.zeros((1, 48, 64))
    mask[:, :24] = 1
    video, report = pack.EscalierLineBoil.execute(film, redrawn, 1, mask=mask).args
    images = video.get_components().images
    assert same(images[:, 24:], film[:, 24:])
    assert same(images[1::2, :24], redrawn[1::2, :24]) and same(images[::2], film[::2])
    assert report.endswith("a cycle of 2. The film is 3 whole cycles long: the boil loops without a seam.")


def test_line_boil_makes_a_loop_of_single_pictures(pack: SimpleNamespace, film) -> None:
    video, _ = pack.EscalierLineBoil.execute(film[:1], film[1:2], 2, third=film[2:3]).args
    assert video.get_frame_count() == 6
    assert same(video.get_components().images, film[[0, 0, 1, 1, 2, 2]])


def test_line_boil_refuses_films_and_masks_that_do_not_fit(pack: SimpleNamespace, film) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"^Line Boil: redraws must be of one length and size, got 4 frames"):
        pack.EscalierLineBoil.execute(film, film[:4], 2)
    with pytest.raises(ValueError, match=r"^Line Boil: mask must hold 1 or 6 masks, one for each frame, got 2"):
        pack.EscalierLineBoil.execute(film, film, 2, mask=torch.ones((2, 48, 64)))


def test_dial_goes_from_one_film_to_the_other(pack: SimpleNamespace, fresh_folders: object, film, redrawn) -> None:
    (motion,) = pack.EscalierMotion.execute(film, "ultrafast").args
    still, told = pack.EscalierDial.execute(film, redrawn, 0.0, **DIAL, motion=motion).args
    assert same(still.get_components().images, film) and told.startswith("amount 0: none of the 6 frames")
    frantic, told = pack.EscalierDial.execute(film, redrawn, 1.0, **DIAL, motion=motion).args
    assert same(frantic.get_components().images, redrawn) and told.startswith("6 of 6 frames are redrawn")


def test_dial_follows_its_curve_and_measures_the_motion_itself(
    pack: SimpleNamespace, fresh_folders: object, film, redrawn
) -> None:
    dials = DIAL | {"curve": "2:0, 5:1"}
    video, _ = pack.EscalierDial.execute(film, redrawn, 1.0, **dials).args
    images = video.get_components().images
    assert same(images[:3], film[:3]) and same(images[5], redrawn[5])
    assert not same(images[4], film[4])


@pytest.mark.parametrize(
    ("curve", "message"),
    [("0:0, x:1", "curve must be points frame:amount"), ("0:0, 6:1", "curve must end within the film, 0..5")],
)
def test_dial_refuses_a_curve_that_it_cannot_follow(pack: SimpleNamespace, film, curve: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^Indetermination Dial: {message}"):
        pack.EscalierDial.execute(film, film, 0.5, **(DIAL | {"curve": curve}))


def test_dial_refuses_films_that_do_not_belong_together(pack: SimpleNamespace, fresh_folders: object, film) -> None:
    with pytest.raises(ValueError, match=r"^Indetermination Dial: redrawn film must have 6 frames of 64x48 .* got 3"):
        pack.EscalierDial.execute(film, film[:3], 0.5, **DIAL)
