"""Leading ComfyUI to the pack, wherever it lies and whatever its folder is called, and to nothing beside it."""

import contextlib
import json
import sys
from pathlib import Path

from escalier.log import log

from .errors import ComfyUIError

MOUNT_NAME = "escalier"
KEPT_INSIDE = ("temp", "escalier")
"""Where nodes keep their work below the folder that ComfyUI is given for temporary files."""


def mount(pack: Path, scratch: Path) -> Path:
    """Link the pack into a folder of its own; gives the file for ComfyUI's --extra-model-paths-config."""
    folder = scratch / "custom_nodes"
    folder.mkdir()
    try:
        link_folder(pack, folder / MOUNT_NAME)
    except OSError as error:
        remedy = "set ESCALIER_DATA to a folder on a local disk"
        raise ComfyUIError(f"{folder}", f"allow a link to the pack in {pack}", error, remedy) from error
    config = scratch / "extra_paths.yaml"
    # JSON is YAML: it quotes any path rightly, spaces, colons and backslashes included.
    config.write_text(json.dumps({"escalier": {"custom_nodes": str(folder)}}), encoding="utf-8")
    return config


def unmount(scratch: Path) -> None:
    """Take the links away by themselves, so that deleting the folder around them can never follow one."""
    for link in (scratch / "custom_nodes" / MOUNT_NAME, scratch.joinpath(*KEPT_INSIDE)):
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                link.rmdir()
            else:
                link.unlink()


def mount_kept(kept: Path, scratch: Path) -> None:
    """Put a folder that lasts in the place of the one that nodes keep their work in.

    ComfyUI empties its temporary folder when it starts and when it ends; it removes a link there, not what it leads to.
    """
    link = scratch.joinpath(*KEPT_INSIDE)
    try:
        link.parent.mkdir(exist_ok=True)
        link_folder(kept, link)
    except OSError as error:
        log.warning("What a stopped job has made cannot be kept: %s must allow a link (%s).", link.parent, error)


def is_installed(base: Path, pack: Path) -> bool:
    """Whether ComfyUI finds a copy of the pack by itself; two copies of one pack would fight over its nodes."""
    installed = base / "custom_nodes"
    for folder in installed.iterdir() if installed.is_dir() else ():
        if folder.name.endswith(".disabled") or not (folder / "escalier" / "comfyui").is_dir():
            continue
        if folder.resolve() != pack.resolve():
            log.warning("Using the copy of the pack that is installed in %s.", folder)
        return True
    return False


def link_folder(target: Path, link: Path) -> None:
    """Make a folder appear at another place."""
    if sys.platform == "win32":
        import _winapi

        _winapi.CreateJunction(str(target), str(link))  # unlike a symbolic link, it needs no privilege
    else:
        link.symlink_to(target, target_is_directory=True)
