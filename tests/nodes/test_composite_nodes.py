"""The nodes of escalier/composite at work on small films, and what they refuse."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from escalier.composite import (
    BLEND_MODES,
    Blending,
    CameraMotion,
    Layering,
    Machine,
    Placing,
    PlateSearch,
    blend_layers,
    make_clean_plate,
    place_subject_film,
    poisson_blend,
    soft_mattes,
)
from escalier.composite.clean_plate import FILLS
from escalier.dials import dials_of
from escalier.film import ArrayFrames, Size

torch = pytest.importorskip("torch")


def defaults(node: type) -> dict:
    """Every dial of a node at its default, on one core."""
    dials = {dial.id: dial.default for dial in node.GET_SCHEMA().inputs if hasattr(dial, "default")}
    return dials | ({"threads": 1} if "threads" in dials else {})


@pytest.fixture
def figure(clip: np.ndarray) -> np.ndarray:
    """The clip, darker: a body in a dim room."""
    return (clip // 2).astype(np.uint8)


@pytest.fixture
def mask() -> np.ndarray:
    subject = np.zeros((6, 48, 64), np.float32)
    for i in range(6):
        subject[i, 10:34, 8 + 2 * i : 30 + 2 * i] = 1
    return subject


@pytest.fixture
def blend(pack: SimpleNamespace, fresh_folders: SimpleNamespace, to_image: Callable, figure, clip, mask) -> Callable:
    def run(node: str = "EscalierPoissonBlend", *, below=None, over=None, mask=mask, **dials):
        """The node on the figure and the clip, or on other pictures."""
        below, over = (to_image(p) for p in (clip if below is None else below, figure if over is None else over))
        names = NAMES[node][1:]
        sockets = {**dict(zip(names, (over, below), strict=True)), "mask": torch.from_numpy(mask)}
        return getattr(pack, node).execute(**sockets, **{**defaults(getattr(pack, node)), **dials}).args[0]

    return run


def floats(pictures: np.ndarray) -> np.ndarray:
    return pictures.astype(np.float32) / np.float32(255)


NAMES = {
    "EscalierPoissonBlend": ("Poisson Blend", "source", "target"),
    "EscalierBlendLayers": ("Blend Layers", "layer", "base"),
    "EscalierPlaceSubject": ("Place Subject", "source", "room"),
}
DIALS = {
    "defaults": ({}, Blending()),
    "mixed": ({"gradients": "mixed"}, Blending(gradients="mixed")),
    "average": ({"gradients": "average"}, Blending(gradients="average")),
    "monochrome": ({"gradients": "monochrome"}, Blending(gradients="monochrome")),
    "strength": ({"strength": 0.5}, Blending(strength=0.5)),
    "screening": ({"screening_px": 10.0}, Blending(screening=0.01)),
    "rim": ({"rim_blur_px": 3.0}, Blending(rim_blur_px=3.0)),
    "solver": ({"solver": "conjugate_gradient"}, Blending(solver="conjugate_gradient")),
    "torch": ({"backend": "torch"}, Blending()),
}


@pytest.mark.parametrize("name", DIALS)
def test_poisson_blend_is_the_librarys(blend: Callable, figure, clip, mask, name: str) -> None:
    dials, expected = DIALS[name]
    machine = Machine("torch", "cpu") if name == "torch" else Machine("cpu")
    film = blend(**dials).film
    for i in (0, 5):
        picture = poisson_blend(floats(figure[i]), floats(clip[i]), mask[i], expected, machine=machine)
        assert (film.frame(i) == picture).all()


def test_poisson_blend_changes_nothing_outside_and_brings_the_rooms_light(blend: Callable, figure, clip, mask) -> None:
    video = blend(screening_px=0.0)
    film = np.stack([video.film.frame(i) for i in range(6)])
    assert (film[mask == 0] == floats(clip)[mask == 0]).all()
    # The figure is the room at half its light: its outlines meet the room's colours.
    assert film[mask == 1].mean() > 1.5 * floats(figure)[mask == 1].mean()


def test_poisson_blend_says_what_it_burns(
    pack: SimpleNamespace, fresh_folders: SimpleNamespace, to_image: Callable, figure, mask
) -> None:
    dials = {**defaults(pack.EscalierPoissonBlend), "mask": torch.from_numpy(mask), "screening_px": 0.0}
    sockets = {"source": to_image(figure), "target": to_image(np.full_like(figure, 255))}
    _, report = pack.EscalierPoissonBlend.execute(**sockets, **dials).args
    assert re.match(r"clipped: \d+(\.\d+)? % of the body, .* in 6 of 6 frames", report)
    _, report = pack.EscalierPoissonBlend.execute(**sockets | {"target": to_image(figure)}, **dials).args
    assert report == "clipped: nothing, in all 6 frames"


def test_blended_film_has_the_time_and_size_of_the_clip(blend: Callable, clip) -> None:
    video = blend(below=clip[:1], mask=np.ones((1, 48, 64), np.float32))
    assert (video.get_frame_count(), video.get_dimensions(), video.get_frame_rate()) == (6, (64, 48), 24)
    assert video.get_components().images.shape == (6, 48, 64, 3)


def test_videos_are_blended_in_8_bits_like_themselves(
    pack: SimpleNamespace, fresh_folders: SimpleNamespace, figure, clip, mask
) -> None:
    source, target = (pack.module("video").FilmVideo(ArrayFrames(pictures, 12)) for pictures in (figure, clip))
    dials = {**defaults(pack.EscalierPoissonBlend), "mask": torch.from_numpy(mask)}
    video, _ = pack.EscalierPoissonBlend.execute(source=source, target=target, **dials).args
    assert video.film.frame(3).dtype == np.uint8
    assert (video.film.frame(3) == poisson_blend(figure[3], clip[3], mask[3])).all()
    assert video.get_frame_rate() == 12


def test_film_lies_on_disk_for_as_long_as_it_is_remembered(blend: Callable, fresh_folders: SimpleNamespace) -> None:
    video = blend()
    (file,) = fresh_folders.temp.rglob("film.npy")
    assert isinstance(video.film.frame(0).base, np.memmap)
    del video
    gc.collect()
    assert not file.exists()


@pytest.mark.parametrize("node", NAMES)
def test_cancel_stops_the_blend_and_leaves_nothing_on_disk(
    pack: SimpleNamespace,
    comfyui: SimpleNamespace,
    fresh_folders: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    blend: Callable,
    node: str,
) -> None:
    cancelled = comfyui.model_management.InterruptProcessingException
    told: list[float] = []

    def report(self: object, done: float, total: float, picture: object = None) -> None:
        told.append(done)
        if done == 3:
            raise cancelled

    monkeypatch.setattr(pack.module("progress").Progress, "__call__", report)
    with pytest.raises(cancelled):
        blend(node)
    assert told == [1, 2, 3]
    assert not [path for path in fresh_folders.temp.rglob("*") if path.is_file()]


@pytest.mark.parametrize("mode", BLEND_MODES)
def test_every_layer_mode_is_the_librarys_and_stays_inside(blend: Callable, figure, clip, mask, mode: str) -> None:
    film = blend("EscalierBlendLayers", mode=mode, opacity=0.75).film
    for i in (0, 5):
        picture = blend_layers(floats(clip[i]), floats(figure[i]), mask[i], Layering(mode, opacity=0.75))
        assert (film.frame(i) == picture).all()
        assert (film.frame(i)[mask[i] == 0] == floats(clip[i])[mask[i] == 0]).all()


@pytest.mark.parametrize("dials", [{}, {"light": 0.0}, {"light": 0.8, "most_delta_e": 8.0, "steady_frames": 2.0}])
def test_place_subject_is_the_librarys(blend: Callable, figure, clip, mask, dials: dict) -> None:
    film = blend("EscalierPlaceSubject", **dials).film
    films = (ArrayFrames(floats(pictures)) for pictures in (figure, clip))
    for i, picture in enumerate(place_subject_film(*films, mask, Placing(**dials))):
        assert (film.frame(i) == picture).all()
        assert (picture[mask[i] == 0] == floats(clip[i])[mask[i] == 0]).all()


def test_place_subject_takes_the_old_room(blend: Callable, to_image: Callable, figure, clip, mask) -> None:
    soft = np.stack([cv2.GaussianBlur(one, (0, 0), 2) for one in mask])
    film = blend("EscalierPlaceSubject", mask=soft, light=0.0, old_room=to_image(figure[:1] // 2)).film
    films = [ArrayFrames(floats(one)) for one in (figure, clip)]
    known, alone = (
        [*place_subject_film(*films, soft, Placing(light=0), old_room=old)]
        for old in (ArrayFrames(floats(figure[:1] // 2)), None)
    )
    assert (film.frame(2) == known[2]).all()
    assert (known[2] != alone[2]).any()


@pytest.fixture
def soften(pack: SimpleNamespace, to_image: Callable, clip, mask) -> Callable:
    def run(*, film=clip, mask=mask, old_room=clip[:1] // 3) -> np.ndarray:
        """Soften Mask in Hair and Blur at its defaults."""
        node = pack.EscalierSoftMatte
        given = {"film": to_image(film), "mask": torch.from_numpy(mask)}
        given |= {} if old_room is None else {"old_room": to_image(old_room)}
        return node.execute(**given, **defaults(node)).args[0].numpy()

    return run


def test_softened_masks_are_the_librarys(soften: Callable, clip, mask) -> None:
    room = ArrayFrames(floats(clip[:1] // 3))
    expected = np.stack([*soft_mattes(ArrayFrames(floats(clip)), mask, room)])
    made = soften()
    assert np.abs(made - expected).max() < 1e-5
    assert ((made > 0.05) & (made < 0.95)).any()


def test_masks_are_softened_without_an_old_room(soften: Callable, clip, mask) -> None:
    expected = np.stack([*soft_mattes(ArrayFrames(floats(clip)), mask)])
    assert np.abs(soften(old_room=None) - expected).max() < 1e-5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"old_room": np.zeros((1, 24, 32, 3), np.uint8)}, "old_room must be 64x48 like the picture, got 32x24; scale"),
        ({"old_room": np.zeros((4, 48, 64, 3), np.uint8)}, "old_room must have 1 or 6 frames, got 4"),
        (
            {"old_room": np.zeros((1, 48, 64, 4), np.uint8)},
            "old_room must be RGB, got RGBA (4 channels); take the alpha",
        ),
        ({"mask": np.zeros((4, 48, 64), np.float32)}, "mask must have 1 or 6 frames, got 4"),
    ],
    ids=["smaller plate", "other length", "RGBA", "mask length"],
)
def test_what_cannot_be_softened_is_refused_by_the_node(soften: Callable, change: dict, words: str) -> None:
    with pytest.raises(ValueError, match=f"^Soften Mask in Hair and Blur: {re.escape(words)}"):
        soften(**change)


def test_softened_masks_of_frames_without_her_are_empty(soften: Callable, mask) -> None:
    mask[3:] = 0
    made = soften(mask=mask)
    assert made[2].any() and not made[3:].any()


def test_exposure_compensation_brings_the_brightness_back(blend: Callable, clip, mask) -> None:
    dark, even = (
        np.stack([video.film.frame(i) for i in range(6)])[mask == 1].mean()
        for video in (blend("EscalierBlendLayers", mode="multiply", exposure_compensation=c) for c in (0.0, 1.0))
    )
    assert dark < 0.7 * floats(clip)[mask == 1].mean()
    assert even == pytest.approx(floats(clip)[mask == 1].mean(), rel=0.05)


def test_menus_are_the_librarys(pack: SimpleNamespace) -> None:
    def options(node: str, dial: str) -> tuple[str, ...]:
        return tuple(next(i.options for i in getattr(pack, node).GET_SCHEMA().inputs if i.id == dial))

    for dials, names in ((Blending, ("gradients", "solver")), (Machine, ("backend",))):
        assert all(options("EscalierPoissonBlend", name) == dials_of(dials)[name].choices for name in names)
    assert options("EscalierBlendLayers", "mode") == tuple(BLEND_MODES)
    assert options("EscalierCleanPlate", "fill") == options("EscalierCleanPlates", "fill") == FILLS


@pytest.mark.parametrize("node", NAMES)
@pytest.mark.parametrize("value", [0.0, 1.0], ids=["empty", "full"])
def test_empty_and_full_masks_are_blended(blend: Callable, clip, node: str, value: float) -> None:
    film = blend(node, mask=np.full((1, 48, 64), value, np.float32)).film
    assert np.isfinite(film.frame(0)).all()
    assert (film.frame(0) == floats(clip[0])).all() == (value == 0)


@pytest.mark.parametrize("node", NAMES)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mask": np.zeros((4, 48, 64), np.float32)}, "mask must have 1 or 6 frames, got 4"),
        ({"mask": np.zeros((1, 24, 64), np.float32)}, "mask must be 64x48 like the picture, got 64x24; scale one"),
        ({"mask": np.full((1, 48, 64), np.nan, np.float32)}, "mask must hold finite numbers, got NaN"),
        ({"over": np.zeros((2, 48, 64, 3), np.uint8)}, "OVER must have 1 or 6 frames, got 2"),
        ({"over": np.zeros((6, 48, 64, 4), np.uint8)}, "OVER must be RGB, got RGBA (4 channels)"),
        ({"below": np.full((6, 48, 64, 3), np.nan, np.float32)}, "BELOW must hold finite numbers, got NaN"),
    ],
    ids=["mask length", "mask size", "mask NaN", "film length", "RGBA", "NaN"],
)
def test_what_does_not_fit_is_refused_by_the_node(blend: Callable, node: str, change: dict, words: str) -> None:
    name, over, below = NAMES[node]
    words = words.replace("OVER", over).replace("BELOW", below)
    with pytest.raises(ValueError, match=f"^{name}: {re.escape(words)}"):
        blend(node, **change)


@pytest.mark.parametrize("node", NAMES)
def test_pictures_of_two_sizes_are_refused_by_the_node(blend: Callable, node: str) -> None:
    with pytest.raises(ValueError, match=rf"^{NAMES[node][0]}: \w+ must be \d+x\d+ like the \w+, got \d+x\d+; scale"):
        blend(node, over=np.zeros((6, 24, 32, 3), np.uint8))


def test_out_of_memory_halves_the_batch_and_then_says_so(
    blend: Callable, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from escalier.composite import poisson_cpu

    def too_much(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(poisson_cpu, "blend_frame", too_much)
    with pytest.raises(MemoryError, match=r"one frame of 64x48 must fit into memory.*close other programs"):
        blend(threads=4)
    assert "going on with 2 frames at a time" in caplog.text


@pytest.fixture
def shot() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A tripod's view of a room, a block that walks through it, and its masks."""
    rng = np.random.default_rng(0)
    room = cv2.GaussianBlur(rng.integers(0, 256, (48, 64, 3), np.uint8), (0, 0), 1.5)
    film, masks = np.stack([room] * 6), np.zeros((6, 48, 64), np.float32)
    for i in range(6):
        masks[i, 12:36, 4 + 9 * i : 12 + 9 * i] = 1
        film[i][masks[i] > 0] = 255
    return film, masks, room


