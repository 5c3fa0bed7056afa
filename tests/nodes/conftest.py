"""The nodes are tested in a real ComfyUI, imported into the test process; skipped with a reason where there is none.

ComfyUI is not a package: its modules `nodes`, `server`, `execution` ... are found through `sys.path`. That is done
here and nowhere else, and only for as long as the node tests run.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from escalier.comfyui import HeadlessError
from escalier.comfyui.embedded import embedded_folder
from escalier.comfyui.requirements import NEEDED, NEEDED_BY_EMBEDDED, NEEDED_BY_PACK

ROOT = Path(__file__).resolve().parents[2]
ODD_NAME = "Escalier pack-1.0 (tëst)"


@pytest.fixture(scope="session")
def comfyui_folder() -> Path:
    """The ComfyUI that ESCALIER_TEST_COMFYUI names, else the embedded one."""
    missing = [name for name in (*NEEDED, *NEEDED_BY_PACK, *NEEDED_BY_EMBEDDED) if not importlib.util.find_spec(name)]
    if missing:
        pytest.skip(f"ComfyUI's requirements are not installed ({', '.join(missing)}): pip install -e '.[headless]'")
    try:
        return Path(os.environ.get("ESCALIER_TEST_COMFYUI") or embedded_folder())
    except HeadlessError as error:
        pytest.skip(f"no ComfyUI to test with: {error}")


@pytest.fixture(scope="session")
def comfyui(comfyui_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """ComfyUI's own modules, on the processor, with folders of its own."""
    before = list(sys.path)
    sys.path.insert(0, str(comfyui_folder))
    importlib.import_module("comfy.cli_args").args.cpu = True
    names = ("nodes", "folder_paths", "execution", "comfy.utils", "comfy.model_management", "comfy_api.v0_0_2")
    modules = {name.rpartition(".")[2]: importlib.import_module(name) for name in names}
    base = tmp_path_factory.mktemp("comfyui")
    for kind in ("input", "output", "temp"):
        (base / kind).mkdir()
        getattr(modules["folder_paths"], f"set_{kind}_directory")(str(base / kind))
    yield SimpleNamespace(base=base, **modules)
    sys.path[:] = before


@pytest.fixture(scope="session")
def pack(comfyui: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The pack, loaded by ComfyUI's own loader from a folder with an odd name: its node classes by id."""
    folder = tmp_path_factory.mktemp("custom_nodes") / ODD_NAME
    folder.symlink_to(ROOT, target_is_directory=True)
    records: list[logging.LogRecord] = []
    listener = logging.Handler(logging.WARNING)
    listener.emit = records.append  # type: ignore[method-assign]
    logging.getLogger().addHandler(listener)
    try:
        loaded = asyncio.run(comfyui.nodes.load_custom_node(str(folder)))
    finally:
        logging.getLogger().removeHandler(listener)
    mappings = comfyui.nodes.NODE_CLASS_MAPPINGS
    nodes = {id: node for id, node in mappings.items() if id.startswith("Escalier")}
    package = str(folder).replace(".", "_x_")

    def module(name: str) -> ModuleType:
        return sys.modules[f"{package}.nodes.{name}"]

    return SimpleNamespace(
        folder=folder, loaded=loaded, warnings=[r.getMessage() for r in records], nodes=nodes, module=module, **nodes
    )


@pytest.fixture(scope="session")
def to_image() -> Callable[[np.ndarray], Any]:
    """Pictures (N, H, W, 3), uint8 or float, as LoadImage would give them: an IMAGE batch."""
    torch = pytest.importorskip("torch")

    def convert(pictures: np.ndarray) -> Any:
        floats = pictures.astype(np.float32) / 255 if pictures.dtype == np.uint8 else pictures
        return torch.from_numpy(np.ascontiguousarray(floats, np.float32))

    return convert


@pytest.fixture(scope="session")
def clip() -> np.ndarray:
    """Six frames of 64x48 in which a texture moves two pixels to the right each time; uint8."""
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    scene = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.stack([np.roll(scene, 2 * i, axis=1) for i in range(6)])


@pytest.fixture
def fresh_folders(comfyui: SimpleNamespace, tmp_path: Path) -> SimpleNamespace:
    """Empty input, output and temporary folders for one test."""
    folders = SimpleNamespace(**{kind: tmp_path / kind for kind in ("input", "output", "temp")})
    for kind, folder in vars(folders).items():
        folder.mkdir()
        getattr(comfyui.folder_paths, f"set_{kind}_directory")(str(folder))
    return folders
