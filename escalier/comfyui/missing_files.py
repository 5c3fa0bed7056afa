"""Files that a workflow names and that are not there, found before the work: which, for what, where to, where from."""

from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from escalier.refusals import printable

from .answers import Reason
from .inputs import UPLOADS, find_loader, kind_of
from .model_folders import ModelFolders
from .named_files import INPUT_FOLDERS, MEGABYTES, UPLOAD_INPUTS, NamedFile, makers_of, named_files
from .workflow import Place, Workflow, declared_input, load_workflow, shipped_workflows, title_of

# ComfyUI's reasons for refusing an input that mean: there is no such file.
OF_FILES = ("value_not_in_list", "custom_validation_failed")


def missing_here(
    workflow: Workflow,
    files: Iterable[tuple[Place | None, Path]],
    folders: ModelFolders,
    besides: Iterable[NamedFile] = (),
) -> list[NamedFile]:
    """What a ComfyUI on this machine will not find, as far as the workflow alone tells; `files` are those of --input.

    What nodes read without naming it, such as the weights of a control map, is handed in as `besides`.
    A file without a place of its own counts for every loader that it might go to: better to find one missing file too
    few than to refuse what would run.

    >>> nowhere = ModelFolders(Path("no/models"), Path("no/input"), extra={})
    >>> [file.names[0] for file in missing_here(load_workflow("staircase"), [(None, Path("clip.mp4"))], nowhere)]
    ['escalier_keyframes']
    """
    given, kinds = likely_loaders(workflow, files)
    missing = []
    order = list(workflow)
    for file in sorted([*named_files(workflow), *besides], key=lambda one: order.index(one.place.node)):
        mark = UPLOAD_INPUTS.get(f"{workflow[file.place.node]['class_type']}.{file.place.input}")
        fed = file.place in given or (mark is not None and bool(kinds & set(UPLOADS[mark])))
        if not fed and not folders.holds(file):
            missing.append(file)
    return missing


def missing_there(workflow: Workflow, given: Iterable[Place], node_info: dict[str, Any]) -> list[NamedFile]:
    """What another ComfyUI does not have, by the lists of its menus in /object_info.

    >>> menus = {"LoadVideo": {"input": {"required": {"file": [["other.mp4"]]}}}}
    >>> [file.names[0] for file in missing_there(load_workflow("staircase"), [], menus)]
    ['escalier_clip.mp4']
    """
    taken = set(given)
    missing = []
    for file in named_files(workflow):
        class_type = workflow[file.place.node]["class_type"]
        choices = _choices(node_info, class_type, file.place.input)
        if file.deep or choices is None or file.place in taken:
            continue
        name = file.names[0]
        # Menus of uploads list only what lies in the input folder itself and is of their kind.
        listed = file.kind != "input" or (PurePosixPath(name.replace("\\", "/")).name == name and kind_of(Path(name)))
        if listed and name not in choices:
            missing.append(file)
    return missing


def tell_missing(workflow: Workflow, missing: Iterable[NamedFile], home: Callable[[NamedFile], str]) -> str:
    """One line for each missing file. `home` says where it belongs.

    >>> flow = load_workflow("keyframe_grid_sdxl")
    >>> print(tell_missing(flow, [file for file in named_files(flow) if file.kind == "checkpoints"], folder_there))
    every file that the workflow names must be there, but there is one that is not:
      sd_xl_base_1.0.safetensors for 15 "Load Checkpoint": put it into its folder models/checkpoints (about 6.9 GB, ...)
    """
    lines: dict[tuple[str, ...], tuple[NamedFile, list[str]]] = {}
    for file in missing:
        lines.setdefault((*file.kinds, *file.names), (file, []))[1].append(title_of(workflow, file.place.node))
    told = [
        f"  {' or '.join(map(printable, file.names))} for {', '.join(nodes)}: {tell(workflow, file, home(file))}"
        for file, nodes in lines.values()
    ]
    count = "is one that is not" if len(told) == 1 else f"are {len(told)} that are not"
    return f"every file that the workflow names must be there, but there {count}:\n" + "\n".join(told)


