"""Inputs of nodes made from dials: their defaults, ranges, steps and sentences stand in the library, once."""

from collections.abc import Mapping
from typing import Any, TypeVar

from comfy_api.v0_0_2 import io

from escalier.dials import Dial, Dials, dials_of

AnyDials = TypeVar("AnyDials", bound=Dials)
DialValue = float | str
"""What the input for a dial hands over; whole numbers and switches are floats to a type checker."""

LARGEST_INT = 2**31 - 1


def dial_inputs(dials: type[Dials], *names: str, **facts: Any) -> list[io.Input]:
    """Inputs for several dials that share their `facts`, see `dial_input`."""
    return [dial_input(dials, name, **facts) for name in names]


def dial_input(
    dials: type[Dials],
    name: str,
    *,
    id: str | None = None,
    tooltip: str | None = None,
    most: float | None = None,
    whole: bool = False,
    **shown: bool,
) -> io.Input:
    """The input for one dial of a class, under an `id` of its own where that is not the dial's name.

    A `tooltip` is given where the node has more to say than the dial's sentence, and `most` where a slider ends earlier
    than elsewhere. `whole` offers a float in whole numbers alone. `shown` is `optional` and `advanced`, as ComfyUI has
    them. A dial that may be None is 0 on a node then, see `dials_from`.
    """
    one = dials_of(dials)[name]
    said: dict[str, Any] = {"tooltip": tooltip or one.said("0"), **shown}
    id, default = id or name, one.default
    if one.kind is bool:
        return io.Boolean.Input(id, default=default, **said)
    if one.choices:
        return io.Combo.Input(id, options=[str(choice) for choice in one.choices], default=str(default), **said)
    if one.kind is str:
        return io.String.Input(id, default=default, **said)
    offered = one.range()
    least = 0 if one.optional or offered[0] is None else offered[0]
    most = most or offered[1] or LARGEST_INT
    if one.optional:
        default = default or 0
    if one.kind is int or whole:
        said |= {"control_after_generate": False} if name == "seed" else {}
        return io.Int.Input(id, default=int(default), min=int(least), max=int(most), **_step(one, int), **said)
    return io.Float.Input(id, default=float(default), min=float(least), max=float(most), **_step(one, float), **said)


def dials_from(dials: type[AnyDials], given: Mapping[str, Any], ids: Mapping[str, str] | None = None) -> AnyDials:
    """The value that a node's inputs stand for; dials that it has no input for keep their defaults.

    Of what `execute` got, by input id, whatever is no dial of this class is left alone. `ids` are the input ids by the
    names of their dials, where they differ.
    """
    ids = {} if ids is None else ids
    found = {name: (one, ids.get(name, name)) for name, one in dials_of(dials).items()}
    return dials(**{name: _value(one, given[id]) for name, (one, id) in found.items() if id in given})


def _value(one: Dial, given: Any) -> Any:
    if one.optional and not given:
        return None
    return one.kind(given) if one.choices else given


def _step(one: Dial, kind: type) -> dict[str, Any]:
    return {} if one.step is None else {"step": kind(one.step)}
