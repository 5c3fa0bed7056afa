"""A picture file is read as an artist sees it: upright, in its colours, at its depth; or refused by name."""

from __future__ import annotations

import io
import logging
import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from picture_files import encoded, exif, grey_png, png, profile, tiff
from PIL import Image, ImageCms, ImageOps, features

from escalier.film import FolderFrames, picture_size, read_picture

ROWS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
PICTURE = cv2.resize(ROWS, (27, 18), interpolation=cv2.INTER_CUBIC)
GREY = PICTURE[..., 1].copy()
SRGB = ImageCms.createProfile("sRGB")
TURNS = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
    8: lambda p: np.rot90(p),
}


def read(folder: Path, data: bytes, name: str = "a.png") -> np.ndarray:
    (folder / name).write_bytes(data)
    picture = read_picture(folder / name)
    assert picture.dtype == np.uint8 and picture_size(folder / name) == (picture.shape[1], picture.shape[0])
    return picture


def spread(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey[..., None], 3, axis=2)


def furthest(a: np.ndarray, b: np.ndarray) -> int:
    assert a.shape == b.shape
    return int(np.abs(a.astype(int) - b.astype(int)).max())


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize(
    "kind", ["PNG", "PNG behind", "PNG 16", "JPEG", "WEBP", "TIFF", "TIFF 16", "TIFF float", "AVIF"]
)
def test_pictures_are_turned_upright(tmp_path: Path, kind: str, orientation: int) -> None:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    block = exif(orientation)
    data = {
        "PNG": lambda: encoded(PICTURE, "PNG", exif=block),
        "PNG behind": lambda: png(PICTURE, (b"eXIf", block[6:]), behind=True),
        "PNG 16": lambda: png(PICTURE.astype(np.uint16) * 257, (b"eXIf", block[6:])),
        "JPEG": lambda: encoded(PICTURE, "JPEG", quality=100, subsampling=0, exif=block),
        "WEBP": lambda: encoded(PICTURE, "WEBP", lossless=True, exif=block),
        "TIFF": lambda: tiff(PICTURE, orientation),
        "TIFF 16": lambda: tiff(PICTURE.astype(np.uint16) * 257, orientation),
        "TIFF float": lambda: tiff((PICTURE / 255).astype(np.float32), orientation),
        "AVIF": lambda: encoded(PICTURE, "AVIF", quality=100, subsampling="4:4:4", exif=block),
    }[kind]()
    if kind == "PNG behind":
        (tmp_path / "a.png").write_bytes(data)
        picture = read_picture(tmp_path / "a.png")
    else:
        picture = read(tmp_path, data)
    assert furthest(picture, TURNS[orientation](PICTURE)) <= (8 if kind in ("JPEG", "AVIF") else 0)


def test_the_worked_example_of_display_p3_comes_back(tmp_path: Path) -> None:
    stored = np.full((4, 4, 3), (202, 54, 44), np.uint8)
    shown = read(tmp_path, encoded(stored, "PNG", icc_profile=profile("Display P3", gamma=0)))
    assert furthest(shown, np.full((4, 4, 3), (220, 30, 30), np.uint8)) <= 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("name", ["Display P3", "Adobe RGB"])
def test_profiles_are_converted_as_pillow_converts_them(tmp_path: Path, kind: str, name: str) -> None:
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    data = encoded(PICTURE, kind, icc_profile=profile(name), **({"lossless": True} if kind == "WEBP" else {}))
    stored = Image.open(io.BytesIO(data)).convert("RGB")
    wanted = np.asarray(ImageCms.profileToProfile(stored, io.BytesIO(profile(name)), SRGB))
    assert furthest(wanted, np.asarray(stored)) > 5
    assert furthest(read(tmp_path, data), wanted) <= 1


