"""Packages that only some nodes need: loaded when they are used, with the exact remedy where they are missing."""

import importlib
import sys
from types import ModuleType

from escalier.log import log
from escalier.refusals import PackageRefusal


def load_package(module: str, requirement: str, purpose: str) -> ModuleType:
    """Import an optional package, or say how to install it.

    Some packages break while they are imported, because of what else is installed, and rembg even ends the process
    (`sys.exit`) where onnxruntime is missing. All of that becomes an `ImportError` here.

    Parameters
    ----------
    module
        What to import, such as "segment_anything" or "transformers.models.sam2_video".
    requirement
        What pip installs, such as "segment-anything>=1.0".
    purpose
        What it is needed for, as the subject of a sentence: "Segment Anything masks".

    Raises
    ------
    ImportError
        If it is missing or cannot be imported. The message ends with the exact command.

    >>> load_package("numpy", "numpy>=1.26", "Arithmetic").__name__
    'numpy'
    >>> load_package("no_such_package", "no-such-package>=2", "Wishes")
    Traceback (most recent call last):
    escalier.refusals.PackageRefusal: load_package: Wishes need the package no-such-package, which ... -m pip ...
    """
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:
        package = requirement.partition(">")[0].partition("=")[0]
        missing = isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] == module.split(".")[0]
        state = "which is not installed" if missing else f"which fails to load ({type(error).__name__}: {error})"
        log.debug("importing %s failed", module, exc_info=True)
        raise PackageRefusal(
            f"{purpose} need the package {package}, {state}",
            remedy=f'run: "{sys.executable}" -m pip install "{requirement}"',
            who="load_package",
        ) from error
