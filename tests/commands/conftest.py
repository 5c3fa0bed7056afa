"""Every test of this room keeps out of this machine's own folders."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _in_own_folders(own_folders: None) -> None:
    pass
