"""Pipelines of diffusers: every class from a folder, in the picture's size, with dials that do what they say."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers", exc_type=ImportError)
pytest.importorskip("transformers")

from tiny_models import diffusers_folders  # noqa: E402

from escalier.diffusion import Painting, Pipeline, load_pipeline, repaint  # noqa: E402
from escalier.diffusion.pipelines import inputs  # noqa: E402

# diffusers and transformers take ten seconds to load.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_network")]
SIZE = (61, 75)  # rows and columns; neither is a multiple of 8
FEW = Painting(steps=4, strength=0.6)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline of each kind, two ControlNets of the small family and one of the large."""
    folder = tmp_path_factory.mktemp("models")
    for kind in diffusers_folders.KINDS:
        diffusers_folders.write_pipeline(folder / kind, kind)
    for name, family, seed in (("canny", "sd15", 1), ("depth", "sd15", 2), ("canny_xl", "sdxl", 3)):
        diffusers_folders.write_controlnet(folder / name, family, seed)
    return folder


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    blocks = np.random.default_rng(0).random((2, 8, 10, 3), np.float32)
    return np.repeat(np.repeat(blocks, 8, axis=1), 8, axis=2)[:, : SIZE[0], : SIZE[1]]


@pytest.fixture(scope="module")
def maps(pictures: np.ndarray) -> np.ndarray:
    return (pictures > 0.5).astype(np.float32)


@pytest.fixture
def img2img(models: Path) -> Pipeline:
    return load_pipeline(models / "sd15")


def square_mask() -> np.ndarray:
    mask = np.zeros(SIZE, np.float32)
    mask[16:40, 24:56] = 1
    return mask


@pytest.mark.parametrize(
    ("kind", "task", "nets", "runner"),
    [
        ("sd15", "auto", [], "StableDiffusionImg2ImgPipeline"),
        ("sd15", "inpaint", [], "StableDiffusionInpaintPipeline"),
        ("sd15", "inpaint", ["canny"], "StableDiffusionControlNetInpaintPipeline"),
        ("sd15", "auto", ["canny", "depth"], "StableDiffusionControlNetImg2ImgPipeline"),
        ("inpaint", "auto", [], "StableDiffusionInpaintPipeline"),
        ("pix2pix", "auto", [], "StableDiffusionInstructPix2PixPipeline"),
        ("depth2img", "auto", [], "StableDiffusionDepth2ImgPipeline"),
        ("sdxl", "auto", [], "StableDiffusionXLImg2ImgPipeline"),
        ("sdxl", "inpaint", [], "StableDiffusionXLInpaintPipeline"),
        ("sdxl", "inpaint", ["canny_xl"], "StableDiffusionXLControlNetInpaintPipeline"),
        ("sdxl", "controlnet", ["canny_xl"], "StableDiffusionXLControlNetImg2ImgPipeline"),
        ("sdxl_pix2pix", "auto", [], "StableDiffusionXLInstructPix2PixPipeline"),
    ],
)
def test_every_pipeline_paints_in_the_picture_s_own_size(
    models: Path, pictures: np.ndarray, maps: np.ndarray, kind: str, task: str, nets: list[str], runner: str
) -> None:
    pipeline = load_pipeline(models / kind, task, controlnets=[models / net for net in nets])
    assert type(pipeline.runner).__name__ == runner
    masks = [square_mask()] if pipeline.task == "inpaint" else None
    told: list[float] = []

    def paint(progress: Callable[..., None] | None = None, **dials: int) -> np.ndarray:
        painting, given = replace(FEW, **dials), [maps] * len(nets)
        return repaint(pipeline, pictures, "a dancer", painting, masks=masks, control_maps=given, progress=progress)

    painted = paint(progress=lambda done, total, picture=None: told.append(done / total))
    assert painted.shape == pictures.shape and painted.dtype == np.float32
    assert painted.min() >= 0 and painted.max() <= 1
    assert told == sorted(told) and told[-1] == 1 and len(told) >= 6
    assert np.array_equal(painted, paint())
    assert np.abs(painted - paint(seed=1)).mean() > 0.005
    assert np.abs(painted - paint(batch=2)).max() < 1e-4


def test_a_picture_is_painted_the_same_alone_and_among_others(img2img: Pipeline, pictures: np.ndarray) -> None:
    together = repaint(img2img, pictures, "a dancer", FEW)
    assert np.array_equal(together[1:], repaint(img2img, pictures[1:], "a dancer", painting=FEW))
    assert np.array_equal(repaint(img2img, pictures[[0, 0]], "a dancer", painting=FEW)[0], together[0])


