"""How Sphinx builds these pages: `python -m sphinx -W -b html docs OUTPUT`. Nothing is fetched from the network."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import escalier

project = "Escalier"
author = copyright = "The Escalier authors"
version = release = escalier.__version__

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "Escalier"
html_copy_source = False

# Links to headings are written as GitHub makes them.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

# Single backquotes in docstrings are names and values, as in the pages.
default_role = "code"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
numpydoc_show_class_members = False


ROOT = Path(__file__).resolve().parent.parent
REPOSITORY = "https://github.com/escalier-film/escalier/blob/main"
_OUTSIDE = re.compile(r"(?<!!)(\[[^\]]*\])\(\.\./([^)#]+)\)")


def _help_pages() -> dict[str, str]:
    """The help pages of the nodes by their file's name, each as a section of one page."""
    pages = sorted((ROOT / "js" / "docs").glob("*.md"))
    return {page.name: re.sub("^#", "##", page.read_text(encoding="utf-8"), flags=re.MULTILINE) for page in pages}


def _bring_in_what_lies_outside(app: Any, name: str, source: list[str]) -> None:
    """Files beside this folder: the nodes' help pages become sections of the page `nodes`, others an address."""
    helped = _help_pages()

    def led(found: re.Match[str]) -> str:
        text = helped.get(Path(found[2]).name)
        if text is None:
            return f"{found[1]}({REPOSITORY}/{found[2]})"
        return f"{found[1]}(nodes.md#{text.splitlines()[0].lstrip('# ').lower().replace(' ', '-')})"

    source[0] = _OUTSIDE.sub(led, source[0])
    if name == "nodes":
        source[0] += "\n" + "\n".join(helped.values())


def _as_plain_text(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Docstrings are written for people: their bars are absolute values, and their stars are those of Python."""
    for index, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            starred = re.sub(r"(?<=\S |.\()\*{1,2}(?=\w)", lambda found: "\\*" * len(found[0]), line)
            lines[index] = starred.replace("|", r"\|")
    _head_the_examples(lines)


def _head_the_examples(lines: list[str]) -> None:
    """Examples that follow the last section without a heading of their own would be read as parameters."""
    section = ""
    for index, line in enumerate(lines):
        if index and line and set(line) == {"-"}:
            section = lines[index - 1].strip()
        elif line.startswith(">>> ") and section not in ("", "Examples", "Notes"):
            lines[index:index] = ["Examples", "--------", ""]
            return


def setup(app: Any) -> None:
    app.connect("source-read", _bring_in_what_lies_outside)
    app.connect("autodoc-process-docstring", _as_plain_text, priority=100)
    # What a door loads only when it is asked for must be there before autodoc looks round.
    for module in pkgutil.iter_modules(escalier.__path__, "escalier."):
        if module.ispkg:
            door = importlib.import_module(module.name)
            for name in getattr(door, "__all__", ()):
                setattr(door, name, getattr(door, name))
