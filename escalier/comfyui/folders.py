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
    if moved := os.environ.get("ESCALIER_CACHE"):
        return Path(moved).expanduser().absolute()
    if sys.platform == "win32":
        return _windows_folder() / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "escalier"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "escalier"


def data_folder() -> Path:
    """The folder of models, saved canvases and scratch files. The environment variable ESCALIER_DATA moves it."""
    if moved := os.environ.get("ESCALIER_DATA"):
        return Path(moved).expanduser().absolute()
    if sys.platform == "win32":
        return _windows_folder() / "data"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "escalier"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "escalier"


def pack_folder() -> Path:
    """The folder that ComfyUI loads as the node pack: the one that holds `nodes/` and the library side by side."""
    folder = Path(__file__).resolve().parents[2]
    if not (folder / "nodes").is_dir() or not (folder / "__init__.py").is_file():
        raise MissingFile(
            f"{folder}",
            "hold the node pack (nodes/ and __init__.py) around the library",
            remedy="clone the repository and install it from there with: pip install -e .",
            who="pack_folder",
        )
    return folder


def _windows_folder() -> Path:
    return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "escalier"
