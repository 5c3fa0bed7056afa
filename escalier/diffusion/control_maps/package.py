"""The package controlnet-aux, which holds the detectors, imported although another package makes that import fail."""

import importlib
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType

from escalier import out_of_memory
from escalier.film import Size
from escalier.log import log
from escalier.packages import load_package

REQUIREMENT = "controlnet-aux>=0.0.9"
_one_at_a_time = threading.Lock()


def detector_module(name: str) -> ModuleType:
    """A module of controlnet-aux, such as "hed".

    Raises ImportError if the package is missing or broken, with the command that mends it.
    """
    import_package()
    return importlib.import_module(f"controlnet_aux.{name}")


def import_package() -> None:
    """Import controlnet-aux, next to any mediapipe, without its warnings about deprecated names."""
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if sys.modules.get("controlnet_aux") is None:
            _import()


def _import() -> None:
    try:
        load_package("controlnet_aux", REQUIREMENT, "Control maps")
    except ImportError as error:
        if isinstance(error.__cause__, ImportError):
            raise
        # mediapipe 1.x has no `solutions` any more, and controlnet-aux 0.0.10 asks for it while it is imported;
        # without mediapipe it only lacks its face mesh (huggingface/controlnet_aux#122).
        log.debug("controlnet_aux fails to load; loading it without mediapipe", exc_info=True)
        with _hidden("mediapipe"):
            load_package("controlnet_aux", REQUIREMENT, "Control maps")


def naming_short_memory(network: str, size: Size) -> AbstractContextManager[None]:
    """Short memory in words. Pictures go through one at a time: only size helps."""
    task, remedy = f"{network} and a picture of {size}", "lower the resolution, or close other programs"
    return out_of_memory.naming_short_memory(task, remedy)


@contextmanager
def _hidden(package: str) -> Iterator[None]:
    """For as long as this lasts, importing the package says that it is not installed."""
    modules = {name: module for name, module in sys.modules.items() if name.split(".")[0] == package}
    for name in modules:
        del sys.modules[name]
    sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[package]
        sys.modules.update(modules)
