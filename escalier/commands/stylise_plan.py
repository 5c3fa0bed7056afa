"""Everything that `escalier stylise` can know, show and refuse before the work: nothing has been written yet."""

import argparse
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from escalier.counts import check_seed, thread_count
from escalier.dials import dials_of
from escalier.film import (
    Encoding,
    Film,
    FilmMasks,
    SequenceName,
    Size,
    check_output,
    frame_numbers,
    open_film,
    open_masks,
    output_format,
    shortened,
)
from escalier.keyframes import KeyframeListing, Keyframes, list_keyframes, remark_misplaced
from escalier.log import log
from escalier.propagation import Fade, FilmMatching, Guides, chains_of, runs_at_a_time, scratch_bytes
from escalier.refusals import FileInTheWay, Refusal, named
from escalier.scratch import check_room, scratch_facts

from . import paint_keyframes
from .dial_options import add_dials, dials_from
from .scratch_place import beside, check_scratch, disk_of, scratch_for, stem_of

FADE_OPTIONS = {"mode": "--mode", "fade_frames": "--fade-frames"}
GUIDE_OPTIONS = {name: f"--{name}-weight" for name in dials_of(Guides)}
BYTES_PER_PIXEL = {"h264": 0.3, "prores": 1.2, "ffv1": 2.5, "vp9": 0.3, "gif": 1.0, "png": 3.0, "tif": 3.0, "exr": 6.0}
"""Of a written film, at the most that was seen of painted pictures, by codec."""


def add_making(parser: argparse.ArgumentParser) -> None:
    """What says how a film is made from its clip and keyframes, for every command that makes or plans one."""
    parser.add_argument(
        "--first",
        type=int,
        metavar="N",
        help="the number of the film's first frame (0, or that of the first picture of a folder)",
    )
    parser.add_argument("--rate", type=float, metavar="R", help="frames a second, for a clip that is a folder (24)")
    parser.add_argument(
        "--mask", type=Path, metavar="FILE", help="the subject in white: a video or a folder, or one picture"
    )
    parser.add_argument("--no-sound", action="store_true", help="leave the clip's sound out")
    add_dials(parser, Fade, FADE_OPTIONS)
    add_dials(parser, Guides, GUIDE_OPTIONS)
    add_dials(parser, FilmMatching, {"match_side": "--match-side"})
    parser.add_argument(
        "--whole-pixels", action="store_true", help="copy strokes pixel for pixel, for halftone and pixel art"
    )
    parser.add_argument("--no-cuts", action="store_true", help="do not look for shot cuts; carry keyframes across all")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other brush strokes (0)")


@dataclass(frozen=True)
class Plan:
    """What is to be done. `listing` is None where the keyframes have yet to be painted, at the frames `indices`.

    `first` is the number that people give to the film's first frame.
    """

    film: Film
    masks: FilmMasks | None
    listing: KeyframeListing | None
    indices: tuple[int, ...]
    painted: Path
    size: Size
    first: int
    output: str
    scratch: Path
    guides: Guides
    matching: FilmMatching
    fade: Fade
    cores: int


def make_plan(args: argparse.Namespace) -> Plan:
    """Check everything that can be known before the work, the cheap first.

    Raises ValueError, TypeError, OSError in a sentence for the artist. Nothing has been written then.
    """
    clip, places = _clip_and_keyframes(args)
    guides, matching, fade, cores = _dials(args)
    output = args.output or f"{Path(clip).resolve().stem or 'film'}_stylised.mp4"
    target, _ = output_format(output)
    check_not_there(target, args.overwrite)
    film = open_film(clip, args.rate)
    painted = args.painted or beside(target, f"{stem_of(target)}_keyframes")
    with named("--mask"):
        masks = None if args.mask is None else open_masks(args.mask, film, args.first)
    listing, size = None, film.size
    if args.pipeline is None:
        listing = list_keyframes(places[0] if len(places) == 1 else places, film, first=args.first)
        indices, size = tuple(entry.frame for entry in listing.entries), listing.size
    else:
        indices = paint_keyframes.check_painting(args, film, masks, painted)
    chosen = check_output(output, size, like=film, encoding=Encoding(sound=not args.no_sound))
    check_not_an_input(target, [clip, args.mask, *places])
    scratch = scratch_for(target, args.scratch, args.no_keep)
    check_scratch(scratch, asked=args.scratch is not None, no_keep=args.no_keep)
    written = int(len(film) * size.width * size.height * BYTES_PER_PIXEL[chosen.codec])
    folder = target.folder if isinstance(target, SequenceName) else target.parent
    _check_room(scratch, _wanted(film, indices, size, matching, masks, cores), folder, written)
    first = frame_numbers(film, args.first)[0]
    return Plan(film, masks, listing, indices, painted, size, first, output, scratch, guides, matching, fade, cores)


