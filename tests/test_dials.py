"""Dials as values: one place for default, range and sentence, from which inputs, options and tables are made."""

from __future__ import annotations

import argparse
import importlib
from dataclasses import FrozenInstanceError, dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from escalier.arguments import checked
from escalier.commands.dial_options import add_dials, dials_from
from escalier.dials import Dials, dial, dials_of, table_of
from escalier.propagation import DraftPart

ROOT = Path(__file__).resolve().parent.parent
for path in sorted((ROOT / "escalier").rglob("*.py")):
    if "(Dials):" in path.read_text(encoding="utf-8"):
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
HOUSE = [dials for dials in Dials.__subclasses__() if dials.__module__.startswith("escalier.")]


@checked
@dataclass(frozen=True)
class Brush(Dials):
    width: float = dial(8.0, "How wide. More is bolder.", least=0, most=50, unit="px", remedy="use 0 for none")
    hairs: int | None = dial(None, "How many. {none} counts them itself.", least=1, remedy="leave it out")
    share: float = dial(0.5, "How much.", least=0, below=1, remedy="0.9 is nearly all")
    heat: float = dial(1.0, "How hot.", above=0, rule="glow", remedy="light it")
    tip: str = dial("round", "Its shape.", choices=("round", "flat"))
    wet: bool = dial(True, "Whether it is wet.")


@pytest.mark.parametrize(
    ("wrong", "kind", "sentence"),
    [
        ({"width": -1}, ValueError, "width must be in 0..50 px, got -1; use 0 for none"),
        ({"width": float("nan")}, ValueError, "width must be a finite number, got nan (float); use 0 for none"),
        ({"width": "wide"}, TypeError, "width must be a number, got 'wide' (str); use 0 for none"),
        ({"hairs": 0}, ValueError, "hairs must be >= 1, got 0; leave it out"),
        ({"hairs": 2.5}, TypeError, "hairs must be a whole number or None, got 2.5 (float); leave it out"),
        ({"share": 1}, ValueError, "share must lie in 0..1, 1 left out, got 1; 0.9 is nearly all"),
        ({"heat": 0.0}, ValueError, "heat must glow, got 0.0; light it"),
        ({"tip": "square"}, ValueError, "tip must be one of round, flat, got square; choose one of them"),
    ],
    ids=str,
)
def test_a_value_out_of_range_is_refused_when_it_is_made(wrong: dict[str, Any], kind: type, sentence: str) -> None:
    for make in (Brush, lambda **given: replace(Brush(), **given)):
        with pytest.raises(kind) as refused:
            make(**wrong)
        assert str(refused.value) == f"Brush: {sentence}"


def test_the_ends_of_a_range_are_allowed() -> None:
    assert Brush(width=0, share=0, hairs=1).width == 0
    assert Brush(width=50, hairs=None).hairs is None


def test_a_value_stays_as_it_was_made() -> None:
    with pytest.raises(FrozenInstanceError):
        Brush().width = 3.0  # type: ignore[misc]


def test_options_of_a_command_give_the_value_back() -> None:
    options = {"width": "--brush-width", "hairs": "--hairs", "tip": "--tip", "wet": "--dry"}
    parser = argparse.ArgumentParser()
    add_dials(parser, Brush, options)
    assert dials_from(parser.parse_args([]), Brush, options) == Brush()
    words = ["--brush-width", "3", "--hairs", "7", "--tip", "flat", "--dry"]
    assert dials_from(parser.parse_args(words), Brush, options) == Brush(width=3.0, hairs=7, tip="flat", wet=False)
    with pytest.raises(ValueError, match=r"^--hairs: hairs must be >= 1, got 0; leave it out"):
        dials_from(parser.parse_args(["--hairs", "0"]), Brush, options)
    assert "leaving it out counts them itself" in " ".join(parser.format_help().split()).lower()


def test_a_table_has_a_row_for_each_dial() -> None:
    rows = table_of(Brush).splitlines()
    assert len(rows) == 2 + len(dials_of(Brush))
    assert rows[2] == "| `width` | 8.0 px | 0..50 px | How wide. More is bolder. |"
    assert rows[3] == "| `hairs` | none | >= 1 | How many. None counts them itself. |"
    assert rows[6] == "| `tip` | round | round, flat | Its shape. |"
    assert rows[7] == "| `wet` | on | on, off | Whether it is wet. |"
    assert table_of(DraftPart).splitlines()[2].startswith("| `scale` | 0.25 | above 0, at most 1 | Size of the draft, ")


@pytest.mark.parametrize("dials", HOUSE, ids=lambda dials: dials.__name__)
def test_every_dial_of_the_house_has_a_sentence_and_a_default_that_it_allows(dials: type[Dials]) -> None:
    assert dials_of(dials)
    dials()
    for one in dials_of(dials).values():
        assert one.sentence.endswith(".") and len(one.sentence) > 8, one.name
        assert one.kind in (bool, str) or one.remedy, f"{one.name}: a refusal must say what to do"


@pytest.mark.parametrize("dials", HOUSE, ids=lambda dials: dials.__name__)
def test_every_class_of_dials_holds_its_types(dials: type[Dials]) -> None:
    for name, one in dials_of(dials).items():
        with pytest.raises(TypeError, match=rf"^{dials.__name__}: {name} must be"):
            dials(**{name: object()})
        assert one.kind in (bool, int, float, str)
