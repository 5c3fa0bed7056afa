"""Pipelines of diffusers in their real classes with random weights, 2 to 6 MB, saved as real folders and files.

They paint noise of the right shape. So sizes, seeds, masks, strengths and the influence of every input can be asserted;
the beauty of a picture cannot.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    DDIMScheduler,
    EulerAncestralDiscreteScheduler,
    StableDiffusionDepth2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLInstructPix2PixPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import load_file, save_file
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    DPTConfig,
    DPTForDepthEstimation,
    DPTImageProcessor,
)

__all__ = ["KINDS", "load_file", "write_checkpoint", "write_controlnet", "write_pipeline", "write_tokenizer"]

TEXT_WIDTH = 32
"""Of the small family; the large one reads two texts, side by side."""
KINDS = ("sd15", "inpaint", "pix2pix", "depth2img", "sdxl", "sdxl_pix2pix")
NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}


def write_pipeline(folder: Path, kind: str) -> Path:
    """Save a pipeline's folder, as diffusers lays it out. The same kind has the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(KINDS.index(kind))
        _pipeline(folder, kind).save_pretrained(folder)
    return folder


def write_controlnet(folder: Path, family: str = "sd15", seed: int = 1) -> Path:
    """Save a ControlNet's folder whose influence is strong."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = ControlNetModel.from_unet(_unet(family), conditioning_embedding_out_channels=(16, 16, 32, 32))
        for weights in net.parameters():  # what a trained one begins with, zero, would have no influence
            if weights.ndim > 1 and not weights.any():
                torch.nn.init.normal_(weights, std=0.3)
        net.save_pretrained(folder)
    return folder


def write_checkpoint(file: Path, parts: Any) -> Path:
    """Save `parts.unet`, `.vae` and `.text_encoder` as one file, with the names that Stable Diffusion's makers gave."""
    state = {f"model.diffusion_model.{_unet_name(k, parts.unet)}": v for k, v in parts.unet.state_dict().items()}
    for name, value in parts.vae.state_dict().items():
        # The attention of the VAE was made of convolutions then.
        linear = ".attentions.0.to_" in name and value.ndim == 2
        state[f"first_stage_model.{_vae_name(name)}"] = value[..., None, None] if linear else value
    for name, value in parts.text_encoder.state_dict().items():
        state[f"cond_stage_model.transformer.text_model.{name.removeprefix('text_model.')}"] = value
    save_file({name: value.contiguous() for name, value in state.items()}, file)
    return file


