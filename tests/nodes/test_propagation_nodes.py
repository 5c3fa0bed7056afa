"""The nodes of escalier/film and escalier/propagation at work on small films, and what they refuse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest

from escalier.keyframes import Keyframes
from escalier.propagation import FADES

FADE = {"mode": "staggered", "fade_frames": 0, "ramp_frames": 3.0, "seed": 0}


@pytest.fixture
def dials(pack: SimpleNamespace) -> dict:
    """Every dial of Propagate Keyframes at its default, on one core."""
    inputs = pack.EscalierPropagate.GET_SCHEMA().inputs
    return {dial.id: dial.default for dial in inputs if hasattr(dial, "default")} | {"threads": 1}


@pytest.fixture
def film(to_image: Callable, clip: np.ndarray):
    return to_image(clip)


@pytest.fixture
def keyframes(clip: np.ndarray) -> Keyframes:
    return Keyframes([1, 4], [255 - clip[1], 255 - clip[4]], length=len(clip))


@pytest.fixture(scope="module")
def own_temp(comfyui: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    comfyui.folder_paths.set_temp_directory(str(tmp_path_factory.mktemp("temp")))
    yield


@pytest.fixture
def runs(pack: SimpleNamespace, own_temp: None, film, keyframes: Keyframes, dials: dict):
    return pack.EscalierPropagate.execute(film=film, keyframes=keyframes, **dials).args[0]


def test_staircase_shows_each_keyframe_bit_for_bit(pack: SimpleNamespace, film, keyframes: Keyframes, runs) -> None:
    video, report = pack.EscalierStaircase.execute(runs=runs, film=film, **FADE).args
    images = video.get_components().images
    for index, picture in keyframes:
        assert (images[index].numpy() == picture.astype(np.float32) / np.float32(255)).all()
    assert re.match(r"least sure at frame [0235]: confidence 0\.\d\d of 1", report)


def test_film_is_not_made_before_it_is_asked_for(
    pack: SimpleNamespace, film, runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    video, _ = pack.EscalierStaircase.execute(runs=runs, film=film, **FADE).args
    monkeypatch.setattr(type(video.film), "frame", lambda *_: pytest.fail("a frame was made"))
    assert video.get_dimensions() == (64, 48)
    assert video.get_frame_count() == 6
    assert video.get_frame_rate() == 24
    assert video.get_duration() == 0.25


def test_report_judges_the_fades_when_motion_is_connected(pack: SimpleNamespace, film, runs) -> None:
    (motion,) = pack.EscalierMotion.execute(film, "ultrafast").args
    _, report = pack.EscalierStaircase.execute(runs=runs, film=film, **FADE, motion=motion).args
    assert "ghosting kept" in report and "pop" in report


@pytest.mark.parametrize("mode", FADES)
def test_every_fade_of_the_menu_runs(pack: SimpleNamespace, film, runs, mode: str) -> None:
    video, _ = pack.EscalierStaircase.execute(runs=runs, film=film, **{**FADE, "mode": mode, "fade_frames": 2}).args
    assert np.isfinite(video.film.frame(3)).all()


@pytest.mark.parametrize("dial", [{"keep_contrast": True}, {"seam_removal": 0.9}], ids=str)
def test_dials_of_the_mix_change_the_middle_of_a_fade_alone(pack: SimpleNamespace, film, runs, dial: dict) -> None:
    linear = {**FADE, "mode": "linear", "fade_frames": 0}
    plain, other = (
        pack.EscalierStaircase.execute(runs=runs, film=film, **{**linear, **more}).args[0].film for more in ({}, dial)
    )
    assert (plain.frame(2) != other.frame(2)).any()
    assert (plain.frame(1) == other.frame(1)).all() and (plain.frame(5) == other.frame(5)).all()


def test_large_films_are_matched_at_the_side_that_is_asked_for(
    pack: SimpleNamespace, own_temp: None, to_image: Callable, clip: np.ndarray, dials: dict
) -> None:
    large = np.repeat(np.repeat(clip, 4, axis=1), 4, axis=2)
    keyframes = Keyframes([1], [255 - large[1]], length=len(large))
    dials = {**dials, "match_side": 128}
    (runs,) = pack.EscalierPropagate.execute(film=to_image(large), keyframes=keyframes, **dials).args
    assert runs.forward[1].frames.shape[1:3] == (192, 256)
    assert runs.forward[1].guide_error.shape[1:] == (96, 128)


def test_motion_in_pictures_is_taken_as_it_is(
    pack: SimpleNamespace, own_temp: None, to_image: Callable, film, clip: np.ndarray
) -> None:
    vectors = np.full((len(clip) - 1, 48, 64, 3), (0.75, 0.5, 0), np.float32)
    (motion,) = pack.EscalierMotionFromImages.execute(film, to_image(vectors), 4.0, False).args
    assert (motion.flow(2, 3) == (2, 0)).all()
    with pytest.raises(ValueError, match=r"^Motion from Images: forward must hold one flow for each step .* got 4"):
        pack.EscalierMotionFromImages.execute(film, to_image(vectors[1:]), 4.0, False)


def test_second_run_goes_on_with_what_is_there(
    pack: SimpleNamespace,
    fresh_folders: SimpleNamespace,
    film,
    keyframes: Keyframes,
    dials: dict,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pack.module("scratch"), "FREE_SHARE", 0.0)  # on a full disk nothing would be kept
    pack.EscalierPropagate.execute(film=film, keyframes=keyframes, **dials)
    finished = {file: file.stat().st_mtime_ns for file in fresh_folders.temp.rglob("run_*/frames.npy")}
    assert len(finished) == 4
    repainted = keyframes.with_pictures([keyframes.pictures[0], keyframes.pictures[1] // 2])
    pack.EscalierPropagate.execute(film=film, keyframes=repainted, **dials)
    files = list(fresh_folders.temp.rglob("run_*/frames.npy"))
    assert len(files) == 6
    assert all(file.stat().st_mtime_ns == made for file, made in finished.items())


def test_mask_for_the_whole_film_and_for_each_frame_are_accepted(
    pack: SimpleNamespace, own_temp: None, to_image: Callable, film, keyframes: Keyframes, dials: dict
) -> None:
    subject = np.zeros((1, 48, 64))
    subject[:, 10:30, 10:40] = 1
    results = [
        pack.EscalierPropagate.execute(film=film, keyframes=keyframes, **dials, mask=to_image(masks)).args[0]
        for masks in (subject, subject.repeat(6, axis=0))
    ]
    for index in (0, 3, 5):
        one, other = (result.at(index)[0].frame(index) for result in results)
        assert (one == other).all()


def test_film_of_one_frame_is_its_keyframe(
    pack: SimpleNamespace, own_temp: None, film, clip: np.ndarray, dials: dict
) -> None:
    painted = Keyframes([0], [255 - clip[0]], length=1)
    (runs,) = pack.EscalierPropagate.execute(film=film[:1], keyframes=painted, **dials).args
    video, _ = pack.EscalierStaircase.execute(runs=runs, film=film[:1], **FADE).args
    assert (video.film.frame(0) == 255 - clip[0]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"mask": (4, 48, 64)},
            "mask must hold 1 or 6 masks, one for each frame, got 4; make the mask from the same clip",
        ),
        ({"mask": (6, 24, 32)}, "mask must be a single channel of 64x48, got 32x24; scale it"),
        ({"mask": (1, 48, 64)}, "mask must mark the subject in at least one frame, got black in all 1; check"),
        ({"length": 9}, "keyframes must belong to a film of 6 frames like this one, got keyframes of a film of 9"),
        ({"size": (24, 32)}, "keyframes must be 64x48 like the film, or larger by one factor, got 32x24; scale them"),
        (
            {"size": (64, 48)},
            "keyframes must be 64x48 like the film, or larger by one factor, got 48x64; they have another shape: crop",
        ),
        ({"colour": 0.0, "position": 0.0}, "one of colour, position or the named guides must weigh more than 0"),
    ],
    ids=["mask length", "mask size", "empty mask", "other film", "keyframe size", "keyframe shape", "no guide"],
)
def test_what_does_not_fit_is_refused_by_the_node(
    pack: SimpleNamespace,
    own_temp: None,
    to_image: Callable,
    film,
    keyframes: Keyframes,
    dials: dict,
    change: dict,
    message: str,
) -> None:
    if "mask" in change:
        change = {"mask": to_image(np.zeros(change["mask"]))}
    if "size" in change or "length" in change:
        picture = np.zeros((*change.pop("size", (48, 64)), 3), np.uint8)
        keyframes = Keyframes([1, 4], [picture, picture], length=change.pop("length", 6))
    with pytest.raises(ValueError, match=f"^Propagate Keyframes: {re.escape(message)}"):
        pack.EscalierPropagate.execute(film=film, keyframes=keyframes, **{**dials, **change})


def test_failed_measuring_leaves_nothing_on_disk(pack: SimpleNamespace, fresh_folders: SimpleNamespace, film) -> None:
    with pytest.raises(ValueError, match=r"^Measure Motion: preset must be one of ultrafast, fast, medium, got slow"):
        pack.EscalierMotion.execute(film, "slow")
    assert list((fresh_folders.temp / "escalier").iterdir()) == []


def test_cancel_leaves_no_half_made_run(
    pack: SimpleNamespace,
    comfyui: SimpleNamespace,
    fresh_folders: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    film,
    keyframes: Keyframes,
    dials: dict,
) -> None:
    cancelled = comfyui.model_management.InterruptProcessingException
    told: list[float] = []

    def report(self: object, done: float, total: float, picture: object = None) -> None:
        told.append(done)
        if picture is not None:
            raise cancelled

    monkeypatch.setattr(pack.module("progress").Progress, "__call__", report)
    with pytest.raises(cancelled):
        pack.EscalierPropagate.execute(film=film, keyframes=keyframes, **dials)
    assert told == sorted(told)
    assert list(fresh_folders.temp.rglob("*.part")) == []
