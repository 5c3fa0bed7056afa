"""The package diffusers: imported when it is needed, quiet, and with its troubles told in sentences."""

import importlib
import pickle
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from escalier.model_files import TORCH_REQUIREMENT
from escalier.out_of_memory import naming_short_memory
from escalier.packages import load_package
from escalier.refusals import PackageRefusal, Refusal

REQUIREMENT = "diffusers>=0.30"
TEXT_REQUIREMENT = "transformers>=4.50.3"


def import_packages() -> Any:
    """diffusers, and the torch and transformers that it needs; or the command that installs them."""
    load_package("torch", TORCH_REQUIREMENT, "Diffusers pipelines")
    load_package("transformers", TEXT_REQUIREMENT, "Diffusers pipelines")
    return load_package("diffusers", REQUIREMENT, "Diffusers pipelines")


def pipeline_class(name: str) -> Any:
    """A pipeline class of diffusers, which imports each when it is asked for."""
    diffusers = import_packages()
    try:
        return getattr(diffusers, name)
    except (RuntimeError, ImportError, AttributeError) as error:  # some fail beside another package's version
        raise PackageRefusal(
            f"diffusers {diffusers.__version__} cannot load {name} ({_gist(error)})",
            remedy=f'run: "{sys.executable}" -m pip install --upgrade "{REQUIREMENT}" "{TEXT_REQUIREMENT}"',
        ) from error


def _gist(error: BaseException) -> str:
    """The first line of what a package says, or what kind of error it is."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


@contextmanager
def naming_trouble(path: Path) -> Iterator[None]:
    """What diffusers cannot load becomes a sentence; short memory too."""
    own = [  # errors that are none of the usual kinds
        getattr(importlib.import_module(module), name, ValueError)
        for module, name in (
            ("diffusers.loaders.single_file_utils", "SingleFileComponentError"),
            ("safetensors", "SafetensorError"),
        )
    ]
    usual = (RuntimeError, OSError, ValueError, KeyError, TypeError, AttributeError, pickle.UnpicklingError)
    try:
        with naming_short_memory(f"{path}", "close other programs, or take a smaller model or one in half precision"):
            yield
    except Refusal:  # a sentence of ours already
        raise
    except (*usual, *own) as error:
        rule = f"hold a complete pipeline, but diffusers cannot load it ({_gist(error)})"
        raise Refusal(f"{path}", rule, remedy="download it again") from error


@contextmanager
def quiet() -> Iterator[None]:
    """diffusers and transformers without their progress bars and advice, which would fill the server's log."""
    logs = [importlib.import_module(f"{name}.utils.logging") for name in ("diffusers", "transformers")]
    before = [(log, log.get_verbosity(), log.is_progress_bar_enabled()) for log in logs]
    for log in logs:
        log.set_verbosity_error()
        log.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        for log, verbosity, had_bar in before:
            log.set_verbosity(verbosity)
            if had_bar:
                log.enable_progress_bar()
