"""Every node has one short help page, and every page has a node."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

PAGES = {path.stem: path for path in sorted((Path(__file__).resolve().parents[2] / "js" / "docs").glob("*.md"))}
MOST_WORDS = 300


def test_nodes_and_pages_are_the_same(pack: SimpleNamespace) -> None:
    assert set(PAGES) == set(pack.nodes)


@pytest.mark.parametrize("name", PAGES)
def test_page_is_headed_by_the_name_that_the_artist_sees(pack: SimpleNamespace, name: str) -> None:
    first_line = PAGES[name].read_text(encoding="utf-8").splitlines()[0]
    assert first_line == f"# {pack.nodes[name].GET_SCHEMA().display_name}"


@pytest.mark.parametrize("name", PAGES)
def test_page_is_short_and_has_no_code(name: str) -> None:
    text = PAGES[name].read_text(encoding="utf-8")
    assert len(text.split()) <= MOST_WORDS
    assert "`" not in text


@pytest.mark.parametrize("name", PAGES)
def test_dials_that_a_page_names_exist(pack: SimpleNamespace, name: str) -> None:
    dials = {i.id for i in pack.nodes[name].GET_SCHEMA().inputs}
    named = {
        line[4:].split("**")[0]
        for part in PAGES[name].read_text(encoding="utf-8").split("## Dials")[1:]
        for line in part.split("\n## ")[0].splitlines()
        if line.startswith("- **")
    }
    assert named <= dials
