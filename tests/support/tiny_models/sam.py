"""Segment Anything in its real architecture, 0.5 MB small, with random weights: it runs, but it recognises nothing."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

SIDE_PX = 256
LOGITS_PX = SIDE_PX // 4


def build_tiny_sam(seed: int = 0) -> torch.nn.Module:
    """The package's own modules, four times smaller than vit_b in side and 800 times in weights."""
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    grid, width = SIDE_PX // 16, 32
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        sam = Sam(
            ImageEncoderViT(
                img_size=SIDE_PX,
                embed_dim=width,
                depth=2,
                num_heads=2,
                out_chans=width,
                norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
                use_rel_pos=True,
                window_size=7,
                global_attn_indexes=(1,),
            ),
            PromptEncoder(width, (grid, grid), (SIDE_PX, SIDE_PX), mask_in_chans=16),
            MaskDecoder(
                transformer_dim=width,
                transformer=TwoWayTransformer(depth=2, embedding_dim=width, num_heads=8, mlp_dim=64),
                iou_head_hidden_dim=32,
            ),
        )
    return sam.eval()


def write_tiny_sam(path: Path, seed: int = 0) -> Path:
    """Write the weights as Meta does: the bare state dict."""
    torch.save(build_tiny_sam(seed).state_dict(), path)
    return path
