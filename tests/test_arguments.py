"""What `checked` lets through and what it refuses, by kinds of annotations."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

import escalier
from escalier.arguments import Flow, Picture, Region, check_same_size, checked
from escalier.film import ArrayFrames, Film

PICTURE = np.zeros((4, 6, 3), np.uint8)


def one(hint: Any) -> Callable[[Any], Any]:
    def example(value: Any) -> Any:
        return value

    example.__annotations__["value"] = hint
    return checked(example)


def shown(value: Any) -> str:
    """A short name that is the same in every process: without addresses in memory."""
    if isinstance(value, np.ndarray):
        return f"array of {value.shape}"
    return re.sub(" at 0x[0-9a-fA-F]+", "", str(value))[:80]


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (Sequence[np.ndarray], np.zeros((2, 4, 6, 3), np.uint8)),
        (Sequence[Picture] | None, np.zeros((2, 4, 6, 3), np.uint8)),
        (int, 3),
        (int, np.int64(3)),
        (float, 3),
        (float, np.float32(0.5)),
        (bool, np.True_),
        (int | None, None),
        (str | Path, Path("x")),
        (Sequence[float], [1, 2.5]),
        (Sequence[int], np.arange(3)),
        (Sequence[int], range(3)),
        (Sequence[np.ndarray], PICTURE[None]),
        (tuple[int, ...], ()),
        (tuple[int, str], (1, "a")),
        (dict[str, int], {}),
        (Literal["a", "b"], "b"),
        (Callable[..., object], print),
        (Film, ArrayFrames(PICTURE[None])),
        (Picture, PICTURE),
        (Picture | None, None),
        (Flow, np.zeros((4, 6, 2), np.float32)),
        (Region, np.ones((4, 6), bool)),
        (Any, object()),
    ],
    ids=shown,
)
def test_what_fits_passes(hint: Any, value: Any) -> None:
    assert one(hint)(value) is value


@pytest.mark.parametrize(
    ("hint", "value", "words"),
    [
        (int, True, r"a whole number, got True \(bool\)"),
        (int, 2.5, r"a whole number, got 2.5 \(float\)"),
        (int | None, "3", r"a whole number or None, got '3' \(str\)"),
        (bool, 1, r"true or false, got 1 \(int\)"),
        (str | Path, b"x", "text or of type Path"),
        (Sequence[float], [1.0, None], "of type Sequence"),
        (Sequence[int], "123", "of type Sequence"),
        (Sequence[int], np.zeros(2), "of type Sequence"),
        (tuple[int, int], (1, 2, 3), "of type tuple"),
        (Literal["a"], "c", "of type Literal"),
        (Callable[..., object], 3, "of type Callable"),
        (Film, PICTURE, "of type Film, got an array of shape"),
        (np.ndarray, [1], "a numpy array"),
    ],
    ids=shown,
)
def test_what_does_not_fit_is_refused_by_function_and_argument(hint: Any, value: Any, words: str) -> None:
    with pytest.raises(TypeError, match=f"^example: value must be {words}"):
        one(hint)(value)


@pytest.mark.parametrize(
    ("hint", "value", "words"),
    [
        (float, float("nan"), "a finite number, got nan"),
        (float, np.float32("inf"), "a finite number"),
        (int, 2**70, "a number that a computer counts with"),
        (np.ndarray, np.zeros(3, object), "an array of numbers"),
        (np.ndarray, np.zeros((0, 3)), "a picture or mask that holds a pixel"),
        (str | Path, "a\0b", "text without the character NUL"),
        (str | Path, "", "a path, not empty text"),
        (str | Path | None, Path("x" * 300), "a path of names of at most 255 bytes"),
        (Picture, np.zeros((4, 6)), r"an RGB picture \(height, width, 3\).*shape \(4, 6\) and type float64"),
        (Picture | None, PICTURE.astype(float), "an RGB picture"),
        (Flow, np.zeros((4, 6, 2)), "a flow field"),
        (Region, PICTURE[..., 0], "a region"),
    ],
    ids=shown,
)
def test_what_is_no_use_is_refused(hint: Any, value: Any, words: str) -> None:
    with pytest.raises(ValueError, match=f"^example: value must be {words}"):
        one(hint)(value)


def test_masks_that_are_made_when_asked_for_are_not_made_by_the_check() -> None:
    class Lazy(Sequence[np.ndarray]):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: Any) -> Any:
            raise AssertionError("decoded")

        def __iter__(self) -> Iterator[np.ndarray]:
            raise AssertionError("decoded")

    masks = Lazy()
    assert one(np.ndarray | Sequence[np.ndarray])(masks) is masks


def test_a_class_is_called_by_its_own_name() -> None:
    @checked
    class Example:
        def __init__(self, side: int) -> None:
            self.side = side

    assert Example(3).side == 3
    with pytest.raises(TypeError, match=r"^Example: side must be a whole number, got 'x'"):
        Example("x")
    with pytest.raises(TypeError, match=r"^Example: arguments must be among \(side\), got a call with missing"):
        Example()


def test_arrays_that_do_not_lie_over_one_another_are_refused() -> None:
    check_same_size(one=PICTURE, other=None, third=PICTURE[..., 0])
    with pytest.raises(ValueError, match=r"^other must be 6x4 like one, got 5x4; scale"):
        check_same_size(one=PICTURE, other=PICTURE[:, :5])


def test_every_protocol_can_be_held_against_an_argument() -> None:
    """`isinstance` refuses a protocol that is not marked, and so would every call of a function that names it."""
    root = Path(escalier.__file__).parent
    files = [file for file in root.rglob("*.py") if "(Protocol)" in file.read_text(encoding="utf-8")]
    named = {".".join(file.relative_to(root.parent).with_suffix("").parts) for file in files}
    protocols = {
        one
        for name in named - {"escalier.commands.job_display"}  # of no function that is checked
        for one in vars(importlib.import_module(name)).values()
        if getattr(one, "_is_protocol", False) and one.__module__ == name
    }
    assert len(protocols) >= 7
    for protocol in protocols:
        assert not isinstance(None, protocol)