def test_profiles_of_other_kinds(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    grey = encoded(GREY, "PNG", icc_profile=profile("grey", 1.4))
    wanted = ImageCms.profileToProfile(Image.fromarray(GREY), io.BytesIO(profile("grey", 1.4)), SRGB, outputMode="RGB")
    assert furthest(read(tmp_path, grey), np.asarray(wanted)) <= 1
    inks = Image.fromarray(PICTURE).convert("CMYK")
    for kind, options in (("JPEG", {"quality": 95}), ("TIFF", {})):
        data = encoded(inks, kind, icc_profile=profile("CMYK"), **options)
        stored = Image.open(io.BytesIO(data))
        wanted = ImageCms.profileToProfile(stored, io.BytesIO(profile("CMYK")), SRGB, outputMode="RGB")
        assert furthest(np.asarray(wanted), np.asarray(stored.convert("RGB"))) > 20
        assert furthest(read(tmp_path, data), np.asarray(wanted)) <= 1
    assert not caplog.records
    data = encoded(inks, "JPEG", quality=95)
    assert furthest(read(tmp_path, data, "inks.jpg"), np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))) <= 1
    assert "inks.jpg: CMYK without a profile that fits; its colours are a guess" in caplog.text


@pytest.mark.parametrize(
    ("broken", "message"),
    [(b"nonsense" * 40, "its ICC profile is broken"), (profile("Display P3")[:200], "its ICC profile is broken"),
     (profile("CMYK"), "its ICC profile is for other colours")],
    ids=["nonsense", "cut short", "of inks"],
)  # fmt: skip
def test_a_profile_that_cannot_be_used_is_passed_over_with_a_notice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: bytes, message: str
) -> None:
    assert np.array_equal(read(tmp_path, encoded(PICTURE, "TIFF", icc_profile=broken), "a.tif"), PICTURE)
    assert f"a.tif: {message}" in caplog.text


def test_pictures_in_srgb_stay_as_they_are(tmp_path: Path) -> None:
    tagged = encoded(PICTURE, "PNG", icc_profile=ImageCms.ImageCmsProfile(SRGB).tobytes())
    chunks = [(b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100_000))]
    said = png(PICTURE, (b"gAMA", struct.pack(">I", 45_455)), (b"cHRM", struct.pack(">8I", *SRGB_CHRM)))
    for data in (tagged, encoded(PICTURE, "PNG"), png(PICTURE, *chunks), said):
        assert np.array_equal(read(tmp_path, data), PICTURE)


SRGB_CHRM = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
P3_CHRM = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


def test_a_png_without_profile_is_converted_by_its_gamma_and_primaries(tmp_path: Path) -> None:
    linear = read(tmp_path, png(np.full((2, 2, 3), 46, np.uint8), (b"gAMA", struct.pack(">I", 100_000))))
    assert (linear == 118).all()
    wide = read(tmp_path, png(PICTURE, (b"gAMA", struct.pack(">I", 45_455)), (b"cHRM", struct.pack(">8I", *P3_CHRM))))
    wanted = ImageCms.profileToProfile(Image.fromarray(PICTURE), io.BytesIO(profile("Display P3")), SRGB)
    assert np.abs(wide.astype(int) - np.asarray(wanted)).mean() < 1.5 and furthest(wide, np.asarray(wanted)) <= 12
    with pytest.raises(ValueError, match=r"a.png must be in sRGB or bring an ICC profile, got cICP colours \(9, 16\)"):
        read(tmp_path, png(PICTURE, (b"cICP", bytes([9, 16, 0, 1]))))


def test_the_mark_of_adobe_rgb_in_exif_counts(tmp_path: Path) -> None:
    data = encoded(PICTURE, "JPEG", quality=100, subsampling=0, exif=exif(1, adobe=True))
    wanted = ImageCms.profileToProfile(Image.open(io.BytesIO(data)), io.BytesIO(profile("Adobe RGB", 2.2)), SRGB)
    assert furthest(read(tmp_path, data), np.asarray(wanted)) <= 2


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_are_rounded_to_eight(tmp_path: Path, channels: int) -> None:
    deep = np.random.default_rng(1).integers(0, 65536, (5, 7, 4)).astype(np.uint16)[..., :channels]
    if channels in (2, 4):
        deep[..., -1] = 65535
    colour = deep[..., :1] if channels < 3 else deep[..., :3]
    wanted = np.rint(np.broadcast_to(colour, (5, 7, 3)) / 257).astype(np.uint8)
    assert furthest(read(tmp_path, png(deep[..., 0] if channels == 1 else deep)), wanted) == 0
    if channels in (1, 3):
        assert furthest(read(tmp_path, tiff(deep[..., 0] if channels == 1 else deep), "a.tif"), wanted) == 0