def test_clean_plate_is_the_room(pack: SimpleNamespace, to_image: Callable, shot) -> None:
    film, masks, room = shot
    dials = {**defaults(pack.EscalierCleanPlate), "camera": "still", "grow_px": 0, "frame": 2}
    plate, unseen, report = pack.EscalierCleanPlate.execute(
        film=to_image(film), mask=torch.from_numpy(masks), **dials
    ).args
    assert plate.shape == (1, 48, 64, 3) and unseen.shape == (1, 48, 64)
    assert (plate[0].numpy() == floats(room)).all()
    assert unseen.sum() == 0
    assert report == "every pixel of the room was found"


@pytest.mark.parametrize("camera", ["moving", "still"])
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("value", [0.0, 1.0], ids=["empty", "full"])
def test_plate_of_an_empty_or_full_mask(
    pack: SimpleNamespace, to_image: Callable, shot, value: float, fill: str, camera: str
) -> None:
    dials = {**defaults(pack.EscalierCleanPlate), "fill": fill, "camera": camera}
    mask = torch.full((1, 48, 64), value)
    plate, unseen, _ = pack.EscalierCleanPlate.execute(film=to_image(shot[0]), mask=mask, **dials).args
    assert torch.isfinite(plate).all()
    assert torch.equal(unseen, mask)
    assert value == 1 or (plate[0].numpy() == floats(shot[0][0])).all()


