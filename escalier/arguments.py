"""What a public function takes: held against its annotations when it is called, refused in a sentence."""

import functools
import inspect
import math
import types
from collections.abc import Callable, Collection, Generator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, cast, get_args, get_origin

import numpy as np

from .refusals import Refusal, TypeRefusal, named

Public = TypeVar("Public", bound=Callable[..., Any])

LONGEST_SHOWN = 40
LONGEST_NAME_BYTES = 255
NUMBERS: dict[Any, tuple[type, ...]] = {
    bool: (bool, np.bool_),
    int: (int, np.integer),
    float: (float, int, np.floating, np.integer),
}
"""What passes for a number of each type; true and false pass for themselves alone."""
CALLED_FROM_OUTSIDE = ("__init__", "__call__", "__getitem__", "__iter__", "__next__", "__enter__", "__exit__")
"""What of a class is called by others though it begins with an underscore."""


class Rule(NamedTuple):
    """What must hold of an argument beside its type; stands in `Annotated[type, Rule(...)]`."""

    text: str
    holds: Callable[[Any], bool]


def _pixels(channels: tuple[int, ...], *types: type) -> Callable[[np.ndarray], bool]:
    """Whether an array (height, width, *channels) holds pixels of one of these types."""
    return lambda array: array.ndim >= 2 and array.shape[2:] == channels and array.size > 0 and array.dtype in types


def _has_short_names(path: Any) -> bool:
    if not isinstance(path, (str, Path)):
        return True
    return all(len(name.encode("utf-8", "surrogateescape")) <= LONGEST_NAME_BYTES for name in Path(path).parts)


USUAL_RULES = (
    Rule("a finite number", lambda value: not isinstance(value, (float, np.floating)) or math.isfinite(value)),
    Rule(
        "a number that a computer counts with (64 bits)", lambda value: not isinstance(value, int) or abs(value) < 2**63
    ),
    Rule("an array of numbers", lambda value: not isinstance(value, np.ndarray) or value.dtype.kind in "biuf"),
    Rule(
        "a picture or mask that holds a pixel",
        lambda value: not isinstance(value, np.ndarray) or value.ndim not in (2, 3) or value.size > 0,
    ),
    Rule("text without the character NUL", lambda value: not isinstance(value, (str, Path)) or "\0" not in str(value)),
)
"""What holds of every argument of every public function."""

PATH_RULES = (
    Rule("a path, not empty text", lambda path: not isinstance(path, str) or bool(path.strip())),
    Rule(f"a path of names of at most {LONGEST_NAME_BYTES} bytes", _has_short_names),
)
"""What holds of every path besides; the file itself need not be there."""

_RGB = "an RGB picture (height, width, 3), uint8 0..255 or float32 0..1"
Picture = Annotated[np.ndarray, Rule(_RGB, _pixels((3,), np.uint8, np.float32))]
Flow = Annotated[np.ndarray, Rule("a flow field (height, width, 2), float32 in pixels", _pixels((2,), np.float32))]
Region = Annotated[np.ndarray, Rule("a region (height, width), true or false for each pixel", _pixels((), np.bool_))]


def checked(public: Public) -> Public:
    """Hold the arguments of a public function, or of a class that is made, against their annotations.

    Whole numbers pass for floats, numpy's numbers for Python's. A `Rule` in an annotation is held as well. What belongs
    together, or lies in a range, the function checks itself. A call costs ten microseconds more. (The package beartype
    looks at one entry of a list, taken at random, and has a sequence that makes its entries make one.)

    Every `Refusal` that comes out of the function, or out of a public method of the class, bears its name from then on,
    unless a public function further inside has put in its own: what is checked on behalf of a function need not be told
    its name. That holds for what a generator refuses while it is walked through, too.

    Raises
    ------
    Refusal, TypeRefusal
        From the decorated function: names it, the argument, what that must be and what it is.

    >>> @checked
    ... def halve(number: float) -> float:
    ...     return number / 2
    >>> halve(3)
    1.5
    >>> halve("3")
    Traceback (most recent call last):
    escalier.refusals.TypeRefusal: halve: number must be a number, got '3' (str); give one
    """
    if not inspect.isclass(public):
        return cast(Public, _naming(_checking(public), public.__name__))
    public.__init__ = _checking(public.__init__, getattr(public, "remedies", dict))  # type: ignore[method-assign]
    for name, member in list(vars(public).items()):
        if name in CALLED_FROM_OUTSIDE or not name.startswith("_"):
            setattr(public, name, _naming_member(member, public.__name__))
    return cast(Public, public)


def check_same_size(**arrays: np.ndarray | None) -> None:
    """Refuse arrays (height, width, ...) that do not lie over one another.

    >>> check_same_size(before=np.zeros((4, 6, 3)), flow=np.zeros((4, 5, 2)))
    Traceback (most recent call last):
    escalier.refusals.Refusal: flow must be 6x4 like before, got 5x4; scale one of them first
    """
    given = {name: array for name, array in arrays.items() if array is not None}
    first, model = next(iter(given.items()))
    for name, array in given.items():
        if array.shape[:2] != model.shape[:2]:
            rule = f"be {model.shape[1]}x{model.shape[0]} like {first}"
            raise Refusal(name, rule, f"{array.shape[1]}x{array.shape[0]}", "scale one of them first")