def test_outside_the_mask_not_one_bit_changes_and_inside_all_do(models: Path, pictures: np.ndarray) -> None:
    mask = square_mask()
    for kind in ("sd15", "inpaint"):
        painted = repaint(load_pipeline(models / kind, "inpaint"), pictures, "a lamp", masks=[mask], painting=FEW)
        assert np.array_equal(painted[:, mask == 0], pictures[:, mask == 0])
        assert np.abs(painted - pictures)[:, mask == 1].mean() > 0.05


def test_soft_edges_of_a_mask_mix(pictures: np.ndarray) -> None:
    painted = 1 - pictures
    masks = np.broadcast_to(np.linspace(0, 1, SIZE[1], dtype=np.float32), pictures.shape[:3])
    mixed = inputs.mixed(pictures, painted, masks)
    assert np.array_equal(mixed[:, :, 0], pictures[:, :, 0])
    assert np.array_equal(mixed[:, :, -1], painted[:, :, -1])
    share = masks[..., None]
    np.testing.assert_allclose(mixed, (1 - share) * pictures + share * painted, atol=1e-6)


def test_each_mask_belongs_to_its_picture(models: Path, pictures: np.ndarray) -> None:
    masks = np.stack([square_mask(), np.zeros(SIZE, np.float32)])
    painted = repaint(load_pipeline(models / "sd15", "inpaint"), pictures, "", masks=masks, painting=FEW)
    assert np.array_equal(painted[1], pictures[1])
    assert not np.array_equal(painted[0], pictures[0])


def test_a_controlnet_without_strength_has_no_effect(models: Path, pictures: np.ndarray, maps: np.ndarray) -> None:
    pipeline = load_pipeline(models / "sd15", controlnets=[models / "canny", models / "depth"])
    plain = repaint(load_pipeline(models / "sd15"), pictures, "a dancer", painting=FEW)

    def held(*holds: float) -> np.ndarray:
        painting = replace(FEW, control_strengths=holds)
        return repaint(pipeline, pictures, "a dancer", painting, control_maps=[maps, 1 - maps])

    assert np.array_equal(held(0, 0), plain)
    first, second = held(1, 0), held(0, 1)
    assert np.abs(first - plain).mean() > 0.001
    assert np.abs(first - second).mean() > 0.001