@pytest.mark.parametrize("fill", FILLS)
def test_what_no_frame_shows_is_handed_on(pack: SimpleNamespace, to_image: Callable, shot, fill: str) -> None:
    film, masks, _ = shot
    masks[:, 20:26, 20:26] = 1  # something stands there in every frame
    film[:, 20:26, 20:26] = 255
    dials = {**defaults(pack.EscalierCleanPlate), "camera": "still", "grow_px": 0, "fill": fill}
    plate, unseen, report = pack.EscalierCleanPlate.execute(
        film=to_image(film), mask=torch.from_numpy(masks), **dials
    ).args
    assert unseen.sum() == unseen[0, 20:26, 20:26].sum() == 36
    assert report.startswith("no frame shows 36 pixels, 1.2 % of the picture")
    assert (plate[0, 20:26, 20:26] == 1).all() == (fill == "none")


def test_plates_of_every_frame_are_a_film(
    pack: SimpleNamespace, fresh_folders: SimpleNamespace, to_image: Callable, shot
) -> None:
    film, masks, room = shot
    masks[:, 20:26, 20:26] = 1
    dials = {**defaults(pack.EscalierCleanPlates), "grow_px": 3, "fill": "none", "camera": "still"}
    video, unseen = pack.EscalierCleanPlates.execute(film=to_image(film), mask=torch.from_numpy(masks), **dials).args
    assert video.get_frame_count() == 6
    # So small a room has too few corners to be followed behind the block: measured, its tripod seems to move by .2 px.
    still = CameraMotion.still(Size(64, 48), 6)
    for i in (0, 4):
        expected = make_clean_plate(ArrayFrames(floats(film)), masks, i, PlateSearch(grow_px=3), camera=still)
        assert (video.film.frame(i) == expected.picture).all()
        assert (unseen[i].numpy() == expected.unseen).all()
        seen = unseen[i].numpy() == 0
        assert (video.film.frame(i)[seen] == floats(room)[seen]).all()


