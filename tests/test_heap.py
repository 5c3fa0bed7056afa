"""Freed memory goes back to the system where its allocator would keep it."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

from escalier.heap import trim_heap

KEPT_BYTES = 64_000_000


def resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' allocators give back by themselves")
def test_what_was_freed_between_blocks_in_use_goes_back() -> None:
    if not trim_heap():
        pytest.skip("this system's libc is not glibc")
    blocks = [np.ones(100_000, np.uint8) for _ in range(2 * KEPT_BYTES // 100_000)]  # too small for pages of their own
    blocks[::2] = [None] * len(blocks[::2])
    before = resident_bytes()
    assert trim_heap()
    assert before - resident_bytes() > 0.5 * KEPT_BYTES
    assert all(block is None or block[-1] == 1 for block in blocks)
