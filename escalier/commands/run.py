"""`escalier run`: queue an API workflow without a browser and bring its results into a folder."""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from escalier.comfyui import (
    Client,
    ComfyUIError,
    Limits,
    Listener,
    NamedFile,
    Outcome,
    Place,
    ResultFolder,
    Server,
    ServerGone,
    ServerSettings,
    Workflow,
    apply_settings,
    assign_files,
    check_output,
    check_types,
    explain_with,
    find_comfyui,
    folder_there,
    is_link,
    likely_loaders,
    load_workflow,
    missing_here,
    missing_there,
    source_of,
    split_input,
    tell_missing,
    tidy_id,
    tidy_url,
    title_of,
)
from escalier.diffusion import DETECTORS, POSE_PARTS, files_for
from escalier.film import UnreadableVideo, open_film
from escalier.keyframes import KeyframeListing, list_keyframes
from escalier.log import log
from escalier.refusals import printable

from .job_display import choose_display

# Packs that artists' workflows often name, by how their node types begin or end, for the remedy when one is missing.
KNOWN_PACKS = {
    "VHS_": "ComfyUI-VideoHelperSuite",
    "INPAINT_": "comfyui-inpaint-nodes",
    "IPAdapter": "ComfyUI_IPAdapter_plus",
    "Preprocessor": "comfyui_controlnet_aux",
    "KJ": "ComfyUI-KJNodes",
}


def run_workflow(
    workflow: Workflow,
    *,
    server: Server | str,
    output: Path,
    settings: Sequence[str] = (),
    inputs: Sequence[str] = (),
    listener: Listener | None = None,
    limits: Limits | None = None,
) -> list[Path]:
    """Run an API workflow on a server, a started one or at an address, and bring every file it made into `output`.

    The workflow is changed by `settings`, NODE.INPUT=VALUE by node id or title, and by `inputs`, files for loaders as
    FILE or NODE.INPUT=FILE. Results come in the order of the nodes that made them. Files of the same name are replaced;
    previews go into `previews/`. `listener` hears the server's messages, for a progress bar.

    Raises ComfyUIError when the server does not know a node type, refuses the workflow, a node fails, or the server
    dies.
    """
    changed = apply_settings(workflow, settings)
    files = [split_input(workflow, text) for text in inputs]
    if isinstance(server, Server):
        check_files(workflow, files, server)
    try:
        return asyncio.run(_run(workflow, changed, files, server, output, listener, limits))
    except ServerGone as error:
        if isinstance(server, Server) and (how := server.failure(patience_seconds=2.0)):
            raise ComfyUIError(f"ComfyUI ended in the middle of the job: {how}") from error
        raise


def check_files(workflow: Workflow, files: Sequence[tuple[Place | None, Path]], server: Server) -> None:
    """Refuse a workflow that names files which this ComfyUI, started or not, will not find.

    Raises ComfyUIError with a line for each of them: what needs it, where it belongs, and where it comes from.
    """
    if missing := missing_here(workflow, files, server.model_folders, control_map_files(workflow)):
        raise ComfyUIError(tell_missing(workflow, missing, _home_of(server)), who="run")


def control_map_files(workflow: Workflow) -> Iterator[NamedFile]:
    """The weights that the control maps of a workflow need, which their kind names and no input does."""
    for node_id, node in workflow.items():
        kind, parts = node["inputs"].get("kind"), node["inputs"].get("pose_parts")
        if node["class_type"] != "EscalierControlMap" or not isinstance(kind, str) or kind not in DETECTORS:
            continue
        names = DETECTORS[kind].files
        if kind == "openpose":
            names = tuple((file,) for file in files_for(parts if parts in POSE_PARTS else POSE_PARTS[0]))
        for choice in names:
            source = source_of(choice[0]) or f"https://{DETECTORS[kind].source}"
            yield NamedFile(Place(node_id, "kind"), choice, ("controlnet_aux",), deep=True, source=source)


def keyframe_listings(workflow: Workflow, given: Mapping[Place, Path]) -> Iterator[tuple[str, KeyframeListing]]:
    """The paintings of each folder in `given` and their frames, with the node that reads it, where its clip is given.

    Raises FileNotFoundError, ValueError as `list_keyframes`, where the names or sizes of the paintings do not fit
    the clip.
    """
    for place, folder in given.items():
        node = workflow[place.node]
        clip = _clip_of(workflow, node["inputs"].get("film"), given)
        if node["class_type"] != "EscalierLoadKeyframes" or clip is None:
            continue
        try:
            film = open_film(clip)
        except UnreadableVideo:  # what ComfyUI says of it comes later, and may read more than we do
            continue
        first = node["inputs"].get("first")
        known = isinstance(first, int | str) and str(first).isdecimal()  # not where it is linked
        yield place.node, list_keyframes(folder, film, first=int(first) if known else None)


