"""Files of Segment Anything: the architecture is read from the weights, never guessed from the file's name."""

from __future__ import annotations

import pickle
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from escalier.model_files import damage, is_safetensors, layout
from escalier.packages import load_package

if TYPE_CHECKING:
    import torch

REQUIREMENT = "segment-anything>=1.0"
NAMES = {(768, 12): "vit_b", (1024, 24): "vit_l", (1280, 32): "vit_h"}
"""Meta's own three, by the width and depth of the image encoder."""
DECODER_HEADS = 8  # the one number that leaves no trace in the shapes; the same in every released model
PIXEL_MEAN, PIXEL_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of ImageNet, in levels of 255
FIRST_TENSOR = "image_encoder.patch_embed.proj.weight"


@dataclass(frozen=True, kw_only=True)
class SamArchitecture:
    """The numbers that make one Segment Anything model differ from another.

    `global_blocks` are the encoder's blocks that look at the whole picture; the others look at windows of `window`
    patches. `side_px` is the length to which the longer side of a picture is brought.
    """

    width: int
    depth: int
    heads: int
    global_blocks: tuple[int, ...]
    window: int
    side_px: int
    patch_px: int
    mlp_ratio: float
    prompt_width: int
    mask_channels: int
    decoder_depth: int
    decoder_mlp: int
    candidates: int
    score_depth: int
    score_width: int

    @property
    def name(self) -> str:
        return NAMES.get((self.width, self.depth), f"vit_{self.width}x{self.depth}")


def read_sam(path: str | Path) -> tuple[str, torch.nn.Module]:
    """Load a Segment Anything model onto the processor.

    Parameters
    ----------
    path
        A file of weights, .pth or .safetensors: Meta's vit_b, vit_l and vit_h, models trained further from them, and
        HQ-SAM, of which the part that it shares with Segment Anything is used.

    Returns
    -------
    The architecture's name ("vit_b", "vit_l", "vit_h", else its width and depth), and the package's `Sam` module in
    float32, in evaluation mode.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is something else: the message says what.
    ImportError
        If the package segment-anything is missing: the message ends with the pip command.

    Nothing in the file is executed (`weights_only`).

    Source: Kirillov et al., Segment Anything, 2023; the modules are those of the package segment-anything 1.0.

    >>> read_sam("models/sams/missing.pth")
    Traceback (most recent call last):
    FileNotFoundError: read_sam: path must be a file, got models/sams/missing.pth; put the model there
    """
    path = Path(path)
    weights = _read_weights(path)
    if FIRST_TENSOR not in weights:
        raise _refusal(path, layout(weights))
    import torch

    architecture = read_architecture(weights)
    module = _build(architecture)
    needed = module.state_dict().keys()
    missing = sorted(needed - weights.keys())
    if missing:
        raise _refusal(path, f"a Segment Anything model without {len(missing)} of its tensors (such as {missing[0]})")
    module.load_state_dict({name: weights[name].float() for name in needed}, assign=True)
    # They are in no file, so building without memory has left them empty.
    module.pixel_mean = torch.tensor(PIXEL_MEAN).view(-1, 1, 1)
    module.pixel_std = torch.tensor(PIXEL_STD).view(-1, 1, 1)
    return architecture.name, module.eval().requires_grad_(False)