def test_frame_outside_the_film_is_refused(pack: SimpleNamespace, to_image: Callable, shot) -> None:
    film, masks, _ = shot
    dials = {**defaults(pack.EscalierCleanPlate), "frame": 6}
    with pytest.raises(ValueError, match=r"^Make Clean Plate: frame must be in 0\.\.5, got 6"):
        pack.EscalierCleanPlate.execute(film=to_image(film), mask=torch.from_numpy(masks), **dials)


def test_untouched_finds_no_change_outside_a_poisson_blend(
    pack: SimpleNamespace, to_image: Callable, blend: Callable, figure, clip, mask
) -> None:
    measured = {"source": to_image(figure), "target": to_image(clip), "mask": torch.from_numpy(mask), "erode_px": 4}
    report, picture = pack.EscalierMeasureUntouched.execute(result=blend(), **measured).args
    assert report.startswith("changed outside the mask: nothing, in all 6 frames")
    assert picture.shape == (1, 48, 64, 3)
    spoilt = clip.copy()
    spoilt[4, 0, 0] ^= 128
    report, picture = pack.EscalierMeasureUntouched.execute(result=to_image(spoilt), **measured).args
    assert re.search(r"CHANGED in 1 frames, by up to 128(\.0\d*)? levels at frame 4", report)
    assert picture[0, 0, 0, 2] > picture[0, 0, 0, 0]