def _clip_of(workflow: Workflow, link: object, given: Mapping[Place, Path]) -> Path | None:
    """The file that a link's node loads, None where it is another kind of node, or its clip is not given."""
    if not isinstance(link, list) or not is_link(link, workflow):
        return None
    clip = given.get(Place(link[0], "file")) if workflow[link[0]]["class_type"] == "LoadVideo" else None
    return clip if clip is not None and clip.is_file() else None


async def _run(
    workflow: Workflow,
    changed: list[Place],
    files: list[tuple[Place | None, Path]],
    server: Server | str,
    output: Path,
    listener: Listener | None,
    limits: Limits | None,
) -> list[Path]:
    async with Client(server.url if isinstance(server, Server) else server, limits) as client:
        node_info = await client.node_info(node["class_type"] for node in workflow.values())
        known = node_info.keys() | await client.replaced_types()
        if unknown := [node_id for node_id, node in workflow.items() if node["class_type"] not in known]:
            raise ComfyUIError(_explain_unknown(workflow, unknown, server))
        check_types(workflow, changed, node_info)
        loaders = assign_files(workflow, files, node_info)
        if isinstance(server, str) and (missing := missing_there(workflow, loaders, node_info)):
            raise ComfyUIError(tell_missing(workflow, missing, folder_there), who="run")
        for loader, file in loaders.items():
            if isinstance(server, Server):
                name = server.place_input(file)
            else:
                name = await (client.upload_folder(file) if file.is_dir() else client.upload(file))
            workflow[loader.node]["inputs"][loader.input] = name
        before = _list_files(server.output_folder) if isinstance(server, Server) else {}
        outcome = await client.run(workflow, listener, explain_with(workflow, _home_of(server)))
        folder = ResultFolder(output)
        results = [await client.fetch(file, folder) for file in outcome.files]
    results += _write_texts(outcome, folder)
    if isinstance(server, Server):
        results += _collect_unreported(server.output_folder, before, outcome, folder)
    return results


def _home_of(server: Server | str) -> Callable[[NamedFile], str]:
    if isinstance(server, str):
        return folder_there
    folders = server.model_folders
    return lambda file: printable(str(folders.home(file)))


def _explain_unknown(workflow: Workflow, unknown: list[str], server: Server | str) -> str:
    lines = []
    failure = server.pack_failure() if isinstance(server, Server) else None
    for node_id in unknown:
        kind = workflow[node_id]["class_type"]
        pack = next((name for mark, name in KNOWN_PACKS.items() if kind.startswith(mark) or kind.endswith(mark)), None)
        if kind.startswith("Escalier"):
            remedy = f"the pack could not be imported: {failure}" if failure else "install Escalier in that ComfyUI"
        else:
            remedy = f"install {pack or 'the pack that has it'} in that ComfyUI"
        lines.append(f"  {title_of(workflow, node_id)} is of the unknown type {printable(kind)}; {remedy}")
    where = f"at {printable(server)}" if isinstance(server, str) else f"in {server.comfyui.folder}"
    advice = "name a ComfyUI that has the pack with --comfyui DIR or --server URL"
    return f"run: every node type must be known to the ComfyUI {where}; {advice}:\n" + "\n".join(lines)


def _write_texts(outcome: Outcome, folder: ResultFolder) -> list[Path]:
    """Texts that nodes showed, one file for each node."""
    written = []
    for node, texts in outcome.texts.items():
        target = folder.claim("previews", f"node_{tidy_id(node)}.txt")
        with folder.writing(target) as file:
            file.write(("\n".join(texts) + "\n").encode("utf-8"))
        written.append(target)
    return written


def _list_files(folder: Path) -> dict[Path, int]:
    """Every file below a folder with the time of its last change; links are left alone, wherever they lead."""
    found = {}
    for place, _, files in os.walk(folder):
        for path in (Path(place, name) for name in sorted(files)):
            if path.is_file() and not path.is_symlink():
                found[path] = path.stat().st_mtime_ns
    return dict(sorted(found.items()))


