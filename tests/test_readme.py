"""What the README promises can be checked: two commands, a page for each menu entry, fades, recipes, the patent."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from escalier.propagation import FADES

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["demo", "tests"])
def test_each_command_is_a_single_line(name: str) -> None:
    block = re.search(rf"<!-- command: {name} -->\n```\n(.*?)\n```", README, re.DOTALL)
    assert block, f"no block for {name}"
    assert "\n" not in block[1]
    assert block[1].startswith("python -m pip install -e ")


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_every_menu_entry_has_its_page_and_its_line() -> None:
    menus = {
        path.relative_to(ROOT / "nodes").with_suffix("").parts[0]
        for path in (ROOT / "nodes").rglob("*.py")
        if re.search(r"^class Escalier\w+\(Node\)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {"film", "keyframes", "mask", "composite", "coherence"} <= menus
    assert [menu for menu in sorted(menus) if f"[{menu}](docs/{menu}.md)" not in README] == []
    for menu in menus:
        assert f"<!-- table: nodes of {menu} -->" in (DOCS / f"{menu}.md").read_text(encoding="utf-8")


def test_fades_are_listed_as_the_table_has_them() -> None:
    rows = [f"| `{name}` | {(inspect.getdoc(fade) or '').splitlines()[0]} |" for name, fade in FADES.items()]
    assert "\n".join(rows) in (DOCS / "propagation.md").read_text(encoding="utf-8")


def test_requirements_and_project_ask_for_the_same_versions() -> None:
    required = set((ROOT / "requirements.txt").read_text(encoding="utf-8").split())
    quoted = set(re.findall(r'"([^"]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    assert required <= quoted
    brought_by_comfyui = {"torch", "torchvision", "onnxruntime", "mediapipe"}
    assert not {re.split(r"[<>=]", line)[0] for line in required} & brought_by_comfyui


def test_the_patent_is_named() -> None:
    assert "8,861,869" in README


def test_recipes_are_those_that_are_shipped() -> None:
    page = (DOCS / "recipes.md").read_text(encoding="utf-8")
    table = page.split("\n## ")[0]
    named = {name for row in table.splitlines() if row.startswith("| `") for name in re.findall(r"`(\w+)`", row)}
    assert named == {path.stem for path in (ROOT / "workflows").glob("*.json")}
    assert named <= {line[3:] for line in page.splitlines() if line.startswith("## ")}
