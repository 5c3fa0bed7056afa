"""Writes the tables of these pages that the code itself knows: options, nodes, fades, the names of every room.

    python docs/make_tables.py

A table stands between `<!-- table: NAME -->` and `<!-- end of table -->`. tests/test_docs.py fails where one is not
what this script would write, so that none of them can drift from the code.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import json
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import escalier  # noqa: E402
from escalier.commands.cli import COMMANDS  # noqa: E402
from escalier.dials import Dials, table_of  # noqa: E402
from escalier.propagation import FADES  # noqa: E402

TABLE = re.compile(r"(<!-- table: ([\w ]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def pages() -> list[Path]:
    """The pages that may hold tables: this folder's, and the README."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def filled(text: str) -> str:
    """A page with every table of its own written anew."""

    def written(found: re.Match[str]) -> str:
        kind, _, rest = found[2].partition(" of ")
        return f"{found[1]}\n{TABLES[kind](*([rest] if rest else []))}\n\n{found[3]}"

    return TABLE.sub(written, text)


def rooms() -> list[str]:
    """The names of the library's rooms, in the order in which the package's own help lists them."""
    folders = [module.name for module in pkgutil.iter_modules(escalier.__path__) if module.ispkg]
    return sorted(folders, key=lambda room: (escalier.__doc__ or "").find(f"escalier.{room}`"))


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def table(heads: list[str], rows: Iterator[list[str]] | list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _first_sentence(text: str | None) -> str:
    """The first sentence of a docstring, without the dot at its end where it is a mere summary."""
    paragraph = " ".join((text or "").strip().partition("\n\n")[0].split())
    return re.split(r"(?<=[a-z0-9)`\"*])\.(?= [A-Z]|$)", paragraph)[0]


def fades() -> str:
    """Every fade with the first line of its docstring."""
    rows = [[f"`{name}`", (inspect.getdoc(fade) or "").splitlines()[0]] for name, fade in FADES.items()]
    return table(["mode", "what it does"], rows)


def options(command: str) -> str:
    """What a command takes, as its own `--help` says it."""
    parser = argparse.ArgumentParser(prog=f"escalier {command}")
    importlib.import_module(COMMANDS[command][0]).add_arguments(parser)
    formatter = argparse.HelpFormatter(parser.prog)
    rows = []
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        shown = formatter._format_args(action, action.metavar or action.dest.upper()) if action.nargs != 0 else ""
        if isinstance(action.choices, (list, tuple)) and action.metavar is None:
            shown = " or ".join(str(choice) for choice in action.choices)
        words = " ".join([*action.option_strings[-1:], shown]).strip()
        rows.append([f"`{cell(words)}`", cell(formatter._expand_help(action))])
    return table(["option", "meaning"], rows)


def dials(which: str) -> str:
    """All dials of one class, such as "mask Edge"."""
    room, name = which.split()
    return table_of(getattr(importlib.import_module(f"escalier.{room}"), name))


def commands(_: str) -> str:
    """Every command with its line of help."""
    return table(["command", "what it does"], [[f"`escalier {name}`", line] for name, (_, line) in COMMANDS.items()])


def node_schemas() -> Iterator[tuple[str, str, str, str]]:
    """Room, id, title and description of every node, read from its source, so that no ComfyUI is needed."""
    for path in sorted((ROOT / "nodes").rglob("*.py")):
        room = path.relative_to(ROOT / "nodes").with_suffix("").parts[0]
        for one in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(one, ast.ClassDef) and [ast.unparse(base) for base in one.bases] == ["Node"]:
                given = {ast.unparse(line.targets[0]): line.value for line in one.body if isinstance(line, ast.Assign)}
                yield room, one.name, ast.literal_eval(given["display_name"]), ast.get_docstring(one) or ""


def nodes(room: str) -> str:
    """The nodes of one menu entry in the menu's order, each with a link to its help page."""
    lists = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "nodes").rglob("*.py"))]
    order = [name for text in lists for name in re.findall(r"\bEscalier\w+", text.partition("\nNODES")[2])]
    mine = sorted((schema for schema in node_schemas() if schema[0] == room), key=lambda schema: order.index(schema[1]))
    rows = [
        [f"[{title}](../js/docs/{name}.md)", cell(_first_sentence(description))] for _, name, title, description in mine
    ]
    return table(["node", "what it does"], rows)


def names(room: str) -> str:
    """All that a room's door offers, with the first sentence of its docstring."""
    return _offered(importlib.import_module(f"escalier.{room}"))


def front() -> str:
    """All that the front door offers beside the rooms."""
    return _offered(escalier)


def _offered(door: ModuleType) -> str:
    offered = {name: getattr(door, name) for name in door.__all__}
    things = {name: thing for name, thing in offered.items() if not inspect.ismodule(thing)}
    return table(["name", "what it is"], [[f"`{name}`", cell(_described(thing))] for name, thing in things.items()])


def values() -> Iterator[tuple[str, type[Dials]]]:
    """Every class of dials that a door offers, with its room."""
    for room in rooms():
        door = importlib.import_module(f"escalier.{room}")
        for name in getattr(door, "__all__", ()):
            if inspect.isclass(getattr(door, name)) and issubclass(getattr(door, name), Dials):
                yield room, getattr(door, name)


def values_by_room() -> str:
    """Every class of dials with a link to the page that lists its dials."""
    rows = [[f"`{one.__name__}`", f"[{room}]({room}.md)", cell(_described(one))] for room, one in values()]
    return table(["value", "its dials", "what it says"], rows)


def _described(thing: object) -> str:
    """The first sentence about a function or class; of anything else what it holds."""
    if inspect.isroutine(thing) or inspect.isclass(thing):
        return _first_sentence(inspect.getdoc(thing))
    if isinstance(thing, (str, int, float)):
        return f"`{thing}`"
    if isinstance(thing, (dict, tuple, list)) and all(isinstance(entry, str) for entry in thing):
        return " ".join(f"`{entry}`" for entry in thing)
    return "a type, for annotations"


def needs(_: str) -> str:
    """The files that every shipped workflow loads, and the models that it names, each with the node that loads it."""
    rows = []
    for path in sorted((ROOT / "workflows" / "api").glob("*.json")):
        files, models = [], []
        for node in json.loads(path.read_text(encoding="utf-8")).values():
            title, kind = node["_meta"]["title"], node["class_type"]
            if kind in ("LoadVideo", "LoadImage", "LoadImageMask", "EscalierLoadKeyframes"):
                files.append(f"*{title}*")
            elif "Load" in kind:
                models += [f"`{value}`" for value in node["inputs"].values() if isinstance(value, str) and "." in value]
        rows.append([f"[`{path.stem}`](#{path.stem})", ", ".join(files), ", ".join(models) or "none"])
    return table(["recipe", "nodes that take your files", "models, under these names"], rows)


TABLES: dict[str, Callable[..., str]] = {
    "commands": commands,
    "dials": dials,
    "fades": fades,
    "front": front,
    "names": names,
    "needs": needs,
    "nodes": nodes,
    "options": options,
    "values": values_by_room,
}


if __name__ == "__main__":
    for page in pages():
        before = page.read_text(encoding="utf-8")
        if filled(before) != before:
            page.write_text(filled(before), encoding="utf-8")
