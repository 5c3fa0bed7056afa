"""Files of Segment Anything: the architecture is read from the weights, never guessed from the file's name."""

from __future__ import annotations

import re
from dataclasses import dataclass
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
    module, name = _filled(path, weights)
    return name, module


def _filled(path: Path, weights: dict[str, Any]) -> tuple[torch.nn.Module, str]:
    import torch

    try:
        architecture = read_architecture(weights)
        module = _build(architecture)
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
    return module.eval().requires_grad_(False), architecture.name


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
                    depth=a.decoder_depth, embedding_dim=a.prompt_width, mlp_dim=a.decoder_mlp, num_heads=DECODER_HEADS
                ),
                transformer_dim=a.prompt_width,
                iou_head_depth=a.score_depth,
                iou_head_hidden_dim=a.score_width,
            ),
        )


def _refusal(path: Path, kind: str) -> Refusal:
    return Refusal(
        path.name,
        "be a Segment Anything model",
        kind,
        "load sam_vit_b_01ec64.pth (375 MB), sam_vit_l_0b3195.pth (1.2 GB) or sam_vit_h_4b8939.pth (2.6 GB) from "
        "github.com/facebookresearch/segment-anything",
    )
