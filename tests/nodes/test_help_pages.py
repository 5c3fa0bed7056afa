"""Every node has one help page, made from the node and from a few words by hand; every page has a node."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = {path.stem: path for path in sorted((ROOT / "js" / "docs").glob("*.md"))}
MOST_WORDS = 300


@pytest.fixture(scope="module")
def make_help_pages() -> Iterator[ModuleType]:
    before = list(sys.path)
    spec = importlib.util.spec_from_file_location("escalier_make_help_pages", ROOT / "docs" / "make_help_pages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path[:] = before


def by_hand(make_help_pages: ModuleType, name: str) -> str:
    return PAGES[name].read_text(encoding="utf-8").partition(make_help_pages.BY_HAND)[2]


def test_nodes_and_pages_are_the_same(pack: SimpleNamespace) -> None:
    assert set(PAGES) == set(pack.nodes)


@pytest.mark.parametrize("name", PAGES)
def test_page_is_what_its_node_says_and_what_was_written_by_hand(
    pack: SimpleNamespace, make_help_pages: ModuleType, name: str
) -> None:
    text = PAGES[name].read_text(encoding="utf-8")
    assert make_help_pages.page(pack.nodes[name], text) == text, "run: python docs/make_help_pages.py"


@pytest.mark.parametrize("name", PAGES)
def test_page_names_every_input_and_output_with_its_tooltip(pack: SimpleNamespace, name: str) -> None:
    schema, text = pack.nodes[name].GET_SCHEMA(), PAGES[name].read_text(encoding="utf-8")
    assert text.startswith(f"# {schema.display_name}\n\n{schema.description}\n")
    said = [(one.id, one.tooltip) for one in schema.inputs] + [
        (one.display_name, one.tooltip) for one in schema.outputs
    ]
    assert [id for id, tooltip in said if f"| **{id}** |" not in text or f"| {tooltip} |" not in text] == []


@pytest.mark.parametrize("name", PAGES)
def test_what_is_written_by_hand_is_short_and_page_has_no_code(make_help_pages: ModuleType, name: str) -> None:
    text = PAGES[name].read_text(encoding="utf-8")
    assert len(by_hand(make_help_pages, name).split()) <= MOST_WORDS
    assert "`" not in text


def test_ranges_units_defaults_and_menus_of_files_are_said() -> None:
    edge = PAGES["EscalierMaskEdge"].read_text(encoding="utf-8")
    assert "| **spread_px** | **0**, 0 to 2000 px |" in edge
    assert "| **profile** | linear, **smoothstep**, gaussian |" in edge
    assert "| **model** | one of your files |" in PAGES["EscalierLoadSam"].read_text(encoding="utf-8")
    propagate = PAGES["EscalierPropagate"].read_text(encoding="utf-8")
    assert "| **seed** | **0**, 0 or more |" in propagate
    assert "| **stop_at_cuts** | **on**, off, optional, advanced |" in propagate
    assert "| **keyframes** | KEYFRAMES |" in propagate


@pytest.mark.parametrize("name", PAGES)
def test_dials_that_a_page_writes_of_exist(pack: SimpleNamespace, make_help_pages: ModuleType, name: str) -> None:
    dials = {i.id for i in pack.nodes[name].GET_SCHEMA().inputs}
    named = {
        line[4:].split("**")[0]
        for part in by_hand(make_help_pages, name).split("## Dials")[1:]
        for line in part.split("\n## ")[0].splitlines()
        if line.startswith("- **")
    }
    assert named <= dials
