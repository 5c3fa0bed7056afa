"""What a server may answer: every value that comes from one is read here, with limits, or refused in a sentence.

Two rules. What the job depends on must be right, else the answer is refused. What a bar or a message only shows is
dropped where it is odd, so that nothing beyond this file ever meets a value of another type than it expects.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from escalier.refusals import printable

from .errors import ComfyUIError

JOB_ID = re.compile(r"[\w-]{1,100}", re.ASCII)
LONGEST_SHOWN = 200
LONGEST_MESSAGE = 5000
"""Letters of a text that a node or server wrote for people; longer ones are cut."""


@dataclass(frozen=True)
class Limits:
    """How much a server may send, and how long it may take."""

    answer_bytes: int = 64 * 10**6
    """One answer in JSON,"""
    node_info_bytes: int = 256 * 10**6
    """and that to /object_info, which is some 10 MB of a whole large ComfyUI."""
    files_bytes: int = 64 * 10**9
    """All results of a job together."""
    files: int = 200_000
    """How many results a job may have; an hour of film as pictures is 86,400."""
    message_bytes: int = 64 * 10**6
    """One message of the WebSocket; previews are sent there."""
    answer_seconds: float = 120.0
    """A whole answer in JSON, from the question to its last byte. A server that loads a large model may be long."""
    stall_seconds: float = 120.0
    """How long a file may bring less than `stall_bytes`, up or down."""
    stall_bytes: int = 1 << 16
    quiet_seconds: float = 15.0
    """After so long without a message the server is asked whether the job still exists."""
    check_seconds: float = 60.0
    """It is asked now and then in any case: a flood of messages must not hide that the job is done."""
    hang_ups: int = 5
    """After so many in a row without news of the job its history alone is asked, and no more bars are drawn."""


@dataclass(frozen=True)
class Answer:
    """The body of one answer: who gave it, to which request."""

    url: str
    request: str
    status: int
    body: bytes

    def json(self) -> Found:
        """What it holds, as JSON.

        Raises ComfyUIError when the server refused the request, or the body is no JSON.
        """
        if self.status not in (200, 400):
            raise self.refusal(f"HTTP {self.status} {first_line(self.body)}".rstrip())
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):  # no JSON, not text, a number without end, or brackets without end
            shown = first_line(self.body) or "nothing"
            raise self.refusal(f"something else than JSON: {shown}") from None
        return Found(value, self)

    def refusal(self, got: str) -> ComfyUIError:
        rule = f"answer {self.request} as ComfyUI does"
        remedy = "check that the address is ComfyUI's, and look at its log"
        return ComfyUIError(printable(self.url), rule, got, remedy, who="Client")


class Found:
    """A value in an answer with its place there, read by the type that it must have.

    >>> answer = Answer("http://127.0.0.1:8188", "/queue", 200, b'{"queue_running": 3}')
    >>> answer.json()["queue_running"].list()
    Traceback (most recent call last):
        ...
    escalier.comfyui.errors.ComfyUIError: Client: http://127.0.0.1:8188 must answer /queue as ComfyUI does, got ...
    """

    def __init__(self, value: Any, answer: Answer, place: str = "") -> None:
        self.value = value
        self._answer = answer
        self._place = place

    def __getitem__(self, key: str | int) -> Found:
        """An entry that must be there."""
        holder: Any = self._typed(list, "a list") if isinstance(key, int) else self._typed(dict, "an object")
        there = key < len(holder) if isinstance(key, int) else key in holder
        if not there:
            raise self._refusal(f"without {printable(str(key))}")
        return self._at(key, holder[key])

    def get(self, key: str) -> Found | None:
        """An entry that may be missing or null."""
        value = self._typed(dict, "an object").get(key)
        return None if value is None else self._at(key, value)

    def items(self) -> Iterator[tuple[str, Found]]:
        return ((key, self._at(key, value)) for key, value in self._typed(dict, "an object").items())

    def __iter__(self) -> Iterator[Found]:
        return (self._at(place, value) for place, value in enumerate(self._typed(list, "a list")))

    def mapping(self) -> dict[str, Any]:
        return dict(self._typed(dict, "an object"))

    def list(self) -> list[Any]:
        return list(self._typed(list, "a list"))

    def text(self) -> str:
        return whole_text(self._typed(str, "a text"))

    def _typed(self, kind: type, name: str) -> Any:
        if not isinstance(self.value, kind):
            raise self._refusal(f"where {name} belongs: {shown(self.value)}")
        return self.value

    def _at(self, key: str | int, value: Any) -> Found:
        return Found(value, self._answer, f"{self._place}[{shown(key)}]")

    def _refusal(self, what: str) -> ComfyUIError:
        return self._answer.refusal(f"an answer{' with ' + self._place if self._place else ''} {what}")


def read_node_info(answer: Answer) -> dict[str, Any]:
    """Node types with their inputs, as /object_info declares them; odd declarations of single inputs are left out."""
    return {class_type: {"input": _declared(found.mapping())} for class_type, found in answer.json().items()}


def _declared(node: dict[str, Any]) -> dict[str, dict[str, Any]]:
    groups = node.get("input")
    declared: dict[str, dict[str, Any]] = {}
    for group in ("required", "optional"):
        fields = groups.get(group) if isinstance(groups, dict) else None
        pairs = fields.items() if isinstance(fields, dict) else ()
        declared[group] = {field: kind for field, kind in pairs if isinstance(kind, list) and kind}
    return declared


def read_queue(answer: Answer) -> list[tuple[str, bool]]:
    """Every job in the queue, with whether it runs."""
    queue = answer.json()
    jobs = []
    for name in ("queue_running", "queue_pending"):
        entries = queue.get(name)
        jobs += [(entry[1].text(), name == "queue_running") for entry in entries or ()]
    return jobs


def read_job(answer: Answer) -> str:
    """The name that the server gave a job; it goes into addresses, so it must be a plain one."""
    found = answer.json()["prompt_id"].text()
    if not JOB_ID.fullmatch(found):
        raise answer.refusal(f"the job's name {shown(found)}, which is none")
    return found


def read_upload(answer: Answer) -> str:
    """How loaders call an uploaded file."""
    found = answer.json()
    folder = found.get("subfolder")
    return "/".join(part for part in (folder.text() if folder else "", found["name"].text()) if part)


@dataclass(frozen=True)
class Reason:
    """Why an input of a node was refused."""

    kind: str
    words: str
    input: str
    value: Any


@dataclass(frozen=True)
class Refused:
    """ComfyUI's reasons for refusing a workflow: of the whole, and of nodes by their ids."""

    words: str
    nodes: dict[str, tuple[str, list[Reason]]]


