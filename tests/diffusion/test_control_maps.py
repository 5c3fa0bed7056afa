"""Control maps have the picture's own size, lie where the picture has its lines, and need nothing from the network."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import cv2
import numpy as np
import pytest
from tiny_models import detectors

from escalier.diffusion import DETECTORS, KINDS, Options, draw_control_maps
from escalier.diffusion.control_maps.depth_range import align_depths, one_range
from escalier.diffusion.control_maps.sizes import Room
from escalier.film import Size

ODD = (97, 131)
# ZoeDepth's network takes 4 GB and 40 processor-seconds; it was run once by hand, see the README.
RUN = [kind for kind in KINDS if kind != "depth zoe"]


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (*ODD, 3), np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 4), None, 0, 255, cv2.NORM_MINMAX)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("controlnet_aux")

    def folder(kind: str) -> Path:
        if kind in detectors.FILES and not (root / kind).exists():
            detectors.write_weights(kind, root / kind)
        return root / kind

    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", RUN)
def test_a_map_has_exactly_the_size_of_its_picture(kind: str, weights, picture: np.ndarray) -> None:
    maps = draw_control_maps([picture], kind, folders=[weights(kind)], resolution=64)
    assert maps.shape == (1, *ODD, 3)
    assert maps.dtype == np.float32
    assert 0 <= maps.min() <= maps.max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pidinet", "lineart realistic"])
def test_at_a_multiple_of_64_a_map_is_the_packages_own(kind: str, weights, picture: np.ndarray) -> None:
    from escalier.diffusion.control_maps.package import import_package

    import_package()
    import controlnet_aux

    fitting = cv2.resize(picture, (192, 128))
    ours = draw_control_maps([fitting], kind, folders=[weights(kind)], resolution=0)[0]
    name = {"pidinet": "PidiNetDetector", "lineart realistic": "LineartDetector"}[kind]
    folder = str(weights(kind))
    if kind == "lineart realistic":
        detectors.write_weights("lineart coarse", weights(kind))
    theirs = getattr(controlnet_aux, name).from_pretrained(folder)(
        fitting, detect_resolution=128, image_resolution=128, output_type="np"
    )
    assert np.array_equal(np.rint(ours * 255).astype(np.uint8), theirs)


@pytest.mark.parametrize("kind", ["canny", "lineart standard"])
def test_a_line_is_drawn_where_the_picture_has_it(kind: str) -> None:
    """A circle of known centre and radius, on a size that no network likes."""
    picture = np.full((333, 477, 3), 230, np.uint8)
    cv2.circle(picture, (203, 151), 90, (20, 20, 20), 4)
    drawn = draw_control_maps([picture], kind, resolution=0)[0, :, :, 0]
    rows, columns = np.nonzero(drawn > 0.5 * drawn.max())
    radii = np.hypot(rows - 151, columns - 203)
    assert abs(radii.mean() - 90) < 1.5
    assert radii.std() < 3


def test_floats_and_bytes_make_the_same_map(picture: np.ndarray) -> None:
    floats = picture.astype(np.float32) / 255
    assert np.array_equal(draw_control_maps([picture], "canny"), draw_control_maps([floats], "canny"))


@pytest.mark.parametrize("resolution", [0, 64, 512])
@pytest.mark.parametrize("size", [Size(131, 97), Size(1, 1), Size(1920, 1080), Size(37, 500)], ids=str)
def test_room_is_padded_and_never_stretched(size: Size, resolution: int) -> None:
    room = Room.of(size, resolution, 64)
    assert room.padded.width % 64 == room.padded.height % 64 == 0
    scale = resolution / min(size) if resolution else 1
    assert all(abs(drawn - side * scale) <= 0.5 for drawn, side in zip(room.drawn, size, strict=True))
    assert all(0 <= padded - drawn < 64 for padded, drawn in zip(room.padded, room.drawn, strict=True))
    picture = np.zeros((size.height, size.width, 3), np.uint8)
    assert room.leave(room.enter(picture)).shape == picture.shape


def test_straight_lines_of_an_empty_picture_are_none(weights) -> None:
    drawn = draw_control_maps(
        [np.zeros((70, 90, 3), np.uint8)], "mlsd", folders=[weights("mlsd")], resolution=64,
        options=Options(mlsd_score=1.0),
    )  # fmt: skip
    assert drawn.max() == 0


def test_every_picture_is_reported_and_cancel_stops(picture: np.ndarray) -> None:
    calls: list[tuple[int, int]] = []
    draw_control_maps([picture] * 3, "canny", progress=lambda done, total, picture=None: calls.append((done, total)))
    assert calls == [(1, 3), (2, 3), (3, 3)]

    def cancel(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_control_maps([picture], "canny", progress=cancel)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if DETECTORS[kind].packaged and kind != "lineart standard"])
def test_a_missing_file_is_named_with_its_folder_and_source(kind: str, tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=rf"'{kind}' needs the file .*pth?.*{tmp_path.name}; download .*hugging"
    ):
        draw_control_maps([np.zeros((64, 64, 3), np.uint8)], kind, folders=[tmp_path])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<!DOCTYPE html><html>", "must hold weights, got a web page; download"),
        (b"\x80\x02nonsense", "must hold weights, got a file that torch cannot read as weights"),
        (b"", "must hold weights, got an empty file"),
    ],
    ids=["web page", "damaged", "empty"],
)
def test_a_file_that_holds_no_weights_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "ControlNetHED.pth").write_bytes(content)
    with pytest.raises(ValueError, match=rf"ControlNetHED.pth {message}"):
        draw_control_maps([np.zeros((64, 64, 3), np.uint8)], "hed", folders=[tmp_path])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pidinet", "hed", "lineart realistic", "mlsd", "teed"])
@pytest.mark.parametrize("writing", ["bare", "state_dict", "model", "module.", "safetensors"])
def test_other_ways_to_write_the_same_weights_draw_the_same(
    kind: str, writing: str, weights, tmp_path: Path, picture: np.ndarray
) -> None:
    torch = pytest.importorskip("torch")
    name = DETECTORS[kind].files[0][0]
    saved = torch.load(weights(kind) / name, weights_only=True)
    bare = saved.get("state_dict", saved)
    bare = {key.removeprefix("module."): value.contiguous().clone() for key, value in bare.items()}
    if writing == "safetensors":
        pytest.importorskip("safetensors.torch").save_file(bare, (tmp_path / name).with_suffix(".safetensors"))
    elif writing == "module.":
        torch.save({f"module.{key}": value for key, value in bare.items()}, tmp_path / name)
    else:
        torch.save(bare if writing == "bare" else {writing: bare, "epoch": 1}, tmp_path / name)
    small = picture[:64, :64]
    ours = draw_control_maps([small], kind, folders=[tmp_path], resolution=64)
    assert np.array_equal(ours, draw_control_maps([small], kind, folders=[weights(kind)], resolution=64))


def test_weights_of_another_network_are_refused(weights, tmp_path: Path) -> None:
    other = next(weights("mlsd").iterdir())
    (tmp_path / "ControlNetHED.pth").write_bytes(other.read_bytes())
    with pytest.raises(ValueError, match=r"must hold the weights of ControlNetHED_Apache2, .* another network's"):
        draw_control_maps([np.zeros((64, 64, 3), np.uint8)], "hed", folders=[tmp_path])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "sketch"}, "kind must be one of canny"),
        ({"resolution": 32}, r"resolution must be 0 or lie in 64\.\.4096 px, got 32"),
        ({"pictures": []}, "pictures must hold at least one picture"),
        ({"pictures": [np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9, 3), np.uint8)]}, "RGB of one size, 8x8"),
    ],
    ids=["kind", "resolution", "none", "sizes"],
)
def test_arguments_out_of_range_are_refused(arguments: dict, message: str) -> None:
    defaults = {"pictures": [np.zeros((64, 64, 3), np.uint8)], "kind": "canny"}
    with pytest.raises(ValueError, match=rf"draw_control_maps: .*{message}"):
        draw_control_maps(**{**defaults, **arguments})


@pytest.mark.slow
def test_import_survives_a_mediapipe_without_solutions(tmp_path: Path) -> None:
    """mediapipe 1.x, as controlnet-aux 0.0.10 meets it: the plain import fails, ours does not."""
    (tmp_path / "mediapipe.py").write_text("__version__ = '1.2.2'\n")
    code = textwrap.dedent(
        """
        import sys
        sys.path.insert(0, sys.argv[1])
        try:
            import controlnet_aux
        except AttributeError as error:
            assert "solutions" in str(error)
        else:
            raise SystemExit("the plain import works: the guard is no longer needed")
        from escalier.diffusion.control_maps.package import detector_module
        assert detector_module("hed").HEDdetector
        import mediapipe
        assert mediapipe.__version__ == "1.2.2"
        """
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(tmp_path)], check=True)


def test_missing_package_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "controlnet_aux", None)
    with pytest.raises(ImportError, match=r'-m pip install "controlnet-aux>=0.0.9"'):
        draw_control_maps([np.zeros((64, 64, 3), np.uint8)], "hed")
    assert draw_control_maps([np.zeros((64, 64, 3), np.uint8)], "canny").shape == (1, 64, 64, 3)


def room_depths(count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """A wall that recedes, a near person who walks through, and where the person is."""
    rows, columns = np.mgrid[:90, :160].astype(np.float32)
    wall = 0.2 + 0.3 * rows / 90 + 0.1 * np.sin(columns / 20)
    depths, people = [], []
    for k in range(count):
        person = (abs(columns - 20 - 25 * k) < 12) & (rows > 25)
        depths.append(np.where(person, 0.95, wall).astype(np.float32))
        people.append(person)
    return depths, np.stack(people)


def test_depth_of_a_still_wall_is_the_same_in_every_picture() -> None:
    truth, people = room_depths(6)
    rng = np.random.default_rng(1)
    drifts = [(1.0, 0.0), *zip(rng.uniform(0.5, 2, 5), rng.uniform(-1, 1, 5), strict=True)]
    noise = rng.normal(0, 0.003, (6, 90, 160)).astype(np.float32)
    raw = [np.float32(a) * d + np.float32(b) + n for (a, b), d, n in zip(drifts, truth, noise, strict=True)]
    aligned = np.stack([line.of(one) for line, one in zip(align_depths(raw), raw, strict=True)])
    still = ~people.any(0)
    own_extremes = np.stack([(one - one.min()) / np.ptp(one) for one in truth])
    assert np.ptp(np.stack(raw)[:, still].mean(1)) > 0.3
    assert np.ptp(aligned[:, still].mean(1)) < 0.01
    assert np.abs(aligned - np.stack(truth)).max() < 0.05
    # Where nobody is in the first picture, the package's own range would move the wall.
    alone = [np.where(people[0], 0.3, truth[0]), truth[1]]
    own_extremes = [(one - one.min()) / np.ptp(one) for one in alone]
    assert abs(own_extremes[0][still].mean() - own_extremes[1][still].mean()) > 0.1


def test_a_depth_of_another_place_keeps_the_unit_of_the_one_before() -> None:
    rng = np.random.default_rng(0)
    first, second = (cv2.resize(rng.random((6, 8), np.float32), (160, 90)) for _ in range(2))
    lines = align_depths([first, first * 2, second])
    assert lines[2] == lines[1]


def test_a_few_stray_pixels_do_not_set_the_range() -> None:
    depth = np.tile(np.linspace(0, 1, 640, dtype=np.float32), (360, 1))
    stray = depth.copy()
    stray[:5, :5] = 1000
    far, near = one_range([depth, stray])
    assert -0.01 < far < 0.02
    assert 0.97 < near < 1.01
