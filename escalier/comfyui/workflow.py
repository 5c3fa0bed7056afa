"""Reading an API workflow and changing its inputs, before any server is asked.

An API workflow is a dictionary: node id -> {"class_type", "inputs", "_meta": {"title"}}. An input is a value, or a link
[node id, output number].
"""

import copy
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from escalier.refusals import MissingFile, Refusal, named, printable

from .folders import pack_folder

Workflow = dict[str, dict[str, Any]]

LARGEST_BYTES = 64 * 10**6
EXPORT_ADVICE = "open it in ComfyUI and save it with File > Export (API)"


@dataclass(frozen=True)
class Place:
    """One input of one node."""

    node: str
    input: str


@named("load_workflow")
def load_workflow(name: str | Path) -> Workflow:
    """Read an API workflow: a file, or the name of a shipped one ("staircase" is `workflows/api/staircase.json`).

    Raises
    ------
    FileNotFoundError
        When there is neither; the message lists the shipped names.
    ValueError
        When the file is not JSON, is in canvas format, or a node lacks its class or inputs.

    >>> load_workflow("staircase")["3"]["class_type"]
    'LoadVideo'
    """
    path = find_workflow(name)
    shown = printable(str(path))
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        rule = f"be a workflow of at most {LARGEST_BYTES / 1e6:g} MB"
        raise Refusal(shown, rule, f"{size / 1e6:.0f} MB", EXPORT_ADVICE)
    try:
        content = _read_json(path.read_bytes())
    except RecursionError:
        raise Refusal(f"{shown}", "be JSON", "brackets without end", EXPORT_ADVICE) from None
    except ValueError as error:
        raise Refusal(f"{shown}", "be JSON", printable(str(error)), EXPORT_ADVICE) from error
    return check_workflow(content, str(path))


