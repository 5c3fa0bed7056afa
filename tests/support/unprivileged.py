"""Permissions that hold for root as well, who could write anywhere: as nobody for a while."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534

needs_permissions = pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be made read-only there")


@contextmanager
def closed_folder(fill: Callable[[Path], object] | None = None) -> Iterator[Path]:
    """A folder that this process can read and not write to, while the block lasts, with what `fill` puts there.

    Beside it lies `free`, to which it can write.
    """
    with tempfile.TemporaryDirectory() as above:  # pytest's own temporary folder is closed to everybody but its owner
        closed, free = Path(above, "closed"), Path(above, "free")
        closed.mkdir()
        if fill is not None:
            fill(closed)
        free.mkdir()
        free.chmod(0o777)
        for path in (Path(above), closed, *closed.rglob("*")):
            path.chmod(0o755)
        closed.chmod(0o555)
        is_root = os.geteuid() == 0
        if is_root:
            os.setresuid(NOBODY, NOBODY, 0)  # the real user as well, by whom os.access goes
        try:
            yield closed
        finally:
            if is_root:
                os.setresuid(0, 0, 0)
            closed.chmod(0o755)
