"""Public functions called wrongly: a named error, or an answer; never an error of somebody else's deep inside.

The right calls are those of the docstrings' examples: each is recorded, then one argument at a time is spoilt.
"""

from __future__ import annotations

import contextlib
import doctest
import functools
import importlib
import inspect
import io
import random
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import escalier

ROOMS = ["film", "keyframes", "pyebsynth", "propagation", "mask", "composite", "coherence", "diffusion"]
CALLS = 300
OWN_MESSAGE = re.compile(r"^(\[Errno \d+\] )?[A-Za-z_][\w.]*: \S")
REFUSALS = (ValueError, TypeError, OSError, IndexError, ImportError, MemoryError)


@dataclass(frozen=True)
class Call:
    """A public function or class and the arguments of one call that its docstring shows."""

    name: str
    function: Callable[..., Any]
    arguments: dict[str, Any]

    def spoilt(self, argument: str, value: Any) -> Any:
        bound = inspect.signature(self.function).bind_partial()
        bound.arguments.update({**self.arguments, argument: value})
        return self.function(*bound.args, **bound.kwargs)


def is_checked(found: Any) -> bool:
    """Whether a function, or a class when it is made, holds its arguments against their annotations."""
    called = found.__init__ if inspect.isclass(found) else found
    return inspect.unwrap(called) is not called


def public_names() -> Iterator[tuple[str, Any]]:
    """Every function and class of a room's door that people call: it checks what it is given.

    What else stands there is for the rooms above, which hand on what they have checked.
    """
    for room in ROOMS:
        module = importlib.import_module(f"escalier.{room}")
        for name in module.__all__:
            found = getattr(module, name)
            made = inspect.isclass(found) and inspect.isfunction(found.__init__) and not issubclass(found, Exception)
            if (inspect.isfunction(found) or made) and is_checked(found):
                yield name, found


@functools.cache
def recorded_calls() -> list[Call]:
    """Every public function with the arguments of the first call in its own example."""
    calls = []
    for name, found in public_names():
        heard: list[dict[str, Any]] = []
        runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        names = {"np": np, name: _heard_by(found, heard)}
        module = importlib.import_module(found.__module__)
        for test in doctest.DocTestFinder(recurse=False).find(found, name, module=module, extraglobs=names):
            runner.run(test, out=lambda text: None, clear_globs=False)
        if heard:
            calls.append(Call(name, found, heard[0]))
    return calls


def _heard_by(function: Callable[..., Any], heard: list[dict[str, Any]]) -> Callable[..., Any]:
    signature = inspect.signature(function)

    @functools.wraps(function)
    def listening(*args: Any, **kwargs: Any) -> Any:
        with contextlib.suppress(TypeError):
            heard.append(dict(signature.bind(*args, **kwargs).arguments))
        return function(*args, **kwargs)

    return listening


class Stranger:
    """Nothing that any function knows."""

    def __repr__(self) -> str:
        return "Stranger()"


def spoilt_values(value: Any) -> list[Any]:
    """What somebody could give in place of a right value."""
    strangers = [Stranger(), "text", b"bytes", 1j, [], {}, None, [None], ("a", 1)]
    if isinstance(value, np.ndarray):
        spoilt = [value.astype(kind) for kind in (object, complex, str)]
        spoilt += [value[..., None], value[:0], value.ravel()]
        if value.ndim:
            spoilt += [value[0], value[None], value[::-1], np.asfortranarray(value)]
        if value.dtype.kind == "f" and value.size:
            spoilt += [np.full_like(value, bad) for bad in (np.nan, np.inf, -1.0)]
        if value.size:
            spoilt += [value.astype(np.float64), value.astype(np.int64), value > 0, value.astype(np.float16)]
        return strangers + spoilt
    if isinstance(value, (bool, np.bool_)):
        return [*strangers, 2, 0.5]
    if isinstance(value, (int, float, np.number)):
        numbers = [float("nan"), float("inf"), -1, -0.5, 0, 2**70, -(10**9), np.int64(1)]
        return [*strangers, *numbers, "1"]
    if isinstance(value, str):
        return [*strangers, "", "\0", "x" * 5000, "..", "ä\n", 7]
    if isinstance(value, (list, tuple)):
        longer = [list(value) * 2, [*value, None], [*value, "text"], [Stranger()] * len(value)]
        return [*strangers, *longer, 7, np.zeros(3)]
    return [*strangers, 7, 7.5, np.zeros((2, 2)), np.zeros(0)]


def mutations() -> list[tuple[Call, str, Any]]:
    """A fixed choice among all spoilt calls, every function in it."""
    every = [
        [
            (call, argument, value)
            for argument, right in call.arguments.items()
            if argument != "caller"  # not the user's: the function that a refusal names
            for value in spoilt_values(right)
        ]
        for call in recorded_calls()
    ]
    chosen, rng = [], random.Random(12)
    share = -(-CALLS // len(every))
    for of_one in every:
        chosen += rng.sample(of_one, min(share, len(of_one)))
    return chosen


def outcome(call: Call, argument: str, value: Any) -> str | None:
    """None where all is well, else what went wrong."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call.spoilt(argument, value)
    except REFUSALS as error:
        return None if OWN_MESSAGE.match(str(error)) else f"{type(error).__name__}: {error}"
    except Exception as error:  # noqa: BLE001 (whatever it is, it is what this test looks for)
        return f"{type(error).__name__}: {error}"
    return None


def test_every_function_of_the_front_door_checks_what_it_is_given() -> None:
    functions = {name: getattr(escalier, name) for name in escalier.__all__}
    assert [name for name, found in functions.items() if inspect.isfunction(found) and not is_checked(found)] == []


@pytest.mark.slow
def test_every_public_function_has_a_call_to_spoil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    functions = {name for name, found in public_names() if inspect.isfunction(found)}
    # Their examples need trained weights, which are not here; each has its tests of refusals.
    with_weights = {"matte_film", "read_sam2_video", "repaint", "segment_everything"}
    assert functions - {call.name for call in recorded_calls()} <= with_weights


@pytest.mark.slow
def test_calls_that_are_wrong_in_one_argument_end_in_a_named_error_or_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    chosen = mutations()
    assert len(chosen) >= CALLS
    failed = []
    for call, argument, value in chosen:
        if wrong := outcome(call, argument, value):
            failed.append(f"{call.name}({argument}={value!r:.80}): {wrong:.300}")
    assert not failed, "\n".join(failed)
