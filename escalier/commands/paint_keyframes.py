"""Keyframes painted by a pipeline of diffusers, where no ComfyUI is: on one sheet, so that they get one look."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from escalier.comfyui import cache_folder, comfy_cli_workspace
from escalier.diffusion import (
    KINDS,
    TASKS,
    Painting,
    Pipeline,
    check_pipeline,
    draw_control_maps,
    estimate_depths,
    find_weights,
    load_pipeline,
    repaint,
)
from escalier.film import Film, FilmMasks, Footage, as_uint8
from escalier.keyframes import (
    GridPlan,
    Keyframes,
    Sheet,
    choose_keyframes,
    parse_frames,
    plan_grid,
    read_keyframes,
    split,
    tile,
    write_keyframes,
)
from escalier.log import log
from escalier.refusals import FileInTheWay, MissingFile, PackageRefusal, Refusal, sentence

from .dial_options import add_dials, dials_from
from .progress_bars import progress_bar

EXTRAS = "escalier[models,standalone]"
TOKENIZER = Path("comfy", "sd1_tokenizer")
PAINTING = {
    "strength": "--strength",
    "steps": "--steps",
    "guidance": "--guidance",
    "image_guidance": "--image-guidance",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("painting the keyframes", "with --pipeline, on one sheet, from local files alone")
    group.add_argument("--prompt", default="", metavar="TEXT", help="what to paint; for pix2pix an instruction")
    group.add_argument("--negative-prompt", default="", metavar="TEXT", help="what not to paint")
    group.add_argument("--task", choices=TASKS, default=TASKS[0], help="what the pipeline does (what it was taught)")
    group.add_argument(
        "--controlnet", type=Path, action="append", default=[], metavar="PATH", help="a ControlNet; several are allowed"
    )
    group.add_argument(
        "--control-map",
        action="append",
        default=[],
        choices=KINDS,
        metavar="KIND",
        help=f"what each ControlNet respects, in their order; for depth2img a depth: {', '.join(KINDS)}",
    )
    group.add_argument(
        "--control-strength", type=float, action="append", metavar="W", help="how firmly each ControlNet holds (1)"
    )
    group.add_argument(
        "--detectors", type=Path, action="append", default=[], metavar="FOLDER", help="weights of --control-map"
    )
    group.add_argument(
        "--settings",
        type=Path,
        metavar="FOLDER",
        help="for a checkpoint in one file: a pipeline folder of its kind, or one with CLIP's tokenizer",
    )
    group.add_argument("--keyframe-frames", metavar="FRAMES", help="the frames to paint, counted from --first: 0,50,99")
    add_dials(group, Painting, PAINTING)
    add_dials(group, Sheet, {"max_side": "--max-side"})
    group.add_argument(
        "--painted", type=Path, metavar="FOLDER", help="where the painted keyframes go (OUTPUT_keyframes)"
    )


def check_painting(args: argparse.Namespace, film: Film, masks: FilmMasks | None, folder: Path) -> tuple[int, ...]:
    """Refuse, before any network is loaded, what cannot be painted; gives the frames that are to be.

    Raises FileExistsError if the folder holds keyframes already: they may be corrected ones. Raises
    FileNotFoundError if a file or folder of the pipeline is not there. Raises ValueError if a dial is out of range,
    or the task needs what is not given.
    """
    asked = args.keyframe_frames
    indices = choose_keyframes(film) if asked is None else tuple(parse_frames(asked, film, args.first))
    _check_folder(folder)
    named = [("--settings", args.settings), *(("--detectors", folder) for folder in args.detectors)]
    for option, path in named:
        if path is not None and not path.exists():
            raise MissingFile(f"no file or folder at {path}", remedy="check the path", who=option)
    check_pipeline(args.pipeline, args.task, args.controlnet)
    wanted = len(args.controlnet)
    one_each = f"name one for each of the {wanted} ControlNets"
    if len(args.control_map) != wanted and not (args.task in ("auto", "depth2img") and wanted == 0):
        raise Refusal(one_each, got=len(args.control_map), remedy="'canny' needs no file", who="--control-map")
    for kind in args.control_map:
        find_weights(kind, args.detectors)
    if args.control_strength is not None and len(args.control_strength) != wanted:
        raise Refusal(one_each, got=len(args.control_strength), remedy="or leave it out", who="--control-strength")
    if args.task == "inpaint" and masks is None:
        raise _no_mask()
    _painting(args).check_for(args.task)
    _sheet(film, indices, args.max_side)
    return indices


def paint_keyframes(
    args: argparse.Namespace, film: Footage, masks: FilmMasks | None, indices: Sequence[int], folder: Path
) -> Keyframes:
    """Paint the keyframes of a film, all of them on one sheet, and write them into a folder.

    The artist can correct them there; `--keyframes` takes the folder next time.

    Raises PackageRefusal if a package is missing, with the commands that install it. Raises MemoryError if the
    memory is too short.
    """
    filmed = Keyframes.of(film, indices)
    sheet = _sheet(film, indices, args.max_side)
    log.info("%s", sheet.describe())
    try:
        painted = _painted(args, filmed, sheet, masks)
    except ImportError as error:
        remedy = f'or all at once: pip install "{EXTRAS}" "transformers>=4.50.3"'
        raise PackageRefusal(sentence(error), remedy=remedy) from error
    write_keyframes(folder, painted, first=args.first, like=film.film)
    log.info("The painted keyframes are in %s; correct them there, and use them with --keyframes.", folder)
    # As they stand in the files, so that the same command with --keyframes makes the same film.
    return read_keyframes(folder, film.film, first=args.first)


def _sheet(film: Film, indices: Sequence[int], max_side: int) -> GridPlan:
    return plan_grid(indices, film.size, len(film), Sheet(max_side, len(indices)), rate=film.rate)


def _painted(args: argparse.Namespace, filmed: Keyframes, plan: GridPlan, masks: FilmMasks | None) -> Keyframes:
    """The keyframes after one painting of their sheet."""
    pipeline = _load(args)
    holes = _holes(filmed, masks) if pipeline.task == "inpaint" else None
    drawn = [_drawn(filmed, kind, args.detectors, str(pipeline.runner.device)) for kind in args.control_map]
    if pipeline.task == "depth2img" and not drawn:
        drawn = [_measured_depth(pipeline, filmed)]
    with progress_bar("painting the keyframes") as progress:
        sheets = repaint(
            pipeline,
            tile(plan, filmed),
            args.prompt,
            painting=_painting(args),
            masks=None if holes is None else tile(plan, holes)[..., 0],
            control_maps=[tile(plan, one) for one in drawn],
            progress=progress,
        )
    painted = split(plan, sheets)
    return painted if holes is None else _inside(filmed, painted, holes)


def _painting(args: argparse.Namespace) -> Painting:
    holds = args.control_strength and tuple(args.control_strength)
    dials = dials_from(args, Painting, PAINTING)
    return replace(dials, negative_prompt=args.negative_prompt, seed=args.seed, control_strengths=holds)


def _drawn(filmed: Keyframes, kind: str, detectors: Sequence[Path], device: str) -> Keyframes:
    """The control maps of the keyframes, in the keyframes' own type, so that sheets of both are alike."""
    with progress_bar(f"drawing {kind} maps") as progress:
        maps = draw_control_maps(filmed.pictures, kind, folders=detectors, device=device, progress=progress)
    return filmed.with_pictures([as_uint8(one) for one in maps])


