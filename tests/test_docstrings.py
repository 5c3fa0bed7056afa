"""The examples in the docstrings run, and every public function has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import escalier

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(escalier.__path__, "escalier.") if "__main__" not in module.name
)
ROOMS = [name for name in MODULES if name.count(".") == 1]


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name: str) -> None:
    module = importlib.import_module(name)
    names = {"np": importlib.import_module("numpy")}
    outcome = doctest.testmod(module, extraglobs=names, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert outcome.failed == 0


def public_functions(room: ModuleType) -> list[str]:
    exported = getattr(room, "__all__", [])
    return [name for name in exported if inspect.isroutine(getattr(room, name))]


@pytest.mark.parametrize("name", ROOMS)
def test_public_functions_say_what_they_do_and_show_it(name: str) -> None:
    room = importlib.import_module(name)
    assert room.__doc__, f"{name} has no docstring"
    silent = [f for f in public_functions(room) if not (inspect.getdoc(getattr(room, f)) or "").strip()]
    assert silent == [], f"{name}: without a docstring"
    without_example = [f for f in public_functions(room) if ">>>" not in (inspect.getdoc(getattr(room, f)) or "")]
    assert without_example == [], f"{name}: docstring without an example that runs"
