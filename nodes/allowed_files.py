"""The one rule for files that a node may open: those that its menu shows, under the very name that it shows.

A workflow, or whoever reaches the server, can send any text for a menu: absolute paths, ".." in any spelling, drive
letters, devices. None of that is ever joined to a folder here. A name is looked up among what really lies in the
folders, and what is not found there is refused. Links that the artist put into a folder are followed, as ComfyUI
itself does.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import folder_paths
from comfy_api.v0_0_2 import io

from escalier.refusals import MissingFile

DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(10))}
"""Names that Windows keeps for devices, whatever follows after a dot."""


class AllowedFiles:
    """What a menu offers, and where each of it lies.

    `found` gives the names in the menu and the path that each stands for, as they are at that moment, and `refusal` the
    sentence about a name that is not among them. `example` stands in the menu while there is nothing.
    """

    def __init__(
        self, found: Callable[[], Mapping[str, Path]], refusal: Callable[[str], str], *, example: str | None = None
    ) -> None:
        self._found = found
        self._refusal = refusal
        self._example = example

    def choices(self) -> list[str]:
        """The names, for a menu."""
        return list(self._found()) or ([] if self._example is None else [self._example])

    def menu(self, id: str, tooltip: str, *, none: str | None = None) -> Callable[[], io.Input]:
        """Makes an input that offers the names as they are at that moment; `none` stands first."""

        def made() -> io.Input:
            choices = [*([none] if none else []), *self.choices()]
            default = choices[0] if none or self._example else None
            return io.Combo.Input(id, options=choices, default=default, tooltip=tooltip)

        return made

    def check(self, name: object) -> bool | str:
        """What validate_inputs answers: True, or the sentence."""
        return True if self._path(name) else self._refusal(shown(name))

    def path(self, name: object) -> Path:
        """Where the named file or folder lies.

        Raises FileNotFoundError if the menu has no such name; says what to do.
        """
        path = self._path(name)
        if path is None:
            raise MissingFile(self._refusal(shown(name)))
        return path

    def fingerprint(self, name: object) -> tuple[tuple[str, int, int], ...]:
        """What changes when other files are put under the same name; nothing for a name that is not in the menu."""
        path = self._path(name)
        if path is None:
            return ()
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        facts = ((str(file), file.stat()) for file in files if file.is_file())
        return tuple((file, stat.st_size, stat.st_mtime_ns) for file, stat in facts)

    def _path(self, name: object) -> Path | None:
        return self._found().get(name) if isinstance(name, str) else None


def files_in(kind: str, suffixes: tuple[str, ...] = ()) -> dict[str, Path]:
    """The ordinary files in ComfyUI's folders of a kind of models, by their names in the menu."""
    listed = folder_paths.get_filename_list(kind)
    wanted = (name for name in listed if not suffixes or name.lower().endswith(suffixes))
    found = ((name, folder_paths.get_full_path(kind, name)) for name in wanted)
    return {name: Path(path) for name, path in found if path}


def folders_in(kind: str, description: str) -> Iterator[tuple[str, Path]]:
    """The folders below ComfyUI's folders of a kind of models that hold a file of this name."""
    for root in folder_paths.get_folder_paths(kind):
        for folder, files in sorted(_walked(root)):
            if description in files and Path(folder) != Path(root) and Path(folder, description).is_file():
                yield Path(folder).relative_to(root).as_posix(), Path(folder)


def _walked(root: str) -> Iterator[tuple[str, list[str]]]:
    """Every folder below, through links, and its files. A link to a folder that holds it would never end."""
    for folder, below, files in os.walk(root, followlinks=True):
        yield folder, files
        real = Path(folder).resolve()
        inside = {name: Path(folder, name) for name in below}
        below[:] = [
            name
            for name, path in inside.items()
            if not path.is_symlink() or path.resolve() not in (real, *real.parents)
        ]


def add_model_folder(kind: str) -> None:
    """Make a folder of models known to ComfyUI that it does not know by itself.

    It lies in ComfyUI's models folder, and wherever extra_model_paths.yaml names it, shared with other packs.
    """
    folder_paths.add_model_folder_path(kind, os.path.join(folder_paths.models_dir, kind))


def roots(*kinds: str) -> str:
    """Where ComfyUI looks for these kinds of models, for a sentence."""
    return " or ".join(root for kind in kinds for root in folder_paths.get_folder_paths(kind))


def model_files(kind: str, suffixes: tuple[str, ...], *, example: str, remedy: str) -> AllowedFiles:
    """A folder of models that are files, for a menu."""
    add_model_folder(kind)
    return AllowedFiles(
        lambda: files_in(kind, suffixes),
        lambda name: f"{name} must lie in {roots(kind)}, got no such file; {remedy}",
        example=example,
    )


def model_folders(kind: str, description: str, *, example: str | None, remedy: str) -> AllowedFiles:
    """A folder of models that are folders, as transformers saves them, for a menu."""
    add_model_folder(kind)
    return AllowedFiles(
        lambda: dict(sorted(folders_in(kind, description))),
        lambda name: f"{name} must be a folder in {roots(kind)} with {description}, got no such one; {remedy}",
        example=example,
    )


def is_plain(name: str) -> bool:
    """Whether a name stays below any folder that it is joined to, on every system.

    >>> [is_plain(name) for name in ("a/b.pth", "../b.pth", "C:b.pth", "a/nul.txt", "a/ ", "a//b")]
    [True, False, False, False, False, False]
    """
    parts = name.replace("\\", "/").split("/")
    return name.isprintable() and ":" not in name and not name.startswith("~") and all(map(_is_plain_part, parts))


def _is_plain_part(part: str) -> bool:
    return part.strip(" .") != "" and part[-1] not in " ." and part.split(".")[0].strip().lower() not in DEVICES


def shown(name: object) -> str:
    """A name as a sentence may show it: whatever does not print as it stands is escaped, and it is cut to one line."""
    text = name if isinstance(name, str) and name.strip() == name != "" and name.isprintable() else repr(name)
    return text if len(text) <= 200 else text[:200] + " ..."
