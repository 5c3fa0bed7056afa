"""Segmentation maps: what each pixel belongs to, in the colours that segmentation ControlNets know."""

import json
import pickle
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from escalier.arguments import checked
from escalier.film import as_uint8
from escalier.model_files import JSON_TEXT, PLAIN_TEXT, damage
from escalier.packages import load_package
from escalier.progress import Progress
from escalier.refusals import MissingFile, Refusal

from .package import naming_short_memory
from .sizes import RESOLUTION_PX, STEP_PX, Room, check_pictures

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
EXAMPLE = "huggingface.co/nvidia/segformer-b4-finetuned-ade-512-512"
TEACHING_ONLY = "auxiliary_head."
"""A second head of UperNet that only its teaching looked at; some files leave it out."""
REQUIREMENT = "transformers>=4.50.3"

# The 150 colours of the ADE20K data set, in the order of the classes (wall, building, sky, floor, tree ...), as red,
# green and blue in hexadecimal.
_COLOURS = """
    787878 b47878 06e6e6 503232 04c803 787850 8c8c8c cc05ff e6e6e6 04fa07 e005ff ebff07 96053d 787846 08ff33
    ff0652 8fff8c ccff04 ff3307 cc4603 0066c8 3de6fa ff0633 0b66ff ff0747 ff09e0 0907e6 dcdcdc ff095c 7009ff
    08ffd6 07ffe0 ffb806 0aff47 ff290a 07ffff e0ff08 6608ff ff3d06 ffc207 ff7a08 00ff14 ff0829 ff0599 0633ff
    eb0cff a09614 00a3ff 8c8c8c fa0a0f 14ff00 1fff00 ff1f00 ffe000 99ff00 0000ff ff4700 00ebff 00adff 1f00ff
    0bc8c8 ff5200 00fff5 003dff 00ff70 00ff85 ff0000 ffa300 ff6600 c2ff00 008fff 33ff00 0052ff 00ff29 00ffad
    0a00ff adff00 00ff99 ff5c00 ff00ff ff00f5 ff0066 ffad00 ff0014 ffb8b8 001fff 00ff3d 0047ff ff00cc 00ffc2
    00ff52 000aff 0070ff 3300ff 00c2ff 007aff 00ffa3 ff9900 00ff0a ff7000 8fff00 5200ff a3ff00 ffeb00 08b8aa
    8500ff 00ff5c b800ff ff001f 00b8ff 00d6ff ff0070 5cff00 00e0ff 70e0ff 46b8a0 a300ff 9900ff 47ff00 ff00a3
    ffcc00 ff008f 00ffeb 85ff00 ff00eb f500ff ff007a fff500 0abed4 d6ff00 00ccff 1400ff ffff00 0099ff 0029ff
    00ffcc 2900ff 29ff00 ad00ff 00f5ff 4700ff 7a00ff 00ffb8 005cff b8ff00 0085ff ffd600 19c2c2 66ff00 5c00ff
"""

PALETTE = np.frombuffer(bytes.fromhex(_COLOURS), np.uint8).reshape(-1, 3)
"""(150, 3) uint8. Road (6) and armour (48) have one colour: that is how the data set has them."""


class Segmentation(NamedTuple):
    """What `draw_segmentation_maps` returns."""

    maps: np.ndarray
    """(N, H, W, 3) float32 0..1 in the ADE20K palette."""
    labels: np.ndarray
    """(N, H, W) uint8: the number of the class of each pixel."""
    shares: dict[str, float]
    """The name of each class that was found and its share of all pixels, the largest first."""


