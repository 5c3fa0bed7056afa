# ruff: noqa: TID251  (the names of all tensors come from ComfyUI itself)
"""Checkpoints and ControlNets of real families with random weights, 2 to 16 MB, that unmodified ComfyUI samples with.

What is random are the large matrices. What is not: the VAE, whose round trip is the 8x8 box mean of the picture, and
four tensors of the UNet that make it a crude denoiser. So wiring, places, masks, seeds and the influence of prompt and
ControlNet can be asserted on pictures; the beauty of a picture cannot.

`write_models` runs this file in a process of its own, because it takes the names of all tensors from ComfyUI.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

Weights = dict[str, torch.Tensor]
Shapes = Mapping[str, tuple[int, ...]]

LATENT_CHANNELS = 4
SD15_SCALE, SDXL_SCALE = 0.18215, 0.13025
UNET = "model.diffusion_model."
VAE = "first_stage_model."

# The least that ComfyUI recognises: 320 channels, the width of the text, and for SDXL the depth of each block.
SD15 = MappingProxyType({
    "context_dim": 768, "use_linear_in_transformer": False, "num_heads": 8, "num_head_channels": -1,
    "num_res_blocks": [1], "channel_mult": [1], "transformer_depth": [1], "transformer_depth_output": [1, 1],
    "transformer_depth_middle": 1,
})  # fmt: skip
SDXL = MappingProxyType({
    "context_dim": 2048, "use_linear_in_transformer": True, "num_heads": -1, "num_head_channels": 64,
    "num_classes": "sequential", "adm_in_channels": 2816, "num_res_blocks": [2, 2, 2], "channel_mult": [1, 1, 1],
    "transformer_depth": [0, 0, 1, 1, 2, 2], "transformer_depth_output": [0, 0, 0, 1, 1, 1, 2, 2, 2],
    "transformer_depth_middle": 1,
})  # fmt: skip
# ComfyUI builds a union ControlNet with the widths of the real SDXL, whatever the file holds; its UNet needs them too.
WIDE = MappingProxyType({**SDXL, "channel_mult": [1, 2, 4], "transformer_depth_output": [0] * 9})
# The smallest ControlNet for SDXL that ComfyUI knows and that reads a prompt.
MID = MappingProxyType({**WIDE, "transformer_depth": [0, 0, 0, 0, 1, 1], "transformer_depth_output": [0] * 6 + [1] * 3})
ARCHITECTURES = {"sd15": SD15, "sdxl": SDXL, "sdxl wide": WIDE, "sdxl mid": MID}
UNION_TYPES = 8
IN_CHANNELS = {"": 4, "inpaint": 9, "instruct": 8}

CHECKPOINTS = {
    "tiny_sd15.ckpt": ("sd15", ""),
    "tiny_sd15_inpaint.ckpt": ("sd15", "inpaint"),
    "tiny_sd15_instruct.ckpt": ("sd15", "instruct"),
    "tiny_sdxl.ckpt": ("sdxl", ""),
    "tiny_sdxl_wide.ckpt": ("sdxl wide", ""),
}
CONTROLNETS = {
    "tiny_control_sd15_1.pth": ("sd15", 1),
    "tiny_control_sd15_2.pth": ("sd15", 2),
    "tiny_control_sd15_3.pth": ("sd15", 3),
    "tiny_control_sdxl.pth": ("sdxl", 1),
}
UNION = "tiny_union_sdxl.pth"
"""A union ControlNet for the wide checkpoint."""
UPSCALER = "tiny_upscale_x2.pth"


def write_models(comfyui: Path, models: Path) -> None:
    """Write every model below into the folders of a ComfyUI's models: 90 MB, 5 processor-seconds."""
    subprocess.run([sys.executable, __file__, str(comfyui), str(models)], check=True)


