"""Share Attention and Record Attention on a real sampler with a random model: what is shared, and what stays."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from tiny_models import checkpoints

torch = pytest.importorskip("torch")

STEPS = 3
EVERYWHERE = {"strength": 1.0, "blocks": "all", "start_percent": 0.0, "end_percent": 1.0}


@pytest.fixture(scope="module")
def loaded(comfyui: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A random SD 1.5 as the checkpoint loader gives it, and two prompts."""
    sd = importlib.import_module("comfy.sd")
    path = tmp_path_factory.mktemp("models") / "tiny.ckpt"
    torch.save(checkpoints.checkpoint("sd15"), path)
    with torch.inference_mode():
        model, clip, vae, _ = sd.load_checkpoint_guess_config(str(path), output_vae=True, output_clip=True)
        encode = comfyui.nodes.CLIPTextEncode().encode
        return SimpleNamespace(model=model, vae=vae, prompts=(encode(clip, "a dancer")[0], encode(clip, "")[0]))


@pytest.fixture(scope="module")
def latent() -> torch.Tensor:
    """Three latents of 64x48 pixels."""
    return torch.randn(3, 4, 6, 8, generator=torch.Generator().manual_seed(0)) * 0.5


@pytest.fixture(scope="module")
def sample(comfyui: SimpleNamespace, loaded: SimpleNamespace) -> Callable:
    def run(model, latent: torch.Tensor, *, steps: int = STEPS, denoise: float = 0.7) -> torch.Tensor:
        with torch.inference_mode():
            (out,) = comfyui.nodes.KSampler().sample(
                model, 1, steps, 4.0, "euler", "normal", *loaded.prompts, {"samples": latent}, denoise
            )
        return out["samples"]

    return run


@pytest.fixture(scope="module")
def plain(sample: Callable, loaded: SimpleNamespace, latent: torch.Tensor) -> torch.Tensor:
    return sample(loaded.model, latent)


def share(pack: SimpleNamespace, model, **dials):
    settings = {"anchor": 0, **EVERYWHERE, **dials}
    return pack.EscalierSharedAttention.execute(model, **settings).args[0]


def record(pack: SimpleNamespace, model, **dials) -> tuple:
    return pack.EscalierRecordAttention.execute(
        model, **{"anchor": 0, "blocks": "all", "start_percent": 0.0, "end_percent": 1.0, **dials}
    ).args


def farthest(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max())


def test_anchor_stays_and_the_others_change(pack, sample, loaded, latent, plain) -> None:
    shared = sample(share(pack, loaded.model), latent)
    assert farthest(shared[0], plain[0]) < 1e-4
    assert all(farthest(shared[i], plain[i]) > 1e-3 for i in (1, 2))


def test_another_anchor_can_be_chosen(pack, sample, loaded, latent, plain) -> None:
    shared = sample(share(pack, loaded.model, anchor=2), latent)
    assert farthest(shared[2], plain[2]) < 1e-4
    assert farthest(shared[0], plain[0]) > 1e-3


def test_pictures_that_are_all_alike_have_nothing_to_share(pack, sample, loaded, latent) -> None:
    alike = latent[:1].expand(3, -1, -1, -1).contiguous()
    first = sample(loaded.model, alike)
    shared = sample(share(pack, loaded.model, strength=0.7), alike)
    assert farthest(shared[0], first[0]) < 1e-4


def test_model_itself_stays_as_it_was_to_the_bit(pack, sample, loaded, latent, plain) -> None:
    sample(share(pack, loaded.model), latent)
    assert torch.equal(sample(loaded.model, latent), plain)


@pytest.mark.parametrize(
    "dials", [{"strength": 0.0}, {"start_percent": 1.0, "end_percent": 1.0}], ids=["no strength", "no steps"]
)
def test_nothing_shared_is_the_plain_picture_to_the_bit(pack, sample, loaded, latent, plain, dials: dict) -> None:
    assert torch.equal(sample(share(pack, loaded.model, **dials), latent), plain)