def test_depths_and_kinds_of_grey(tmp_path: Path) -> None:
    ppm = b"P6 9 6 65535\n" + (ROWS.astype(np.uint16) * 257).astype(">u2").tobytes()
    assert np.array_equal(read(tmp_path, ppm, "a.ppm"), ROWS)
    assert np.array_equal(read(tmp_path, tiff(65535 - GREY.astype(np.uint16) * 257, white_is_zero=True)), spread(GREY))
    assert np.array_equal(read(tmp_path, encoded(GREY > 128, "PNG")), spread(np.where(GREY > 128, 255, 0)))
    assert np.array_equal(read(tmp_path, png(np.dstack([GREY, GREY * 0 + 255]))), spread(GREY))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("picture", [PICTURE, GREY], ids=["RGB", "grey"])
def test_floats_of_a_tiff_are_shown_from_0_to_1(tmp_path: Path, dtype: type, picture: np.ndarray) -> None:
    wanted = picture if picture.ndim == 3 else spread(picture)
    assert furthest(read(tmp_path, tiff((picture / 255).astype(dtype)), "a.tif"), wanted) == 0


def test_floats_whose_range_nothing_tells_are_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for bad, message in ((np.nan, "finite numbers"), (np.inf, "finite"), (255.0, "floats from 0 to 1, got 0.* to 255")):
        light = (PICTURE / 255).astype(np.float32)
        light[3, 4, 1] = bad
        with pytest.raises(ValueError, match=f"a.tif must hold {message}"):
            read(tmp_path, tiff(light), "a.tif")
    light[3, 4, 1] = 1.2
    assert read(tmp_path, tiff(light), "a.tif")[3, 4, 1] == 255
    assert "floats up to 1.2 are clipped at 1" in caplog.text


def light_of(picture: np.ndarray) -> np.ndarray:
    levels = picture / 255
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4).astype(np.float32)


def exr(path: Path, channels: dict[str, np.ndarray], **header: object) -> Path:
    module = pytest.importorskip("OpenEXR")
    head = {"compression": module.ZIP_COMPRESSION, "type": module.scanlineimage, **header}
    module.File(head, {name: np.ascontiguousarray(plane) for name, plane in channels.items()}).write(str(path))
    return path


def test_exr_is_light(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    light = light_of(PICTURE)
    named = dict(zip("RGB", np.moveaxis(light, 2, 0), strict=True))
    opaque = np.ones(GREY.shape, np.float32)
    for channels in (
        {"RGB": light},
        {"RGB": light.astype(np.float16)},
        {**named, "A": opaque},
        {f"ViewLayer.Combined.{name}": plane for name, plane in named.items()} | {"ViewLayer.Depth.Z": opaque},
    ):
        path = exr(tmp_path / "a.exr", channels)
        assert furthest(read_picture(path), PICTURE) <= 1 and picture_size(path) == (27, 18)
    assert furthest(read_picture(exr(tmp_path / "a.exr", {"Y": light[..., 1]})), spread(GREY)) <= 1
    assert not caplog.records
    hot = read_picture(exr(tmp_path / "a.exr", {"RGB": light + 2}))
    assert (hot == 255).all() and "a.exr: light up to 3 is clipped at 1, which is white" in caplog.text


def test_exr_that_is_no_whole_picture_is_refused(tmp_path: Path) -> None:
    light = light_of(PICTURE)
    named = dict(zip("RGB", np.moveaxis(light, 2, 0), strict=True))
    bad = light.copy()
    bad[0, 0] = np.nan
    for channels, message in (
        ({"RGB": bad}, "finite"),
        ({**named, "A": light[..., 0] * 0 + 0.5}, "opaque"),
        ({"Z": light[..., 0]}, "must have one picture of channels R, G, B or Y, got Z"),
    ):
        with pytest.raises(ValueError, match=message):
            read_picture(exr(tmp_path / "a.exr", channels))
    whole = exr(tmp_path / "a.exr", {"RGB": light}).read_bytes()
    for length in (len(whole) - 20, 150, 30):
        (tmp_path / "a.exr").write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"a.exr must be"):
            read_picture(tmp_path / "a.exr")