def _measured_depth(pipeline: Pipeline, filmed: Keyframes) -> Keyframes:
    """Depth by the pipeline's own network, keyframe by keyframe: across the cells of a sheet it would mean nothing."""
    depths = estimate_depths(pipeline.runner, filmed.pictures)
    return filmed.with_pictures([np.repeat(as_uint8(one)[..., None], 3, axis=2) for one in depths])


def _load(args: argparse.Namespace) -> Pipeline:
    settings: Path | None = args.settings
    tokenizer = _tokenizer_at_hand()
    if settings is not None and (settings / "vocab.json").is_file():
        settings, tokenizer = None, settings
    return load_pipeline(args.pipeline, args.task, controlnets=args.controlnet, settings=settings, tokenizer=tokenizer)


def _no_mask() -> Refusal:
    return Refusal("the task inpaint", "have a mask of what is painted", "none", "name one", who="--mask")


def _check_folder(folder: Path) -> None:
    """Refuse a folder that holds keyframes, whatever --overwrite says of the film: they may have been corrected."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    standing = next((file.name for file in files if not file.name.startswith(".")), None)
    if standing is not None:
        remedy = f"carry those keyframes with --keyframes {folder}, name another folder, or empty it"
        raise FileInTheWay(f"{folder}", "not hold other files", standing, remedy, who="--painted")


def _holes(filmed: Keyframes, masks: FilmMasks | None) -> Keyframes:
    """The masks of the keyframes as pictures, so that they can be laid on the sheet."""
    if masks is None:
        raise _no_mask()
    chosen = [masks.at(index) for index in filmed.indices]
    return filmed.with_pictures([np.repeat(mask[..., None], 3, axis=2) for mask in chosen])


def _inside(filmed: Keyframes, painted: Keyframes, holes: Keyframes) -> Keyframes:
    """The paintings inside the masks, the film's own pixels outside: scaling to the cells must not touch those."""
    mixed = []
    for (_, before), (_, after), (_, hole) in zip(filmed, painted, holes, strict=True):
        share = hole.astype(np.float32) / np.float32(255)
        own = before.astype(np.float32) / np.float32(255) if before.dtype == np.uint8 else before
        mixed.append(np.where(share == 0, own, own + share * (after - own)).astype(np.float32))
    return filmed.with_pictures(mixed)


def _tokenizer_at_hand() -> Path | None:
    """CLIP's tokenizer in a ComfyUI that is on this machine already; nothing is fetched."""
    named = [Path(path) for path in (os.environ.get("COMFYUI_PATH"), comfy_cli_workspace()) if path]
    cached = sorted(cache_folder().glob("comfyui-*/ComfyUI"))
    return next((folder / TOKENIZER for folder in [*named, *cached] if (folder / TOKENIZER).is_dir()), None)
