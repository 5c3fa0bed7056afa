"""Kernels are compiled once on a machine, say so once, and let other threads run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core.caching import NullCache
from numba.core.dispatcher import Dispatcher

from escalier.pyebsynth import synthesise

ROOT = Path(__file__).resolve().parents[2]
NOTICE = "preparing the brushes (patch size 3, 2 channels)"

_PROGRAM = """
import json, logging, sys
import numpy as np
logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
from escalier.pyebsynth import synthesise
from numba.core.dispatcher import Dispatcher

picture = np.random.default_rng(0).integers(0, 256, (20, 24), np.uint8)
for _ in range(2):
    synthesise(picture, [picture], [picture], patch_size=3, threads=1, search_vote_iterations=1)
rooms = [module for name, module in sys.modules.items() if name.startswith("escalier.pyebsynth")]
kernels = {id(k): k for room in rooms for k in vars(room).values() if isinstance(k, Dispatcher)}.values()
print(json.dumps({
    "compiled": sum(sum(kernel.stats.cache_misses.values()) for kernel in kernels),
    "found": sum(sum(kernel.stats.cache_hits.values()) for kernel in kernels),
}))
"""


def start(cache: Path) -> tuple[dict[str, int], str, dict[str, int]]:
    """A new process with its kernels in `cache`: what it compiled and found, its log, and the files of the cache."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    files = {str(path.relative_to(cache)): path.stat().st_mtime_ns for path in cache.rglob("*.nb*")}
    return json.loads(done.stdout), done.stderr, files


@pytest.fixture(scope="module")
def starts(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Two processes, one after the other, that share an empty cache."""
    cache = tmp_path_factory.mktemp("kernels")
    return [start(cache), start(cache)]


@pytest.mark.slow
def test_a_second_process_finds_every_kernel_on_disk(starts: list[Any]) -> None:
    (first, _, written), (second, _, afterwards) = starts
    assert first["compiled"] > 5 and len(written) > 5
    assert second["compiled"] == 0 and second["found"] == first["compiled"]
    assert afterwards == written


@pytest.mark.slow
def test_the_first_compile_is_announced_in_one_line_and_never_again(starts: list[Any]) -> None:
    (_, first_log, _), (_, second_log, _) = starts
    lines = [line for line in first_log.splitlines() if "brushes" in line]
    assert len(lines) == 1 and lines[0].startswith(NOTICE) and "once" in lines[0]
    assert "brushes" not in second_log


def kernels() -> dict[str, Dispatcher]:
    """Every compiled function of the room, once a small synthesis has loaded them."""
    picture = np.zeros((12, 12), np.uint8)
    synthesise(picture, [picture], [picture], patch_size=3, threads=1, search_vote_iterations=1)
    modules = [module for name, module in sys.modules.items() if name.startswith("escalier.pyebsynth.")]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Dispatcher)]
    return {f"{kernel.py_func.__module__}.{kernel.py_func.__name__}": kernel for kernel in found}


@pytest.mark.slow
def test_every_kernel_is_cached_and_lets_other_threads_run() -> None:
    """`parallel` would start numba's own threads inside a server that has threads of its own."""
    found = kernels()
    assert len(found) > 10
    for name, kernel in found.items():
        assert kernel.targetoptions.get("nogil") is True, name
        assert not kernel.targetoptions.get("parallel"), name
        assert not isinstance(kernel._cache, NullCache), name


@pytest.mark.slow
def test_a_read_only_or_strided_picture_compiles_nothing_new() -> None:
    """Memory maps are read-only, which numba takes for another type."""
    picture = np.random.default_rng(0).integers(0, 256, (20, 24), np.uint8)
    synthesise(picture, [picture], [picture], patch_size=3, threads=1)
    known = {name: len(kernel.signatures) for name, kernel in kernels().items()}
    locked, wide = picture.copy(), np.repeat(picture, 2, axis=1)
    locked.flags.writeable = False
    synthesise(locked, [wide[:, ::2]], [locked], patch_size=3, threads=1)
    assert {name: len(kernel.signatures) for name, kernel in kernels().items()} == known


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be made read-only there")
@pytest.mark.parametrize("room", ["temporary folder", "nowhere"])
def test_kernels_compile_where_neither_the_package_nor_the_home_can_be_written(tmp_path: Path, room: str) -> None:
    """Also for root, whom permissions do not stop: a file lies where the cache's folders would be made."""
    installed = shutil.copytree(
        ROOT / "escalier", tmp_path / "site" / "escalier", ignore=shutil.ignore_patterns("__pycache__")
    )
    for folder in [installed, *(path for path in installed.rglob("*") if path.is_dir())]:
        (folder / "__pycache__").write_text("")
    (installed / "twice.py").write_text(
        "from escalier.kernel_cache import njit\n@njit(nogil=True)\ndef twice(number):\n    return 2 * number\n"
    )
    (tmp_path / "home").write_text("")
    (tmp_path / "temporary").mkdir()
    program = (
        "import logging, sys, tempfile; logging.basicConfig(level=logging.INFO, format='%(message)s')\n"
        + ("" if room == "temporary folder" else "tempfile.tempdir = sys.argv[1] + '/home'\n")
        + "import escalier.pyebsynth.voting, escalier.composite.guidance, escalier.mask.distance\n"
        "assert escalier.__file__.startswith(sys.argv[1]), escalier.__file__\n"
        "import escalier.twice; print(escalier.twice.twice(21))"
    )
    home = {
        "HOME": str(tmp_path / "home"),
        "XDG_CACHE_HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "temporary"),
    }
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**environment, **home, "PYTHONPATH": str(tmp_path / "site"), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "42"
    notice = "Compiled kernels are kept in" if room == "temporary folder" else "compiled anew in every process"
    assert done.stderr.count(notice) == 1, done.stderr
    assert bool(list(tmp_path.joinpath("temporary").rglob("*.nbi"))) == (room == "temporary folder")
