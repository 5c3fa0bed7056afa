"""A word beside every figure: good, visible or bad."""

from __future__ import annotations

import json

import numpy as np
import pytest

from escalier.coherence import measure_film
from escalier.coherence.measurement import FIGURES
from escalier.coherence.verdicts import LIMITS, verdict, verdicts
from escalier.film import ArrayFrames


@pytest.mark.parametrize("figure", LIMITS)
def test_every_judged_figure_has_its_good_and_its_bad_end(figure: str) -> None:
    good, bad = LIMITS[figure]
    assert figure in FIGURES
    assert (verdict(figure, good), verdict(figure, bad + (1e-6 if bad > good else -1e-6))) == ("good", "bad")
    assert verdict(figure, (good + bad) / 2) == "visible"


def test_light_that_changes_in_the_source_is_no_drift() -> None:
    assert verdicts({"colour_drift": 9.0, "source_colour_drift": 8.0}) == {"colour_drift": "good"}
    assert verdicts({"colour_drift": 9.0, "source_colour_drift": 1.0}) == {"colour_drift": "bad"}
    assert verdicts({"colour_drift": 1.0, "source_colour_drift": 8.0}) == {"colour_drift": "good"}


def test_a_report_says_good_or_bad_beside_its_figures() -> None:
    random = np.random.default_rng(0)
    still = np.repeat(random.integers(0, 256, (1, 64, 80, 3), np.uint8), 6, axis=0)
    source = ArrayFrames(still)
    wild = ArrayFrames(random.integers(0, 256, still.shape, np.uint8))
    good, bad = measure_film(source, source), measure_film(source, wild)
    lines = {line[:25].strip(): line for line in str(bad).splitlines()}
    assert "bad" in lines["warp error, 1e-3"]
    assert "good" in {line[:25].strip(): line for line in str(good).splitlines()}["warp error, 1e-3"]
    assert "bad" not in str(good)
    assert json.loads(bad.to_json())["regions"]["whole"]["verdicts"]["warp_error"] == "bad"
