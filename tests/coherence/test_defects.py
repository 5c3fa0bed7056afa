"""Ten ways in which a restyle goes wrong, each found by its own figure; and a film held against itself."""

from __future__ import annotations

from collections.abc import Iterator

import defective_films as films
import numpy as np
import pytest

from escalier.coherence import Measurement, measure_film
from escalier.film import ArrayFrames, Motion
from escalier.keyframes import Keyframes

WORSE = 1.5


class Bench:
    """The scene with its motion, and the ideal restyle with its figures, made once."""

    def __init__(self, folder) -> None:
        self.source = ArrayFrames(films.film(films.filmed))
        self.motion = Motion(self.source, folder)
        self.ideal_film = ArrayFrames(films.film(films.ideal))
        self.keyframes = Keyframes.of(self.ideal_film, films.KEYFRAMES)
        self.ideal = self._measure(self.ideal_film)
        self._found: dict[str, Measurement] = {}

    def defect(self, name: str) -> Measurement:
        if name not in self._found:
            frame, _ = films.DEFECTS[name]
            self._found[name] = self._measure(ArrayFrames(films.film(frame)))
        return self._found[name]

    def _measure(self, restyled: ArrayFrames) -> Measurement:
        return measure_film(self.source, restyled, motion=self.motion, keyframes=self.keyframes)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    yield Bench(tmp_path_factory.mktemp("motion"))


@pytest.mark.slow
@pytest.mark.parametrize("name", films.DEFECTS)
def test_each_defect_is_worse_than_the_ideal_on_its_figure(bench: Bench, name: str) -> None:
    _, figure = films.DEFECTS[name]
    found = bench.defect(name)
    value, best = found.figures[figure], bench.ideal.figures[figure]
    ratio = best / value if figure == "sharpness" else value / best
    assert ratio >= WORSE, found
    assert found.bought_with_blur() == (name in {"decay", "blur"}), found


@pytest.mark.slow
def test_ideal_restyle_is_as_steady_as_the_film_and_not_marked(bench: Bench) -> None:
    assert bench.ideal.figures["flicker"] < 1.5
    assert bench.ideal.figures["pop"] < 2
    assert not bench.ideal.bought_with_blur()


@pytest.mark.slow
def test_blur_lowers_the_warp_error_and_is_therefore_marked(bench: Bench) -> None:
    found = bench.defect("blur")
    assert found.figures["warp_error"] < bench.ideal.figures["warp_error"]
    assert "Bought with blur" in str(found)


@pytest.mark.slow
def test_film_held_against_itself_has_no_motion_error(bench: Bench) -> None:
    found = measure_film(bench.source, bench.source, motion=bench.motion)
    assert found.figures["motion_error"] == 0
    assert found.figures["flicker"] == 1
    assert found.figures["sharpness"] == 1
    assert np.nanmax(found.curves["motion_error"]) == 0


@pytest.mark.slow
def test_the_misaligned_cut_is_found_at_its_frame(bench: Bench) -> None:
    found = bench.defect("misaligned hard cut")
    assert found.frames["pop"] in {8, 17, 26}
