"""What a person sees of a running job: two bars on a terminal, a plain line now and then anywhere else.

Messages come as `answers.read_message` gives them, whatever the server has sent.
"""

import sys
import time
from collections.abc import Callable
from typing import Any, Protocol, TextIO

from tqdm import tqdm

from escalier.comfyui import Workflow
from escalier.refusals import printable

from .node_times import NodeTimes, weight_of
from .progress_bars import span

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_DRAWINGS = 0.1
LONGEST_TITLE = 32


class Display(Protocol):
    """Hears every message of the server about one job; see `client.Listener`."""

    def __call__(self, kind: str, data: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


class Advance:
    """How far a job is, reckoned from the server's messages: nodes done, and the share of the running one."""

    def __init__(self, workflow: Workflow, clock: Callable[[], float] = time.monotonic) -> None:
        self.titles = {node_id: printable(str(node["_meta"]["title"])) for node_id, node in workflow.items()}
        self.done: set[str] = set()
        self.running: dict[str, float] = {}
        self.node: str | None = None
        self.node_step: tuple[float, float] = (0.0, 1.0)
        self._weights = {node_id: weight_of(node["class_type"]) for node_id, node in workflow.items()}
        self._times = NodeTimes({node_id: node["class_type"] for node_id, node in workflow.items()})
        self._clock = clock

    def hear(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "execution_cached":
            self.done |= self.titles.keys() & set(data["nodes"])
        elif kind == "executing" and data["node"] is not None:
            self._enter(data["display_node"] or data["node"])
        elif kind == "executed":
            self._finish(data["node"])
        elif kind == "progress_state":
            for node, state in data["nodes"].items():
                self._hear_state(node, state)

    @property
    def share(self) -> float:
        """The job's share that is done, 0..1, each node weighing what it usually takes."""
        done = sum(self._weights[node] for node in self.done)
        running = sum(self._weights[node] * share for node, share in self.running.items())
        return min(1.0, (done + running) / max(1e-9, sum(self._weights.values())))

    @property
    def title(self) -> str:
        return self.titles.get(self.node or "", self.node or "")

    def time_left(self) -> str:
        """ ", about 2 min left", or nothing while nobody can tell."""
        waiting = [node for node in self.titles if node not in self.done and node != self.node]
        left = self._times.left(self._clock(), waiting)
        return "" if left is None else f", {span(left)} left"

    def _hear_state(self, node: str, state: dict[str, Any]) -> None:
        # A node made by another one while it runs counts as that other one.
        shown = state["node"]
        value, limit = state["value"], state["max"]
        if state["state"] == "running":
            if shown != self.node:
                self._enter(shown)
            self.node_step = (value, limit)
            self._times.tell(node, value / limit, self._clock())
            if node in self.titles and node not in self.done:
                # Some nodes draw several bars, one after another; the job does not go back for that.
                self.running[node] = max(self.running.get(node, 0.0), value / limit)
        elif state["state"] == "finished":
            self._finish(node)

    def _enter(self, node: str) -> None:
        if node != self.node:
            self.node, self.node_step = node, (0.0, 1.0)
            self._times.enter(node, self._clock())

    def _finish(self, node: str | None) -> None:
        if node in self.titles:
            self.running.pop(node, None)
            self.done.add(node)


class Bars:
    """One bar for the running node, one for the whole job with the time left where that can be told."""

    def __init__(self, workflow: Workflow, stream: TextIO) -> None:
        self._advance = Advance(workflow)
        layout = "{desc} {percentage:3.0f}% |{bar}| {elapsed} gone{postfix}"
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
        self._job.set_postfix_str(self._advance.time_left().removeprefix(", "), refresh=False)
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
        self._written = time.monotonic()

    def __call__(self, kind: str, data: dict[str, Any]) -> None:
        before = self._advance.node
        self._advance.hear(kind, data)
        now = time.monotonic()
        entered = self._advance.node != before
        if self._advance.node is None or not (entered or now - self._written > SECONDS_BETWEEN_LINES):
            return
        self._written = now
        value, limit = self._advance.node_step
        counted = value.is_integer() and limit.is_integer()  # frames or steps; else seconds of work, which say less
        step = "" if limit == 1.0 else f", {value:g} of {limit:g}" if counted else f", {value / limit:.0%} of it"
        line = f"{self._advance.share:4.0%}  {self._advance.title}{step}{self._advance.time_left()}"
        self._stream.write(line + "\n")
        self._stream.flush()

    def close(self) -> None:
        pass


def choose_display(workflow: Workflow, stream: TextIO | None = None) -> Display:
    """Bars on a terminal, lines elsewhere; on standard error, so that standard output holds results alone."""
    stream = stream or sys.stderr
    return Bars(workflow, stream) if stream.isatty() else Lines(workflow, stream)
