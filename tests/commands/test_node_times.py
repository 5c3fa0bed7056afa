"""The time left of a job, on streams of messages as ComfyUI sends them: near, or silent where it would be a guess."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from escalier.comfyui import load_workflow
from escalier.comfyui.answers import read_message
from escalier.comfyui.workflow import check_workflow, shipped_workflows
from escalier.commands.job_display import Advance
from escalier.commands.node_times import AGREEING, NodeTimes, weight_of

STAIRCASE = (
    "EscalierLoadKeyframes",
    "LoadVideo",
    "EscalierMotion",
    "EscalierPropagate",
    "EscalierStaircase",
    "SaveVideo",
)
Curve = Callable[[float], float]


def steady(share: float) -> float:
    return share


def late(share: float) -> float:
    """A bar that says 30 % after 2 s of 200, and goes on evenly, as one was seen to do."""
    return 0.3 * share / 0.01 if share < 0.01 else 0.3 + 0.7 * (share - 0.01) / 0.99


def slowing(share: float) -> float:
    return share**0.8


def twice(share: float) -> float:
    """Two bars, one after the other: a short one, then the long one."""
    return share / 0.01 if share < 0.01 else (share - 0.01) / 0.99


JOBS: dict[str, list[tuple[str, float, Curve | None]]] = {
    "staircase at 540p": [
        *(("EscalierLoadKeyframes", 0.5, None), ("LoadVideo", 0.1, None), ("EscalierMotion", 40, steady)),
        *(("EscalierPropagate", 400, steady), ("EscalierStaircase", 45, steady), ("SaveVideo", 20, None)),
    ],
    "a bar that begins too fast": [("LoadVideo", 0.1, None), ("EscalierPropagate", 200, late), ("SaveVideo", 60, None)],
    "a bar that slows down": [("EscalierPropagate", 900, slowing), ("EscalierStaircase", 60, steady)],
    "two bars in one node": [("EscalierPropagate", 600, twice), ("EscalierStaircase", 60, steady)],
    "three of a kind": [
        *(("EscalierPropagate", 100, steady), ("EscalierPropagate", 110, steady), ("EscalierPropagate", 90, steady)),
        *(("EscalierLineBoil", 15, steady), ("SaveVideo", 10, None)),
    ],
    "diffusion": [("CheckpointLoaderSimple", 8, None), ("KSampler", 300, steady), ("VAEDecode", 20, None)],
    "a short one": [("LoadImage", 0.1, None), ("KSampler", 3, steady), ("SaveImage", 0.3, None)],
}


def play(job: list[tuple[str, float, Curve | None]], step: float = 0.5) -> Iterator[tuple[float, NodeTimes, list[str]]]:
    """The job's clock, with what has been heard until then and which nodes wait."""
    times = NodeTimes({str(node): class_type for node, (class_type, _, _) in enumerate(job)})
    now = 0.0
    for node, (_, seconds, curve) in enumerate(job):
        times.enter(str(node), now)
        began = now
        while now < began + seconds:
            if curve is not None:
                times.tell(str(node), curve((now - began) / seconds), now)
            yield now, times, [str(later) for later in range(node + 1, len(job))]
            now += step
        now = began + seconds


@pytest.mark.parametrize("name", JOBS)
def test_the_time_left_is_never_wrong_threefold(name: str) -> None:
    job = JOBS[name]
    whole = sum(seconds for _, seconds, _ in job)
    told = 0
    for now, times, waiting in play(job):
        left = times.left(now, waiting)
        if left is not None:
            told += 1
            truth = whole - now
            assert truth / 3 - 10 < left < truth * 3 + 10, f"{left:.0f} s said at {now:.0f} s, {truth:.0f} s were left"
    assert told > whole or whole < 60, "it must be told for at least half of a long job"
    assert told == 0 or whole > 60, "and never of a job of seconds"


def test_nothing_is_said_while_a_long_node_of_unknown_length_waits() -> None:
    for now, times, waiting in play(JOBS["staircase at 540p"]):
        if now < 40:
            assert times.left(now, waiting) is None


def test_a_node_that_hangs_is_not_nearly_done_for_ever() -> None:
    times = NodeTimes({"1": "KSampler"})
    times.enter("1", 0.0)
    for second in range(101):
        times.tell("1", second / 200, float(second))
    assert times.left(100.0, []) == pytest.approx(100, rel=0.05)
    later = times.left(400.0, [])
    assert later is None or later > 200 / AGREEING


def test_the_shipped_workflows_know_their_heavy_nodes() -> None:
    heavy = {
        node["class_type"]
        for name in shipped_workflows()
        for node in load_workflow(name).values()
        if weight_of(node["class_type"]) == 1.0
    }
    assert {"EscalierPropagate", "EscalierMotion", "KSampler", "FrameInterpolate", "EscalierTrackMask"} <= heavy
    assert not heavy & {"LoadVideo", "SaveVideo", "PreviewAny", "CheckpointLoaderSimple", "EscalierLoadKeyframes"}


def test_a_recorded_stream_is_shown_with_the_job_by_what_its_nodes_take() -> None:
    workflow = check_workflow({str(n): {"class_type": kind} for n, kind in enumerate(STAIRCASE)})
    clock = [0.0]
    advance = Advance(workflow, clock=lambda: clock[0])

    def hear(kind: str, data: str) -> None:
        found = read_message(f'{{"type": "{kind}", "data": {{"prompt_id": "a", {data}}}}}')
        assert found is not None
        advance.hear(*found)

    hear("execution_cached", '"nodes": ["0", "1", "2"]')
    hear("executing", '"node": "3"')
    said = []
    for step in range(1, 101):
        clock[0] = float(step)
        hear("progress_state", f'"nodes": {{"3": {{"value": {step}, "max": 200, "state": "running"}}}}')
        said.append(advance.time_left())
    assert said[:9] == [""] * 9, "nothing before it means something"
    assert re.fullmatch(r", about 2 min( \d0 s)? left", said[-1]), said[-1]
    assert 0.6 < advance.share < 0.75  # motion and half of the run, of two heavy nodes and two beside them