def read_refusal(answer: Answer) -> Refused:
    """The reasons in an answer to /prompt; empty where it took the whole workflow."""
    found = answer.json()
    error = found.value.get("error") if isinstance(found.value, dict) else None
    words = ""
    if isinstance(error, str):
        words = message(error)
    elif isinstance(error, dict) and error.get("type") != "prompt_outputs_failed_validation" and error.get("message"):
        words = _words(error)
    reports = found.get("node_errors")
    # ComfyUI writes an empty list where it looked at no node.
    pairs = reports.mapping().items() if reports and reports.value else ()
    nodes = {}
    for node, report in pairs:
        report = report if isinstance(report, dict) else {}
        errors = report.get("errors")
        reasons = [_reason(error) for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
        nodes[node] = (name(report.get("class_type") or "?"), reasons)
    return Refused(words, nodes)


def _reason(error: dict[str, Any]) -> Reason:
    extra = error.get("extra_info")
    extra = extra if isinstance(extra, dict) else {}
    return Reason(str(error.get("type")), _words(error), str(extra.get("input_name")), extra.get("received_value"))


def _words(error: dict[str, Any]) -> str:
    return ": ".join(message(error[key]) for key in ("message", "details") if error.get(key))


@dataclass(frozen=True)
class Failure:
    """A node's failure while it ran."""

    node: str
    node_type: str
    kind: str
    message: str
    traceback: str


def read_failure(data: dict[str, Any]) -> Failure:
    """A failure as a message or a history tells it."""
    lines = data.get("traceback")
    return Failure(
        node=name(data.get("node_id")),
        node_type=name(data.get("node_type") or "Node"),
        kind=name(data.get("exception_type") or "Error").removeprefix("builtins."),
        message=message(data.get("exception_message") or "").strip(),
        traceback="".join(message(line) for line in lines) if isinstance(lines, list) else "",
    )


def read_message(text: str) -> tuple[str, dict[str, Any]] | None:
    """The type and data of a WebSocket message, with every part that is shown of its right type; None for any other.

    >>> read_message('{"type": "executing", "data": {"prompt_id": "a", "node": 5}}')
    ('executing', {'prompt_id': 'a', 'node': '5', 'display_node': None})
    >>> read_message('{"type": "progress_state", "data": {"prompt_id": "a", "nodes": [1]}}')
    ('progress_state', {'prompt_id': 'a', 'nodes': {}})
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    data = content.get("data") if isinstance(content, dict) else None
    if not isinstance(data, dict) or not isinstance(content.get("type"), str):
        return None
    kind = content["type"]
    job = data.get("prompt_id")
    kept: dict[str, Any] = {"prompt_id": job if isinstance(job, str) else None}
    if kind in ("executing", "executed"):
        kept |= {key: _node(data.get(key)) for key in ("node", "display_node")}
    elif kind == "execution_cached":
        nodes = data.get("nodes")
        kept["nodes"] = [str(_node(node)) for node in nodes] if isinstance(nodes, list) else []
    elif kind == "progress_state":
        nodes = data.get("nodes")
        pairs = nodes.items() if isinstance(nodes, dict) else ()
        kept["nodes"] = {node: _state(node, state) for node, state in pairs if isinstance(state, dict)}
    elif kind == "execution_error":
        kept["failure"] = read_failure(data)
    return kind, kept


def _node(value: Any) -> str | None:
    return None if value is None else name(value)


def _state(node: str, state: dict[str, Any]) -> dict[str, Any]:
    limit = number(state.get("max"), 1.0)
    limit = limit if limit > 0 else 1.0
    value = min(max(number(state.get("value"), 0.0), 0.0), limit)
    shown_at = _node(state.get("display_node_id")) or node
    return {"node": shown_at, "state": str(state.get("state")), "value": value, "max": limit}


def number(value: Any, otherwise: float) -> float:
    """A finite number, else the other one."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return otherwise
    try:
        found = float(value)
    except OverflowError:
        return otherwise
    return found if math.isfinite(found) else otherwise


def name(value: Any) -> str:
    """A name from outside, to be shown in one line."""
    return printable(str(value)[:LONGEST_SHOWN])


def message(value: Any) -> str:
    """A text from outside for people, of several lines perhaps."""
    text = value if isinstance(value, str) else shown(value)
    return printable(text[:LONGEST_MESSAGE], lines=True)


def shown(value: Any) -> str:
    """A value from outside as a sentence shows it: short, and in one line."""
    if isinstance(value, (dict, list)):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**LONGEST_SHOWN:
        return "a number without end"
    return printable(repr(value)[:LONGEST_SHOWN])


def first_line(body: bytes) -> str:
    """The beginning of a body that is no JSON, such as a page of some other program."""
    text = body[: 4 * LONGEST_SHOWN].decode("utf-8", "replace").strip()
    return printable(next(iter(text.splitlines()), "")[:LONGEST_SHOWN])


def whole_text(text: str) -> str:
    """A text with halves of letters, which JSON can spell and no file or address can hold, replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")