def test_untouched_refuses_another_film_by_name(pack: SimpleNamespace, to_image: Callable, clip, mask) -> None:
    films = {"result": to_image(clip), "source": to_image(clip[:4]), "target": to_image(clip)}
    with pytest.raises(ValueError, match=r"^Measure Body Untouched: source must have 1 or 6 frames, got 4"):
        pack.EscalierMeasureUntouched.execute(**films, mask=torch.from_numpy(mask), erode_px=4)


def test_composite_that_is_a_cut_out_is_checked(pack: SimpleNamespace, to_image: Callable, figure, clip, mask) -> None:
    placed = np.where(mask[..., None] > 0, figure, clip)
    sockets = {"source": to_image(figure), "room": to_image(clip), "mask": torch.from_numpy(mask)}
    report, pictures, good = pack.EscalierCheckComposite.execute(result=to_image(placed), **sockets).args
    assert report.startswith("6 frames: ")
    assert "body's colour, mean: 0.00 Delta E, good (limit 6)" in report
    assert pictures.shape[1:] == (48, 64, 3)
    burnt = np.where(mask[..., None] > 0, 255, clip).astype(np.uint8)
    report, pictures, good = pack.EscalierCheckComposite.execute(result=to_image(burnt), **sockets).args
    assert not good
    assert re.search(r"clipped, that the source has not: 100\.00 %, bad \(limit 1\), worst at frame 0", report)
    assert len(pictures) >= 4


