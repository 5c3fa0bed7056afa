"""The house keeps its plan: one direction of imports, light doors, one name for a subject."""

from __future__ import annotations

import ast
import functools
import graphlib
import importlib
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COMFYUI = {"comfy", "comfy_api", "comfy_execution", "comfy_extras", "folder_paths", "server", "nodes", "execution"}

# A room may import those of its own row and below, never above (DESIGN: one direction).
STOREYS = [
    {"scratch"},
    {"comfyui"},
    {"film"},
    {"keyframes", "mask", "sam", "pyebsynth"},
    {"propagation", "composite", "tracking", "diffusion"},
    {"coherence", "boiling", "shot"},
    {"front"},
    {"commands"},
]
HEAVY = ["numba", "torch", "cv2", "av", "scipy", "diffusers", "transformers", "rembg", "controlnet_aux", "warp"]


def library_files() -> list[Path]:
    return sorted((ROOT / "escalier").rglob("*.py"))


@functools.cache
def syntax_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported_by(path: Path, nodes: Iterable[ast.AST]) -> set[str]:
    package = list(path.relative_to(ROOT).parent.parts)
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            stem = ".".join(part for part in (base, node.module or "") if part)
            names |= {stem} | {f"{stem}.{alias.name}" for alias in node.names}
    return names


@functools.cache
def imported_modules(path: Path) -> set[str]:
    return imported_by(path, ast.walk(syntax_of(path)))


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "escalier" and len(parts) > 1 else None


@pytest.mark.parametrize("path", library_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_library_never_imports_comfyui(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported_modules(path)}
    assert not roots & COMFYUI


@pytest.mark.parametrize("path", library_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_import_only_from_their_own_storey_and_below(path: Path) -> None:
    place = path.relative_to(ROOT / "escalier").parts
    if len(place) < 2:
        return
    storey = next(level for level, rooms in enumerate(STOREYS) if place[0] in rooms)
    above = set().union(*STOREYS[storey + 1 :])
    assert not {room_of(name) for name in imported_modules(path)} & above


def outsiders() -> list[Path]:
    """Every file that must go through the doors: tests may look into the room that they test."""
    return [*library_files(), *sorted((ROOT / "nodes").rglob("*.py")), *sorted((ROOT / "benchmarks").glob("*.py"))]


@functools.cache
def modules_behind_doors() -> set[str]:
    places = [path.relative_to(ROOT).with_suffix("").parts for path in library_files()]
    return {".".join(place) for place in places if len(place) > 2 and place[-1] != "__init__"}


@pytest.mark.parametrize("path", outsiders(), ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_are_entered_through_their_doors(path: Path) -> None:
    place = path.relative_to(ROOT).parts
    own = f"escalier.{place[1]}." if place[0] == "escalier" and len(place) > 2 else "no room"
    deep = {name for name in imported_modules(path) & modules_behind_doors() if not name.startswith(own)}
    assert deep == set()


STUBS = sorted((ROOT / "escalier").glob("**/__init__.pyi"))


@pytest.mark.parametrize("stub", STUBS, ids=lambda p: p.parent.name)
def test_a_door_offers_what_its_stub_says_and_no_module_stands_in_its_way(stub: Path) -> None:
    """A function that bears the name of its own module would be found or not, as imports happen to go."""
    door = importlib.import_module(".".join(stub.parent.relative_to(ROOT).parts))
    imports = [node for node in ast.walk(syntax_of(stub)) if isinstance(node, ast.ImportFrom)]
    offered = {alias.name for node in imports for alias in node.names}
    names = {alias.name for node in imports if node.module for alias in node.names}
    assert offered == set(door.__all__) and all(hasattr(door, name) for name in offered)
    assert not names & {path.stem for path in stub.parent.iterdir()}


def test_no_modules_import_one_another_in_a_circle() -> None:
    names = {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in library_files()}
    doors = {name for name, path in names.items() if path.name == "__init__.py"}
    graph = {name: imported_modules(path) & set(names) - doors - {name} for name, path in names.items()}
    graphlib.TopologicalSorter(graph).prepare()  # names a circle where there is one


def test_engine_knows_no_film() -> None:
    for path in (ROOT / "escalier" / "pyebsynth").rglob("*.py"):
        rooms = {room_of(name) for name in imported_modules(path)} - {
            None,
            "arguments",
            "counts",
            "dials",
            "packages",
            "kernel_cache",
            "log",
            "progress",
            "pyebsynth",
            "refusals",
        }
        assert rooms == set(), path.name


def test_importing_the_library_loads_nothing_heavy() -> None:
    code = f"import json, sys, escalier; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
    assert loaded == []


def test_every_library_room_has_its_tests() -> None:
    rooms = {p.name for p in (ROOT / "escalier").iterdir() if p.is_dir() and p.name != "__pycache__"}
    tested = {p.name for p in (ROOT / "tests").iterdir() if p.is_dir() and list(p.glob("test_*.py"))}
    assert rooms <= tested


def test_help_of_the_package_lists_every_room() -> None:
    rooms = {p.parent.name for p in (ROOT / "escalier").glob("*/__init__.py")}
    described = (ROOT / "escalier" / "__init__.py").read_text(encoding="utf-8")
    assert [room for room in sorted(rooms) if f"- `escalier.{room}`: " not in described] == []


def test_no_file_bears_a_name_that_says_nothing() -> None:
    vague = {"utils.py", "helpers.py", "common.py", "misc.py"}
    tracked = [*library_files(), *(ROOT / "nodes").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    assert [str(p) for p in tracked if p.name in vague] == []


def library_and_nodes() -> list[Path]:
    return [path for path in outsiders() if "benchmarks" not in path.parts]


def test_no_file_is_longer_than_a_few_screens() -> None:
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in library_and_nodes()}
    assert {name: count for name, count in lengths.items() if count > 400 and not name.endswith("_kernels.py")} == {}


def test_few_functions_take_many_arguments() -> None:
    """What belongs together travels as a value. Kernels take what the compiler wants."""
    many = []
    for path in library_and_nodes():
        for node in ast.walk(syntax_of(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not path.stem.endswith("_kernels"):
                given = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
                compiled = any("njit" in ast.unparse(decorator) for decorator in node.decorator_list)
                many += [node.name] * (len(set(given) - {"self", "cls"}) >= 8 and not compiled)
    assert len(many) <= 15, many
