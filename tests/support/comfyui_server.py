"""One real ComfyUI server for all tests that want one, and small workflows of core nodes for it."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from escalier.comfyui import ComfyUIError, Server, ServerSettings, Workflow
from escalier.comfyui.embedded import embedded_folder
from escalier.comfyui.find import ComfyUI
from escalier.comfyui.requirements import NEEDED, NEEDED_BY_EMBEDDED, NEEDED_BY_PACK
from escalier.comfyui.workflow import check_workflow

# Nodes that last long, fail, save without a word or take the process down, which core nodes do only by accident.
ODD_NODES = textwrap.dedent(
    """
    import os, signal, time
    import comfy.utils, folder_paths

    class Odd:
        CATEGORY, FUNCTION, RETURN_TYPES, OUTPUT_NODE = "test", "work", ("IMAGE",), False

        @classmethod
        def INPUT_TYPES(cls):
            return {"required": {"image": ("IMAGE",), "seconds": ("FLOAT", {"default": 0.0, "max": 600.0})}}

        @classmethod
        def IS_CHANGED(cls, **inputs):
            return time.time()

    class SlowPicture(Odd):
        def work(self, image, seconds):
            bar = comfy.utils.ProgressBar(100)
            for _ in range(100):
                time.sleep(seconds / 100)
                bar.update(1)
            return (image,)

    class FailingPicture(Odd):
        def work(self, image, seconds):
            raise ValueError("the paint has run out")

    class DyingPicture(Odd):
        def work(self, image, seconds):
            print("about to die", flush=True)
            os._exit(9)

    class SilentSaver(Odd):
        OUTPUT_NODE = True

        def work(self, image, seconds):
            folder = os.path.join(folder_paths.get_output_directory(), "notes")
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, "silent.txt"), "w") as file:
                file.write("saved without a word")
            return (image,)

    NODE_CLASS_MAPPINGS = {node.__name__: node for node in (SlowPicture, FailingPicture, DyingPicture, SilentSaver)}
    """
)


@pytest.fixture(scope="session", autouse=True)
def signals_as_on_a_terminal() -> Iterator[None]:
    """In the background, or under nohup, a test run ignores Ctrl-C and hang-ups, and so would all that it starts."""
    usual = {signal.SIGINT: signal.default_int_handler}
    if hasattr(signal, "SIGHUP"):
        usual[signal.SIGHUP] = signal.SIG_DFL
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def comfyui() -> ComfyUI:
    """The ComfyUI that ESCALIER_TEST_COMFYUI names, else the embedded one."""
    modules = (*NEEDED, *NEEDED_BY_PACK, *NEEDED_BY_EMBEDDED)
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"ComfyUI's requirements are not installed ({', '.join(missing)}): pip install -e '.[headless]'")
    try:
        folder = Path(os.environ.get("ESCALIER_TEST_COMFYUI") or embedded_folder())
    except ComfyUIError as error:
        pytest.skip(f"no ComfyUI to test with: {error}")
    return ComfyUI(folder, Path(sys.executable), "for tests", embedded=True)


@pytest.fixture
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes this machine's own cache, data and settings."""
    monkeypatch.setenv("ESCALIER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ESCALIER_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("COMFYUI_PATH", raising=False)


@pytest.fixture(scope="session")
def make_base(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes base folders for servers, with the odd nodes installed."""

    def make() -> Path:
        base = tmp_path_factory.mktemp("base")
        (base / "custom_nodes").mkdir()
        (base / "custom_nodes" / "odd_nodes.py").write_text(ODD_NODES, encoding="utf-8")
        return base

    return make


@pytest.fixture(scope="session")
def server(comfyui: ComfyUI, make_base: Callable[[], Path]) -> Iterator[Server]:
    """A running server with the pack and the odd nodes; starting it costs some ten seconds, so all tests share it."""
    with Server(comfyui, ServerSettings(device="cpu"), base=make_base()) as running:
        yield running


@pytest.fixture
def picture_workflow() -> Workflow:
    """Makes two blue pictures, scales them, saves and previews them."""
    nodes = {
        "1": ("EmptyImage", "Blue. Picture", {"width": 64, "height": 48, "batch_size": 2, "color": 255}),
        "2": (
            "ImageScale",
            "Scale",
            {"image": ["1", 0], "upscale_method": "bilinear", "width": 96, "height": 32, "crop": "disabled"},
        ),
        "3": ("SaveImage", "Save", {"images": ["2", 0], "filename_prefix": "sets/blue"}),
        "4": ("PreviewImage", "Look", {"images": ["1", 0]}),
    }
    return check_workflow(
        {
            key: {"class_type": kind, "inputs": inputs, "_meta": {"title": title}}
            for key, (kind, title, inputs) in nodes.items()
        }
    )


@pytest.fixture
def odd_workflow(picture_workflow: Workflow) -> Callable[..., Workflow]:
    """The same with one of the odd nodes between making and saving."""

    def make(kind: str, seconds: float = 0.0) -> Workflow:
        node = {"class_type": kind, "inputs": {"image": ["1", 0], "seconds": seconds}, "_meta": {"title": f"My {kind}"}}
        picture_workflow["2"] = node
        return picture_workflow

    return make
