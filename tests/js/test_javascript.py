"""The pack's JavaScript: its modules without a page (vitest), and its types (JSDoc, read by TypeScript)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def npm() -> str:
    """npm, with the two packages of package.json installed beside this file."""
    found = shutil.which("npm")
    if found is None:
        pytest.skip("npm is not installed: apt-get install npm, or nodejs.org")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").partition(".")[0]) < 20:
        pytest.skip(f"vitest needs Node 20 or newer, got {version.strip()}")
    subprocess.run([found, "install", "--silent"], cwd=HERE, check=True)
    return found


def run(npm: str, script: str) -> None:
    environment = os.environ | {"NO_COLOR": "1"}
    done = subprocess.run([npm, "run", "--silent", script], cwd=HERE, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("script", ["test", "types"])
def test_javascript_keeps_its_promises(npm: str, script: str) -> None:
    run(npm, script)