class RandomWeights:
    """Random matrices of any size in little room: each is a view of one small buffer, shifted from row to row.

    torch.save keeps such views as they are, so a checkpoint of a thousand megabytes is a file of a few. The matrices
    have full rank, and the same seed gives the same ones.
    """

    ROOM = 1 << 18

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self._noise = torch.randn(self.ROOM, generator=self._generator)
        self._scaled: dict[int, torch.Tensor] = {}

    def matrix(self, shape: tuple[int, ...], deviation: float) -> torch.Tensor:
        if math.prod(shape) <= 4096:
            return (torch.randn(shape, generator=self._generator) * deviation).half()
        exponent = round(math.log2(deviation))  # few scales, few buffers
        buffer = self._scaled.setdefault(exponent, (self._noise * 2.0**exponent).half())
        rows, columns = shape[0], math.prod(shape[1:])
        shift = max(1, min(5, (self.ROOM - columns) // rows))
        start = int(torch.randint(0, self.ROOM - (rows - 1) * shift - columns + 1, (1,), generator=self._generator))
        inner = torch.empty(shape[1:], device="meta").stride()
        return buffer.as_strided(shape, (shift, *inner), start)

    def fill(self, shapes: Shapes, gain: Callable[[str], float]) -> Weights:
        """Weights for a network: norms at rest, biases zero, matrices random with the usual deviation times a gain."""
        weights = {}
        for name, shape in shapes.items():
            if len(shape) < 2:
                weights[name] = torch.full(shape, float(name.endswith("weight"))).half()
            else:
                weights[name] = self.matrix(shape, gain(name) / math.sqrt(math.prod(shape[1:])))
        return weights


def checkpoint(family: str, kind: str = "", seed: int = 0) -> Weights:
    """A whole checkpoint: UNet, text encoders and VAE under the names that published files use."""
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

    random = RandomWeights(seed)
    config = unet_config(family, IN_CHANNELS[kind])
    unet = random.fill(shapes_of(lambda ops: UNetModel(**config, operations=ops, device="meta")), unet_gain)
    denoise(unet)
    weights = {UNET + name: value for name, value in unet.items()}
    text = {n: v for n, v in text_encoder("sd1_clip_config.json", random).items() if "text_projection" not in n}
    if family.startswith("sdxl"):
        weights |= {f"conditioner.embedders.0.transformer.{name}": value for name, value in text.items()}
        weights |= open_clip_names(text_encoder("clip_config_bigg.json", random), "conditioner.embedders.1.model.")
    else:
        weights |= {f"cond_stage_model.transformer.{name}": value for name, value in text.items()}
    scale = SDXL_SCALE if family.startswith("sdxl") else SD15_SCALE
    return weights | {VAE + name: value for name, value in box_mean_vae(scale).items()}


def controlnet(family: str, seed: int, **settings: int) -> Weights:
    from comfy.cldm.cldm import ControlNet

    config = unet_config(family, LATENT_CHANNELS) | settings
    del config["out_channels"]
    shapes = shapes_of(lambda ops: ControlNet(hint_channels=3, operations=ops, device="meta", **config))
    return RandomWeights(seed).fill(shapes, lambda name: 0.5 if "zero_convs" in name or "block_out" in name else 1.0)


def union_controlnet(seed: int) -> Weights:
    """One ControlNet for several kinds of maps, under the names of diffusers, as such files are published."""
    from comfy.utils import unet_to_diffusers

    weights = controlnet("sdxl mid", seed, union_controlnet_num_control_type=UNION_TYPES)
    names = {ours: theirs for theirs, ours in unet_to_diffusers(unet_config("sdxl mid", LATENT_CHANNELS)).items()}
    hints = max(int(name.split(".")[1]) for name in weights if name.startswith("input_hint_block."))
    renamed = {}
    for name, value in weights.items():
        block, _, rest = name.partition(".")
        number, _, kind = rest.partition(".")
        if block == "zero_convs":
            name = f"controlnet_down_blocks.{number}.{kind.removeprefix('0.')}"
        elif block == "middle_block_out":
            name = f"controlnet_mid_block.{kind}"
        elif block == "input_hint_block":
            place = {0: "conv_in", hints: "conv_out"}.get(int(number), f"blocks.{int(number) // 2 - 1}")
            name = f"controlnet_cond_embedding.{place}.{kind}"
        elif block == "label_emb":
            name = names[name].replace("class_embedding", "add_embedding")
        else:
            name = names.get(name, name.replace(".attn.in_proj.", ".attn.in_proj_"))
        renamed[name] = value
    return renamed


def upscaler(scale: int = 2, features: int = 8) -> Weights:
    """A Real-ESRGAN of the compact build that adds nothing to the picture: it repeats every pixel."""
    layers = {0: (features, 3, 3, 3), 2: (features, features, 3, 3), 4: (3 * scale**2, features, 3, 3)}
    weights = {f"body.{i}.weight": torch.zeros(shape) for i, shape in layers.items()}
    weights |= {f"body.{i}.bias": torch.zeros(shape[0]) for i, shape in layers.items()}
    return weights | {f"body.{i}.weight": torch.zeros(features) for i in (1, 3)}


def unet_config(family: str, in_channels: int) -> dict[str, Any]:
    architecture = {n: list(v) if isinstance(v, list) else v for n, v in ARCHITECTURES[family].items()}
    return {
        "image_size": 32, "in_channels": in_channels, "out_channels": LATENT_CHANNELS, "model_channels": 320,
        "use_spatial_transformer": True, "legacy": False, **architecture,
    }  # fmt: skip


def unet_gain(name: str) -> float:
    """Smaller last layers of each block keep the activations of a random network from growing."""
    last = (".out_layers.3.", "proj_out", ".to_out.0.", ".ff.net.2.")
    return 0.5 if any(layer in name for layer in last) else 1.0


def shapes_of(make: Callable[[Any], torch.nn.Module]) -> Shapes:
    import comfy.ops

    with torch.device("meta"):
        network = make(comfy.ops.disable_weight_init)
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def denoise(unet: Weights, *, kept: float = 0.35, influence: float = 0.15) -> None:
    """Make the UNet a crude denoiser: its noise is what a 3x3 box blur of the latent takes away, mostly.

    The first layer copies the four latent channels, each with both signs, into groups of the first norm; the last one
    undoes that. What prompt, ControlNet and time say comes through the random blocks between, made weak.
    """
    first = unet["input_blocks.0.0.weight"]
    channels = first.shape[0]
    signed = [(c, sign) for c in range(LATENT_CHANNELS) for sign in (1.0, -1.0)]
    source = [*signed, None, None] * (channels // 10)  # a norm's group is 10 channels
    copies = torch.zeros(first.shape)
    out = torch.zeros(unet["out.2.weight"].shape)
    for j, place in enumerate(source):
        if place is not None:
            c, sign = place
            share = sign / source.count((c, 1.0)) * math.sqrt(0.8)  # 0.8: two of ten channels are empty
            copies[j, c, 1, 1] = sign
            if sign > 0:
                out[c, j] = -(1 - kept) / 9 * share
                out[c, j, 1, 1] += share
    unet["input_blocks.0.0.weight"], unet["out.2.weight"] = copies.half(), out.half()
    last = max(int(name.split(".")[1]) for name in unet if name.startswith("output_blocks."))
    block = f"output_blocks.{last}."
    skip = unet[f"{block}0.skip_connection.weight"].float() * influence
    skip[:, -channels:] = torch.eye(channels)[..., None, None]
    unet[f"{block}0.skip_connection.weight"] = skip.half()
    for name in {f"{block}0.out_layers.3.weight", f"{block}1.proj_out.weight"} & unet.keys():
        unet[name] = (unet[name].float() * influence).half()


def box_mean_vae(scale: float) -> Weights:
    """A TAESD, written by hand, that encodes the mean of each 8x8 block and decodes it as a flat block.

    Its first three latent channels are red, green and blue in -1..1, the fourth is brightness.
    """
    from comfy.taesd.taesd import TAESD

    shapes = shapes_of(lambda ops: TAESD(latent_channels=LATENT_CHANNELS))
    vae = {name: torch.zeros(shape) for name, shape in shapes.items()}
    rgb = torch.arange(3)
    encoder, decoder = "taesd_encoder.", "taesd_decoder."
    vae[f"{encoder}0.weight"][rgb, rgb, 1, 1] = 1.0
    for halving in (2, 6, 10):
        vae[f"{encoder}{halving}.weight"][rgb, rgb, 1:, 1:] = 0.25
    vae[f"{encoder}14.weight"][rgb, rgb, 1, 1] = 2.0
    vae[f"{encoder}14.weight"][3, :3, 1, 1] = 2 * torch.tensor([0.3, 0.6, 0.1])
    vae[f"{encoder}14.bias"][:] = -1.0
    # The decoder squashes latents by 3 tanh(x / 3): exact for black and white, within 1 % between.
    vae[f"{decoder}1.weight"][rgb, rgb, 1, 1] = 1 / (6 * math.tanh(1 / 3))
    vae[f"{decoder}1.bias"][:3] = 0.5
    for layer in (7, 12, 17, 19):
        vae[f"{decoder}{layer}.weight"][rgb, rgb, 1, 1] = 1.0
    return vae | {"vae_scale": torch.tensor(scale), "vae_shift": torch.tensor(0.0)}


def text_encoder(config_name: str, random: RandomWeights) -> Weights:
    import comfy.clip_model

    config = json.loads((Path(comfy.clip_model.__file__).parent / config_name).read_text(encoding="utf-8"))
    shapes = shapes_of(lambda ops: comfy.clip_model.CLIPTextModel(config, torch.float32, "meta", ops))
    return random.fill(shapes, lambda name: 0.5 if "fc2" in name or "out_proj" in name else 1.0)


def open_clip_names(text: Weights, prefix: str) -> Weights:
    """The text encoder's tensors under the names of OpenCLIP, which SDXL files use for the larger one."""
    renamed = {
        "positional_embedding": text["text_model.embeddings.position_embedding.weight"],
        "token_embedding.weight": text["text_model.embeddings.token_embedding.weight"],
        "text_projection": text["text_projection.weight"].t(),
    }
    parts = {
        "layer_norm1": "ln_1",
        "layer_norm2": "ln_2",
        "mlp.fc1": "mlp.c_fc",
        "mlp.fc2": "mlp.c_proj",
        "self_attn.out_proj": "attn.out_proj",
    }
    for name, value in text.items():
        if name.startswith("text_model.final_layer_norm."):
            renamed[name.replace("text_model.final_layer_norm", "ln_final")] = value
        elif name.startswith("text_model.encoder.layers."):
            layer, part = name.removeprefix("text_model.encoder.layers.").split(".", 1)
            module, _, kind = part.rpartition(".")
            block = f"transformer.resblocks.{layer}."
            if module in parts:
                renamed[f"{block}{parts[module]}.{kind}"] = value
            elif module == "self_attn.q_proj":
                # OpenCLIP keeps query, key and value in one matrix: three views further along the same buffer.
                whole = (3 * value.shape[0], *value.shape[1:])
                strides = (1,) * value.ndim
                renamed[f"{block}attn.in_proj_{kind}"] = (
                    value.as_strided(whole, strides, 0) if value.ndim == 2 else torch.zeros(whole).half()
                )
    return {prefix + name: value for name, value in renamed.items()}


def _write_all(comfyui: str, models: Path) -> None:
    sys.argv = sys.argv[:1]
    sys.path.insert(0, comfyui)
    import comfy.cli_args

    comfy.cli_args.args.cpu = True
    for folder in ("checkpoints", "controlnet", "upscale_models"):
        (models / folder).mkdir(parents=True, exist_ok=True)
    for name, (family, kind) in CHECKPOINTS.items():
        torch.save(checkpoint(family, kind), models / "checkpoints" / name)
    for name, (family, seed) in CONTROLNETS.items():
        torch.save(controlnet(family, seed), models / "controlnet" / name)
    torch.save(union_controlnet(seed=1), models / "controlnet" / UNION)
    torch.save(upscaler(), models / "upscale_models" / UPSCALER)


if __name__ == "__main__":
    _write_all(sys.argv[1], Path(sys.argv[2]))
