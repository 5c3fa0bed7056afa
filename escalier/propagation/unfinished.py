"""A run in the making, kept beside its place so that a stop loses none of its frames and a kill a few seconds.

Frames and guide errors grow in their files. From time to time, and at a stop, all that the last frame hands to the next
is written whole, and then a checkpoint that says which frames count; what was written behind them does not.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from escalier.film import Size
from escalier.log import log
from escalier.scratch import (
    ArrayFile,
    Damage,
    GrowingArrayFile,
    array_bytes,
    clear_folder,
    open_array,
    own_folder,
    put_in_place,
    read_facts,
    remove_leftovers,
    remove_quietly,
    storage_error,
    write_array,
    write_facts,
)

from .chains import Chain
from .run import MANIFEST, manifest_of, part_shapes

CHECKPOINT_SECONDS = 10.0
COST_SHARE = 0.02
"""Checkpoints take no larger share of a run's time: on a slow disk they are rarer."""
STOP_SECONDS = 0.5
"""No checkpoint is written at a stop that would hold it up for longer,"""
SLOW_BYTES_A_SECOND = 150e6
"""as a disk of this speed would, before the disk at hand is known."""
CHECKPOINT = "checkpoint.json"
STATE_BYTES, STATE_BYTES_OF_TWO_PLATES = 31, 60
"""What one frame hands to the next, for each pixel that is matched: without masks, and with them."""


def unfinished_place(folder: Path) -> Path:
    """Where a run lies while it is made. It is named after the same fingerprint, so that no other goes on with it.

    >>> unfinished_place(Path("run_000002_forward_0123456789abcdef")).name
    'unfinished_000002_forward_0123456789abcdef'
    """
    return folder.with_name(f"unfinished_{folder.name.partition('_')[2]}")


def checkpoint_bytes(matched_size: Size, masked: bool) -> int:
    """What a run in the making takes on the disk beside its frames, at most: the last state and the one before.

    >>> checkpoint_bytes(Size(960, 540), masked=False) // (960 * 540)
    62
    """
    row = matched_size.width * (STATE_BYTES_OF_TWO_PLATES if masked else STATE_BYTES)
    return 2 * array_bytes((matched_size.height, row), np.uint8)


