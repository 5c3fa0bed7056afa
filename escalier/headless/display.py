"""What a person sees of a running job: two bars on a terminal, a plain line now and then anywhere else."""

from __future__ import annotations

import sys
import time
from typing import Any, Protocol, TextIO

from tqdm import tqdm

from .workflow import Workflow

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_DRAWINGS = 0.1
LONGEST_TITLE = 32


class Display(Protocol):
    """Hears every message of the server about one job; see `client.Listener`."""

    def __call__(self, kind: str, data: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


class Advance:
    """How far a job is, reckoned from the server's messages: nodes done, and the share of the running ones."""

    def __init__(self, workflow: Workflow) -> None:
        self.titles = {node_id: str(node["_meta"]["title"]) for node_id, node in workflow.items()}
        self.done: set[str] = set()
        self.running: dict[str, float] = {}
        self.node: str | None = None
        self.node_step: tuple[float, float] = (0.0, 1.0)

    def hear(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "execution_cached":
            self.done |= self.titles.keys() & {str(node) for node in data.get("nodes", [])}
        elif kind == "executing" and data.get("node") is not None:
            self._enter(str(data.get("display_node") or data["node"]))
        elif kind == "executed":
            self._finish(str(data.get("node")))
        elif kind == "progress_state":
            for node, state in data.get("nodes", {}).items():
                self._hear_state(str(node), state)

    @property
    def share(self) -> float:
        """The job's share that is done, 0..1, each node counting alike."""
        return min(1.0, (len(self.done) + sum(self.running.values())) / max(1, len(self.titles)))

    @property
    def title(self) -> str:
        return self.titles.get(self.node or "", self.node or "")

    def _hear_state(self, node: str, state: dict[str, Any]) -> None:
        # A node made by another one while it runs counts as that other one.
        shown = str(state.get("display_node_id") or node)
        value, limit = float(state.get("value") or 0), float(state.get("max") or 1)
        if state.get("state") == "running":
            if shown != self.node:
                self._enter(shown)
            self.node_step = (value, limit)
            if node in self.titles:
                self.running[node] = min(1.0, value / limit)
        elif state.get("state") == "finished":
            self._finish(node)

    def _enter(self, node: str) -> None:
        if node != self.node:
            self.node, self.node_step = node, (0.0, 1.0)

    def _finish(self, node: str) -> None:
        self.running.pop(node, None)
        if node in self.titles:
            self.done.add(node)


class Bars:
    """One bar for the running node, one for the whole job with the time left at its mean pace so far."""

    def __init__(self, workflow: Workflow, stream: TextIO) -> None:
        self._advance = Advance(workflow)
        layout = "{desc} {percentage:3.0f}% |{bar}| {elapsed} gone, {remaining} left"
        self._job = tqdm(total=1.0, desc="Job", bar_format=layout, smoothing=0, file=stream, position=0)
        self._node = tqdm(total=1.0, desc="", bar_format=layout, smoothing=0, file=stream, position=1, leave=False)
        self._drawn = 0.0

    def __call__(self, kind: str, data: dict[str, Any]) -> None:
        before = self._advance.node
        self._advance.hear(kind, data)
        entered = self._advance.node != before
        # Drawn by hand: tqdm draws by the count of its steps, and shares of one are too small for that.
        if entered or time.monotonic() - self._drawn > SECONDS_BETWEEN_DRAWINGS:
            self._draw(entered)

    def close(self) -> None:
        self._draw(entered=False)
        self._node.close()
        self._job.close()

    def _draw(self, entered: bool) -> None:
        if entered:
            self._node.set_description_str(self._advance.title[:LONGEST_TITLE], refresh=False)
            self._node.reset()
        value, limit = self._advance.node_step
        self._node.n, self._job.n = min(1.0, value / limit), self._advance.share
        self._job.set_description_str(f"Job, node {self._count()}", refresh=False)
        self._node.refresh()
        self._job.refresh()
        self._drawn = time.monotonic()

    def _count(self) -> str:
        total = len(self._advance.titles)
        return f"{min(total, len(self._advance.done) + 1)} of {total}"


class Lines:
    """A line when a node begins and every ten seconds, for logs and pipes."""

    def __init__(self, workflow: Workflow, stream: TextIO) -> None:
        self._advance = Advance(workflow)
        self._stream = stream
        self._began = self._written = time.monotonic()

    def __call__(self, kind: str, data: dict[str, Any]) -> None:
        before = self._advance.node
        self._advance.hear(kind, data)
        now = time.monotonic()
        entered = self._advance.node != before
        if self._advance.node is None or not (entered or now - self._written > SECONDS_BETWEEN_LINES):
            return
        self._written = now
        value, limit = self._advance.node_step
        step = "" if limit == 1.0 else f", {value:g} of {limit:g}"
        line = f"{self._advance.share:4.0%}  {self._advance.title}{step}{self._time_left(now)}"
        self._stream.write(line + "\n")
        self._stream.flush()

    def close(self) -> None:
        pass

    def _time_left(self, now: float) -> str:
        share, gone = self._advance.share, now - self._began
        if share < 0.02 or gone < SECONDS_BETWEEN_LINES:
            return ""
        return f", about {tqdm.format_interval(gone / share - gone)} left"


def choose_display(workflow: Workflow, stream: TextIO | None = None) -> Display:
    """Bars on a terminal, lines elsewhere; on standard error, so that standard output holds results alone."""
    stream = stream or sys.stderr
    return Bars(workflow, stream) if stream.isatty() else Lines(workflow, stream)
