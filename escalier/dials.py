"""Dials as values: each stands once, with its default, range, unit and sentence, and checks itself when it is made.

A class of dials is a frozen dataclass whose fields are made by `dial`. Nodes, the command line and the tables of the
docs are made from it, see `dials_of` and `table_of`.

>>> from escalier.arguments import checked
>>> @checked
... @dataclass(frozen=True)
... class Brush(Dials):
...     width: float = dial(8.0, "How wide a stroke is. More is bolder.", least=0, unit="px", remedy="use 0 for none")
...     tip: str = dial("round", "Its shape.", choices=("round", "flat"))
>>> replace(Brush(), width=-1)
Traceback (most recent call last):
escalier.refusals.Refusal: Brush: width must be >= 0 px, got -1; use 0 for none
"""

import math
import types
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, Union, get_args, get_origin, get_type_hints

from escalier.refusals import Refusal

NONE = "{none}"
"""Stands in a sentence for what leaves a dial at its own choice: "0" on a node, "None" in Python."""


@dataclass(frozen=True)
class Dial:
    """One dial: what is known of it beside its value.

    Attributes
    ----------
    sentence
        For artists: what it does, what more of it does, why the default is what it is. See `said`.
    least, most, above, below
        What it may be at least and at most; what it must be more and less than.
    offered
        The range that a slider offers where that is narrower: (least, most).
    step
        Of a slider.
    unit
        "px", "frames", ...; empty for a plain number.
    choices
        All that it may be; empty for a number or a switch.
    rule, remedy
        Of a refusal, "NAME must RULE, got VALUE; REMEDY". The rule is made from the range where it is not given.
    name, kind, optional, default
        The field's name; bool, int, float or str; whether it may be None; its value when nobody turns it.
    """

    sentence: str
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    offered: tuple[float, float] | None = None
    step: float | None = None
    unit: str = ""
    choices: tuple[Any, ...] = ()
    rule: str = ""
    remedy: str = ""
    name: str = ""
    kind: type = float
    optional: bool = False
    default: Any = None

    def check(self, value: Any, who: str) -> None:
        """Refuse a value that it must not have; raises ValueError. Its type is held by `escalier.arguments.checked`."""
        if value is None and self.optional:
            return
        if isinstance(value, float) and not math.isfinite(value):
            raise Refusal(self.name, "be a finite number", value, "give another", who=who)
        if not self._allows(value):
            raise Refusal(self.name, f"{self.rule or self._rule()}", value, f"{self._remedy()}", who=who)

    def said(self, none: str) -> str:
        """The sentence for somebody who writes `none` in place of None: "0" on a node."""
        return self.sentence.replace(NONE, none)

    def range(self) -> tuple[float | None, float | None]:
        """What a slider offers."""
        return self.offered or (self.least, self.most)

    def _allows(self, value: Any) -> bool:
        if self.choices:
            return value in self.choices
        return (
            (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def _rule(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.choices:
            return f"be one of {', '.join(map(str, self.choices))}"
        if self.least is not None and self.below is not None:
            return f"lie in {self.least}..{self.below}{unit}, {self.below} left out"
        if self.least is not None and self.most is not None:
            return f"be in {self.least}..{self.most}{unit}"
        bounds = (">=", self.least), ("<=", self.most), (">", self.above), ("<", self.below)
        return "be " + " and ".join(f"{sign} {bound}{unit}" for sign, bound in bounds if bound is not None)

    def _remedy(self) -> str:
        return self.remedy or ("choose one of them" if self.choices else "give another")


def dial(default: Any, sentence: str, *, choices: Iterable[Any] = (), **facts: Any) -> Any:
    """A field of a class of dials; `facts` are those of `Dial`."""
    return field(default=default, metadata={"dial": Dial(sentence, choices=tuple(choices), **facts)})


@dataclass(frozen=True)
class Dials:
    """What classes of dials derive from; each is decorated by `@checked`, which holds the types, and `@dataclass`."""

    def __post_init__(self) -> None:
        for name, one in dials_of(type(self)).items():
            one.check(getattr(self, name), type(self).__name__)

    @classmethod
    def remedies(cls) -> dict[str, str]:
        """What helps with each of its dials, for `escalier.arguments.checked`."""
        return {name: one.remedy for name, one in dials_of(cls).items()}


def dials_of(dials: type[Dials]) -> dict[str, Dial]:
    """Every dial of a class by its name, in the order of its fields. Fields that `dial` has not made are no dials.

    >>> dials_of(Dials)
    {}
    """
    hints = get_type_hints(dials)
    found = {}
    for one in fields(dials):
        if "dial" in one.metadata:
            hint, parts = hints[one.name], get_args(hints[one.name])
            optional = get_origin(hint) in (Union, types.UnionType) and type(None) in parts
            kind = next(part for part in parts if part is not type(None)) if optional else hint
            default = None if one.default is MISSING else one.default
            found[one.name] = replace(
                one.metadata["dial"], name=one.name, kind=kind, optional=optional, default=default
            )
    return found


def table_of(dials: type[Dials]) -> str:
    """All dials of a class as a table in Markdown: name, default, range, sentence.

    >>> print(table_of(Dials))
    | Dial | Default | Range | What it does |
    |---|---|---|---|
    """
    rows = ["| Dial | Default | Range | What it does |", "|---|---|---|---|"]
    for one in dials_of(dials).values():
        unit = f" {one.unit}" if one.unit and one.default is not None else ""
        rows.append(f"| `{one.name}` | {_cell(one.default)}{unit} | {_range_cell(one)} | {one.said('None')} |")
    return "\n".join(rows)


def _cell(value: Any) -> str:
    if value is None:
        return "none"
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def _range_cell(one: Dial) -> str:
    if one.kind is bool:
        return "on, off"
    if one.choices:
        return ", ".join(map(str, one.choices))
    if one.above is not None and one.most is not None:
        return f"above {one.above}, at most {one.most}"
    return one._rule().removeprefix("be ").removeprefix("lie ").removeprefix("in ") or "any"
