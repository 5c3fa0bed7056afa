"""Footage: a film is decoded once, by whatever number of jobs, and what lies on the disk is what it showed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from escalier.film import (
    ArrayFrames,
    Encoding,
    FolderFrames,
    Footage,
    FrameRange,
    MaskFootage,
    Masks,
    Motion,
    ScaledFilm,
    Size,
    as_uint8,
    film_fingerprint,
    find_cuts,
    frame_numbers,
    make_clip,
    write_film,
)
from escalier.scratch import folder as scratch

LENGTH = 7


@functools.cache
def clip_of(seed: int) -> list[np.ndarray]:
    clip = make_clip(Size(64, 48), LENGTH, seed=seed)
    return [clip.frame(index).astype(np.float32) / 255 for index in range(LENGTH)]


class Decoder:
    """A film that only its frames tell from others, which counts each that it is asked for."""

    size, rate = Size(64, 48), Fraction(25)

    def __init__(self, seed: int = 0) -> None:
        self.frames = clip_of(seed)
        self.reads: list[int] = []

    def __len__(self) -> int:
        return LENGTH

    def frame(self, index: int) -> np.ndarray:
        self.reads.append(index)
        return self.frames[index]


class Named(Decoder):
    """One that says what it is."""

    def fingerprint_parts(self) -> tuple[str, ...]:
        return ("seven frames",)


def in_order(footage: Footage) -> list[np.ndarray]:
    return [footage.frame(index) for index in range(len(footage))]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_every_stage_that_looks_at_a_film_shares_one_pass(tmp_path: Path) -> None:
    film = Decoder()
    footage = Footage(film, tmp_path)
    motion = Motion(footage, tmp_path)
    motion.prepare(threads=2, lags=(1, 3))
    find_cuts(footage, motion)
    assert same(in_order(footage)[::-1], [as_uint8(frame) for frame in film.frames[::-1]])
    assert film.reads == list(range(LENGTH))


def test_a_frame_that_is_asked_for_before_the_pass_costs_that_frame_alone(tmp_path: Path) -> None:
    film = Decoder()
    assert np.array_equal(Footage(film, tmp_path).frame(3), as_uint8(film.frames[3]))
    assert film.reads == [3] and not list(tmp_path.iterdir())


def test_a_film_named_on_the_way_bears_the_name_that_all_its_frames_give(tmp_path: Path) -> None:
    footage = Footage(Decoder(), tmp_path)
    assert not footage.is_named
    footage.read()
    assert footage.fingerprint == film_fingerprint(Decoder()) != Footage(Decoder(1), tmp_path).fingerprint
    assert len(list(tmp_path.glob("film_*.npy"))) == 2, "each film once, and no file without a name"


@pytest.mark.parametrize("kind", [Decoder, Named])
@pytest.mark.parametrize(
    "view", [lambda film: ScaledFilm(film, Size(32, 24)), lambda film: FrameRange(film, 0, LENGTH)]
)
def test_a_view_of_a_film_is_read_once_too(tmp_path: Path, kind: type[Decoder], view: Callable) -> None:
    film = kind()
    footage = Footage(view(Footage(film, tmp_path)), tmp_path)
    Motion(footage, tmp_path).prepare(threads=1)
    find_cuts(footage)
    assert len(film.reads) <= LENGTH + 2


def test_a_second_job_finds_what_the_first_has_read(tmp_path: Path) -> None:
    first, second = Footage(Named(), tmp_path), Footage(Named(), tmp_path)
    first.read()
    assert second.missing_bytes() == 0
    second.read()
    assert second.film.reads == [0], "to tell it from other films"  # type: ignore[attr-defined]
    assert same(in_order(first), in_order(second))


@pytest.mark.parametrize("kind", [Decoder, Named])
def test_jobs_at_the_same_time_in_one_folder_all_get_the_film(tmp_path: Path, kind: type[Decoder]) -> None:
    footages = [Footage(kind(), tmp_path) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(Footage.read, footages))
    truth = [as_uint8(frame) for frame in Decoder().frames]
    assert all(same(in_order(footage), truth) for footage in footages)
    assert len(list(tmp_path.glob("*film_*"))) == 1


@pytest.mark.parametrize("kind", [Decoder, Named])
def test_a_damaged_file_is_put_aside_and_the_film_is_read_again(tmp_path: Path, kind: type[Decoder], caplog) -> None:
    Footage(kind(), tmp_path).read()
    (file,) = tmp_path.glob("film_*.npy")
    data = bytearray(file.read_bytes())
    data[5000] ^= 1
    file.write_bytes(data)
    again = Footage(kind(), tmp_path)
    again.read()
    assert same(in_order(again), [as_uint8(frame) for frame in Decoder().frames])
    assert "is damaged" in caplog.text


def test_a_film_in_memory_is_checked_and_used_where_it_lies(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 48, 64, 3), np.uint8)
    footage = Footage(ArrayFrames(frames), tmp_path / "scratch")
    footage.read()
    assert np.shares_memory(footage.frame(1), frames) and footage.missing_bytes() == 0
    assert not (tmp_path / "scratch").exists()
    spoilt = frames.astype(np.float32)
    spoilt[2, 0, 0] = np.nan
    with pytest.raises(ValueError, match="frame 2 must hold finite numbers, got NaN or infinity; check the"):
        Footage(ArrayFrames(spoilt), tmp_path).read()


def test_a_cancel_leaves_no_file_and_the_next_call_reads_on(tmp_path: Path) -> None:
    film = Decoder()
    footage = Footage(film, tmp_path)

    def stop(done: int, total: int) -> None:
        assert total == LENGTH
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        footage.read(stop)
    assert not [path for path in tmp_path.rglob("*") if "film" in path.name and path.suffix != ".lock"]
    told: list[int] = []
    footage.read(lambda done, total: told.append(done))
    assert told[:LENGTH] == list(range(1, LENGTH + 1)) and footage.frame(6).shape == (48, 64, 3)


def test_a_film_that_would_fill_the_disk_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = Decoder()
    monkeypatch.setattr(scratch.shutil, "disk_usage", lambda place: SimpleNamespace(total=10**9, free=10_000))
    with pytest.raises(OSError, match=r"the disk of .* must have 64\.7 kB free for the film"):
        Footage(film, tmp_path).read()
    assert film.reads == []


def test_cuts_are_looked_for_once_and_found_by_another_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = make_clip(Size(96, 64), 5), make_clip(Size(96, 64), 4, seed=5)
    frames = [one.frame(i) for i in range(5)] + [255 - other.frame(i)[::-1] for i in range(4)]
    film = ArrayFrames(np.stack(frames))
    footage = Footage(film, tmp_path)
    motion = Motion(footage, tmp_path)
    assert find_cuts(footage, motion) == find_cuts(film, motion) == (5,)
    monkeypatch.setattr("escalier.film.cuts.news_between", lambda *_: pytest.fail("looked for cuts again"))
    assert find_cuts(Footage(film, tmp_path), motion) == (5,)


def test_footage_counts_its_frames_as_the_plates_do(tmp_path: Path) -> None:
    folder = write_film(f"{tmp_path}/plate_####.png", make_clip(Size(64, 48), 3), encoding=Encoding(first=1001))
    footage = Footage(FolderFrames(folder, 25), tmp_path / "scratch")
    footage.read()
    assert frame_numbers(footage) == (1001, 1002, 1003) and list(frame_numbers(footage, 7)) == [7, 8, 9]


def test_masks_are_read_once_and_kept(tmp_path: Path) -> None:
    masks = np.zeros((LENGTH, 48, 64), np.float32)
    masks[:, 10:20] = 0.5
    size = Size(64, 48)
    kept = MaskFootage(Masks(masks), size, tmp_path).read()
    assert kept.dtype == np.uint8 and np.array_equal(kept, as_uint8(masks))
    again = MaskFootage(Masks(masks), size, tmp_path)
    assert again.kept.missing_bytes() == 0 and np.array_equal(again.read(), kept)
    assert len(list(tmp_path.glob("masks_*.npy"))) == 1
    with pytest.raises(ValueError, match="mask must mark the subject in at least one frame, got black in all"):
        MaskFootage(Masks(masks * 0), size, tmp_path).read()
    with pytest.raises(ValueError, match=r"mask at frame 0 must be a single channel of 32x48, got an array"):
        MaskFootage(Masks(masks), Size(32, 48), tmp_path).read()