def _collect_unreported(folder: Path, before: dict[Path, int], outcome: Outcome, output: ResultFolder) -> list[Path]:
    """Copy what nodes saved without telling ComfyUI: its output folder is deleted with the server."""
    told = {Path(folder, file.subfolder, file.filename) for file in outcome.files if file.type == "output"}
    copied = []
    for path, changed in _list_files(folder).items():
        if before.get(path) == changed or path in told:
            continue
        target = output.claim(path.parent.relative_to(folder).as_posix(), path.name)
        output.copy(path, target)
        copied.append(target)
    return copied


def add_server_arguments(parser: argparse.ArgumentParser, *, remote: bool = True) -> None:
    """The options by which every command that needs ComfyUI finds or starts it."""
    group = parser.add_argument_group("which ComfyUI")
    if remote:
        group.add_argument("--server", metavar="URL", help="a running ComfyUI, for instance http://127.0.0.1:8188")
    group.add_argument(
        "--comfyui",
        metavar="DIR",
        help="a ComfyUI folder to start (or set COMFYUI_PATH); by default comfy-cli's, else the embedded one",
    )
    group.add_argument(
        "--base",
        metavar="DIR",
        type=Path,
        help="a folder with models/, custom_nodes/, input/ to use instead of its own",
    )
    group.add_argument("--models", metavar="DIR", type=Path, help="a folder of models to use instead of ComfyUI's own")
    group.add_argument("--port", type=int, help="the port to listen on; by default a free one")
    group.add_argument("--cpu", action="store_true", help="run on the processor even where there is a graphics card")


def server_from(args: argparse.Namespace, *, keep_outputs: bool = False, arguments: Sequence[str] = ()) -> Server:
    """A server, not yet started, as the options of `add_server_arguments` say."""
    device = "cpu" if args.cpu else "auto"
    settings = ServerSettings(args.port, device, keep_outputs=keep_outputs, arguments=tuple(arguments))
    return Server(find_comfyui(args.comfyui), settings, base=args.base, models=args.models)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Run an API workflow without a browser, and copy its results into a folder."
    parser.add_argument("workflow", help="an API workflow file, or the name of a shipped one, such as staircase")
    parser.add_argument(
        "--set",
        dest="settings",
        metavar="NODE.INPUT=VALUE",
        action="append",
        default=[],
        help="change an input, by node id or title; may be given several times",
    )
    parser.add_argument(
        "--input",
        dest="inputs",
        metavar="FILE",
        action="append",
        default=[],
        help="a file for the one loader that fits it, or NODE.INPUT=FILE; may be given several times",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="folder for the results (default: output/NAME); equal names are replaced",
    )
    parser.add_argument(
        "--largest-results",
        type=_positive,
        metavar="GB",
        default=Limits().files_bytes / 1e9,
        help="the most that a job may bring into the folder, in GB (%(default)g)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of one path a line")
    add_server_arguments(parser)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be more than 0 GB, got {text}")
    return value


def main(args: argparse.Namespace) -> int:
    began = time.monotonic()
    workflow = load_workflow(args.workflow)
    # Whatever is wrong with the command line comes out before a server is started, which takes some ten seconds.
    trial = json.loads(json.dumps(workflow))
    apply_settings(trial, args.settings)
    files = [split_input(trial, text) for text in args.inputs]
    output = (args.output or Path("output") / Path(args.workflow).stem).absolute()
    check_output(output)
    for node, listing in keyframe_listings(trial, likely_loaders(trial, files)[0]):
        log.info("Keyframes of %s:\n%s", title_of(trial, node), printable(str(listing), lines=True))
    limits = Limits(files_bytes=round(args.largest_results * 10**9))

    def finish(server: Server | str) -> list[Path]:
        display = choose_display(workflow)
        try:
            return run_workflow(
                workflow,
                server=server,
                output=output,
                settings=args.settings,
                inputs=args.inputs,
                listener=display,
                limits=limits,
            )
        finally:
            display.close()

    if args.server:
        results = finish(tidy_url(args.server))
    else:
        own = server_from(args)
        check_files(trial, files, own)
        if files:
            own.check_inputs()
        with own as server:
            results = finish(server)
    if args.json:
        report = {"files": [str(path) for path in results], "seconds": round(time.monotonic() - began, 1)}
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        sys.stdout.writelines(f"{printable(str(path))}\n" for path in results)
    if not results:
        log.warning("The job made no files; does the workflow have a node that saves?")
    return 0
