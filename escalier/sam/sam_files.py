"""Files of Segment Anything: the architecture is read from the weights, never guessed from the file's name."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from escalier.arguments import checked
from escalier.log import log
from escalier.model_files import UnreadableWeights, layout, read_weights, under_prefix
from escalier.packages import load_package
from escalier.refusals import MissingFile, Refusal

if TYPE_CHECKING:
    import torch

REQUIREMENT = "segment-anything>=1.0"
NAMES = {(768, 12): "vit_b", (1024, 24): "vit_l", (1280, 32): "vit_h"}
"""Meta's own three, by the width and depth of the image encoder."""
DECODER_HEADS = 8  # the one number that leaves no trace in the shapes; the same in every released model
PIXEL_MEAN, PIXEL_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of ImageNet, in levels of 255
FIRST_TENSOR = "image_encoder.patch_embed.proj.weight"
RELATIVE_PLACES = "image_encoder.blocks.0.attn.rel_pos_h"
HIGH_QUALITY = re.compile(r"mask_decoder\.(hf_|compress_vit_feat|embedding_encoder|embedding_maskfeature)")
"""What HQ-SAM has beside a Segment Anything model: it refines the decoder's answer."""


@checked
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
        If the file is something else: the message says what, and which node runs it where one does.
    ImportError
        If the package segment-anything is missing: the message ends with the pip command.

    Nothing in the file is executed. Tensors that Segment Anything does not have are named in a warning.

    Source: Kirillov et al., Segment Anything, 2023; the modules are those of the package segment-anything 1.0.

    >>> read_sam("models/sams/missing.pth")
    Traceback (most recent call last):
    escalier.refusals.MissingFile: read_sam: path must be a file, got models/sams/missing.pth; put the model there
    """
    path = Path(path)
    try:
        weights = read_weights(path)
    except FileNotFoundError:
        raise MissingFile("path", "be a file", path, "put the model there") from None
    except UnreadableWeights as error:
        raise _refusal(path, error.kind) from error
    kind = layout(weights)
    weights = under_prefix(weights, FIRST_TENSOR)
    if FIRST_TENSOR not in weights:
        raise _refusal(path, kind)
    if RELATIVE_PLACES not in weights:
        # EfficientSAM names its tensors as Segment Anything does, but looks at a picture in another way.
        raise _refusal(path, "an EfficientSAM or other model without relative positions, which this package cannot run")
    return _filled(path, weights)


def _filled(path: Path, weights: dict[str, Any]) -> tuple[str, torch.nn.Module]:
    import torch

    try:
        name, module = build_sam(weights)
    except KeyError as error:
        raise _refusal(path, f"a Segment Anything model without its tensor {error.args[0]}") from error
    except Refusal:  # a package that is missing
        raise
    except (ValueError, IndexError, ZeroDivisionError, RuntimeError, AssertionError, TypeError) as error:
        raise _refusal(path, f"a Segment Anything model whose tensors have strange shapes ({error})") from error
    needed = module.state_dict().keys()
    missing = sorted(needed - weights.keys())
    if missing:
        raise _refusal(path, f"a Segment Anything model without {len(missing)} of its tensors (such as {missing[0]})")
    try:
        module.load_state_dict({name: weights[name].float() for name in needed}, assign=True)
    except RuntimeError as error:
        wrong = str(error).strip().splitlines()[-1].strip()
        raise _refusal(path, f"a Segment Anything model whose tensors do not fit together ({wrong})") from error
    _name_what_is_left_out(path, sorted(weights.keys() - needed))
    # They are in no file, so building without memory has left them empty.
    module.pixel_mean = torch.tensor(PIXEL_MEAN).view(-1, 1, 1)
    module.pixel_std = torch.tensor(PIXEL_STD).view(-1, 1, 1)
    return name, module.eval().requires_grad_(False)


def _name_what_is_left_out(path: Path, names: list[str]) -> None:
    """A model trained further may have parts that Segment Anything has not; without them its masks are others."""
    refining = [name for name in names if HIGH_QUALITY.match(name)]
    if refining:
        log.warning(
            "%s is an HQ-SAM model: its %d tensors that refine the masks are left out; the rest is a Segment Anything "
            "model, which is used", path.name, len(refining),
        )  # fmt: skip
    others = [name for name in names if name not in refining and name not in ("pixel_mean", "pixel_std")]
    if others:
        log.warning(
            "%s has %d tensors that no Segment Anything model has (such as %s); they are left out, and the masks may "
            "differ from those that it was trained for", path.name, len(others), others[0],
        )  # fmt: skip


def build_sam(weights: dict[str, Any]) -> tuple[str, Any]:
    """The Segment Anything model to which a state dict belongs, by the shapes of its tensors: its name and module.

    The module has no memory for its weights yet: random numbers for a vit_h would take seconds to draw.
    """
    width, _, patch_px, _ = weights[FIRST_TENSOR].shape
    grid = weights["image_encoder.pos_embed"].shape[1]
    depth = _count(weights, r"image_encoder\.blocks\.(\d+)\.")
    # Each block's table of relative positions has 2 n - 1 rows, for n patches side by side.
    tables = [weights[f"image_encoder.blocks.{i}.attn.rel_pos_h"].shape for i in range(depth)]
    reach = [(rows + 1) // 2 for rows, _ in tables]
    encoder_mlp = weights["image_encoder.blocks.0.mlp.lin1.weight"].shape[0]
    prompt_width = weights["image_encoder.neck.0.weight"].shape[0]
    mask_channels = weights["prompt_encoder.mask_downscaling.3.weight"].shape[0]
    decoder_depth = _count(weights, r"mask_decoder\.transformer\.layers\.(\d+)\.")
    decoder_mlp = weights["mask_decoder.transformer.layers.0.mlp.lin1.weight"].shape[0]
    answers = weights["mask_decoder.mask_tokens.weight"].shape[0]
    score_depth = _count(weights, r"mask_decoder\.iou_prediction_head\.layers\.(\d+)\.")
    score_width = weights["mask_decoder.iou_prediction_head.layers.0.weight"].shape[0]
    modeling = load_package("segment_anything.modeling", REQUIREMENT, "Segment Anything masks")
    import torch

    with torch.device("meta"):
        module = modeling.Sam(
            image_encoder=modeling.ImageEncoderViT(
                img_size=grid * patch_px,
                patch_size=patch_px,
                embed_dim=width,
                depth=depth,
                num_heads=width // tables[0][1],
                mlp_ratio=encoder_mlp / width,
                out_chans=prompt_width,
                qkv_bias=True,
                norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
                use_rel_pos=True,
                window_size=min(reach),
                global_attn_indexes=tuple(i for i, patches in enumerate(reach) if patches == grid),
            ),
            prompt_encoder=modeling.PromptEncoder(
                embed_dim=prompt_width,
                image_embedding_size=(grid, grid),
                input_image_size=(grid * patch_px, grid * patch_px),
                mask_in_chans=mask_channels,
            ),
            mask_decoder=modeling.MaskDecoder(
                num_multimask_outputs=answers - 1,
                transformer=modeling.TwoWayTransformer(
                    depth=decoder_depth, embedding_dim=prompt_width, mlp_dim=decoder_mlp, num_heads=DECODER_HEADS
                ),
                transformer_dim=prompt_width,
                iou_head_depth=score_depth,
                iou_head_hidden_dim=score_width,
            ),
        )
    return NAMES.get((width, depth), f"vit_{width}x{depth}"), module


def _count(weights: dict[str, Any], pattern: str) -> int:
    return 1 + max(int(found.group(1)) for name in weights if (found := re.match(pattern, name)))


def _refusal(path: Path, kind: str) -> Refusal:
    return Refusal(
        path.name,
        "be a Segment Anything model",
        kind,
        "load sam_vit_b_01ec64.pth (375 MB), sam_vit_l_0b3195.pth (1.2 GB) or sam_vit_h_4b8939.pth (2.6 GB) from "
        "github.com/facebookresearch/segment-anything",
    )
