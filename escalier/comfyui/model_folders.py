"""Where a ComfyUI on this machine looks for models and input files, read without starting it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from escalier.log import log
from escalier.refusals import printable

from .named_files import NamedFile

# Kinds of models that ComfyUI looks for in folders of other names, in its order.
SUBFOLDERS = {
    "controlnet": ("controlnet", "t2i_adapter"),
    "diffusion_models": ("unet", "diffusion_models"),
    "text_encoders": ("text_encoders", "clip"),
}
OLD_NAMES = {"unet": "diffusion_models", "clip": "text_encoders"}
CONFIG_NAME = "extra_model_paths.yaml"
CONFIG_OPTION = "--extra-model-paths-config"


@dataclass(frozen=True)
class ModelFolders:
    """The folders of one ComfyUI: for models, and for inputs."""

    models: Path
    inputs: Path
    extra: Mapping[str, Sequence[Path]]
    """More folders by kind, from its extra_model_paths.yaml."""
    complete: bool = True
    """False where that file cannot be read: then a model may lie where nobody can tell from here."""

    @classmethod
    def of(cls, folder: Path, base: Path, models: Path | None = None, arguments: Sequence[str] = ()) -> ModelFolders:
        """Those of the ComfyUI in `folder`, started with `base` and `models` and more arguments of its own."""
        extra: dict[str, list[Path]] = {}
        complete = True
        for config in (folder / CONFIG_NAME, *_named_configs(arguments)):
            if config.is_file():
                complete = _add_config(config, extra) and complete
        return cls(models or base / "models", base / "input", extra, complete)

    def roots(self, kind: str) -> list[Path]:
        """The folders that hold a kind of file."""
        if kind == "input":
            return [self.inputs]
        usual = [self.models / name for name in SUBFOLDERS.get(kind, (kind,))]
        return [*usual, *self.extra.get(kind, ())]

    def holds(self, file: NamedFile) -> bool:
        """Whether one of the folders holds the file."""
        if file.kind != "input" and not self.complete:
            return True
        return any(
            _lies_in(root, name, file) for kind in file.kinds for root in self.roots(kind) for name in file.names
        )

    def home(self, file: NamedFile) -> Path:
        """The folder that a file belongs into."""
        if file.kind in SUBFOLDERS:
            return self.models / file.kind  # not the old name, which stands first for diffusion models
        return self.roots(file.kind)[0]


def _lies_in(root: Path, name: str, file: NamedFile) -> bool:
    inside = PurePosixPath(name.replace("\\", "/"))
    if inside.is_absolute() or ".." in inside.parts or ":" in name or "\0" in name:
        return False  # nodes open nothing outside their folders
    path = root.joinpath(*inside.parts)
    if file.deep:
        return path.is_file() or any(name in files for _, _, files in os.walk(root, followlinks=True))
    if file.inside and (path / file.inside).is_file():
        return True
    return path.exists() if file.kind == "input" else path.is_file()


def _named_configs(arguments: Sequence[str]) -> list[Path]:
    """The files that follow the option, of which there may be several."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(CONFIG_OPTION, dest="configs", nargs="*", action="extend", type=Path, default=[])
    return parser.parse_known_args(arguments)[0].configs


def _add_config(config: Path, extra: dict[str, list[Path]]) -> bool:
    """Add the folders of one file, as ComfyUI reads it; False where it cannot be read."""
    try:
        import yaml
    except ModuleNotFoundError:
        return False
    try:
        content = yaml.safe_load(config.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        log.warning("%s cannot be read (%s).", printable(str(config)), printable(str(error).partition("\n")[0]))
        return False
    for section in content.values() if isinstance(content, dict) else ():
        if isinstance(section, dict):
            _add_section(section, config.absolute().parent, extra)
    return True


def _add_section(section: dict[str, Any], beside: Path, extra: dict[str, list[Path]]) -> None:
    base = section.get("base_path")
    base = beside / os.path.expandvars(os.path.expanduser(base)) if isinstance(base, str) else beside
    for kind, lines in section.items():
        if kind in ("base_path", "is_default") or not isinstance(lines, str):
            continue
        paths = [Path(os.path.normpath(base / line)) for line in lines.split("\n") if line]
        extra.setdefault(OLD_NAMES.get(kind, kind), []).extend(paths)
