"""Where the headless commands keep things: a cache that may be deleted, and the artist's own data, that may not."""

import os
import sys
from pathlib import Path

from escalier.refusals import MissingFile


def cache_folder() -> Path:
    """The folder of things that can be fetched again. The environment variable ESCALIER_CACHE moves it.

    >>> from unittest.mock import patch
    >>> with patch.dict(os.environ, ESCALIER_CACHE="/big/cache"):
    ...     cache_folder().as_posix()
    '.../big/cache'
    """
    return _folder("CACHE", "Library/Caches", ".cache")


def data_folder() -> Path:
    """The folder of models, saved canvases and scratch files. The environment variable ESCALIER_DATA moves it."""
    return _folder("DATA", "Library/Application Support", ".local/share")


def pack_folder() -> Path:
    """The folder that ComfyUI loads as the node pack: the one that holds `nodes/` and the library side by side."""
    folder = Path(__file__).resolve().parents[2]
    if not (folder / "nodes").is_dir() or not (folder / "__init__.py").is_file():
        rule = "hold the node pack (nodes/ and __init__.py) around the library"
        remedy = "clone the repository and install it from there with: pip install -e ."
        raise MissingFile(f"{folder}", rule, remedy=remedy, who="pack_folder")
    return folder


def _folder(kind: str, on_a_mac: str, on_linux: str) -> Path:
    """The folder of a kind where the environment says, else where the system keeps such things in the home."""
    if moved := os.environ.get(f"ESCALIER_{kind}"):
        return Path(moved).expanduser().absolute()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "escalier" / kind.lower()
    if sys.platform == "darwin":
        return Path.home() / on_a_mac / "escalier"
    return Path(os.environ.get(f"XDG_{kind}_HOME") or Path.home() / on_linux) / "escalier"