def _clip_and_keyframes(args: argparse.Namespace) -> tuple[str, list[str]]:
    """The clip may stand before the options or last, where `--keyframes` has swallowed it."""
    places: list[str] = list(args.keyframes or [])
    clip: str | None = args.clip
    if clip is None and len(places) > 1:
        clip = places.pop()
    if clip is None:
        raise Refusal("a clip", "be named", "none", "write escalier stylise CLIP --keyframes FOLDER", who="stylise")
    return clip, places


def _dials(args: argparse.Namespace) -> tuple[Guides, FilmMatching, Fade, int]:
    with named("--seed"):
        check_seed(args.seed)
    with named("--threads"):
        cores = thread_count(args.threads)
    return *dials_asked(args), cores


def dials_asked(args: argparse.Namespace) -> tuple[Guides, FilmMatching, Fade]:
    """The dials that `add_making` offers, as they were turned."""
    matching = FilmMatching(match_side=args.match_side, sub_pixel=not args.whole_pixels)
    return dials_from(args, Guides, GUIDE_OPTIONS), matching, dials_from(args, Fade, FADE_OPTIONS)


@named("--output")
def check_not_there(target: Path | SequenceName, overwrite: bool) -> None:
    """Refuse to write over a film, or among the pictures of one, unless that is asked for."""
    if overwrite:
        return
    if isinstance(target, SequenceName):
        names = sorted(entry.name for entry in target.folder.iterdir()) if target.folder.is_dir() else []
        there = next((name for name in names if target.number_of(name) is not None), None)
        if there is not None:
            remedy = "choose another folder or add --overwrite"
            raise FileInTheWay(f"{target.folder}", "not hold this sequence yet", there, remedy)
    elif os.path.lexists(target) and not target.is_dir():
        raise FileInTheWay(f"{target}", "not exist yet", remedy="choose another name or add --overwrite")


@named("--output")
def check_not_an_input(target: Path | SequenceName, inputs: Iterable[str | Path | None]) -> None:
    """Never write over what the film is made from, or among it, whatever --overwrite says."""
    own = target.folder if isinstance(target, SequenceName) else target
    for given in (Path(name) for name in inputs if name is not None):
        if not own.exists() or not given.exists():
            continue
        inside = isinstance(target, SequenceName) and target.number_of(given.name) is not None
        if own.samefile(given) or (inside and own.samefile(given.absolute().parent)):
            raise Refusal(f"{own}", f"not be what the film is made from ({given})", remedy="choose another place")


def _wanted(
    film: Film, indices: Sequence[int], size: Size, matching: FilmMatching, masks: FilmMasks | None, cores: int
) -> int:
    """Bytes of all that is kept of a job, without cuts, which only make runs shorter."""
    blank = np.broadcast_to(np.uint8(0), (1, 1, 3))
    chains = chains_of(Keyframes(indices, [blank] * len(indices), len(film)))
    matched = matching.size_for(film.size)
    count, at_once = 0 if masks is None else len(masks), runs_at_a_time(matched, cores)
    return scratch_bytes(film, chains, masks=count, size=size, matched_size=matched, at_once=at_once)


def _check_room(scratch: Path, wanted: int, folder: Path, written: int) -> None:
    """Refuse a job whose scratch and film together would fill their disks. What is kept from before is not counted."""
    needed = max(0, wanted - scratch_facts(scratch).bytes)
    if disk_of(scratch) == disk_of(folder):
        check_room(scratch, needed + written, "the film and what is kept of the work")
    else:
        check_room(scratch, needed, "what is kept of the work")
        check_room(folder, written, "the film")


def show_keyframes(listing: KeyframeListing, keyframes: Keyframes, film: Film) -> None:
    """The table of what stands where and what is doubtful about it."""
    listing = remark_misplaced(listing, keyframes, film)
    log.info("%s", listing)
    doubtful = [entry.file.name for entry in listing.entries if entry.doubt]
    if doubtful:
        log.warning("See the remarks above before you trust the film: %s.", shortened(doubtful))