def on_behalf(member: Public) -> Public:
    """Mark a method of a `checked` class: what it refuses bears the name of the function that asked it."""
    member.on_behalf = True  # type: ignore[attr-defined]
    return member


def _naming_member(member: Any, name: str) -> Any:
    """A member of a class that names its refusals, where it can refuse anything at all."""
    if getattr(getattr(member, "__func__", member), "on_behalf", False):
        return member
    if inspect.isfunction(member):
        return _naming(member, name)
    if isinstance(member, (classmethod, staticmethod)):
        return type(member)(_naming(member.__func__, name))
    if isinstance(member, property) and member.fget is not None:
        return property(_naming(member.fget, name), member.fset, member.fdel, member.__doc__)
    return member


def _naming(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A function whose refusals bear this name. (The context manager `named` would cost every call a microsecond.)"""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            result = function(*args, **kwargs)
        except Refusal as refusal:
            refusal.who = refusal.who or name
            raise
        return _walked(result, name) if inspect.isgenerator(result) else result

    return called


def _walked(steps: Generator[Any, Any, Any], name: str) -> Generator[Any, Any, Any]:
    with named(name):
        return (yield from steps)


def _checking(function: Callable[..., Any], remedies: Callable[[], dict[str, str]] = dict) -> Callable[..., Any]:
    """A function that holds its arguments against their annotations; `remedies` helps with those that it knows."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            known = ", ".join(parameter for parameter in signature.parameters if parameter != "self")
            raise TypeRefusal("arguments", f"be among ({known})", f"a call with {error}", "mend it") from None
        hints = _hints(function)
        for argument, value in given.items():
            if argument in hints:
                try:
                    _check(argument, value, hints[argument])
                except Refusal as refusal:
                    refusal.remedy = remedies().get(argument) or refusal.remedy
                    raise
        return function(*args, **kwargs)

    return called


@functools.cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The annotations of a function's arguments as types, without those that only a type checker can read."""
    space = inspect.unwrap(function).__globals__
    hints = {}
    for argument, parameter in inspect.signature(function).parameters.items():
        annotation = parameter.annotation
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) or annotation is parameter.empty:
            continue
        try:
            # Our own source, as typing.get_type_hints would read it; that one gives up where one name is unknown.
            hints[argument] = eval(annotation, space) if isinstance(annotation, str) else annotation  # noqa: S307
        except NameError:  # imported for the type checker alone
            continue
    return hints


def _check(argument: str, value: Any, hint: Any) -> None:
    if not _fits(value, hint):
        raise TypeRefusal(argument, f"be {_in_words(hint)}", _got(value), "give one")
    paths = PATH_RULES if Path in get_args(hint) or hint is Path else ()
    for rule in (*USUAL_RULES, *paths, *_rules_of(hint, value)):
        if not rule.holds(value):
            raise Refusal(argument, f"be {rule.text}", _got(value), "give another")


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type. Only lists and tuples are looked into: other sequences may make what they hold."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint is Any or isinstance(hint, TypeVar):
        return True
    if hint is None or hint in NUMBERS:
        return value is None if hint is None else isinstance(value, NUMBERS[hint]) and _is_bool(value) == (hint is bool)
    if origin in (Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Annotated:
        return _fits(value, parts[0])
    if origin is Literal:
        return value in parts
    if origin is None:
        checkable = not getattr(hint, "_is_protocol", False) or getattr(hint, "_is_runtime_protocol", False)
        return not checkable or isinstance(value, hint)
    if isinstance(value, np.ndarray) and value.ndim >= 1 and origin is Sequence:
        # A batch is a sequence of pictures, and a row of numbers one of numbers.
        return value.size == 0 or _fits(value[0], parts[0])
    if not isinstance(value, origin) or isinstance(value, (str, bytes)):
        return False
    if not isinstance(value, (list, tuple)) or not parts or not issubclass(origin, Collection):
        return True
    if issubclass(origin, tuple) and parts[-1] is not Ellipsis:
        return len(value) == len(parts) and all(map(_fits, value, parts))
    return all(_fits(entry, parts[0]) for entry in value)


def _is_bool(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_))


def _rules_of(hint: Any, value: Any) -> tuple[Rule, ...]:
    """The rules of an annotation, or of that part of a choice between types that the value belongs to."""
    if get_origin(hint) is Annotated:
        return tuple(entry for entry in hint.__metadata__ if isinstance(entry, Rule))
    parts = [part for part in get_args(hint) if get_origin(part) is Annotated]
    return next((_rules_of(part, value) for part in parts if isinstance(value, get_args(part)[0])), ())


def _in_words(hint: Any) -> str:
    """A type as it is said in a message: `int | None` is "a whole number or None"."""
    words = {int: "a whole number", float: "a number", str: "text", bool: "true or false", type(None): "None"}
    if hint in words or hint is None:
        return words.get(hint, "None")
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _in_words(parts[0])
    if origin in (Union, types.UnionType):
        return " or ".join(_in_words(part) for part in parts)
    if hint is np.ndarray:
        return "a numpy array"
    return f"of type {getattr(origin or hint, '__name__', str(hint))}"


def _got(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    text = repr(value)
    shown = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "..."
    return f"{shown} ({type(value).__name__})"
