"""A folder of models that ComfyUI itself does not know, in its menus and in its refusals."""

import os
from pathlib import Path

import folder_paths


class ModelFolder:
    """A folder in ComfyUI's models folder, and wherever extra_model_paths.yaml names it, shared with other packs.

    `example` stands in the menu while the folder is empty.
    """

    def __init__(self, name: str, suffixes: tuple[str, ...], example: str) -> None:
        self._name = name
        self._suffixes = suffixes
        self._example = example
        folder_paths.add_model_folder_path(name, os.path.join(folder_paths.models_dir, name))

    def choices(self) -> list[str]:
        """The files in it, for a menu."""
        files = folder_paths.get_filename_list(self._name)
        return [file for file in files if file.lower().endswith(self._suffixes)] or [self._example]

    def path(self, file: str) -> Path:
        """Where a file lies, or where it should lie."""
        found = folder_paths.get_full_path(self._name, file)
        return Path(found) if found else Path(folder_paths.get_folder_paths(self._name)[0]) / file

    def missing(self, file: str, remedy: str) -> bool | str:
        """What a menu answers for a file: True, or the sentence that names the folder."""
        path = self.path(file)
        return path.is_file() or f"{file} must lie in {path.parent}, got no such file; {remedy}"

    def fingerprint(self, file: str) -> tuple[str, int, int]:
        """What changes when another file is put under the same name."""
        path = self.path(file)
        facts = path.stat() if path.is_file() else None
        return (str(path), facts.st_size, facts.st_mtime_ns) if facts else (str(path), 0, 0)
