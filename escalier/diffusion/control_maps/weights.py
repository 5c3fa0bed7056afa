"""Weights of detectors: found in local folders, read without running what is in them. Nothing is downloaded."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import torch

    Network = TypeVar("Network", bound="torch.nn.Module")


def find_file(names: Sequence[str], folders: Iterable[Path], kind: str, source: str) -> Path:
    """The first file of one of these names in the folders or below them.

    Raises
    ------
    FileNotFoundError
        If there is none. The message says which file belongs into which folder, and where it comes from.
    """
    folders = [Path(folder) for folder in folders]
    for name in names:
        for folder in folders:
            found = sorted(folder.rglob(name), key=lambda path: len(path.parts))
            if found:
                return found[0]
    places = " or ".join(map(str, folders)) or "any folder (none was given)"
    raise FileNotFoundError(
        f"draw_control_maps: '{kind}' needs the file {' or '.join(names)}, which is not in {places}; download it from "
        f"{source} and put it there"
    )


def read_weights(path: Path) -> Mapping[str, Any]:
    """What torch.save wrote, on the processor: tensors and containers only, no code is run."""
    import torch

    with path.open("rb") as file:
        start = file.read(64).lstrip()
    if start.startswith(b"<"):
        raise ValueError(
            f"draw_control_maps: {path} must hold weights, but it is a web page; download the file itself again"
        )
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, UnicodeDecodeError, KeyError, ValueError) as error:
        raise ValueError(
            f"draw_control_maps: {path} must hold weights that torch can read, but it does not ({_first_line(error)}); "
            "it is damaged or another kind of file: download it again"
        ) from error


def fill(network: Network, state: Mapping[str, Any], path: Path) -> Network:
    """The network with these weights, ready to look; a file of another network is refused by its name."""
    own = network.state_dict().keys()
    state = state if isinstance(state, Mapping) else {}
    # Old files of vision transformers carry these tables; newer code computes them.
    state = {key: value for key, value in state.items() if key in own or not key.endswith("relative_position_index")}
    try:
        network.load_state_dict(state)
    except (RuntimeError, AttributeError, TypeError) as error:
        raise ValueError(
            f"draw_control_maps: {path} must hold the weights of {type(network).__name__}, but it holds another "
            "network's; check that the file has its right name"
        ) from error
    return network.eval()


def without_prefix(state: Mapping[str, Any], prefix: str = "module.") -> dict[str, Any]:
    """The weights as they were before torch's DataParallel put its prefix in front of every name."""
    return {key.removeprefix(prefix): value for key, value in state.items()}


def part_of(state: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
    """The weights that a file keeps under a key, beside other things."""
    if not isinstance(state, Mapping) or key not in state:
        raise ValueError(
            f"draw_control_maps: {path} must hold weights under {key!r}, but it does not; check that the file has its "
            "right name"
        )
    return state[key]


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines() or [type(error).__name__]
    return text[0][:120]
