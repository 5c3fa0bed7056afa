"""Writes what the help pages of the nodes, js/docs/, take from the nodes themselves: description, inputs, outputs.

    python docs/make_help_pages.py

A page is made up to `<!-- by hand -->`; what is written after that stays as it is. tests/nodes/test_help_pages.py fails
where a page is not what this script would write, so that none can drift from its node.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from make_tables import cell, table  # noqa: E402

from escalier.comfyui.embedded import embedded_folder  # noqa: E402

PAGES = ROOT / "js" / "docs"
BY_HAND = "<!-- by hand -->"
UNITS = {"px": "px", "area": "px", "frames": "frames", "mb": "MB"}
"""Units by the last word of an input's name."""
LARGEST_INT = 2**31 - 1


def page(node: Any, text: str) -> str:
    """The help page of a node; `text` is the page as it was, or nothing."""
    inputs = [[f"**{one.id}**", cell(takes), cell(one.tooltip)] for one, takes in map(_taken, node.inputs)]
    outputs = [[f"**{one.display_name}**", _socket(one.get_io_type()), cell(one.tooltip)] for one in node.outputs]
    parts = [
        f"# {node.display_name}",
        " ".join(node.__doc__.split()),
        table(["input", "takes", "what it does"], inputs),
    ]
    if outputs:
        parts.append(table(["output", "gives", "what it is"], outputs))
    by_hand = text.partition(BY_HAND)[2].strip()
    return "\n\n".join([*parts, BY_HAND, *([by_hand] if by_hand else [])]) + "\n"


def _taken(made: Any) -> tuple[Any, str]:
    """An input, and in words what it takes: its default first, then what else it may be."""
    one = made() if callable(made) else made
    words = ["one of your files"] if callable(made) else [_range(one)]
    words += [name for name in ("optional", "advanced") if getattr(one, name, None)]
    return one, ", ".join(words)


def _range(one: Any) -> str:
    kind, default = one.get_io_type(), getattr(one, "default", None)
    if kind == "COMBO":
        return ", ".join(f"**{choice}**" if choice == default else choice for choice in one.options)
    if kind == "BOOLEAN":
        return "**on**, off" if default else "**off**, on"
    if kind in ("INT", "FLOAT"):
        unit = UNITS.get(one.id.rpartition("_")[2])
        most = f"to {one.max:.12g}" if one.max < LARGEST_INT else "or more"
        return f"**{default:g}**, {one.min:g} {most}" + (f" {unit}" if unit else "")
    if kind == "STRING":
        return f"text, **{default}**" if default else "text"
    return _socket(kind)


def _socket(kind: str) -> str:
    return " or ".join(name.removeprefix("ESCALIER_") for name in kind.split(","))


def nodes() -> dict[str, Any]:
    """The node classes by id, loaded by the embedded ComfyUI."""
    sys.path.insert(0, str(embedded_folder()))
    importlib.import_module("comfy.cli_args").args.cpu = True
    comfyui = importlib.import_module("nodes")
    asyncio.run(comfyui.load_custom_node(str(ROOT)))
    return {name: node for name, node in comfyui.NODE_CLASS_MAPPINGS.items() if name.startswith("Escalier")}


if __name__ == "__main__":
    for name, node in nodes().items():
        path = PAGES / f"{name}.md"
        path.write_text(page(node, path.read_text(encoding="utf-8") if path.is_file() else ""), encoding="utf-8")