def write_tokenizer(folder: Path) -> CLIPTokenizer:
    """CLIP's tokenizer with letters for words: 514 tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = [chr(c) for c in printable] + [chr(256 + k) for k in range(256 - len(printable))]
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: k for k, word in enumerate(words)}), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77)


def _pipeline(folder: Path, kind: str) -> Any:
    family = "sdxl" if kind.startswith("sdxl") else "sd15"
    channels = {"inpaint": 9, "pix2pix": 8, "sdxl_pix2pix": 8, "depth2img": 5}.get(kind, 4)
    tokenizer = write_tokenizer(folder / "tokenizer")
    instructed = channels == 8
    scheduler = (
        EulerAncestralDiscreteScheduler(**NOISE)
        if instructed
        else DDIMScheduler(**NOISE, clip_sample=False, set_alpha_to_one=False)
    )
    parts = {
        "vae": _vae(),
        "text_encoder": _text_encoder(CLIPTextModel),
        "tokenizer": tokenizer,
        "unet": _unet(family, channels),
        "scheduler": scheduler,
    }
    if family == "sdxl":
        parts |= {"text_encoder_2": _text_encoder(CLIPTextModelWithProjection), "tokenizer_2": tokenizer}
        return (StableDiffusionXLInstructPix2PixPipeline if instructed else StableDiffusionXLPipeline)(**parts)
    if kind == "depth2img":
        return StableDiffusionDepth2ImgPipeline(**parts, depth_estimator=_depth_network(), feature_extractor=_eyes())
    by_kind = {"inpaint": StableDiffusionInpaintPipeline, "pix2pix": StableDiffusionInstructPix2PixPipeline}
    unchecked = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    return by_kind.get(kind, StableDiffusionPipeline)(**parts, **unchecked)


def _unet(family: str, channels: int = 4) -> UNet2DConditionModel:
    settings: dict[str, Any] = {
        "block_out_channels": (32, 64),
        "layers_per_block": 1,
        "sample_size": 8,
        "in_channels": channels,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": TEXT_WIDTH,
        "attention_head_dim": 4,
    }
    if family == "sdxl":
        settings |= {
            "attention_head_dim": (2, 4),
            "use_linear_projection": True,
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 8,
            "transformer_layers_per_block": (1, 2),
            "projection_class_embeddings_input_dim": 6 * 8 + TEXT_WIDTH,
            "cross_attention_dim": 2 * TEXT_WIDTH,
        }
    return UNet2DConditionModel(**settings).eval()


def _vae() -> AutoencoderKL:
    levels = 4  # three halvings, as in every Stable Diffusion: 8 pixels are one latent
    return AutoencoderKL(
        block_out_channels=[32] * levels,
        down_block_types=["DownEncoderBlock2D"] * levels,
        up_block_types=["UpDecoderBlock2D"] * levels,
        sample_size=64,
    ).eval()


def _text_encoder(kind: type) -> Any:
    return kind(
        CLIPTextConfig(
            bos_token_id=512,
            eos_token_id=513,
            pad_token_id=513,
            hidden_size=TEXT_WIDTH,
            intermediate_size=37,
            num_attention_heads=4,
            num_hidden_layers=2,
            vocab_size=514,
            projection_dim=TEXT_WIDTH,
        )
    ).eval()


def _depth_network() -> DPTForDepthEstimation:
    return DPTForDepthEstimation(
        DPTConfig(
            image_size=32,
            patch_size=16,
            hidden_size=32,
            num_hidden_layers=4,
            backbone_out_indices=(0, 1, 2, 3),
            num_attention_heads=4,
            intermediate_size=37,
            neck_hidden_sizes=[16, 16, 32, 32],
            fusion_hidden_size=32,
            is_hybrid=False,
        )
    ).eval()


def _eyes() -> DPTImageProcessor:
    return DPTImageProcessor(size={"height": 32, "width": 32})


def _unet_name(name: str, unet: UNet2DConditionModel) -> str:
    """A tensor of the UNet in the old names, which count blocks from the picture to the middle and back."""
    layers, attended = unet.config.layers_per_block, unet.config.up_block_types

    def down(found: re.Match[str]) -> str:
        level, part, number = int(found[1]), found[2], int(found[3])
        if part == "downsamplers":
            return f"input_blocks.{(level + 1) * (layers + 1)}.0.op"
        return f"input_blocks.{1 + level * (layers + 1) + number}.{int(part == 'attentions')}"

    def up(found: re.Match[str]) -> str:
        level, part, number = int(found[1]), found[2], int(found[3])
        if part == "upsamplers":
            return f"output_blocks.{level * (layers + 1) + layers}.{1 + attended[level].startswith('Cross')}.conv"
        return f"output_blocks.{level * (layers + 1) + number}.{int(part == 'attentions')}"

    for new, old in (
        (r"conv_in", "input_blocks.0.0"),
        (r"time_embedding\.linear_1", "time_embed.0"),
        (r"time_embedding\.linear_2", "time_embed.2"),
        (r"conv_norm_out", "out.0"),
        (r"conv_out", "out.2"),
        (r"mid_block\.resnets\.0", "middle_block.0"),
        (r"mid_block\.attentions\.0", "middle_block.1"),
        (r"mid_block\.resnets\.1", "middle_block.2"),
        (r"down_blocks\.(\d)\.(resnets|attentions|downsamplers)\.(\d)(?:\.conv(?=\.))?", down),
        (r"up_blocks\.(\d)\.(resnets|attentions|upsamplers)\.(\d)(?:\.conv(?=\.))?", up),
    ):
        name, found = re.subn(f"^{new}(?=\\.)", old, name)
        if found:
            break
    if ".attn" in name or (".norm" in name and "transformer_blocks" in name):
        return name
    for new, old in (
        ("norm1", "in_layers.0"),
        ("conv1", "in_layers.2"),
        ("norm2", "out_layers.0"),
        ("conv2", "out_layers.3"),
        ("time_emb_proj", "emb_layers.1"),
        ("conv_shortcut", "skip_connection"),
    ):
        name = name.replace(new, old)
    return name


def _vae_name(name: str) -> str:
    """A tensor of the VAE in the old names; four levels."""
    name = re.sub(r"up_blocks\.(\d)", lambda found: f"up.{3 - int(found[1])}", name)
    for new, old in (
        (r"down_blocks\.(\d)", r"down.\1"),
        (r"mid_block\.resnets\.0", "mid.block_1"),
        (r"mid_block\.resnets\.1", "mid.block_2"),
        (r"mid_block\.attentions\.0", "mid.attn_1"),
        (r"resnets\.(\d)", r"block.\1"),
        (r"(down|up)samplers\.0", r"\1sample"),
        (r"conv_norm_out", "norm_out"),
        (r"conv_shortcut", "nin_shortcut"),
        (r"group_norm", "norm"),
        (r"to_out\.0", "proj_out"),
        (r"to_([qkv])", r"\1"),
    ):
        name = re.sub(new, old, name)
    return name
