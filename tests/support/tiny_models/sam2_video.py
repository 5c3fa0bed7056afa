"""Sam2Video in its real architecture, 6 MB small, with random weights: it tracks, but it recognises nothing."""

from __future__ import annotations

from pathlib import Path

SIDE_PX = 128


def write_tiny_sam2_video(folder: Path, seed: int = 0) -> Path:
    """Save the folder that transformers makes of a model: config.json and model.safetensors."""
    import torch
    from transformers import Sam2VideoConfig, Sam2VideoModel

    width = 128
    config = Sam2VideoConfig(
        image_size=SIDE_PX,
        vision_config={
            "backbone_config": {
                "hidden_size": 16,
                "image_size": [SIDE_PX, SIDE_PX],
                "blocks_per_stage": [1, 1, 2, 1],
                "embed_dim_per_stage": [16, 32, 64, 128],
                "num_attention_heads_per_stage": [1, 1, 2, 2],
                "window_size_per_stage": [8, 4, 8, 4],
                "global_attention_blocks": [3],
                "model_type": "sam2_hiera_det_model",
            },
            "backbone_channel_list": [128, 64, 32, 16],
            "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
            "fpn_hidden_size": width,
            "model_type": "sam2_vision_model",
        },
        prompt_encoder_config={"hidden_size": width, "image_size": SIDE_PX},
        mask_decoder_config={"hidden_size": width, "mlp_dim": width, "iou_head_hidden_dim": width},
        memory_attention_hidden_size=width,
        memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=width,
        memory_attention_rope_feat_sizes=[8, 8],
        memory_encoder_hidden_size=width,
        memory_encoder_output_channels=64,
        mask_downsampler_embed_dim=width,
        memory_fuser_embed_dim=width,
        memory_fuser_intermediate_dim=width,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Sam2VideoModel(config).eval()
        model.save_pretrained(folder)
    return folder
