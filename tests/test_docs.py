"""The pages keep their word: they build, links lead somewhere, examples run, quotations are in the source."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import numpy as np
import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from PIL import Image

from escalier.comfyui.workflow import apply_settings, load_workflow, split_setting
from escalier.commands import cli

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
HELP = sorted((ROOT / "js" / "docs").glob("*.md"))
GAP = "…"


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def tokens(page: Path) -> list[Token]:
    return MarkdownIt().enable("table").parse(page.read_text(encoding="utf-8"))


def fences(page: Path, *languages: str) -> list[str]:
    """The blocks of code of these languages; "" are those that name none."""
    return [token.content for token in tokens(page) if token.type == "fence" and token.info.strip() in languages]


def links(page: Path) -> Iterator[str]:
    """Where the links and pictures of a page lead."""
    for block in tokens(page):
        for token in block.children or ():
            target = token.attrGet("href" if token.type == "link_open" else "src")
            if isinstance(target, str):
                yield unquote(target)


def headings(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    lines = tokens(page)
    titles = [lines[index + 1].content for index, token in enumerate(lines) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.fixture(scope="module")
def make_tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("escalier_make_tables", DOCS / "make_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_pages_build_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(DOCS), str(tmp_path)]
    built = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert built.returncode == 0, built.stdout + built.stderr
    assert (tmp_path / "reference.html").stat().st_size > 100_000
    fetched = re.findall(r'(?:src|href)="(https?:[^"]+)"', (tmp_path / "film.html").read_text(encoding="utf-8"))
    assert not [address for address in fetched if re.search(r"\.(js|css|woff2?)\b", address)]


@pytest.mark.parametrize("page", [*PAGES, *HELP], ids=named)
def test_every_link_and_picture_leads_somewhere(page: Path) -> None:
    lost = []
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, heading = target.partition("#")
        place = (page.parent / file).resolve() if file else page
        if not place.exists() or (heading and heading not in headings(place)):
            lost.append(target)
    assert lost == []


def test_every_room_has_its_page_its_names_and_its_reference(make_tables: ModuleType) -> None:
    rooms = set(make_tables.rooms())
    assert rooms <= {page.stem for page in PAGES}
    listed = (DOCS / "index.md").read_text(encoding="utf-8")
    assert [room for room in rooms if f"({room}.md)" not in listed] == []
    named = set(re.findall(r"^.. automodule:: escalier\.(\w+)$", (DOCS / "reference.md").read_text("utf-8"), re.M))
    assert named <= rooms
    assert rooms - named == {
        room for room in rooms if not hasattr(importlib.import_module(f"escalier.{room}"), "__all__")
    }
    assert named == set(re.findall(r"^<!-- table: names of (\w+) -->$", (DOCS / "python.md").read_text("utf-8"), re.M))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_tables_are_what_the_code_says(page: Path, make_tables: ModuleType) -> None:
    text = page.read_text(encoding="utf-8")
    assert make_tables.filled(text) == text, "run: python docs/make_tables.py"


def test_every_value_has_the_table_of_its_dials_on_its_room_s_page(make_tables: ModuleType) -> None:
    for room, one in make_tables.values():
        assert f"<!-- table: dials of {room} {one.__name__} -->" in (DOCS / f"{room}.md").read_text(encoding="utf-8")


def test_every_command_has_its_table_of_options(make_tables: ModuleType) -> None:
    page = (DOCS / "command_line.md").read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- table: options of (\w+) -->", page)) == set(make_tables.COMMANDS)


def shell_lines() -> list[tuple[str, str]]:
    lines = []
    for page in [*PAGES, *HELP]:
        for block in fences(page, "", "bash", "sh"):
            for line in block.splitlines():
                lines += [(page.name, part.strip()) for part in line.split("&&")]
    begins = re.compile(r"(python -m )?escalier( |$)")
    return [(page, line) for page, line in lines if begins.match(line)]


@pytest.mark.parametrize(("page", "line"), shell_lines())
def test_every_command_in_the_pages_is_understood(page: str, line: str) -> None:
    words = shlex.split(line.removeprefix("python -m "))[1:]
    args = cli._parse(words)
    if args.command == "run":
        workflow = load_workflow(args.workflow)
        apply_settings(workflow, args.settings)
        for given in args.inputs:
            if "=" in given:
                split_setting(workflow, given, option="--input")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the examples name: a clip, its painted keyframes, a mask, another room."""
    from escalier.film import Size, make_clip, write_film
    from escalier.keyframes import Keyframes, write_keyframes

    folder = tmp_path_factory.mktemp("desk")
    clip = make_clip(Size(96, 64), length=6, rate=6)
    write_film(folder / "shot.mp4", clip)
    write_keyframes(folder / "painted", Keyframes([0, 5], [255 - clip.frame(index) for index in (0, 5)], length=6))
    Image.fromarray(np.uint8(clip.matte(0) * 255)).save(folder / "dancer.png")
    Image.fromarray(255 - clip.frame(0)).save(folder / "room.png")
    return folder