def read_architecture(weights: dict[str, Any]) -> SamArchitecture:
    """The architecture to which a Segment Anything state dict belongs, from the shapes of its tensors."""
    encoder = "image_encoder."
    width, _, patch_px, _ = weights[FIRST_TENSOR].shape
    grid = weights[encoder + "pos_embed"].shape[1]
    depth = _count(weights, r"image_encoder\.blocks\.(\d+)\.")
    # Each block's table of relative positions has 2 n - 1 rows, for n patches side by side.
    reach = [(weights[f"{encoder}blocks.{i}.attn.rel_pos_h"].shape[0] + 1) // 2 for i in range(depth)]
    window = min(reach)
    return SamArchitecture(
        width=width,
        depth=depth,
        heads=width // weights[encoder + "blocks.0.attn.rel_pos_h"].shape[1],
        global_blocks=tuple(i for i, patches in enumerate(reach) if patches == grid),
        window=window,
        side_px=grid * patch_px,
        patch_px=patch_px,
        mlp_ratio=weights[encoder + "blocks.0.mlp.lin1.weight"].shape[0] / width,
        prompt_width=weights[encoder + "neck.0.weight"].shape[0],
        mask_channels=weights["prompt_encoder.mask_downscaling.3.weight"].shape[0],
        decoder_depth=_count(weights, r"mask_decoder\.transformer\.layers\.(\d+)\."),
        decoder_mlp=weights["mask_decoder.transformer.layers.0.mlp.lin1.weight"].shape[0],
        candidates=weights["mask_decoder.mask_tokens.weight"].shape[0] - 1,
        score_depth=_count(weights, r"mask_decoder\.iou_prediction_head\.layers\.(\d+)\."),
        score_width=weights["mask_decoder.iou_prediction_head.layers.0.weight"].shape[0],
    )


def _count(weights: dict[str, Any], pattern: str) -> int:
    return 1 + max(int(found.group(1)) for name in weights if (found := re.match(pattern, name)))


def _build(architecture: SamArchitecture) -> Any:
    """The module without memory for its weights: random numbers for a vit_h would take seconds to draw."""
    modeling = load_package("segment_anything.modeling", REQUIREMENT, "Segment Anything masks")
    import torch

    a = architecture
    grid = a.side_px // a.patch_px
    with torch.device("meta"):
        return modeling.Sam(
            image_encoder=modeling.ImageEncoderViT(
                img_size=a.side_px,
                patch_size=a.patch_px,
                embed_dim=a.width,
                depth=a.depth,
                num_heads=a.heads,
                mlp_ratio=a.mlp_ratio,
                out_chans=a.prompt_width,
                qkv_bias=True,
                norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
                use_rel_pos=True,
                window_size=a.window,
                global_attn_indexes=a.global_blocks,
            ),
            prompt_encoder=modeling.PromptEncoder(
                embed_dim=a.prompt_width,
                image_embedding_size=(grid, grid),
                input_image_size=(a.side_px, a.side_px),
                mask_in_chans=a.mask_channels,
            ),
            mask_decoder=modeling.MaskDecoder(
                num_multimask_outputs=a.candidates,
                transformer=modeling.TwoWayTransformer(
                    depth=a.decoder_depth,
                    embedding_dim=a.prompt_width,
                    mlp_dim=a.decoder_mlp,
                    num_heads=DECODER_HEADS,
                ),
                transformer_dim=a.prompt_width,
                iou_head_depth=a.score_depth,
                iou_head_hidden_dim=a.score_width,
            ),
        )


def _read_weights(path: Path) -> dict[str, Any]:
    """The tensors of a file by name, without the wrappings that training scripts put around them."""
    if not path.is_file():
        raise FileNotFoundError(f"read_sam: path must be a file, got {path}; put the model there")
    if found := damage(path):
        raise _refusal(path, found)
    if is_safetensors(path):
        return dict(load_package("safetensors.torch", "safetensors>=0.4", "Models in safetensors").load_file(path))
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, UnicodeDecodeError) as error:
        raise _refusal(path, "a file that torch cannot read as weights") from error
    for wrapping in ("model", "state_dict"):
        if isinstance(content, dict) and isinstance(content.get(wrapping), dict):
            content = content[wrapping]
    if not isinstance(content, dict):
        raise _refusal(path, f"a {type(content).__name__} where a table of weights should be")
    tensors = {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)}
    return {name.removeprefix("module."): value for name, value in tensors.items()}


def _refusal(path: Path, kind: str) -> ValueError:
    return ValueError(
        f"read_sam: {path.name} must be a Segment Anything model, got {kind}; load sam_vit_b_01ec64.pth, "
        "sam_vit_l_0b3195.pth or sam_vit_h_4b8939.pth from github.com/facebookresearch/segment-anything"
    )
