"""numba's compiler with a cache on disk that is always found, also where the package and the home are read-only."""

import functools
import getpass
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

from escalier.log import log


def njit(*, cache: bool = True, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """`numba.njit`, which keeps what it compiled beside the source, or else in the user's own cache folder.

    Where neither can be written, numba refuses to compile at all. Then the cache goes to the system's folder for
    temporary files, and where even that fails, kernels are compiled anew in every process. Either is said once. The
    options are those of `numba.njit`.

    >>> @njit(nogil=True)
    ... def twice(number):
    ...     return 2 * number
    >>> twice(21)
    42
    """

    def compiled(function: Callable[..., Any]) -> Any:
        # Where no folder can keep the cache, the second try goes to the temporary folder and the third does without.
        for room in (lambda: cache, _fall_back, lambda: False):
            kept = room()
            try:
                return numba.njit(cache=kept, **options)(function)
            except RuntimeError as error:
                if not kept or "locator" not in str(error):
                    raise
        raise AssertionError  # the last try keeps nothing

    return compiled


@functools.cache
def _fall_back() -> bool:
    """Lead numba's cache to the system's temporary folder; False where that cannot be written to either."""
    folder = None
    try:
        folder = Path(tempfile.gettempdir()) / f"escalier-kernels-{_user()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        own = folder.lstat()
        # What lies in a cache is executed. In a folder that all may write to, only one's own will do.
        mine = not folder.is_symlink() and (not hasattr(os, "getuid") or own.st_uid == os.getuid())
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        mine = False
    if mine:
        numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
        log.info("Compiled kernels are kept in %s: neither the package nor the home can be written to.", folder)
    else:
        log.warning("Kernels are compiled anew in every process, which takes a minute: no folder can keep them.")
    return mine


def _user() -> str:
    if hasattr(os, "getuid"):
        return str(os.getuid())
    return "".join(letter for letter in getpass.getuser() if letter.isalnum())