def _read_json(data: bytes) -> Any:
    """JSON in any of its encodings, marked or not; what two readers could take for two things is refused."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            seen: set[str] = set()
            double = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
            raise ValueError(f"the name {double!r} twice in one object")
        return content

    def never(number: str) -> Any:
        raise ValueError(f"{number}, which is no number of JSON")

    def finite(number: str) -> float:
        if not math.isfinite(value := float(number)):
            raise ValueError(f"the number {number}, which is too large")
        return value

    text = data.decode(json.detect_encoding(data))
    return json.loads(text.removeprefix("\ufeff"), object_pairs_hook=once, parse_constant=never, parse_float=finite)


@named("load_workflow")
def find_workflow(name: str | Path) -> Path:
    """The file of a workflow, given as a path or as the name of a shipped one."""
    path = Path(name)
    if path.is_file():
        return path
    shipped = shipped_workflows()
    if str(name) in shipped:
        return shipped[str(name)]
    known = ", ".join(shipped) or "none"
    raise MissingFile("workflow", f"be a file or a shipped name ({known})", printable(str(name)), "check the spelling")


def shipped_workflows() -> dict[str, Path]:
    """The workflows that come with the pack, by name."""
    try:
        folder = pack_folder() / "workflows" / "api"
    except FileNotFoundError:  # the library was installed without the pack around it
        return {}
    return {path.stem: path for path in sorted(folder.glob("*.json"))}


@named("load_workflow")
def check_workflow(content: Any, source: str = "workflow") -> Workflow:
    """Refuse what is not an API workflow; gives a copy in which every node has a title.

    >>> check_workflow({"3": {"class_type": "Note", "_meta": None}})
    {'3': {'class_type': 'Note', '_meta': {'title': 'Note'}, 'inputs': {}}}
    """
    source = printable(source)
    if isinstance(content, dict) and isinstance(content.get("prompt"), dict):
        content = content["prompt"]  # the body of a request to /prompt, as some tools save it
    if isinstance(content, dict) and isinstance(content.get("nodes"), list):
        rule, got = "be in API format", "the canvas format, which has positions and links instead of inputs"
        raise Refusal(source, rule, got, EXPORT_ADVICE)
    if not isinstance(content, dict) or not content:
        raise Refusal(f"{source}", "hold nodes in API format", "none", EXPORT_ADVICE)
    try:
        workflow = copy.deepcopy(content)
    except RecursionError:
        raise Refusal(f"{source}", "be JSON", "brackets without end", EXPORT_ADVICE) from None
    for node_id, node in workflow.items():
        if not isinstance(node_id, str):
            raise Refusal(f"the ids in {source}", "be texts", f"{node_id!r}", "write it in quotes")
        _check_node(node_id, node, source)
    return workflow


def _check_node(node_id: str, node: Any, source: str) -> None:
    """Refuse what is no node, and give it inputs and a title where it has none."""
    shown = printable(node_id)
    fits = isinstance(node, dict) and isinstance(node.get("class_type"), str)
    if not fits or not isinstance(node.get("inputs", {}), dict):
        raise Refusal(
            f"every node in {source}", f"have a class_type and inputs, but node {shown} has not", remedy=EXPORT_ADVICE
        )
    node.setdefault("inputs", {})
    # ComfyUI 0.30 answers with error 500 when a node that it replaces has no _meta.
    meta = node["_meta"] = {} if node.get("_meta") is None else node["_meta"]
    if not isinstance(meta, dict) or not isinstance(meta.get("title"), (str, type(None))):
        rule = f'be an object such as {{"title": "Paint"}}, but that of node {shown} is not'
        raise Refusal(f"the _meta of every node in {source}", rule, remedy=EXPORT_ADVICE)
    if meta.get("title") is None:
        meta["title"] = node["class_type"]


def title_of(workflow: Workflow, node: str) -> str:
    """How messages name a node: `5 "Load Image"`.

    >>> title_of({"5": {"_meta": {"title": "Load Image"}}}, "5")
    '5 "Load Image"'
    """
    return printable(f'{node} "{workflow[node]["_meta"]["title"]}"' if node in workflow else node)


def split_setting(workflow: Workflow, setting: str, option: str = "--set") -> tuple[Place, str]:
    """Split NODE.INPUT=VALUE, where NODE is an id or a title; ids and titles may hold dots, spaces and equals signs.

    The longest id or title that fits wins, and an id wins over an equal title.

    Raises ValueError when no node or input of that name exists, or a title belongs to several nodes.
    """
    names: dict[str, list[str]] = {}
    for node_id, node in workflow.items():
        names.setdefault(str(node["_meta"]["title"]), []).append(node_id)
    names |= {node_id: [node_id] for node_id in workflow}
    fitting = [name for name in names if setting.startswith(name + ".") and "=" in setting[len(name) + 1 :]]
    if not fitting:
        remedy = f"its nodes are:\n{_list_nodes(workflow, workflow)}"
        what, rule = "setting", "be NODE.INPUT=VALUE with a node of this workflow"
        raise Refusal(what, rule, printable(setting), remedy, who=option)
    name = max(fitting, key=len)
    field, _, value = setting[len(name) + 1 :].partition("=")
    if len(names[name]) > 1:
        rule, got = "belong to one node", f'"{printable(name)}", which {len(names[name])} nodes bear'
        raise Refusal("title", rule, got, f"use an id:\n{_list_nodes(workflow, names[name])}", who=option)
    node_id = names[name][0]
    if field not in workflow[node_id]["inputs"]:
        inputs = printable(", ".join(workflow[node_id]["inputs"])) or "none"
        rule = f"be one of node {title_of(workflow, node_id)}"
        remedy = f"it has: {inputs} (an optional input that the file leaves out is to be written into the file first)"
        raise Refusal("input", rule, f'"{printable(field)}"', remedy, who=option)
    return Place(node_id, field), value


def apply_settings(workflow: Workflow, settings: Iterable[str]) -> list[Place]:
    """Change inputs in place from texts of the form NODE.INPUT=VALUE; gives the places that were changed.

    >>> flow = check_workflow({"3": {"class_type": "KSampler", "inputs": {"seed": 1}}})
    >>> apply_settings(flow, ["KSampler.seed=42"]), flow["3"]["inputs"]
    ([Place(node='3', input='seed')], {'seed': 42})
    """
    changed = []
    for setting in settings:
        place, text = split_setting(workflow, setting)
        inputs = workflow[place.node]["inputs"]
        inputs[place.input] = read_value(workflow, place, text)
        changed.append(place)
    return changed


def read_value(workflow: Workflow, place: Place, text: str) -> Any:
    """The value of a setting, of the type that the input has now. Text inputs take it as it stands, others as JSON.

    >>> flow = check_workflow({"3": {"class_type": "KSampler", "inputs": {"seed": 1, "name": "euler"}}})
    >>> read_value(flow, Place("3", "seed"), "42"), read_value(flow, Place("3", "name"), "42")
    (42, '42')
    """
    present = workflow[place.node]["inputs"][place.input]
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    where = f"--set: {printable(place.input)} of node {title_of(workflow, place.node)}"
    shown = printable(text)
    if is_link(value, workflow):
        return value
    if is_link(present, workflow):
        remedy = f"it is fed by node {title_of(workflow, present[0])}: set an input of that node"
        raise Refusal(where, f'be a link such as ["{present[0]}", {present[1]}]', shown, remedy)
    if isinstance(present, str):
        return text
    if isinstance(present, bool) and not isinstance(value, bool):
        raise Refusal(where, "be true or false", shown, f"it is {json.dumps(present)} now")
    if isinstance(present, (int, float)) and not isinstance(present, bool) and not _is_number(value):
        raise Refusal(where, "be a number", shown, f"it is {present} now")
    if isinstance(present, (dict, list)) and type(value) is not type(present):
        raise Refusal(where, f"be JSON like its present value {json.dumps(present)}", shown)
    return value


def is_link(value: Any, workflow: Workflow) -> bool:
    """Whether an input's value is the output of another node of this workflow.

    >>> is_link(["3", 0], {"3": {}}), is_link(["4", 0], {"3": {}})
    (True, False)
    """
    shaped = isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and type(value[1]) is int
    return shaped and value[0] in workflow


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def check_types(workflow: Workflow, changed: Iterable[Place], node_info: dict[str, Any]) -> None:
    """Refuse changed values that ComfyUI would quietly bend to the input's declared type.

    It would make 0 of 0.5 for a whole number and true of the text "false". All else it checks by itself.

    >>> flow = check_workflow({"3": {"class_type": "KSampler", "inputs": {"seed": 0.5}}})
    >>> check_types(flow, [Place("3", "seed")], {"KSampler": {"input": {"required": {"seed": ["INT"]}}}})
    Traceback (most recent call last):
    escalier.refusals.Refusal: --set: seed of node 3 "KSampler" must be a whole number, got 0.5; round it
    """
    for place in changed:
        kind, _ = declared_input(node_info, workflow[place.node]["class_type"], place.input)
        value = workflow[place.node]["inputs"][place.input]
        where = f"--set: {printable(place.input)} of node {title_of(workflow, place.node)}"
        if kind == "INT" and isinstance(value, float) and not value.is_integer():
            raise Refusal(where, "be a whole number", value, "round it")
        if kind == "BOOLEAN" and not isinstance(value, (bool, list)):
            raise Refusal(where, "be true or false", value, "write true or false")


def declared_input(node_info: dict[str, Any], class_type: str, field: str) -> tuple[Any, dict[str, Any]]:
    """An input's type and options as /object_info declares them; (None, {}) for one that it does not list."""
    groups = node_info.get(class_type, {}).get("input", {})
    for group in ("required", "optional"):
        declaration = groups.get(group, {}).get(field)
        if isinstance(declaration, (list, tuple)) and declaration:
            options = declaration[1] if len(declaration) > 1 and isinstance(declaration[1], dict) else {}
            return declaration[0], options
    return None, {}


def _list_nodes(workflow: Workflow, ids: Iterable[str]) -> str:
    return "\n".join(
        f"  {title_of(workflow, node_id)} ({printable(workflow[node_id]['class_type'])})" for node_id in ids
    )
