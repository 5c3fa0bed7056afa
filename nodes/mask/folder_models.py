"""Models that are folders, as transformers saves them, in ComfyUI's menus and in its refusals."""

import os
from pathlib import Path

import folder_paths

CONFIG = "config.json"


class FolderModels:
    """The folders in one of ComfyUI's model folders that hold a config.json; `example` stands for them if none does."""

    def __init__(self, name: str, example: str) -> None:
        self._name = name
        self._example = example
        folder_paths.add_model_folder_path(name, os.path.join(folder_paths.models_dir, name))

    def choices(self) -> list[str]:
        """The folders in it, for a menu."""
        found = {
            entry.name
            for root in folder_paths.get_folder_paths(self._name)
            if Path(root).is_dir()
            for entry in Path(root).iterdir()
            if (entry / CONFIG).is_file()
        }
        return sorted(found) or [self._example]

    def path(self, model: str) -> Path:
        """Where a model lies, or where it should lie."""
        roots = [Path(root) for root in folder_paths.get_folder_paths(self._name)]
        return next((root / model for root in roots if (root / model / CONFIG).is_file()), roots[0] / model)

    def missing(self, model: str, remedy: str) -> bool | str:
        """What a menu answers for a model: True, or the sentence that names the folder."""
        path = self.path(model)
        return (path / CONFIG).is_file() or f"{model} must be a folder in {path.parent}, got no such one; {remedy}"

    def fingerprint(self, model: str) -> tuple[tuple[str, int, int], ...]:
        """What changes when the folder holds other files."""
        path = self.path(model)
        files = sorted(path.iterdir()) if path.is_dir() else []
        return tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files)


SAM2 = FolderModels("sam2", "sam2.1-hiera-small")
SAM2_REMEDY = "take the whole folder of facebook/sam2.1-hiera-small from huggingface.co"
