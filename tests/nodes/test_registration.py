"""The pack loads as ComfyUI loads it: from any folder, quietly, quickly, and with one copy of the library."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest

import escalier

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 1.0
HEAVY = ["numba", "scipy", "torchvision", "transformers", "diffusers", "segment_anything", "controlnet_aux", "rembg"]
OPTIONAL = ["diffusers", "segment_anything", "controlnet_aux", "rembg", "onnxruntime", "mediapipe"]

# Loads the pack in a ComfyUI of its own, where the optional model packages cannot be found.
LOAD_ALONE = textwrap.dedent(
    """
    import asyncio, json, sys, time

    comfyui, pack, heavy, optional = json.loads(sys.argv[1])

    sys.modules.update(dict.fromkeys(optional))  # None: not to be found
    sys.path.insert(0, comfyui)
    from comfy.cli_args import args
    args.cpu = True
    import nodes

    modules, path = set(sys.modules), list(sys.path)
    wall, processor = time.perf_counter(), time.process_time()
    loaded = asyncio.run(nodes.load_custom_node(pack))
    json.dump(
        {
            "loaded": loaded,
            "wall": time.perf_counter() - wall,
            "processor": time.process_time() - processor,
            "heavy": [name for name in heavy if name in set(sys.modules) - modules],
            "library": sys.modules["escalier"].__file__,
            "path changed": sys.path != path,
            "nodes": len([name for name in nodes.NODE_CLASS_MAPPINGS if name.startswith("Escalier")]),
        },
        sys.stdout,
    )
    """
)


@pytest.fixture(scope="module")
def loaded_alone(comfyui_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What loading a copy of the pack does in a process in which nobody has imported the library before."""
    pack = tmp_path_factory.mktemp("custom nodes") / "A copy. of Escalier-1"
    pack.mkdir()
    for name in ("__init__.py", "pyproject.toml"):
        shutil.copy(ROOT / name, pack / name)
    for name in ("nodes", "escalier", "js"):
        shutil.copytree(ROOT / name, pack / name, ignore=shutil.ignore_patterns("__pycache__"))
    arguments = json.dumps([str(comfyui_folder), str(pack), HEAVY, OPTIONAL])
    outcome = subprocess.run(
        [sys.executable, "-c", LOAD_ALONE, arguments], capture_output=True, text=True, cwd=pack.parent
    )
    assert outcome.returncode == 0, outcome.stderr
    return {"pack": pack, **json.loads(outcome.stdout.splitlines()[-1])}


def load_root(init: Path) -> object:
    """Import a root `__init__.py` as ComfyUI does, under a name made from its path."""
    name = str(init.parent).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, init)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
    return module


def test_pack_loads_without_a_warning_from_a_folder_with_an_odd_name(pack: SimpleNamespace) -> None:
    assert pack.loaded
    assert pack.warnings == []


def test_help_pages_are_served_under_the_folder_name(pack: SimpleNamespace, comfyui: SimpleNamespace) -> None:
    assert Path(comfyui.nodes.EXTENSION_WEB_DIRS[pack.folder.name]).resolve() == ROOT / "js"


def test_loading_takes_less_than_a_second(loaded_alone: dict) -> None:
    # The lesser of the two clocks: on a busy machine one of them counts what other programs do.
    assert min(loaded_alone["wall"], loaded_alone["processor"]) < SECONDS


def test_loading_imports_nothing_heavy(loaded_alone: dict) -> None:
    assert loaded_alone["heavy"] == []


def test_pack_loads_without_any_optional_model_package(loaded_alone: dict, pack: SimpleNamespace) -> None:
    assert loaded_alone["loaded"]
    assert loaded_alone["nodes"] == len(pack.nodes)


def test_library_comes_from_the_pack_under_its_one_name(loaded_alone: dict) -> None:
    assert Path(loaded_alone["library"]) == loaded_alone["pack"].resolve() / "escalier" / "__init__.py"
    assert not loaded_alone["path changed"]


def test_library_that_was_imported_from_this_very_folder_is_used(pack: SimpleNamespace) -> None:
    assert sys.modules["escalier"] is escalier


def test_a_second_copy_of_the_library_is_refused_by_name(tmp_path: Path) -> None:
    shutil.copy(ROOT / "__init__.py", tmp_path / "__init__.py")
    (tmp_path / "escalier").mkdir()
    shutil.copy(ROOT / "escalier" / "__init__.py", tmp_path / "escalier" / "__init__.py")
    first, second = re.escape(str(ROOT / "escalier")), re.escape(str(tmp_path / "escalier"))
    with pytest.raises(ImportError, match=f"loaded, from {first}.*{second} cannot be.*remove the other folder"):
        load_root(tmp_path / "__init__.py")


def test_root_file_read_without_a_package_imports_no_node() -> None:
    spec = importlib.util.spec_from_file_location("", ROOT / "__init__.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert not hasattr(module, "comfy_entrypoint")
