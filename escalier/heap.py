"""Memory that was freed, given back to the system."""

import ctypes
import sys
from functools import cache
from typing import Any


def trim_heap() -> bool:
    """Hand freed blocks back; False where the system's allocator does so by itself.

    glibc keeps freed blocks of up to 32 MB, scattered over the heaps of all threads. A job whose arrays are about that
    large, and of changing sizes, ends up with a third more memory than it uses. Costs some milliseconds.

    >>> trim_heap() == (sys.platform == "linux" and _malloc_trim() is not None)
    True
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(ctypes.c_size_t(0))
    return trim is not None


@cache
def _malloc_trim() -> Any:
    """glibc's own; musl has none."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