def test_radiance_is_light(tmp_path: Path) -> None:
    light = light_of(PICTURE)
    assert cv2.imwrite(str(tmp_path / "a.hdr"), light[..., ::-1].copy())
    back = light_of(read_picture(tmp_path / "a.hdr"))
    # Three channels share an exponent: the faint one beside a bright one is coarse.
    assert (np.abs(back - light) <= light.max(axis=2, keepdims=True) / 128 + 0.005).all()
    assert picture_size(tmp_path / "a.hdr") == (27, 18)


@pytest.mark.parametrize("hiding", [True, False])
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "TGA", "PNG 16", "colour key", "grey key", "palette", "GIF"])
def test_what_hides_something_is_refused_and_full_opacity_is_not(tmp_path: Path, kind: str, hiding: bool) -> None:
    layers = np.dstack([PICTURE, np.full(GREY.shape, 255, np.uint8)])
    layers[3:5, 2:6, 3] = 254 if hiding else 255
    corner = tuple(int(level) for level in PICTURE[0, 0])
    indexed = Image.fromarray(PICTURE).quantize(16)
    data = {
        "PNG 16": lambda: png(layers.astype(np.uint16) * 257),
        "colour key": lambda: encoded(PICTURE, "PNG", transparency=corner if hiding else (1, 2, 254)),
        "grey key": lambda: png(np.minimum(GREY, 250), (b"tRNS", struct.pack(">H", GREY[0, 0] if hiding else 255))),
        "palette": lambda: encoded(indexed, "PNG", transparency=bytes([255] * 3 + [0 if hiding else 255])),
        "GIF": lambda: encoded(indexed, "GIF", **({"transparency": 3} if hiding else {})),
    }.get(kind, lambda: encoded(layers, kind, **({"lossless": True} if kind == "WEBP" else {})))()
    name = "a.tga" if kind == "TGA" else "a.png"
    if hiding:
        with pytest.raises(ValueError, match=rf"{name} must be opaque, .*flatten it"):
            read(tmp_path, data, name)
    else:
        read(tmp_path, data, name)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_several_pictures_in_one_file_are_refused(tmp_path: Path, kind: str) -> None:
    other = Image.fromarray(255 - PICTURE)
    data = encoded(PICTURE, kind, save_all=True, append_images=[other])
    with pytest.raises(ValueError, match=r"a.png must be a single picture, got (an animation of )?2 (frames|pages)"):
        read(tmp_path, data)
    read(tmp_path, encoded(Image.fromarray(PICTURE).quantize(64), "GIF"), "one.gif")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "TGA", "JPEG2000", "PPM", "TIFF 16"])
@pytest.mark.parametrize("share", [0.1, 0.6, 0.97])
def test_files_that_break_off_are_refused(tmp_path: Path, kind: str, share: float) -> None:
    data = tiff(PICTURE.astype(np.uint16)) if kind == "TIFF 16" else encoded(PICTURE, kind)
    name = "a.tga" if kind == "TGA" else "a.png"
    with pytest.raises(ValueError, match=rf"{name} must be a (picture file|whole picture), .*again"):
        read(tmp_path, data[: int(len(data) * share)], name)


def test_a_preview_inside_a_broken_jpeg_does_not_stand_for_its_end(tmp_path: Path) -> None:
    data = encoded(PICTURE, "JPEG", exif=exif(1))
    thumbnail = encoded(PICTURE, "JPEG")
    marked = data[:2] + b"\xff\xed" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + data[2:]
    assert furthest(read(tmp_path, marked, "a.jpg"), np.asarray(Image.open(io.BytesIO(data)))) <= 1
    with pytest.raises(ValueError, match=r"a.jpg must be a whole picture, but the file breaks off"):
        read(tmp_path, marked[:-60], "a.jpg")


