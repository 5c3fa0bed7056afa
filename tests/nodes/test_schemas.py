"""What an artist reads on a node: names, tooltips, defaults. Menu entry, file and id belong together."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

NODES = Path(__file__).resolve().parents[2] / "nodes"
IN_FILES = {
    name: path.relative_to(NODES).with_suffix("").parts[0]
    for path in sorted(NODES.rglob("*.py"))
    for name in re.findall(r"class (Escalier\w+)\(Node\)", path.read_text(encoding="utf-8"))
}
SMALL_WORDS = {"from", "to", "of", "and", "by", "in", "on", "with"}

each_node = pytest.mark.parametrize("name", IN_FILES)


def schema_of(pack: SimpleNamespace, name: str):
    return pack.nodes[name].GET_SCHEMA()


def test_every_node_in_the_files_is_registered(pack: SimpleNamespace) -> None:
    assert set(pack.nodes) == set(IN_FILES)


@each_node
def test_class_bears_the_id(pack: SimpleNamespace, name: str) -> None:
    assert name.startswith("Escalier")
    assert pack.nodes[name].__name__ == name


@each_node
def test_menu_entry_is_the_file_or_its_folder(pack: SimpleNamespace, name: str) -> None:
    assert schema_of(pack, name).category == f"escalier/{IN_FILES[name]}"


@each_node
def test_display_name_is_in_title_case(pack: SimpleNamespace, name: str) -> None:
    words = schema_of(pack, name).display_name.split()
    assert len(words) >= 2
    assert all(word[0].isupper() or word in SMALL_WORDS for word in words)


@each_node
def test_description_and_tooltips_are_sentences(pack: SimpleNamespace, name: str) -> None:
    schema = schema_of(pack, name)
    texts = {"description": schema.description}
    texts |= {f"input {i.id}": i.tooltip for i in schema.inputs} | {f"output {o.id}": o.tooltip for o in schema.outputs}
    silent = [place for place, text in texts.items() if not text or not text.endswith(".") or len(text) < 15]
    assert silent == []
    assert schema.search_aliases


@each_node
def test_dials_have_defaults_that_they_allow(pack: SimpleNamespace, name: str, fresh_folders: object) -> None:
    for dial in schema_of(pack, name).inputs:
        options = getattr(dial, "options", None)
        default = getattr(dial, "default", None)
        if options:
            assert default is None or default in options, dial.id
        elif hasattr(dial, "min"):
            assert dial.min <= default <= dial.max, dial.id


@each_node
def test_outputs_have_plain_names(pack: SimpleNamespace, name: str) -> None:
    assert all(re.fullmatch(r"[a-z_]+", output.display_name) for output in schema_of(pack, name).outputs)


@each_node
def test_film_sockets_take_videos_and_images(pack: SimpleNamespace, name: str) -> None:
    films = [i for i in schema_of(pack, name).inputs if i.id == "film"]
    assert all(film.get_io_type() == "VIDEO,IMAGE" for film in films)
