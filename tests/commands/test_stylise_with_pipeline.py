"""`escalier stylise --pipeline`: keyframes painted with no server and no network, then carried as the artist's own."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers", exc_type=ImportError)
from tiny_models import diffusers_folders

from escalier.commands import main, paint_keyframes
from escalier.film import ArrayFrames, Encoding, Size, make_clip, open_film, read_picture, write_film

SIZE = Size(96, 64)
LENGTH = 6
FEW = ["--steps", "2", "--strength", "1", "--max-side", "256", "--threads", "1", "--prompt", "a gouache painting"]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("shot") / "shot.mp4", make_clip(SIZE, LENGTH), encoding=Encoding(crf=10))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    diffusers_folders.write_pipeline(folder / "sd15", "sd15")
    diffusers_folders.write_controlnet(folder / "canny", "sd15")
    return folder


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("something tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def painted_in(folder: Path) -> dict[str, np.ndarray]:
    return {file.name: read_picture(file) for file in sorted(folder.iterdir())}


@pytest.mark.slow
def test_keyframes_are_painted_carried_and_left_for_correction(clip: Path, models: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"  # lossless, so that the keyframes can be compared
    arguments = ["stylise", str(clip), "--pipeline", str(models / "sd15"), "--output", str(film), *FEW]
    held = ["--controlnet", str(models / "canny"), "--control-map", "canny", "--keyframe-frames", "2,5", "--first", "1"]
    assert main([*arguments, *held]) == 0
    painted = painted_in(tmp_path / "film_keyframes")
    assert list(painted) == ["keyframe_000002.png", "keyframe_000005.png"]
    made, source = open_film(film), open_film(clip)
    assert len(made) == LENGTH
    for index, picture in zip((1, 4), painted.values(), strict=True):
        assert np.array_equal(made.frame(index), picture)
        assert np.abs(picture.astype(int) - source.frame(index)).mean() > 5
    before = made.frame(3).copy()
    again = ["stylise", str(clip), "--keyframes", str(tmp_path / "film_keyframes"), "--first", "1", "--threads", "1"]
    assert main([*again, "--output", str(film), "--overwrite"]) == 0
    assert np.array_equal(open_film(film).frame(3), before)
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == [".escalier"]


@pytest.mark.slow
def test_all_keyframes_are_painted_at_once_on_one_sheet(
    clip: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = []

    def negative(pipeline: object, pictures: np.ndarray, prompt: str, **_: object) -> np.ndarray:
        shapes.append(pictures.shape)
        return 1 - pictures.astype(np.float32) / 255

    monkeypatch.setattr(paint_keyframes, "repaint", negative)
    arguments = ["stylise", str(clip), "--pipeline", str(models / "sd15"), "--output", str(tmp_path / "film.mkv")]
    assert main([*arguments, *FEW, "--keyframe-frames", "0,2,3,5", "--painted", str(tmp_path / "mine")]) == 0
    assert [shape[0] for shape in shapes] == [1]
    source = open_film(clip)
    for index, picture in zip((0, 2, 3, 5), painted_in(tmp_path / "mine").values(), strict=True):
        off = np.abs(picture.astype(int) - (255 - source.frame(index).astype(int)))
        assert off.mean() < 6, "each cell comes back to its own frame, through the scaling of its sheet"


@pytest.mark.slow
def test_depth_is_measured_keyframe_by_keyframe(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    diffusers_folders.write_pipeline(tmp_path / "depth", "depth2img")
    seen = {}

    def negative(pipeline: object, pictures: np.ndarray, prompt: str, **dials: object) -> np.ndarray:
        (seen["maps"],) = dials["control_maps"]
        return 1 - pictures.astype(np.float32) / 255

    monkeypatch.setattr(paint_keyframes, "repaint", negative)
    monkeypatch.setattr(
        paint_keyframes, "estimate_depths", lambda _, pictures: np.stack([one.mean(2) / 255 for one in pictures])
    )
    arguments = ["stylise", str(clip), "--pipeline", str(tmp_path / "depth"), "--output", str(tmp_path / "film.mkv")]
    assert main([*arguments, *FEW, "--max-side", "640", "--keyframe-frames", "0,5"]) == 0
    (sheet,) = seen["maps"]
    source = open_film(clip)
    cell = cv2.resize(sheet[:320, 16:496], SIZE, interpolation=cv2.INTER_AREA)[..., 0]  # 480x320 within 512x320
    assert np.corrcoef(cell.ravel(), source.frame(0).mean(2).ravel())[0, 1] > 0.99


@pytest.mark.slow
def test_inpainting_leaves_the_film_s_own_pixels_outside_the_mask(clip: Path, models: Path, tmp_path: Path) -> None:
    mask = np.zeros((SIZE.height, SIZE.width), np.uint8)
    mask[16:48, 32:64] = 255
    (tmp_path / "mask").mkdir()
    cv2.imwrite(str(tmp_path / "mask" / "mask.png"), mask)
    arguments = ["stylise", str(clip), "--pipeline", str(models / "sd15"), "--output", str(tmp_path / "film.mkv"), *FEW]
    inpaint = ["--task", "inpaint", "--mask", str(tmp_path / "mask"), "--keyframe-frames", "3"]
    assert main([*arguments, *inpaint]) == 0
    (picture,) = painted_in(tmp_path / "film_keyframes").values()
    source = open_film(clip).frame(3)
    assert np.array_equal(picture[mask == 0], source[mask == 0])
    assert np.abs(picture.astype(int) - source)[mask == 255].mean() > 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pipeline", "gone"], "no file or folder at"),
        (["--controlnet", "canny"], "--control-map: name one for each of the 1 ControlNets, got 0"),
        (["--task", "inpaint"], "--mask: the task inpaint must have a mask"),
        (["--task", "pix2pix"], "task must be what the network was taught, got pix2pix"),
        (["--keyframe-frames", "99"], "indices must lie in 0..5, got 99"),
        (["--controlnet", "canny", "--control-map", "hed"], "'hed' needs the file ControlNetHED.pth"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_cannot_be_painted_is_refused_in_a_sentence(
    clip: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, arguments: list, message: str
) -> None:
    monkeypatch.chdir(models)
    output = tmp_path / "film.mkv"
    assert main(["stylise", str(clip), "--pipeline", "sd15", "--output", str(output), *FEW, *arguments]) == 1
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said
    assert not output.exists() and not (tmp_path / "film_keyframes").exists()


def test_painted_keyframes_are_not_replaced_by_accident(clip: Path, models: Path, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "film_keyframes"
    folder.mkdir()
    (folder / "keyframe_000001.png").write_bytes(b"corrected by hand")
    arguments = ["stylise", str(clip), "--pipeline", str(models / "sd15"), "--output", str(tmp_path / "film.mkv"), *FEW]
    for more in ([], ["--overwrite"]):
        assert main([*arguments, *more, "--keyframe-frames", "3"]) == 1
        assert "must not hold other files, got keyframe_000001.png" in capsys.readouterr().err
    assert (folder / "keyframe_000001.png").read_bytes() == b"corrected by hand"


def test_missing_packages_are_named_with_their_commands(
    clip: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    arguments = ["stylise", str(clip), "--pipeline", str(models / "sd15"), "--output", str(tmp_path / "film.mkv")]
    assert main([*arguments, *FEW]) == 1
    said = capsys.readouterr().err
    assert '-m pip install "diffusers>=0.30"' in said
    assert 'pip install "escalier[models,standalone]"' in said


def test_a_folder_of_keyframes_and_a_pipeline_exclude_one_another(clip: Path, capsys) -> None:
    for look in ([], ["--keyframes", "painted", "--pipeline", "sd15"]):
        with pytest.raises(SystemExit, match="2"):
            main(["stylise", str(clip), *look])
    assert "not allowed with" in capsys.readouterr().err


@pytest.mark.slow
def test_frames_are_chosen_where_none_are_named(models: Path, tmp_path: Path) -> None:
    still = write_film(tmp_path / "still.mkv", ArrayFrames(np.full((3, 64, 96, 3), 90, np.uint8)))
    arguments = ["stylise", str(still), "--pipeline", str(models / "sd15"), *FEW]
    assert main([*arguments, "--output", str(tmp_path / "film.mkv")]) == 0
    assert list(painted_in(tmp_path / "film_keyframes")) == ["keyframe_000001.png"]