@pytest.mark.parametrize(("width", "height"), [(40_000, 10), (30_000, 30_000)])
@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_pictures_too_large_are_refused_by_their_header(tmp_path: Path, kind: str, width: int, height: int) -> None:
    data = bytearray(encoded(PICTURE, kind))
    struct.pack_into(">II" if kind == "PNG" else "<II", data, 16 if kind == "PNG" else 18, width, height)
    with pytest.raises(ValueError, match=r"a.png must have .*million"):
        read(tmp_path, bytes(data))


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    places = ["folder.png"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")
        (tmp_path / "zero.png").symlink_to("/dev/zero")
        places += ["pipe.png", "zero.png"]
    for place in places:
        for function in (read_picture, picture_size):
            with pytest.raises(OSError, match=rf"{place} must be a picture file, got a (folder|pipe or device)"):
                function(tmp_path / place)
    with pytest.raises(FileNotFoundError):
        read_picture(tmp_path / "gone.png")
    for content, message in ((b"", "got an empty one"), (b"not a picture", "cannot be decoded; save it again")):
        with pytest.raises(ValueError, match=rf"a.png must be a picture file, .*{message}"):
            read(tmp_path, content)
    heic = b"\0\0\0\x18ftypheic" + bytes(60)
    if "HEIF" not in Image.OPEN:
        with pytest.raises(ValueError, match=r"a.heic must be in a format that this Python can read.*save it as PNG"):
            read(tmp_path, heic, "a.heic")


@pytest.mark.parametrize("name", ["bücher.png", "wrong suffix.jpg", "no suffix", "p.tga"])
def test_the_content_says_what_a_file_is(tmp_path: Path, name: str) -> None:
    assert np.array_equal(read(tmp_path, encoded(PICTURE, "TGA" if name == "p.tga" else "PNG"), name), PICTURE)


# Format, mode, options: sixty-odd kinds of files, each tried with any orientation and profile.
KINDS = [
    *[("PNG", mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")],
    *[("PNG", mode, {"compress_level": 0}) for mode in ("L", "RGB")],
    *[("JPEG", mode, {"quality": quality}) for mode in ("L", "RGB", "CMYK") for quality in (60, 95)],
    *[("JPEG", "RGB", options) for options in ({"progressive": True}, {"subsampling": 0}, {"optimize": True})],
    *[("WEBP", mode, {"lossless": lossless}) for mode in ("RGB", "RGBA") for lossless in (False, True)],
    *[
        ("TIFF", mode, {"compression": how})
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16")
        for how in ("raw", "tiff_lzw", "tiff_adobe_deflate")
    ],
    *[("BMP", mode, {}) for mode in ("1", "L", "P", "RGB")],
    *[("GIF", mode, {}) for mode in ("1", "L", "P", "RGB")],
    *[("TGA", mode, {"compression": how}) for mode in ("L", "RGB", "RGBA") for how in (None, "tga_rle")],
    *[("PPM", mode, {}) for mode in ("1", "L", "RGB")],
    *[("JPEG2000", mode, {}) for mode in ("L", "RGB", "RGBA")],
]


def by_pillow(data: bytes) -> np.ndarray:
    """The picture as Pillow turns it and converts it by its profile."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        icc = image.info.get("icc_profile")
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I;16"):
            return spread(np.rint(np.asarray(image).astype(int) / 257).astype(np.uint8))
        if icc:
            space = ImageCms.getOpenProfile(io.BytesIO(icc)).profile.xcolor_space.strip()
            image = image.convert({"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}[space])
            image = ImageCms.profileToProfile(image, io.BytesIO(icc), SRGB, outputMode="RGB")
        return np.asarray(image.convert("RGB"))


@settings(max_examples=160, deadline=None, derandomize=True, database=None)
@given(
    kind=st.sampled_from(KINDS),
    orientation=st.integers(1, 8),
    with_profile=st.booleans(),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    seed=st.integers(0, 99),
)
def test_files_of_many_kinds_are_read_as_pillow_reads_them(
    tmp_path_factory: pytest.TempPathFactory,
    kind: tuple[str, str, dict],
    orientation: int,
    with_profile: bool,
    size: tuple[int, int],
    seed: int,
) -> None:
    form, mode, options = kind
    picture = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8))
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    else:
        picture = picture.convert("L").convert("LA") if mode == "LA" else picture.convert(mode)
    block = Image.Exif()
    block[274] = orientation
    extra = {"exif": block} if form in ("PNG", "JPEG", "WEBP", "TIFF") else {}
    if with_profile and form in ("PNG", "JPEG", "WEBP", "TIFF") and mode in ("L", "RGB", "RGBA", "CMYK"):
        colours = {"L": "grey", "CMYK": "CMYK"}.get(mode, "Display P3")
        extra["icc_profile"] = profile("Display P3" if form == "WEBP" else colours)
    data = encoded(picture, form, **options, **extra)
    path = tmp_path_factory.mktemp("fuzz") / f"a.{form.lower()}"
    path.write_bytes(data)
    wanted, shown = by_pillow(data), read_picture(path)
    assert picture_size(path) == (wanted.shape[1], wanted.shape[0])
    assert furthest(shown, wanted) <= 1


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(form=st.sampled_from(["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "JPEG2000", "TGA"]), data=st.data())
def test_damaged_files_are_read_or_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, form: str, data: st.DataObject
) -> None:
    content = bytearray(encoded(PICTURE, form))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damage") / f"a.{form.lower()}"
    path.write_bytes(bytes(content))
    try:
        assert read_picture(path).shape[2] == 3
    except ValueError as error:
        assert str(error).startswith("read_picture: a.") and " must " in str(error)


def test_plain_pictures_bring_no_notice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "escalier"):
        for form in ("PNG", "JPEG", "TIFF"):
            read(tmp_path, encoded(PICTURE, form))
    assert not caplog.records


def test_a_damaged_exif_block_is_noticed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plain = encoded(PICTURE, "JPEG")
    for block in (b"Exif\0\0II*\0\xff\xff\xff\x7f", b"Exif\0\0nonsense"):
        assert np.array_equal(read(tmp_path, encoded(PICTURE, "JPEG", exif=block), "a.jpg"), by_pillow(plain))
        assert "a.jpg: its EXIF block is damaged" in caplog.text
        caplog.clear()
    beyond = Image.Exif()
    beyond[274] = 99
    assert np.array_equal(read(tmp_path, encoded(PICTURE, "PNG", exif=beyond)), PICTURE)


@pytest.mark.parametrize("depth", [1, 2, 4, 16])
def test_a_transparent_level_of_grey_is_seen_at_every_depth(tmp_path: Path, depth: int) -> None:
    levels = np.random.default_rng(2).integers(0, 2**depth - 1, (5, 8)) if depth > 1 else np.zeros((5, 8), int)
    key = (b"tRNS", struct.pack(">H", 2**depth - 1))
    wanted = spread(np.rint(levels * 255 / (2**depth - 1)).astype(np.uint8))
    assert np.array_equal(read(tmp_path, grey_png(levels, depth, key)), wanted)
    levels[2, 3] = 2**depth - 1
    with pytest.raises(ValueError, match=r"a.png must be opaque"):
        read(tmp_path, grey_png(levels, depth, key))


def test_broken_gamma_and_primaries_are_passed_over_with_a_notice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for chunk in ((b"cHRM", bytes(32)), (b"gAMA", struct.pack(">I", 1)), (b"cHRM", struct.pack(">8I", *[30_000] * 8))):
        assert np.array_equal(read(tmp_path, png(PICTURE, chunk)), PICTURE)
        assert "a.png: its gAMA or cHRM is broken; read as sRGB" in caplog.text
        caplog.clear()


def test_a_film_gives_each_notice_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    light = (PICTURE / 255).astype(np.float32) + 0.2
    for index in range(4):
        (tmp_path / f"{index}.tif").write_bytes(tiff(light))
    film = FolderFrames(tmp_path, rate=24)
    assert all((film.frame(index) == film.frame(0)).all() for index in range(4))
    assert [record.getMessage()[:33] for record in caplog.records] == ["0.tif: floats up to 1.2 are clipp"]
