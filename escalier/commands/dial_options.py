"""Options of a command made from dials: default, choices and sentence stand where the dial stands, once."""

import argparse
from collections.abc import Mapping
from typing import Any, TypeVar

from escalier.dials import Dials, dials_of

AnyDials = TypeVar("AnyDials", bound=Dials)

LETTERS = {"frames": "N", "px": "PX"}
"""What stands for a value in the help, by its unit."""


def add_dials(parser: argparse._ActionsContainer, dials: type[Dials], options: Mapping[str, str]) -> None:
    """Give a command options for some dials, each by the name of its dial: {"fade_frames": "--fade-frames"}.

    A switch that is on by default gets the option that turns it off.
    """
    for name, option in options.items():
        one = dials_of(dials)[name]
        settings: dict[str, Any] = {"default": one.default, "help": one.said("leaving it out").replace("%", "%%")}
        if one.kind is bool:
            settings["action"] = "store_false" if one.default else "store_true"
        elif one.choices:
            settings |= {"choices": list(one.choices), "type": one.kind}
        else:
            settings |= {"type": one.kind, "metavar": LETTERS.get(one.unit, "N" if one.kind is int else "W")}
        if one.default is not None and one.kind is not bool:
            settings["help"] += f" ({one.default:g})" if one.kind is float else f" ({one.default})"
        parser.add_argument(option, **settings)


def dials_from(args: argparse.Namespace, dials: type[AnyDials], options: Mapping[str, str]) -> AnyDials:
    """The value that was asked for by the options that `add_dials` gave; a refusal names the option."""
    given = {name: getattr(args, option.lstrip("-").replace("-", "_")) for name, option in options.items()}
    for name, option in options.items():
        dials_of(dials)[name].check(given[name], option)
    return dials(**given)