def test_networks_see_what_was_given_upright_and_in_their_own_range(
    models: Path, pictures: np.ndarray, maps: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = load_pipeline(models / "sd15", controlnets=[models / "canny", models / "depth"])
    seen: dict[str, torch.Tensor] = {}
    encode = pipeline.runner.vae.encode

    def watch(picture: torch.Tensor) -> object:
        seen["picture"] = picture
        return encode(picture)

    monkeypatch.setattr(pipeline.runner.vae, "encode", watch)
    for name, net in zip(("first", "second"), pipeline.runner.controlnet.nets, strict=True):
        net.register_forward_pre_hook(
            lambda _, args, kwargs, name=name: seen.update({name: kwargs["controlnet_cond"]}), with_kwargs=True
        )
    repaint(pipeline, pictures[:1], "", control_maps=[maps[:1], 1 - maps[:1]], painting=FEW)

    def inside(name: str) -> np.ndarray:
        return seen[name][0].permute(1, 2, 0).numpy()[: SIZE[0], : SIZE[1]]

    np.testing.assert_allclose(inside("picture"), pictures[0] * 2 - 1, atol=1e-6)
    np.testing.assert_allclose(inside("first"), maps[0], atol=1e-6)
    np.testing.assert_allclose(inside("second"), 1 - maps[0], atol=1e-6)


def test_each_control_map_belongs_to_its_picture(models: Path, pictures: np.ndarray, maps: np.ndarray) -> None:
    pipeline = load_pipeline(models / "sd15", controlnets=[models / "canny"])
    twice = pictures[[0, 0]]
    each = repaint(pipeline, twice, "", control_maps=[maps], painting=FEW)
    shared = repaint(pipeline, twice, "", control_maps=[maps[1:]], painting=FEW)
    assert np.array_equal(each[1], shared[1])
    assert not np.array_equal(each[0], shared[0])


@pytest.mark.parametrize(("strength", "done"), [(0.2, [1]), (0.6, [1, 2, 3]), (1.0, [1, 2, 3, 4, 5])])
def test_strength_is_the_part_of_the_steps_that_is_done(
    img2img: Pipeline, pictures: np.ndarray, strength: float, done: list[int]
) -> None:
    told: list[float] = []
    painting = Painting(steps=5, strength=strength)
    repaint(img2img, pictures[:1], "", painting, progress=lambda done, total, picture=None: told.append(done))
    assert [share * len(done) for share in told[:-1]] == pytest.approx(done)


def test_pix2pix_looks_at_the_picture_as_much_as_it_is_told(models: Path, pictures: np.ndarray) -> None:
    pipeline = load_pipeline(models / "pix2pix")
    less, more = (
        repaint(pipeline, pictures, "make it gouache", Painting(steps=3, image_guidance=share)) for share in (1.0, 4.0)
    )
    assert np.abs(less - more).mean() > 0.005
    assert np.array_equal(
        less, repaint(pipeline, pictures, "make it gouache", Painting(steps=3, image_guidance=1.0, strength=1))
    )


def test_given_depth_is_taken_as_it_is_and_not_stretched(models: Path, pictures: np.ndarray) -> None:
    pipeline = load_pipeline(models / "depth2img")
    ramp = np.repeat(np.linspace(0.4, 0.6, SIZE[1], dtype=np.float32)[None, :, None], SIZE[0], axis=0).repeat(3, 2)
    seen = pipeline.runner.prepare_depth_map(
        torch.zeros(1, 3, 64, 80), inputs.as_tensor(inputs.padded(ramp[None], 8)).mean(1), 1, True, torch.float32, "cpu"
    )
    assert seen.shape == (2, 1, 8, 10)
    assert -0.2 < float(seen.min()) < -0.15 and 0.15 < float(seen.max()) < 0.21
    given = repaint(pipeline, pictures, "", control_maps=[[ramp]], painting=FEW)
    assert np.abs(given - repaint(pipeline, pictures, "", control_maps=[[ramp * 0]], painting=FEW)).mean() > 1e-4


def test_nothing_is_stretched_where_sides_are_padded() -> None:
    stack = np.random.default_rng(0).random((1, *SIZE, 3), np.float32)
    padded = inputs.padded(stack, 8)
    assert padded.shape == (1, 64, 80, 3)
    assert np.array_equal(padded[:, : SIZE[0], : SIZE[1]], stack)
    assert (padded[0, :, SIZE[1] :] == padded[0, :, SIZE[1] - 1 : SIZE[1]]).all()
    assert inputs.padded(padded, 8) is padded


def test_cancel_ends_the_painting_within_a_step(img2img: Pipeline, pictures: np.ndarray) -> None:
    class Cancelled(Exception):
        pass

    calls: list[float] = []

    def cancel(done: float, total: float, picture: object = None) -> None:
        calls.append(done)
        raise Cancelled

    with pytest.raises(Cancelled):
        repaint(img2img, pictures, "", Painting(steps=10, strength=1.0), progress=cancel)
    assert calls == [pytest.approx(0.1)]
    assert repaint(img2img, pictures[:1], "", painting=FEW).shape == (1, *SIZE, 3)


def test_bytes_and_floats_are_painted_alike(img2img: Pipeline, pictures: np.ndarray) -> None:
    bytes_ = np.rint(pictures * 255).astype(np.uint8)
    assert np.array_equal(
        repaint(img2img, bytes_, "", FEW),
        repaint(img2img, bytes_.astype(np.float32) / np.float32(255), "", painting=FEW),
    )


def test_a_prompt_that_is_too_long_is_said_to_be(
    img2img: Pipeline, pictures: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "escalier"):
        repaint(img2img, pictures[:1], "x" * 75 + "lost", painting=FEW)
    assert "not read from here: lost" in caplog.text


def test_short_memory_halves_the_batch_and_paints_the_same(
    img2img: Pipeline, pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    four = np.concatenate([pictures, 1 - pictures])
    alone = repaint(img2img, four, "", FEW)
    forward, seen = img2img.runner.unet.forward, []

    def with_room_for_one(latents: torch.Tensor, *args: object, **kwargs: object) -> object:
        seen.append(len(latents))
        if len(latents) > 2:  # the negative and the positive prompt of one picture
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return forward(latents, *args, **kwargs)

    monkeypatch.setattr(img2img.runner.unet, "forward", with_room_for_one)
    with caplog.at_level(logging.WARNING, "escalier"):
        assert np.array_equal(repaint(img2img, four, "", replace(FEW, batch=4)), alone)
    assert seen[:3] == [8, 4, 2]
    assert "going on with 2" in caplog.text and "going on with 1" in caplog.text
