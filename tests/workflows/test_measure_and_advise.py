"""The workflow measure_and_advise in a real server: draft, figures, curves, heat map, advice, and frames to paint."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from escalier.comfyui import HeadlessError, Server, load_workflow
from escalier.commands.run import run_workflow
from escalier.film import Size, read_picture


@pytest.fixture(scope="module")
def made(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What the workflow writes, by file name without its counter."""
    output = tmp_path_factory.mktemp("measure_and_advise")
    paths = run_workflow(load_workflow("measure_and_advise"), server=server, output=output)
    return {re.sub(r"_\d{5}_$", "", path.stem): path for path in paths}


def texts(made: dict[str, Path]) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in made.values() if path.suffix == ".txt")


def test_the_draft_and_its_heat_map_are_small_and_as_long_as_the_film(made: dict[str, Path], film: Any) -> None:
    from escalier.film import VideoFrames

    for name in ("draft", "heat_map"):
        video = VideoFrames(made[name])
        assert (len(video), video.rate) == (len(film), film.rate)
        assert video.size == Size(film.size.width // 4, max(32, film.size.height // 4))


def test_every_figure_is_there_or_says_why_not(made: dict[str, Path]) -> None:
    said = texts(made)
    for figure in ("warp error", "colour drift", "motion error", "ghosting kept", "sharpness kept"):
        assert figure in said
    assert "nan" not in said.lower()


def test_the_advice_names_frames_and_reasons(made: dict[str, Path]) -> None:
    assert re.search(r"a keyframe at frame \d+ would help most, because ", texts(made))
    assert read_picture(made["advice"]).shape[1] == 1200
    assert read_picture(made["curves"]).shape[1] == 1200


def test_the_advised_frames_are_saved_to_be_painted(made: dict[str, Path], film: Any) -> None:
    advised = {int(number) for number in re.findall(r"(?:keyframe|one) at frame (\d+)", texts(made))}
    saved = {int(name.split("_")[-1]): path for name, path in made.items() if name.startswith("keyframe_")}
    assert set(saved) == advised and not advised & {2, 8}
    for index, path in saved.items():
        # The clip in the input folder went through H.264.
        assert np.abs(read_picture(path).astype(int) - film.frame(index)).mean() < 8


def test_a_part_that_is_not_in_the_film_is_refused_in_a_sentence(server: Server, tmp_path: Path) -> None:
    with pytest.raises(
        HeadlessError, match=r"Draft Propagation: the part must lie in the film's frames 0\.\.11, got 12"
    ):
        run_workflow(
            load_workflow("measure_and_advise"),
            server=server,
            output=tmp_path,
            settings=["Draft Propagation.first_frame=12"],
        )