class Unfinished:
    """The files of a run that is being made; entering takes up what an earlier job has left, leaving keeps it.

    Where all frames are there at the end, the run is put in its place, `folder`. The caller holds the run's lock. The
    sizes are those of its frames and of its guide errors; a killed job loses the work of `checkpoint_seconds` at most.
    """

    def __init__(self, chain: Chain, folder: Path, size: Size, matched_size: Size, checkpoint_seconds: float) -> None:
        self.frames = 0
        """How many are there, the keyframe included."""
        self.state: dict[str, np.ndarray] | None = None
        """What the last of an earlier job's frames handed on, as it was given to `append`."""
        self._chain, self._folder, self._every = chain, folder, checkpoint_seconds
        self._parts = part_shapes(chain, size, matched_size)
        self._place = unfinished_place(folder)
        self._confidence: list[float] = []
        self._saved = 0
        self._latest: dict[str, np.ndarray] | None = None
        self._cost: float | None = None
        self._slot = 0

    def __enter__(self) -> Unfinished:
        if os.path.lexists(self._place):
            own_folder(self._place)
            remove_leftovers(self._place)
            try:
                self._take_up()
            except (Damage, OSError) as error:
                why = error.strerror or error if isinstance(error, OSError) else error
                log.warning("%s is damaged (%s); this run is made from its keyframe", self._place, why)
                self.frames, self._saved, self.state, self._confidence = 0, 0, None, []
        if not self.frames:
            clear_folder(self._place)
            own_folder(self._place)
            self._open({})
        self._time = time.monotonic()
        return self

    def append(
        self, picture: np.ndarray, error: np.ndarray, confidence: float, state: dict[str, np.ndarray] | None = None
    ) -> None:
        """Keep the next frame: see `Run`. `state` is what it hands to the next, arrays that stay as they are."""
        try:
            self._files["frames"].append(picture)
            self._files["guide_error"].append(error)
        except OSError as fault:
            raise storage_error(self._place / "frames.npy", fault) from fault
        self._confidence.append(confidence)
        self.frames += 1
        self._latest = state
        rest = max(self._every, (self._cost or 0.0) / COST_SHARE)
        if state is not None and self.frames < self._chain.length and time.monotonic() - self._time >= rest:
            self._save()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if kind is not None:
            self._stop()
            return
        try:
            self._closing.close()
        except OSError as fault:
            raise storage_error(self._place / "frames.npy", fault) from fault
        shape, dtype = self._parts["confidence"]
        write_array(
            self._place / "confidence.npy",
            np.array([self._confidence], dtype).reshape(shape),
            f"{self._folder.name} confidence",
        )
        write_facts(self._place / MANIFEST, manifest_of(self._chain), self._folder.name)
        try:
            put_in_place(self._place, self._folder)
        except OSError as fault:
            raise storage_error(self._folder, fault, self._place) from fault
        # Only now: until the run is in its place a job that is killed goes on from here.
        for name in (CHECKPOINT, "state_0.npy", "state_1.npy"):
            remove_quietly(self._folder / name)

    def _stop(self) -> None:
        """Keep what is worth it, quickly; the stop's own reason is what is raised."""
        state = self._latest
        if state is not None and self.frames > self._saved:
            expected = sum(array.nbytes for array in state.values()) / SLOW_BYTES_A_SECOND
            if (expected if self._cost is None else self._cost) <= STOP_SECONDS:
                with contextlib.suppress(OSError):
                    self._save()
        with contextlib.suppress(OSError):
            self._closing.__exit__(_Stop, _Stop(), None)
        if not self._saved:
            clear_folder(self._place)

    def _save(self) -> None:
        began = time.monotonic()
        state = self._latest or {}
        layout = [[name, array.dtype.str, list(array.shape[2:])] for name, array in state.items()]
        checksums = {name: file.flushed() for name, file in self._files.items()}
        slot = 1 - self._slot
        rows = len(next(iter(state.values())))
        width = sum(array.nbytes // rows for array in state.values())
        path = self._place / f"state_{slot}.npy"
        remove_quietly(path)  # the checkpoint names the other one; three would not fit into what was counted
        with ArrayFile(path, (rows, width), np.uint8, self._what(self.frames)) as file:
            for row in range(rows):
                parts = [np.ascontiguousarray(array[row]).reshape(-1).view(np.uint8) for array in state.values()]
                file.append(np.concatenate(parts))
        facts = {"slot": slot, "rows": rows, "layout": layout, "confidence": self._confidence, "checksums": checksums}
        write_facts(self._place / CHECKPOINT, facts, self._place.name)
        self._slot, self._saved, self._time = slot, self.frames, time.monotonic()
        self._cost = self._time - began

    def _take_up(self) -> None:
        facts = read_facts(self._place / CHECKPOINT, self._place.name)
        if facts is None:
            return  # killed before its first checkpoint, or damaged and named by now
        frames, slot, rows = len(facts["confidence"]), facts["slot"], facts["rows"]
        layout = [(name, np.dtype(kind), tuple(channels)) for name, kind, channels in facts["layout"]]
        height, width = self._parts["guide_error"][0][1:]
        widths = [width * int(np.prod(channels, dtype=np.int64)) * dtype.itemsize for _, dtype, channels in layout]
        path = self._place / f"state_{slot}.npy"
        kept = open_array(path, (rows, sum(widths)), np.uint8, self._what(frames))
        if kept is None:
            raise Damage(f"{path.name} is missing or damaged")
        state, at = {}, 0
        for (name, dtype, channels), length in zip(layout, widths, strict=True):
            part = np.ascontiguousarray(kept[:, at : at + length])
            state[name] = part.view(dtype).reshape(height, width, *channels)
            at += length
        self._open(facts["checksums"])
        self.frames, self._saved, self._slot, self.state = frames, frames, slot, state
        self._latest, self._confidence = state, facts["confidence"]

    def _open(self, checksums: dict[str, list[str]]) -> None:
        with contextlib.ExitStack() as stack:
            self._files = {
                name: stack.enter_context(
                    GrowingArrayFile(
                        self._place / f"{name}.npy",
                        *self._parts[name],
                        f"{self._folder.name} {name}",
                        checksums.get(name, ()),
                    )
                )
                for name in ("frames", "guide_error")
            }
            self._closing = stack.pop_all()

    def _what(self, frames: int) -> str:
        return f"{self._place.name} state {frames}"


class _Stop(Exception):
    """Closes the files without their checksums."""
