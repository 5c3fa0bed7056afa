"""What a job left behind: its files and texts, or ComfyUI's reasons for refusing or failing it."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from .errors import HeadlessError
from .workflow import Workflow, title_of

INTERRUPTED = "The job was interrupted from somewhere else, perhaps in the browser."

log = logging.getLogger("escalier")


@dataclass(frozen=True)
class RemoteFile:
    """A file that a job made: where ComfyUI keeps it, and which node made it."""

    filename: str
    subfolder: str
    type: str
    node: str

    @property
    def local_path(self) -> PurePosixPath:
        """Where to put it below the output folder, whatever the server calls it; previews get a folder of their own."""
        parts = [part for part in re.split(r"[\\/]", self.subfolder) if part not in ("", ".", "..") and ":" not in part]
        name = re.split(r"[\\/:]", self.filename)[-1]
        if name in ("", ".", ".."):
            raise HeadlessError(f"RemoteFile: filename must name a file, got {self.filename!r} from node {self.node}")
        if self.type == "temp":
            # ComfyUI puts five random letters into a preview's name; without them the next run replaces it.
            return PurePosixPath("previews", f"node_{tidy_id(self.node)}_" + re.sub(r"_temp_[a-z]{5}_", "_", name))
        return PurePosixPath(*parts, name)


# Failures of which ComfyUI's own words help nobody: what to do, by what they say.
REMEDIES = {
    "No space left on device": "; free some space on the disk that holds ComfyUI's output and temp folders",
    "deserializing header": (
        "; the file must be a model, but it is another kind of file, often a web page saved under the model's name, "
        "or it is cut short: download it again"
    ),
    "UnpicklingError": "; the file must be a model, but it is another kind of file, or cut short: download it again",
}


@dataclass(frozen=True)
class Outcome:
    """What a finished job left: its files, and the texts that nodes showed."""

    files: list[RemoteFile] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)


def tidy_id(node: str) -> str:
    """A node id as part of a file name: ids inside subgraphs hold colons."""
    return re.sub(r"[^\w.-]", "_", node)


def describe_refusal(answer: dict[str, Any], workflow: Workflow) -> str:
    """ComfyUI's reasons for refusing a workflow, in the form it writes them in its own log."""
    error = answer.get("error") or {}
    lines = []
    if isinstance(error, str):
        lines.append(error)
    elif error.get("type") != "prompt_outputs_failed_validation" and error.get("message"):
        lines.append(_sentence(error))
    for node_id, report in (answer.get("node_errors") or {}).items():
        lines.append(f"* {report.get('class_type', '?')} {title_of(workflow, node_id)}:")
        lines += [f"  - {_sentence(reason)}" for reason in report.get("errors", [])]
    return "\n".join(lines) or "It gave no reason; look at its log."


def describe_failure(data: dict[str, Any], workflow: Workflow) -> str:
    """A node's failure while it ran, as ComfyUI reports it; its traceback goes to the log."""
    log.debug("%s", "".join(data.get("traceback") or []))
    node = title_of(workflow, str(data.get("node_id")))
    kind = str(data.get("exception_type", "Error")).removeprefix("builtins.")
    message = str(data.get("exception_message", "")).strip()
    remedy = next((words for sign, words in REMEDIES.items() if sign in f"{kind}: {message}"), "")
    return f"{data.get('node_type', 'Node')} {node} failed: {kind}: {message}{remedy}"


def check_status(history: dict[str, Any]) -> None:
    """Raise when a history entry is that of a failed job, whose own message was missed."""
    status = history.get("status") or {}
    if status.get("status_str") != "error":
        return
    for kind, data in status.get("messages", []):
        if kind == "execution_error":
            raise HeadlessError(describe_failure(data, {}))
        if kind == "execution_interrupted":
            raise HeadlessError(INTERRUPTED)
    raise HeadlessError("The job failed, and ComfyUI gave no reason; look at its log.")


def read_outcome(history: dict[str, Any]) -> Outcome:
    """The files and texts in a job's history entry. Files that a node only read are left out."""
    outcome = Outcome()
    for node, shown in (history.get("outputs") or {}).items():
        for name, entries in shown.items():
            for entry in entries if isinstance(entries, list) else []:
                if isinstance(entry, dict) and entry.get("filename"):
                    place = (entry["filename"], entry.get("subfolder") or "", entry.get("type") or "output")
                    file = RemoteFile(*place, node=node)
                    if file.type in ("output", "temp") and file not in outcome.files:
                        outcome.files.append(file)
                elif name == "text":
                    outcome.texts.setdefault(node, []).append(str(entry))
    return outcome


def _sentence(reason: dict[str, Any]) -> str:
    return ": ".join(str(reason[key]) for key in ("message", "details") if reason.get(key))
