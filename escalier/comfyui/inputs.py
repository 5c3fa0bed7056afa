"""Files given with --input: which loader of the workflow each one is for."""

import mimetypes
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from escalier.refusals import MissingFile, Refusal, named, printable

from .workflow import Place, Workflow, declared_input, split_setting, title_of

# How /object_info marks an input that takes an uploaded file, and the kinds of file it takes.
UPLOADS = {
    "image_upload": ("image",),
    "video_upload": ("video",),
    "audio_upload": ("audio", "video"),
    "file_upload": ("model",),
}


@named("--input")
def split_input(workflow: Workflow, text: str) -> tuple[Place | None, Path]:
    """The loader input and the file or folder of an --input: FILE alone, or NODE.INPUT=FILE.

    Raises
    ------
    FileNotFoundError
        When the file does not exist.
    ValueError
        When NODE.INPUT is none of this workflow, or the file is empty.

    >>> import tempfile
    >>> flow = {"2": {"class_type": "EscalierLoadKeyframes", "inputs": {"folder": ""}}}
    >>> place, folder = split_input(flow, tempfile.gettempdir())
    >>> place, folder.is_dir()
    (Place(node='2', input='folder'), True)
    """
    place: Place | None = None
    path = Path(text).expanduser()
    if not path.exists() and "=" in text:
        place, name = split_setting(workflow, text, option="--input")
        path = Path(name).expanduser()
    if path.is_dir():
        return place or _folder_input(workflow, path), path
    if not path.is_file():
        raise MissingFile(
            printable(str(path)), "be a file or a folder, but there is nothing there", remedy="check the path"
        )
    if path.stat().st_size == 0:
        raise Refusal(f"{printable(str(path))}", "hold data", "an empty file", "save or copy it again")
    return place, path


def _folder_input(workflow: Workflow, folder: Path) -> Place:
    """The one input of the workflow that is called "folder"."""
    places = [Place(node, "folder") for node, content in workflow.items() if "folder" in content["inputs"]]
    if len(places) == 1:
        return places[0]
    shown = printable(str(folder))
    listed = "".join(f"\n  --input '{p.node}.folder={shown}'  for {title_of(workflow, p.node)}" for p in places)
    rule = f"have one input called 'folder' to go to, but the workflow has {len(places)}"
    raise Refusal(f"the folder {shown}", rule, remedy=f"name the input with --input NODE.INPUT=FOLDER{listed}")


@named("--input")
def find_loader(workflow: Workflow, file: Path, node_info: dict[str, Any], taken: Iterable[Place] = ()) -> Place:
    """The one loader of the workflow that a file fits, by its kind: picture, video or sound.

    Raises ValueError when no loader fits, or more than one does; the message lists them.
    """
    kind = kind_of(file)
    loaders = {place: kinds for place, kinds in list_loaders(workflow, node_info).items() if place not in set(taken)}
    fitting = [place for place, kinds in loaders.items() if kind in kinds] if kind else list(loaders)
    # A loader for video alone is a better home for a clip than one that would only take its sound.
    best = [place for place in fitting if loaders[place][0] == kind] or fitting
    if len(best) == 1:
        return best[0]
    listed = "\n".join(
        printable(f"  --input '{place.node}.{place.input}={file}'  for {title_of(workflow, place.node)}")
        for place in best
    )
    if not best:
        rule = f"have a loader for {printable(file.name)}, but it has none for a file of that kind"
        remedy = "add one on the canvas and export again, or name the input with --input NODE.INPUT=FILE"
        raise Refusal("the workflow", rule, remedy=remedy)
    raise Refusal(
        printable(file.name), f"have one loader, but {len(best)} nodes could take it", remedy=f"say which:\n{listed}"
    )


def assign_files(
    workflow: Workflow, files: Iterable[tuple[Place | None, Path]], node_info: dict[str, Any]
) -> dict[Place, Path]:
    """Which input each file goes to: its own place, or the one loader that it fits, see `find_loader`.

    >>> flow = {"5": {"class_type": "LoadImage", "inputs": {"image": ""}}}
    >>> menus = {"LoadImage": {"input": {"required": {"image": ["COMBO", {"image_upload": True}]}}}}
    >>> assign_files(flow, [(None, Path("key.png"))], menus)
    {Place(node='5', input='image'): ...Path('key.png')}
    """
    files = list(files)
    loaders: dict[Place, Path] = {}
    taken = {place for place, _ in files if place}
    for place, file in files:
        loader = place or find_loader(workflow, file, node_info, taken)
        taken.add(loader)
        loaders[loader] = file
    return loaders


def list_loaders(workflow: Workflow, node_info: dict[str, Any]) -> dict[Place, tuple[str, ...]]:
    """Every input of the workflow that takes an uploaded file, with the kinds of file it takes."""
    loaders = {}
    for node_id, node in workflow.items():
        for field, value in node["inputs"].items():
            _, options = declared_input(node_info, node["class_type"], field)
            mark = next((mark for mark in UPLOADS if options.get(mark)), None)
            if mark and not isinstance(value, list):
                loaders[Place(node_id, field)] = UPLOADS[mark]
    return loaders


def kind_of(file: Path) -> str | None:
    """ "image", "video" or "audio" by the file's suffix, None when it tells nothing.

    >>> kind_of(Path("dance.mp4")), kind_of(Path("key_0012.png")), kind_of(Path("notes"))
    ('video', 'image', None)
    """
    by_suffix = {".mkv": "video", ".webm": "video", ".mov": "video", ".mts": "video", ".m4v": "video", ".webp": "image"}
    by_suffix |= {".exr": "image", ".flac": "audio", ".m4a": "audio", ".opus": "audio"}
    if kind := by_suffix.get(file.suffix.lower()):
        return kind
    kind = (mimetypes.guess_type(file.name)[0] or "").partition("/")[0]
    return kind if kind in ("image", "video", "audio") else None