@checked
def draw_segmentation_maps(
    pictures: Sequence[np.ndarray],
    folder: str | Path,
    *,
    resolution: int = RESOLUTION_PX,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Segmentation:
    """Colour each pixel by the class it belongs to, with an UperNet or SegFormer from a local folder.

    Parameters
    ----------
    pictures
        RGB pictures (H, W, 3) of one size, uint8 or float32 0..1.
    folder
        A transformers model of the 150 classes of ADE20K: config.json and its weights, for instance
        nvidia/segformer-b4-finetuned-ade-512-512 or openmmlab/upernet-convnext-small. Nothing is ever downloaded.
    resolution
        The short side, in pixels, at which the network looks; 0 is the picture's own size. More follows finer outlines
        and costs with the square.
    device
        Where the network runs, as torch names it.
    progress
        Called as `progress(done, total, picture)` after each picture.

    Returns
    -------
    Segmentation
        Maps of exactly the pictures' size.

    Raises
    ------
    FileNotFoundError
        If the folder holds no model; names it.
    ValueError
        If the model is of another kind or has other classes.
    ImportError
        If transformers is missing; names the command that installs it.
    MemoryError
        If the memory is too short for one picture.

    >>> draw_segmentation_maps([np.zeros((64, 64, 3), np.uint8)], "no such folder")
    Traceback (most recent call last):
    escalier.refusals.MissingFile: draw_segmentation_maps: folder must hold a transformers model ...
    """
    size = check_pictures(pictures, resolution)
    room = Room.of(size, resolution, STEP_PX)
    with naming_short_memory("the network", room.padded):
        model = _load(Path(folder)).to(device)
    normal = _normalisation(Path(folder))
    labels = np.empty((len(pictures), size.height, size.width), np.uint8)
    for number, picture in enumerate(pictures):
        with naming_short_memory("the network", room.padded):
            labels[number] = room.leave(_look(model, room.enter(as_uint8(picture)), normal, device), labels=True)
        if progress is not None:
            progress(number + 1, len(pictures), PALETTE[labels[number]])
    return Segmentation(PALETTE[labels].astype(np.float32) / 255, labels, _shares(labels, model.config.id2label))


def _load(folder: Path) -> Any:
    transformers = load_package("transformers", REQUIREMENT, "Segmentation maps")
    if not (folder / "config.json").is_file():
        rule = f"hold a transformers model (config.json and weights), but {folder} has no config.json"
        raise MissingFile("folder", rule, remedy=f"download all files of for instance {EXAMPLE} into it")
    _refuse_damage(folder)
    from safetensors import SafetensorError

    try:
        model, loaded = transformers.AutoModelForSemanticSegmentation.from_pretrained(
            folder, local_files_only=True, output_loading_info=True
        )
    except (ValueError, OSError, KeyError, RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError) as error:
        rule = f"hold a SegFormer or UperNet, but {folder} cannot be read as one ({_first_line(error)})"
        raise Refusal("folder", rule, remedy="check that all its files are there and whole") from error
    _refuse_gaps(model, loaded["missing_keys"], folder)
    if model.config.num_labels != len(PALETTE):
        found = f"but the one in {folder} has {model.config.num_labels}"
        remedy = "a segmentation ControlNet knows only their colours: take a model whose name says ade"
        raise Refusal("folder", f"hold a model with the {len(PALETTE)} classes of ADE20K, {found}", remedy=remedy)
    return model.eval()


def _refuse_damage(folder: Path) -> None:
    """What a browser saves where a download asks to sign in, pointers of Git LFS, and halves of downloads."""
    for file in sorted(path for path in folder.iterdir() if path.suffix in {".json", ".safetensors", ".bin"}):
        found = damage(file)
        if found is not None and not (file.suffix == ".json" and found in (JSON_TEXT, PLAIN_TEXT)):
            rule = f"be a part of a transformers model, but it is {found}"
            raise Refusal(f"{file}", rule, remedy="download the file itself again")


def _refuse_gaps(model: Any, missing: Iterable[str], folder: Path) -> None:
    """transformers fills weights that it does not find with random ones, and only says so in its log."""
    needed = {name for name, _ in model.named_parameters() if not name.startswith(TEACHING_ONLY)}
    gaps = sorted(needed & set(missing))
    if gaps:
        rule = f"hold a whole SegFormer or UperNet, but {folder} lacks {len(gaps)} of its weights, such as {gaps[0]}"
        remedy = (
            "its config.json and its weights belong to different models, or the weights are only a backbone: download "
            "all files of one model"
        )
        raise Refusal("folder", rule, remedy=remedy)


def _normalisation(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of the colours that the model was taught with, for values 0..1."""
    file = folder / "preprocessor_config.json"
    try:
        settings = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except ValueError as error:
        rule = f"be a JSON file, but it is not ({_first_line(error)})"
        raise Refusal(f"{file}", rule, remedy="download it again") from error
    mean, deviation = settings.get("image_mean", IMAGENET_MEAN), settings.get("image_std", IMAGENET_DEVIATION)
    return np.float32(mean), np.float32(deviation)


def _look(model: Any, picture: np.ndarray, normal: tuple[np.ndarray, np.ndarray], device: str) -> np.ndarray:
    """The class of each pixel of a padded picture, (H, W) uint8."""
    import torch

    mean, deviation = normal
    colours = (picture.astype(np.float32) / 255 - mean) / deviation
    with torch.inference_mode():
        batch = torch.from_numpy(np.ascontiguousarray(colours.transpose(2, 0, 1)[None])).to(device)
        scores = model(pixel_values=batch).logits
        scores = torch.nn.functional.interpolate(scores, picture.shape[:2], mode="bilinear", align_corners=False)
        return scores[0].argmax(0).to(torch.uint8).cpu().numpy()


def _shares(labels: np.ndarray, names: dict[int, str]) -> dict[str, float]:
    counts = np.bincount(labels.ravel(), minlength=len(PALETTE)) / labels.size
    found = [int(number) for number in np.argsort(-counts, kind="stable") if counts[number] > 0]
    return {names.get(number, f"class {number}"): float(counts[number]) for number in found}


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