def tell(workflow: Workflow, file: NamedFile, home: str) -> str:
    """What to do about one missing file."""
    if file.kind == "input":
        return _tell_input(workflow, file, home)
    name = file.names[0]
    size = MEGABYTES.get(name)
    about = f"about {size / 1000:.1f} GB, " if size and size >= 1000 else f"about {size} MB, " if size else ""
    source = f"from {file.source}" if file.source else "from where the workflow comes from"
    last = PurePosixPath(urlsplit(file.source).path).name
    renamed = f", saved as {name}" if last.endswith(PurePosixPath(name).suffix) and "." in last and last != name else ""
    what = f"a folder in {home} with {file.inside}" if file.inside and "." not in name else f"put it into {home}"
    return f"{what} ({about}{source}{renamed})"


def explain_with(workflow: Workflow, home: Callable[[NamedFile], str]) -> Callable[[str, Reason], str | None]:
    """Our own sentence for an input that ComfyUI refused since its file is not there; None for any other reason.

    >>> explain = explain_with(load_workflow("staircase"), folder_there)
    >>> explain("3", Reason("value_not_in_list", "Value not in list", "file", "escalier_clip.mp4"))
    "escalier_clip.mp4 is not there: give your own with --input '3.file=FILE', or put it into its input folder..."
    """
    files = {file.place: file for file in named_files(workflow) if not file.deep}

    def explain(node: str, reason: Reason) -> str | None:
        file = files.get(Place(node, reason.input))
        if file is None or reason.kind not in OF_FILES or reason.value not in (None, *file.names):
            return None
        # Whatever stands in the menus is there: then ComfyUI means something else.
        return f"{printable(file.names[0])} is not there: {tell(workflow, file, home(file))}"

    return explain


def _tell_input(workflow: Workflow, file: NamedFile, home: str) -> str:
    place = f"{file.place.node}.{file.place.input}"
    what = "FOLDER" if f"{workflow[file.place.node]['class_type']}.{file.place.input}" in INPUT_FOLDERS else "FILE"
    option = printable(f"--input '{place}={what}'")
    if makers := makers_of(file.names[0], workflow):
        makers_named = " and ".join(title_of(workflow, node) for node in makers)
        return (
            f"{makers_named} of this workflow saves what it is made of. Give any picture of the clip's size the first "
            f"time with {option}, work on what was saved, and give that the second time"
        )
    elsewhere = [name for name in shipped_workflows() if makers_of(file.names[0], load_workflow(name))]
    made = f"; the workflows {', '.join(elsewhere)} make such ones" if elsewhere else ""
    return f"give your own with {option}, or put it into {home}{made}"


def likely_loaders(
    workflow: Workflow, files: Iterable[tuple[Place | None, Path]]
) -> tuple[dict[Place, Path], set[str | None]]:
    """The loaders that surely get a file of --input, and the kinds of files that may go to any loader of theirs.

    >>> likely_loaders(load_workflow("staircase"), [(None, Path("clip.mp4")), (None, Path("voice.wav"))])
    ({Place(node='3', input='file'): ...Path('clip.mp4')}, {'audio'})
    """
    known: dict[str, Any] = {}
    for name, mark in UPLOAD_INPUTS.items():
        class_type, _, field = name.partition(".")
        known[class_type] = {"input": {"required": {field: ["COMBO", {mark: True}]}}}
    files = list(files)
    places = {place: path for place, path in files if place}
    kinds: set[str | None] = set()
    for place, path in files:
        if place is None:
            try:
                places[find_loader(workflow, path, known, places)] = path
            except ValueError:  # a loader of some other pack, or one of several
                kinds |= {kind_of(path)} if kind_of(path) else {"image", "video", "audio"}
    return places, kinds


def _choices(node_info: dict[str, Any], class_type: str, field: str) -> list[Any] | None:
    """The menu of an input, None for one that has none."""
    kind, options = declared_input(node_info, class_type, field)
    menu = kind if isinstance(kind, list) else options.get("options")
    return menu if isinstance(menu, list) else None


def folder_there(file: NamedFile) -> str:
    """Where a file belongs in a ComfyUI that is not on this machine.

    >>> folder_there(NamedFile(Place("1", "ckpt_name"), ("a.safetensors",), ("checkpoints",)))
    'its folder models/checkpoints'
    """
    return "its input folder" if file.kind == "input" else f"its folder models/{file.kind}"
