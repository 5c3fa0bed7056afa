"""Which ComfyUI a command uses: the one named, comfy-cli's, or the embedded one."""

import configparser
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from escalier.log import log
from escalier.refusals import MissingFile

from .embedded import embedded_folder


@dataclass(frozen=True)
class ComfyUI:
    """A ComfyUI on this machine."""

    folder: Path
    """The one that holds its `main.py`."""
    python: Path
    """What runs it: its own where it has one, else the one that runs this command."""
    origin: str
    """How it was found, in words."""
    embedded: bool = False
    """Whether it is the one from our cache, which keeps its models and settings outside its own folder."""

    @property
    def version(self) -> str:
        """Its version as it states it, or "unknown"."""
        try:
            text = (self.folder / "comfyui_version.py").read_text(encoding="utf-8")
        except OSError:
            return "unknown"
        return text.partition('__version__ = "')[2].partition('"')[0] or "unknown"


def find_comfyui(folder: str | Path | None = None) -> ComfyUI:
    """Find a ComfyUI: `folder`, else the environment variable COMFYUI_PATH, else comfy-cli's workspace, else our own.

    The embedded one is fetched and unpacked where this machine has no copy yet.

    Raises
    ------
    FileNotFoundError
        When the folder that was named holds no ComfyUI.
    ComfyUIError
        When the embedded one is needed and cannot be fetched.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "comfy").mkdir()
    >>> (folder / "main.py").touch()
    >>> find_comfyui(folder).origin, find_comfyui(folder).version
    ('--comfyui', 'unknown')
    """
    if folder is not None:
        return _named(Path(folder), "--comfyui")
    if path := os.environ.get("COMFYUI_PATH"):
        return _named(Path(path), "COMFYUI_PATH")
    if workspace := comfy_cli_workspace():
        return ComfyUI(workspace, _own_python(workspace), "the comfy-cli workspace")
    return ComfyUI(embedded_folder(), Path(sys.executable), "embedded", embedded=True)


def comfy_cli_workspace() -> Path | None:
    """The workspace that comfy-cli would start: its default one, else the one used last, else where it installs.

    >>> import tempfile
    >>> from unittest.mock import patch
    >>> with patch("pathlib.Path.home", return_value=Path(tempfile.mkdtemp())):  # where comfy-cli never ran
    ...     print(comfy_cli_workspace())
    None
    """
    config = _comfy_cli_config()
    if not config.is_file():
        return None
    settings = configparser.RawConfigParser()
    try:
        settings.read(config, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        log.warning("comfy-cli's settings in %s cannot be read (%s); going on without them.", config, error)
        return None
    installs = Path.home() / "comfy" if sys.platform.startswith("linux") else Path.home() / "Documents" / "comfy"
    named = [settings.defaults().get(key, "") for key in ("default_workspace", "recent_workspace")]
    for candidate in (*named, str(installs)):
        if candidate and (found := _main_folder(Path(candidate).expanduser())):
            return found
    return None


def _comfy_cli_config() -> Path:
    if sys.platform == "win32":
        return Path.home() / "AppData" / "Local" / "comfy-cli" / "config.ini"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "comfy-cli" / "config.ini"
    return Path.home() / ".config" / "comfy-cli" / "config.ini"


def _named(folder: Path, source: str) -> ComfyUI:
    found = _main_folder(folder.expanduser())
    if found is None:
        remedy = "name the folder that ComfyUI is started from, or leave it out to use the embedded one"
        raise MissingFile(f"{source}", "name a folder that holds ComfyUI's main.py", folder, remedy, who="find_comfyui")
    return ComfyUI(found, _own_python(found), source)


def _main_folder(folder: Path) -> Path | None:
    """The folder of main.py: `folder` itself, or the ComfyUI inside it, as in a portable build or a workspace."""
    for candidate in (folder, folder / "ComfyUI"):
        if (candidate / "main.py").is_file() and (candidate / "comfy").is_dir():
            return candidate.resolve()
    return None


def _own_python(folder: Path) -> Path:
    """The Python of a ComfyUI: its virtual environment's or portable build's, else the one running now."""
    windows = sys.platform == "win32"
    inside = Path("Scripts", "python.exe") if windows else Path("bin", "python")
    candidates = [parent / name / inside for parent in (folder, folder.parent) for name in (".venv", "venv")]
    if windows:
        candidates.append(folder.parent / "python_embeded" / "python.exe")  # spelt so in the portable build
    return next((python for python in candidates if python.is_file()), Path(sys.executable))
