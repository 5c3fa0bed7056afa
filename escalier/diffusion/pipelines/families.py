"""Families of models: what a checkpoint's numbers say it is, and the settings that belong to it.

A checkpoint in one file holds weights and no settings; diffusers would fetch those from the network. The two families
that such files are mostly of are written down here, as their makers published them.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TEXT_WIDTHS = {768: "SD 1.5", 1024: "SD 2", 2048: "SDXL"}
"""The families by the width of the text that their networks read."""

TASK_OF_CHANNELS = {4: "img2img", 5: "depth2img", 8: "pix2pix", 9: "inpaint"}
"""What a network was taught, by the channels it reads: a picture's four, and one of depth, four of a second picture,
or five of a hole."""

Settings = Mapping[str, Any]

CROSS_DOWN, DOWN = "CrossAttnDownBlock2D", "DownBlock2D"
CROSS_UP, UP = "CrossAttnUpBlock2D", "UpBlock2D"

_SD15_NETWORK: Settings = {
    "attention_head_dim": 8,
    "block_out_channels": [320, 640, 1280, 1280],
    "cross_attention_dim": 768,
    "down_block_types": [CROSS_DOWN, CROSS_DOWN, CROSS_DOWN, DOWN],
    "layers_per_block": 2,
}
_SDXL_NETWORK: Settings = {
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "attention_head_dim": [5, 10, 20],
    "block_out_channels": [320, 640, 1280],
    "cross_attention_dim": 2048,
    "down_block_types": [DOWN, CROSS_DOWN, CROSS_DOWN],
    "layers_per_block": 2,
    "projection_class_embeddings_input_dim": 2816,
    "transformer_layers_per_block": [1, 2, 10],
    "use_linear_projection": True,
}
UNETS: dict[str, Settings] = {
    "SD 1.5": {**_SD15_NETWORK, "sample_size": 64, "up_block_types": [UP, CROSS_UP, CROSS_UP, CROSS_UP]},
    "SDXL": {**_SDXL_NETWORK, "sample_size": 128, "up_block_types": [CROSS_UP, CROSS_UP, UP]},
}
_CONTROLNETS: Mapping[str, Settings] = {"SD 1.5": _SD15_NETWORK, "SDXL": _SDXL_NETWORK}
_VAE: Settings = {
    "_class_name": "AutoencoderKL",
    "block_out_channels": [128, 256, 512, 512],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "latent_channels": 4,
    "layers_per_block": 2,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
}
VAES: dict[str, Settings] = {
    "SD 1.5": {**_VAE, "sample_size": 512, "scaling_factor": 0.18215},
    "SDXL": {**_VAE, "sample_size": 1024, "scaling_factor": 0.13025, "force_upcast": True},
}
_CLIP: Settings = {
    "model_type": "clip_text_model",
    "vocab_size": 49408,
    "max_position_embeddings": 77,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "pad_token_id": 1,
}
_CLIP_L: Settings = {
    **_CLIP,
    "architectures": ["CLIPTextModel"],
    "hidden_act": "quick_gelu",
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "projection_dim": 768,
}
_CLIP_G: Settings = {
    **_CLIP,
    "architectures": ["CLIPTextModelWithProjection"],
    "hidden_act": "gelu",
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_attention_heads": 20,
    "num_hidden_layers": 32,
    "projection_dim": 1280,
}
_NOISE: Settings = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "steps_offset": 1,
}
TEXT_ENCODERS: dict[str, Settings] = {"SD 1.5": _CLIP_L, "SDXL": _CLIP_L}
_SCHEDULERS: Mapping[str, Settings] = {
    "SD 1.5": {"_class_name": "PNDMScheduler", **_NOISE, "set_alpha_to_one": False, "skip_prk_steps": True},
    "SDXL": {"_class_name": "EulerDiscreteScheduler", **_NOISE, "timestep_spacing": "leading"},
}
_INSTRUCTED: Settings = {"_class_name": "EulerAncestralDiscreteScheduler", **_NOISE}
"""InstructPix2Pix of either family was published with this one."""

TOKENIZER = ("vocab.json", "merges.txt")
KNOWN = tuple(UNETS)
"""Families of which a single file is enough."""


def family_of(text_width: int) -> str:
    """The family whose networks read text of this width.

    >>> family_of(768), family_of(32)
    ('SD 1.5', 'a family with text of width 32')
    """
    return TEXT_WIDTHS.get(text_width, f"a family with text of width {text_width}")


def write_settings(folder: Path, family: str, in_channels: int, tokenizer: Path) -> Path:
    """Make a pipeline folder without weights for one of the `KNOWN` families.

    `in_channels` is what its network reads, see `TASK_OF_CHANNELS`; `tokenizer` a folder with vocab.json and merges.txt
    of CLIP, such as ComfyUI's comfy/sd1_tokenizer.
    """
    large = family == "SDXL"
    scheduler = _INSTRUCTED if in_channels == 8 else _SCHEDULERS[family]
    parts: dict[str, tuple[str, str, Settings | None]] = {
        "unet": ("diffusers", "UNet2DConditionModel", {**UNETS[family], "in_channels": in_channels}),
        "vae": ("diffusers", "AutoencoderKL", VAES[family]),
        "scheduler": ("diffusers", scheduler["_class_name"], scheduler),
        "text_encoder": ("transformers", "CLIPTextModel", TEXT_ENCODERS[family]),
        "tokenizer": ("transformers", "CLIPTokenizer", None),
    }
    if large:
        parts["text_encoder_2"] = ("transformers", "CLIPTextModelWithProjection", _CLIP_G)
        parts["tokenizer_2"] = ("transformers", "CLIPTokenizer", None)
    name = "StableDiffusionXLPipeline" if large else "StableDiffusionPipeline"
    for part, (_, _, settings) in parts.items():
        (folder / part).mkdir(parents=True)
        if settings is None:
            _copy_tokenizer(tokenizer, folder / part, pad="!" if part == "tokenizer_2" else "<|endoftext|>")
        else:
            _write(folder / part / ("scheduler_config.json" if part == "scheduler" else "config.json"), settings)
    _write(folder / "model_index.json", {"_class_name": name, **{part: kind[:2] for part, kind in parts.items()}})
    return folder


def write_controlnet_settings(folder: Path, family: str) -> Path:
    """Write the config.json of a ControlNet of one of the `KNOWN` families."""
    folder.mkdir(parents=True)
    _write(folder / "config.json", {"_class_name": "ControlNetModel", **_CONTROLNETS[family]})
    return folder


def _copy_tokenizer(source: Path, folder: Path, pad: str) -> None:
    for name in TOKENIZER:
        shutil.copyfile(source / name, folder / name)
    words = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "do_lower_case": True}
    _write(folder / "tokenizer_config.json", {**settings, **words, "pad_token": pad})


def _write(path: Path, settings: Settings) -> None:
    path.write_text(json.dumps(settings, indent=2), encoding="utf-8")
