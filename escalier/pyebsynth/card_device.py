"""The graphics card as NVIDIA Warp sees it: found, made ready, and what becomes of its errors.

Warp (`warp-lang`, one pip package) brings its own compiler; of the machine it needs an NVIDIA driver. The environment
variable ESCALIER_CARD_DEVICE names another device than the first card: "cuda:1", or "cpu" for Warp's processor device,
which runs the same kernels slowly, for tests.
"""

import ctypes
import importlib.util
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

from escalier.log import log
from escalier.packages import load_package
from escalier.refusals import FileRefusal, named

REQUIREMENT = "warp-lang>=1.19"

_one_at_a_time = threading.Lock()  # Warp's launches are not made for several threads; a card has one queue anyhow


class CardNotFound(FileRefusal):
    """No graphics card is there that the card engine can use."""


class CardFailure(RuntimeError):
    """The card gave up: out of memory, gone, or unable to compile. The processor engine takes over."""


def load_warp() -> ModuleType:
    """The package warp, silenced; raises ImportError with the pip command."""
    warp = load_package("warp", REQUIREMENT, "Kernels for the graphics card")
    warp.config.log_level = warp.LOG_ERROR
    return warp


def card_is_there() -> bool:
    """Whether Warp is installed and finds an NVIDIA card. Imports Warp only where there is a driver.

    >>> backend = "card" if card_is_there() else "cpu"
    """
    if not _driver_is_there() or importlib.util.find_spec("warp") is None:
        return False
    try:
        with _one_at_a_time:
            return bool(load_warp().is_cuda_available())
    except ImportError:
        log.debug("warp cannot be used", exc_info=True)
        return False


def _driver_is_there() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


@named("synthesise")
def find_device() -> Any:
    """Warp's device for the card engine, kernels loaded; raises ImportError, CardNotFound or CardFailure."""
    warp = load_warp()
    name = os.environ.get("ESCALIER_CARD_DEVICE")
    with _one_at_a_time:
        if not name and not warp.is_cuda_available():
            rule = "have an NVIDIA card and its driver, but Warp finds none"
            raise CardNotFound("backend 'card'", rule, remedy="use backend='cpu'")
        try:
            device = warp.get_device(name or "cuda:0")
        except (ValueError, RuntimeError) as reason:
            rule = f"be one of Warp's devices, {', '.join(str(device) for device in warp.get_devices())}"
            remedy = "correct the variable or unset it"
            raise CardNotFound("ESCALIER_CARD_DEVICE", rule, f"{name!r}", remedy) from reason
        _load_kernels(str(device))
        return device


@cache  # for the life of the process, as Warp keeps the kernels
def _load_kernels(device: str) -> None:
    warp = load_warp()
    log.info("loading the card engine on %s; the first time on a machine its kernels compile, some seconds", device)
    try:
        from . import card_kernels

        warp.load_module(card_kernels, device=device)
    except Exception as reason:  # Warp raises no narrower class when a build fails
        raise CardFailure(f"its kernels do not compile ({reason})") from reason


@contextmanager
def on_card() -> Iterator[None]:
    """Work on the device: one thread at a time, Warp's errors told apart from all others."""
    with _one_at_a_time:
        try:
            yield
        except RuntimeError as reason:
            raise CardFailure(str(reason)) from reason
