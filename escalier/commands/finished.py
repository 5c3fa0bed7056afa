"""What a finished film was made from and what was measured on it, kept so that the same job need not write it again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

import escalier
from escalier.coherence import FadeReport
from escalier.film import SequenceName, output_format
from escalier.propagation import Staircase
from escalier.scratch import write_whole

FORMAT = 2
"""Raised when the same runs come to be written or measured otherwise."""
BLOCK_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Finished:
    """The note of one film in the scratch folder: `record` is its file, `target` the film that it speaks of."""

    record: Path
    target: Path | SequenceName

    @classmethod
    def of(cls, scratch: Path, staircase: Staircase, clip: str, output: str, *, first: int, sound: bool) -> Finished:
        """The note of these runs, this fade, clip (its fingerprint) and output. Any other has another name."""
        runs = [*staircase.runs.forward.values(), *staircase.runs.backward.values()]
        facts = {
            "version": [escalier.__version__, FORMAT],
            "runs": sorted(run.folder.name for run in runs),  # their names hold what they were made from
            "fade": [staircase.mode, staircase.fade_frames, staircase.ramp_frames, staircase.seed],
            "clip": clip,
            "rate": str(staircase.rate),
            "output": str(Path(output).absolute()),
            "first": first,
            "sound": sound,
        }
        name = xxhash.xxh3_64_hexdigest(json.dumps(facts, sort_keys=True).encode())
        return cls(scratch / f"finished_{name}.json", output_format(output)[0])

    def report(self) -> FadeReport | None:
        """What was measured, if the film stands there to the byte as it was written then; else None."""
        try:
            facts = json.loads(self.record.read_text(encoding="utf-8"))
            if facts["film"] != self._digest():
                return None
            report: dict[str, Any] = facts["report"]
            arrays = {name: np.array(value) for name, value in report.items() if isinstance(value, list)}
            return FadeReport(**{**report, **arrays})
        except (OSError, ValueError, KeyError, TypeError):  # no note, or a damaged one: the film is written once more
            return None

    def keep(self, report: FadeReport) -> None:
        """Note what has just been written and measured."""
        facts = {"film": self._digest(), "report": asdict(report)}
        text = json.dumps(facts, default=lambda array: array.tolist())
        write_whole(self.record, lambda file: file.write(text.encode()))

    def _digest(self) -> str:
        """Of all bytes of the film, and of the names of its pictures."""
        digest = xxhash.xxh3_128()
        for file in self._files():
            digest.update(file.name.encode(errors="surrogateescape"))
            with open(file, "rb") as stream:
                while block := stream.read(BLOCK_BYTES):
                    digest.update(block)
        return digest.hexdigest()

    def _files(self) -> Iterable[Path]:
        if isinstance(self.target, Path):
            return [self.target]
        numbered = ((self.target.number_of(file.name), file) for file in self.target.folder.iterdir())
        return sorted(file for number, file in numbered if number is not None)