def test_check_of_nothing_is_black_and_not_good(pack: SimpleNamespace, to_image: Callable, clip, mask) -> None:
    sockets = {name: to_image(clip) for name in ("result", "source", "room")}
    report, pictures, good = pack.EscalierCheckComposite.execute(**sockets, mask=torch.from_numpy(0 * mask)).args
    assert "nothing to judge" in report
    assert not pictures.any()
    assert not good


def test_room_is_shadowed_by_hand_and_from_the_film(
    pack: SimpleNamespace, fresh_folders: SimpleNamespace, to_image: Callable, clip, mask
) -> None:
    room, dials = np.full((1, 48, 64, 3), 200, np.uint8), defaults(pack.EscalierCastShadow)
    sockets = {"room": to_image(room), "mask": torch.from_numpy(mask)}
    video, shadow = pack.EscalierCastShadow.execute(**sockets, **dials).args
    assert video.get_frame_count() == 6
    assert not shadow.any()
    assert video.film.frame(0).min() < 0.97 * floats(room).max()
    filmed = np.repeat(room, 6, axis=0)
    filmed[:, 24:34, 44:56] = 140
    films = {"source": to_image(filmed), "old_room": to_image(room)}
    dials["contact"] = 0.0
    video, shadow = pack.EscalierCastShadow.execute(**sockets, **films, **dials).args
    assert shadow.shape == (6, 48, 64)
    assert shadow[2, 29, 50] > 0.4
    assert np.abs(video.film.frame(2)[28:31, 49:52] - 140 / 255).max() < 0.02
    with pytest.raises(ValueError, match=r"^Cast Shadow: old_room must be connected where the other film is"):
        pack.EscalierCastShadow.execute(**sockets, source=films["source"], **dials)


def test_plate_moves_with_the_camera_from_node_to_node(pack: SimpleNamespace, to_image: Callable) -> None:
    rng = np.random.default_rng(5)
    room = cv2.GaussianBlur(rng.integers(0, 256, (96, 240, 3), np.uint8), (0, 0), 1.5)
    film = np.stack([room[:, 4 * i : 4 * i + 160] for i in range(10)])
    nobody = torch.zeros((1, 96, 160))
    camera, told = pack.EscalierCameraMotion.execute(film=to_image(film), mask=nobody, grow_px=0).args
    assert told.startswith("the camera moves the room by up to 36.0 px")
    plan, width, height, said = pack.EscalierPlanPlate.execute(camera_motion=camera, frame=0, margin_px=4).args
    assert width % 8 == height % 8 == 0 and width >= 196 and f"paint {width}x{height}" in said
    plate, unseen, _ = pack.EscalierCleanPlate.execute(
        film=to_image(film), mask=nobody, camera_motion=camera, plan=plan, **defaults(pack.EscalierCleanPlate)
    ).args
    assert plate.shape == (1, height, width, 3) and 0 < unseen.mean() < 0.4
    video, gone, report = pack.EscalierMovePlate.execute(plate=plate, camera_motion=camera, plan=plan).args
    assert video.get_frame_count() == 10 and video.get_dimensions() == (160, 96)
    assert gone.shape == (10, 96, 160) and not gone.any()
    assert report.endswith("the plate covers every frame")
    assert np.abs(video.film.frame(4) - floats(film[4]))[10:-10, 10:-10].max() < 0.1
    with pytest.raises(ValueError, match=r"^Move Plate with Camera: plate must be one picture, got 2; choose one"):
        pack.EscalierMovePlate.execute(plate=plate.repeat(2, 1, 1, 1), camera_motion=camera, plan=plan)
