"""Which files an address of ours may speak of: those in ComfyUI's input, output and temp folders, by ComfyUI's rule."""

from pathlib import Path

import folder_paths

from escalier.refusals import MissingFile, Refusal

from ..allowed_files import shown


def served_path(name: str) -> Path:
    """The file or folder that a menu of ComfyUI means by `name`: `clip.mp4`, `shots/clip.mp4`, `clip.mp4 [output]`.

    Without a folder in brackets it lies in the input folder. Nothing outside of the three folders is ever looked at.
    Raises `Refusal` for a name that leads out of them and `MissingFile` where nothing lies.
    """
    if not name.strip() or "\0" in name:
        raise Refusal("file", "be the name of a file in the input, output or temp folder", shown(name), "choose one")
    try:
        path = Path(folder_paths.get_annotated_filepath(name))
    except ValueError as error:
        rule = "lie in ComfyUI's input, output or temp folder"
        raise Refusal("file", rule, shown(name), "copy it into the input folder") from error
    if not path.exists():
        raise MissingFile(
            f"{shown(name)} must lie in {path.parent}, got no such file; upload it, or choose another one"
        )
    return path
