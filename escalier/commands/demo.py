"""`escalier demo`: the whole job on a clip made with code, through a real ComfyUI."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from escalier.comfyui import Server, check_output, load_workflow, tidy_url
from escalier.film import Encoding, Size, make_clip, open_film, write_film
from escalier.keyframes import (
    LOOKS,
    Keyframes,
    choose_keyframes,
    paint_picture,
    plan_grid,
    tile,
    write_keyframes,
    write_png,
)
from escalier.log import log
from escalier.refusals import Refusal

from .contact_sheet import contact_sheet
from .job_display import choose_display
from .run import add_server_arguments, run_workflow, server_from

SIZE = Size(640, 360)
KEYFRAMES = 3
SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Make a small filmed-looking clip and painted keyframes with code, run the staircase workflow on them through "
        "a real ComfyUI, and write the film, the keyframe grid and a contact sheet."
    )
    parser.add_argument(
        "--output", type=Path, default=Path("escalier_demo"), metavar="DIR", help="where the results go"
    )
    parser.add_argument("--frames", type=int, default=72, metavar="N", help="length of the clip (72)")
    parser.add_argument("--look", choices=list(LOOKS), default=next(iter(LOOKS)), help="how the keyframes are painted")
    parser.add_argument("--seed", type=int, default=0, help="another seed, another clip (0)")
    add_server_arguments(parser)


def main(args: argparse.Namespace) -> int:
    if args.frames < KEYFRAMES:
        raise Refusal("the clip", f"have at least {KEYFRAMES} frames", args.frames, "try 72", who="--frames")
    output = args.output.absolute()
    check_output(output)
    output.mkdir(parents=True, exist_ok=True)
    keyframes = _prepare(output, args)
    inputs = [str(output / "clip.mp4"), str(output / "keyframes")]
    if args.server:
        _run(tidy_url(args.server), inputs, output)
    else:
        log.info("Starting ComfyUI; the first time this fetches 12 MB and takes about half a minute.")
        with server_from(args) as server:
            _run(server, inputs, output)
    source, film = open_film(output / "clip.mp4"), open_film(output / "film.mp4")
    shown = sorted({round(i) for i in np.linspace(0, len(film) - 1, SHOWN)} | set(keyframes.indices))
    write_png(output / "contact_sheet.png", contact_sheet(source, film, shown, marked=keyframes.indices))
    sys.stdout.writelines(f"{output / name}\n" for name in ("film.mp4", "keyframe_grid.png", "contact_sheet.png"))
    return 0


def _prepare(output: Path, args: argparse.Namespace) -> Keyframes:
    """Film the clip and paint its keyframes."""
    clip = make_clip(SIZE, args.frames, seed=args.seed)
    write_film(output / "clip.mp4", clip, encoding=Encoding(crf=12))
    filmed = open_film(output / "clip.mp4")
    indices = choose_keyframes(filmed, "count", count=KEYFRAMES)
    pictures = [paint_picture(filmed.frame(index), args.look, seed=args.seed) for index in indices]
    keyframes = Keyframes(indices, pictures, len(filmed))
    shutil.rmtree(output / "keyframes", ignore_errors=True)
    write_keyframes(output / "keyframes", keyframes)
    plan = plan_grid(keyframes.indices, keyframes.size, len(filmed), rate=filmed.rate)
    write_png(output / "keyframe_grid.png", tile(plan, keyframes)[0])
    return keyframes


def _run(server: Server | str, inputs: list[str], output: Path) -> None:
    """Run the shipped workflow; its film becomes film.mp4."""
    workflow = load_workflow("staircase")
    display = choose_display(workflow)
    with tempfile.TemporaryDirectory(prefix=".results-", dir=output) as folder:
        try:
            results = run_workflow(workflow, server=server, output=Path(folder), inputs=inputs, listener=display)
        finally:
            display.close()
        for result in results:
            if result.suffix == ".mp4":
                result.replace(output / "film.mp4")
            elif result.suffix == ".txt":
                log.info("%s", result.read_text(encoding="utf-8").strip())
