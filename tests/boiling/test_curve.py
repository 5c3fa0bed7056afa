"""Curves over time, as text and as numbers."""

from __future__ import annotations

import pytest

from escalier.boiling import Curve, parse_curve


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("0:0, 48:1", {0: 0.0, 12: 0.25, 48: 1.0, 90: 1.0}),
        ("10:1;20:.5\n30:0", {0: 1.0, 15: 0.75, 25: 0.25, 99: 0.0}),
        ("0.4", {0: 0.4, 1000: 0.4}),
        (" 5 : 0.25 ,", {0: 0.25, 9: 0.25}),
    ],
    ids=["rising", "three points", "a level", "one point"],
)
def test_text_becomes_straight_lines_between_points(text: str, amounts: dict[int, float]) -> None:
    curve = parse_curve(text)
    assert {frame: curve.at(frame) for frame in amounts} == pytest.approx(amounts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "points must be at least one, got none; write 0:0.5"),
        ("0:0 48:1", "curve must be points frame:amount such as '0:0, 48:1', got '0:0 48:1'"),
        ("0:0, ten:1", "got 'ten:1'; write a whole frame number"),
        ("0:0, 4.5:1", "got '4.5:1'"),
        ("0:0, 10:2", "amounts must lie in 0..1, got 2 at frame 10"),
        ("-4:0", "frames must be 0 or more, got -4"),
        ("10:0, 5:1", "frames must rise from point to point, got 5 after 10"),
        ("10:0, 10:1", "got 10 after 10"),
        ("1.5", "amounts must lie in 0..1, got 1.5"),
        ("0:nan", "got '0:nan'"),
        ("0:0, 50:1", "curve must end within the film, 0..49, got a point at frame 50; move it"),
    ],
)
def test_text_that_is_no_curve_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        parse_curve(text, length=50)


def test_an_amount_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r"amounts must lie in 0\.\.1, got nan at frame 0"):
        Curve(((0, float("nan")),))
