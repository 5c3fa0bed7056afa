"""Weights of detectors: found in local folders, read without running what is in them. Nothing is downloaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from escalier import model_files
from escalier.model_files import UnreadableWeights, layout, under_prefix
from escalier.refusals import MissingFile, Refusal

if TYPE_CHECKING:
    import torch

    Network = TypeVar("Network", bound="torch.nn.Module")

SIZES = {
    "sk_model.pth": "17 MB", "sk_model2.pth": "17 MB", "netG.pth": "218 MB", "ControlNetHED.pth": "29 MB",
    "table5_pidinet.pth": "3 MB", "5_model.pth": "0.2 MB", "7_model.pth": "0.2 MB", "mlsd_large_512_fp32.pth": "6 MB",
    "body_pose_model.pth": "209 MB", "hand_pose_model.pth": "147 MB", "facenet.pth": "154 MB",
    "dpt_hybrid-midas-501f0c75.pt": "493 MB", "ZoeD_M12_N.pt": "1.4 GB", "res101.pth": "531 MB", "scannet.pt": "291 MB",
}  # fmt: skip
"""How large the download of each file is."""


def find_file(names: Sequence[str], folders: Iterable[Path], kind: str, source: str) -> Path:
    """The first file of one of these names, or of one that ends in .safetensors instead, in the folders or below them.

    Raises FileNotFoundError if there is none. The message says which file belongs into which folder, how large it
    is, and where it comes from.
    """
    folders = [Path(folder) for folder in folders]
    for name in (*names, *(str(Path(name).with_suffix(".safetensors")) for name in names)):
        for folder in folders:
            found = sorted((path for path in folder.rglob(name) if path.is_file()), key=lambda path: len(path.parts))
            if found:
                return found[0]
    places = " or ".join(map(str, folders)) or "any folder (none was given)"
    wanted = " or ".join(f"{name} ({SIZES[name]})" for name in names)
    raise MissingFile(
        f"'{kind}' needs the file {wanted}, which is not in {places}",
        remedy=f"download it from {source} and put it there",
    )


def read_weights(path: Path) -> dict[str, Any]:
    """The tensors of a file by name; see `escalier.model_files.read_weights`."""
    try:
        return model_files.read_weights(path)
    except UnreadableWeights as error:
        raise Refusal(f"{path}", "hold weights", error.kind, "download the file itself again") from error


def fill(network: Network, state: Mapping[str, Any], path: Path) -> Network:
    """The network with these weights, ready to look; a file of another network is refused by its name."""
    own = network.state_dict().keys()
    state = under_prefix(state, next(iter(own)))
    # Old files of vision transformers carry these tables; newer code computes them.
    state = {key: value for key, value in state.items() if key in own or not key.endswith("relative_position_index")}
    try:
        network.load_state_dict(state)
    except (RuntimeError, AttributeError, TypeError) as error:
        rule = f"hold the weights of {type(network).__name__}, but it holds another network's ({layout(state)})"
        raise Refusal(f"{path}", rule, remedy="check that the file has its right name") from error
    return network.eval()
