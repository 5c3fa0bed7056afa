"""Which ComfyUI is found, and that a wrong folder is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from escalier.comfyui import cache_folder, find as comfyui, find_comfyui
from escalier.comfyui.folders import data_folder, pack_folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of this test's own, and an embedded ComfyUI that costs nothing."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setattr(comfyui, "embedded_folder", lambda: tmp_path / "embedded")
    return tmp_path / "home"


@pytest.fixture
def install(tmp_path: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        folder = tmp_path / name
        (folder / "comfy").mkdir(parents=True)
        (folder / "main.py").touch()
        (folder / "comfyui_version.py").write_text('__version__ = "0.33.0"\n')
        return folder

    return make


def remember_in_comfy_cli(home: Path, **settings: Path | str) -> None:
    config = comfyui._comfy_cli_config()
    assert home in config.parents
    config.parent.mkdir(parents=True)
    config.write_text("[DEFAULT]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))


def test_a_named_folder_wins_over_all(
    home: Path, install: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_in_comfy_cli(home, default_workspace=install("workspace"))
    monkeypatch.setenv("COMFYUI_PATH", str(install("variable")))
    found = find_comfyui(install("named"))
    assert found.folder.name == "named" and not found.embedded and found.version == "0.33.0"


def test_the_variable_wins_over_a_workspace(
    home: Path, install: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_in_comfy_cli(home, default_workspace=install("workspace"))
    monkeypatch.setenv("COMFYUI_PATH", str(install("variable")))
    assert find_comfyui().folder.name == "variable"


def test_comfy_clis_default_workspace_wins_over_its_recent_one(home: Path, install: Callable[[str], Path]) -> None:
    remember_in_comfy_cli(home, recent_workspace=install("recent 100%"), default_workspace=install("default"))
    assert find_comfyui().folder.name == "default"


def test_a_workspace_that_is_gone_gives_way_to_the_next(
    home: Path, install: Callable[[str], Path], tmp_path: Path
) -> None:
    remember_in_comfy_cli(home, default_workspace=tmp_path / "gone", recent_workspace=install("recent 100%"))
    assert find_comfyui().folder.name == "recent 100%"


def test_the_embedded_one_is_used_when_there_is_no_other(home: Path, tmp_path: Path) -> None:
    found = find_comfyui()
    assert found.folder == tmp_path / "embedded" and found.embedded and found.python == Path(sys.executable)


def test_settings_of_comfy_cli_that_cannot_be_read_are_passed_over(home: Path, tmp_path: Path) -> None:
    remember_in_comfy_cli(home)
    comfyui._comfy_cli_config().write_text("no section = here\n[")
    assert find_comfyui().embedded


def test_a_folder_around_comfyui_is_as_good(install: Callable[[str], Path], tmp_path: Path) -> None:
    install("portable/ComfyUI")
    assert find_comfyui(tmp_path / "portable").folder.name == "ComfyUI"


def test_its_own_python_is_used_where_it_has_one(install: Callable[[str], Path]) -> None:
    folder = install("own")
    python = folder / "venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    python.parent.mkdir(parents=True)
    python.touch()
    assert find_comfyui(folder).python == python


def test_a_folder_without_comfyui_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"--comfyui must name a folder that holds ComfyUI's main\.py, got .*pytest"
    ):
        find_comfyui(tmp_path)


def test_the_variable_is_named_when_its_folder_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="COMFYUI_PATH must name a folder"):
        find_comfyui()


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_every_system_has_a_cache_and_a_data_folder_apart(
    home: Path, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ESCALIER_CACHE", "ESCALIER_DATA", "XDG_CACHE_HOME", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", system)
    assert cache_folder() != data_folder()
    assert home in cache_folder().parents and home in data_folder().parents
    assert cache_folder() not in data_folder().parents, "emptying the cache would take the data with it"


def test_the_pack_is_the_folder_around_the_library() -> None:
    assert (pack_folder() / "escalier" / "comfyui").is_dir() and (pack_folder() / "nodes").is_dir()
