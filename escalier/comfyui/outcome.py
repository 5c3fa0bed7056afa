"""What a job left behind: its files and texts, or ComfyUI's reasons for refusing or failing it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from escalier.log import log

from .answers import Failure, Found, Reason, Refused, read_failure, whole_text
from .errors import ComfyUIError
from .workflow import Workflow, title_of

INTERRUPTED = "The job was interrupted from somewhere else, perhaps in the browser."

Explain = Callable[[str, Reason], str | None]
"""Our own sentence for why an input of a node was refused, where we have a better one than ComfyUI."""


@dataclass(frozen=True)
class RemoteFile:
    """A file that a job made: where ComfyUI keeps it, and which node made it."""

    filename: str
    subfolder: str
    type: str
    node: str

    @property
    def place(self) -> tuple[str, str]:
        """Its folder and name below the output folder, as the server spells them; previews get a folder of their own.

        See `local_names.local_path` for what becomes of them here.
        """
        if self.type == "temp":
            # ComfyUI puts five random letters into a preview's name; without them the next run replaces it.
            return "previews", f"node_{tidy_id(self.node)}_" + re.sub(r"_temp_[a-z]{5}_", "_", self.filename)
        return self.subfolder, self.filename


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
    """A node id as part of a file name: ids inside subgraphs hold colons.

    >>> tidy_id("12:3")
    '12_3'
    """
    return re.sub(r"[^\w.-]", "_", node)


def describe_refusal(refused: Refused, workflow: Workflow, explain: Explain) -> str:
    """ComfyUI's reasons for refusing a workflow, in the form it writes them in its own log.

    `explain` gives our own sentence for a file that is missing, or None.
    """
    lines = [refused.words] if refused.words else []
    for node_id, (class_type, reasons) in refused.nodes.items():
        lines.append(f"* {class_type} {title_of(workflow, node_id)}:")
        lines += [f"  - {explain(node_id, reason) or reason.words}" for reason in reasons]
    return "\n".join(lines) or "It gave no reason; look at its log."


def describe_failure(failure: Failure, workflow: Workflow) -> str:
    """A node's failure while it ran, as ComfyUI reports it; its traceback goes to the log."""
    log.debug("%s", failure.traceback)
    told = f"{failure.kind}: {failure.message}"
    remedy = next((words for sign, words in REMEDIES.items() if sign in told), "")
    return f"{failure.node_type} {title_of(workflow, failure.node)} failed: {told}{remedy}"


def check_status(history: Found, workflow: Workflow) -> None:
    """Raise when a history entry is that of a failed job, whose own message was missed."""
    status = history.get("status")
    if status is None or status.mapping().get("status_str") != "error":
        return
    messages = status.get("messages")
    for entry in messages or ():
        kind, data = [*entry.list(), None, None][:2]
        if kind == "execution_error":
            raise ComfyUIError(describe_failure(read_failure(data if isinstance(data, dict) else {}), workflow))
        if kind == "execution_interrupted":
            raise ComfyUIError(INTERRUPTED)
    raise ComfyUIError("The job failed, and ComfyUI gave no reason; look at its log.")


def read_outcome(history: Found, most_files: int) -> Outcome:
    """The files and texts in a job's history entry. Files that a node only read are left out.

    What nodes show beside files and texts is their own affair, and is passed over whatever it is.
    """
    files: dict[RemoteFile, None] = {}
    texts: dict[str, list[str]] = {}
    outputs = history.get("outputs")
    for node, shown in outputs.items() if outputs else ():
        for name, entries in shown.items():
            if not isinstance(entries.value, list):
                continue
            for entry in entries:
                if isinstance(entry.value, dict) and entry.value.get("filename"):
                    file = _read_file(entry, node)
                    if file.type in ("output", "temp"):
                        files[file] = None
                elif name == "text":
                    texts.setdefault(node, []).append(whole_text(str(entry.value)))
    if len(files) > most_files:
        raise ComfyUIError(
            "The job's results", f"be at most {most_files} files", len(files), "let its nodes save fewer."
        )
    return Outcome(list(files), texts)


def _read_file(entry: Found, node: str) -> RemoteFile:
    subfolder, kind = entry.get("subfolder"), entry.get("type")
    return RemoteFile(
        filename=entry["filename"].text(),
        subfolder=subfolder.text() if subfolder else "",
        type=kind.text() if kind else "output",
        node=whole_text(node),
    )