@pytest.mark.parametrize("page", [page for page in PAGES if fences(page, "python")], ids=named)
def test_the_examples_of_a_page_run_from_top_to_bottom(page: Path, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    script = desk / f"{page.stem}.py"
    script.write_text("\n".join(fences(page, "python")), encoding="utf-8")
    runpy.run_path(str(script))


def quotations() -> list[str]:
    text = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    return [line[2:] for line in text.splitlines() if line.startswith("> ")]


@pytest.fixture(scope="module")
def said() -> list[str]:
    """All words of every statement of the sources, in their order: a sentence may stand in several strings."""
    statements = []
    for path in [ROOT / "__init__.py", *(ROOT / "escalier").rglob("*.py"), *(ROOT / "nodes").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Raise, ast.Expr, ast.Assign, ast.AnnAssign, ast.Return)):
                strings = [part for part in ast.walk(node) if isinstance(part, ast.Constant)]
                words = [part.value for part in strings if isinstance(part.value, str)]
                if words:
                    statements.append("\0".join(words))
    return statements


def test_there_are_enough_sentences_to_look_up() -> None:
    assert len(quotations()) >= 30
    assert len(set(quotations())) == len(quotations())


@pytest.mark.parametrize("sentence", quotations())
def test_quoted_sentences_are_in_the_source(sentence: str, said: list[str]) -> None:
    # What a refusal joins itself ("must", "got", the remedy's semicolon) may be written apart in the source.
    pieces = [piece.strip(" ,;:()") for piece in re.split(rf"{GAP}|\bmust\b|, got\b|; |, but\b", sentence)]
    pieces = [piece for piece in pieces if len(piece) > 3]
    assert max(map(len, pieces)) >= 8, "too little is left to be recognised by"
    assert any(all(piece in statement for piece in pieces) for statement in said)


def test_forms_and_workflow_can_be_read_and_ask_for_the_log() -> None:
    forms = {
        path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")
    }
    assert {"bug", "question", "idea"} <= set(forms)
    for name in ("bug", "question", "idea"):
        assert {"name", "description", "body"} <= set(forms[name])
        identifiers = [part["id"] for part in forms[name]["body"] if part["type"] != "markdown"]
        assert len(set(identifiers)) == len(identifiers)
    log = next(part for part in forms["bug"]["body"] if part.get("id") == "log")
    assert "--verbose" in log["attributes"]["description"] and log["validations"]["required"]
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    steps = [step.get("run") for job in workflow["jobs"].values() for step in job["steps"]]
    assert ".ci/run" in steps
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_hooks_before_a_commit_ask_no_other_host() -> None:
    settings = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert {repository["repo"] for repository in settings["repos"]} == {"local"}
    hooks = {hook["id"]: hook for repository in settings["repos"] for hook in repository["hooks"]}
    assert {"ruff", "ruff-format", "mypy"} <= set(hooks)
    assert {hook["language"] for hook in hooks.values()} == {"system"}