def test_more_strength_and_more_blocks_change_more(pack, sample, loaded, latent, plain) -> None:
    def change(**dials) -> float:
        return float((sample(share(pack, loaded.model, **dials), latent)[1:] - plain[1:]).abs().mean())

    assert 0 < change(strength=0.3) < change(strength=1.0)
    assert 0 < change(blocks="output") < change(blocks="all")
    assert 0 < change(end_percent=0.5) < change()


def test_bank_of_a_run_is_as_good_as_its_anchor_in_the_batch(pack, sample, loaded, latent) -> None:
    recording, bank = record(pack, loaded.model)
    sample(recording, latent[:1])
    again = sample(share(pack, loaded.model, bank=bank), latent[:1])
    assert farthest(again, sample(loaded.model, latent[:1])) < 1e-4


def test_recording_changes_nothing_and_a_later_run_looks_at_it(pack, sample, loaded, latent, plain) -> None:
    recording, bank = record(pack, loaded.model)
    assert torch.equal(sample(recording, latent), plain)
    assert bank.nbytes > 0
    alone = sample(loaded.model, latent[1:2])
    assert farthest(sample(share(pack, loaded.model, bank=bank), latent[1:2]), alone) > 1e-3


def test_bank_holds_one_run_however_often_it_is_recorded(pack, sample, loaded, latent) -> None:
    recording, bank = record(pack, loaded.model)
    sample(recording, latent)
    once = bank.nbytes
    sample(recording, latent)
    assert bank.nbytes == once


def test_bank_of_other_settings_is_refused(pack, sample, loaded, latent) -> None:
    recording, bank = record(pack, loaded.model)
    with pytest.raises(ValueError, match=r"Share Attention: bank must hold a recorded run, but it is empty; connect"):
        sample(share(pack, loaded.model, bank=bank), latent[:1])
    sample(recording, latent[:1])
    with pytest.raises(ValueError, match=r"noise level .* same steps, scheduler and denoise"):
        sample(share(pack, loaded.model, bank=bank), latent[:1], denoise=0.4)


def test_anchor_that_is_not_in_the_batch_is_refused(pack, sample, loaded, latent) -> None:
    with pytest.raises(ValueError, match=r"Share Attention: anchor must lie in 0\.\.2, got 5; the batch has 3"):
        sample(share(pack, loaded.model, anchor=5), latent)


def test_model_of_another_build_is_refused(pack, loaded) -> None:
    stranger = SimpleNamespace(model=SimpleNamespace(diffusion_model=torch.nn.Identity()))
    stranger.get_model_object = loaded.model.get_model_object
    with pytest.raises(ValueError, match=r"Share Attention: model must be of the SD 1.5, SD 2 or SDXL family, got Id"):
        share(pack, stranger)


def test_steps_the_wrong_way_round_are_refused(pack, loaded) -> None:
    with pytest.raises(ValueError, match=r"start_percent must not be above end_percent, got 0.8 and 0.2"):
        share(pack, loaded.model, start_percent=0.8, end_percent=0.2)


@pytest.mark.parametrize(("family", "fits"), [("sd15", True), ("sdxl", False)])
def test_controlnet_of_another_family_is_refused_by_name(pack, loaded, tmp_path, family: str, fits: bool) -> None:
    path = tmp_path / "control.pth"
    torch.save(checkpoints.controlnet(family, 1), path)
    controlnet = importlib.import_module("comfy.controlnet").load_controlnet(str(path))
    if fits:
        assert pack.EscalierCheckControlNets.execute(loaded.model, control_net=controlnet).args[0] is loaded.model
        return
    with pytest.raises(ValueError, match=r"Check ControlNets: control_net_2 must be of .* SD 1.5, got one for SDXL"):
        pack.EscalierCheckControlNets.execute(loaded.model, control_net_2=controlnet)
