"""Measure Coherence at work in ComfyUI, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from escalier.keyframes import Keyframes

DIALS = {"heat_map": "flicker", "lag": 0}


@pytest.fixture
def film(to_image: Callable, clip: np.ndarray):
    return to_image(clip)


@pytest.fixture
def shaken(to_image: Callable, clip: np.ndarray):
    random = np.random.default_rng(1)
    return to_image(np.clip(clip + random.normal(0, 20, clip.shape), 0, 255).astype(np.uint8))


def test_report_plot_heat_map_and_tables_come_out(pack: SimpleNamespace, fresh_folders, film, shaken) -> None:
    report, plot, heat_map, found, csv, facts = pack.EscalierMeasureCoherence.execute(film, shaken, **DIALS).args
    assert "warp error" in report and "Whole picture" in report
    assert plot.shape[0] == 1 and plot.shape[-1] == 3 and 0 <= float(plot.min()) <= float(plot.max()) <= 1
    assert heat_map.get_dimensions() == (64, 48) and heat_map.get_frame_count() == 6
    assert found.figures["warp_error"] > 0
    assert csv.count("\n") == 7
    assert json.loads(facts)["regions"]["whole"]["figures"] == found.figures


def test_heat_map_can_be_saved(pack: SimpleNamespace, fresh_folders, film, shaken) -> None:
    for choice in ("flicker", "slow changes"):
        heat_map = pack.EscalierMeasureCoherence.execute(film, shaken, **DIALS | {"heat_map": choice}).args[2]
        path = fresh_folders.output / f"{choice}.mp4"
        heat_map.save_to(str(path))
        assert path.stat().st_size > 1000


def test_film_of_fade_staircase_brings_its_runs_along(
    pack: SimpleNamespace, fresh_folders, film, clip: np.ndarray
) -> None:
    painted = Keyframes([0, 5], [255 - clip[0], 255 - clip[5]], length=len(clip))
    inputs = pack.EscalierPropagate.GET_SCHEMA().inputs
    dials = {dial.id: dial.default for dial in inputs if hasattr(dial, "default")} | {"threads": 1}
    (runs,) = pack.EscalierPropagate.execute(film=film, keyframes=painted, **dials).args
    video, _ = pack.EscalierStaircase.execute(
        runs=runs, film=film, mode="linear", fade_frames=0, ramp_frames=3.0, seed=0
    ).args
    found = pack.EscalierMeasureCoherence.execute(film, video, **DIALS).args[3]
    assert found.figures["ghosting_kept"] is not None
    assert found.sharpness_of == "the painted keyframes"
    images = video.get_components().images
    told = pack.EscalierMeasureCoherence.execute(film, images, **DIALS, runs=runs).args[3]
    assert told.figures["ghosting_kept"] == pytest.approx(found.figures["ghosting_kept"], abs=0.02)


def test_mask_is_measured_apart_and_motion_is_used(
    pack: SimpleNamespace, fresh_folders, to_image: Callable, film, shaken
) -> None:
    (motion,) = pack.EscalierMotion.execute(film, "ultrafast").args
    mask = np.zeros((1, 48, 64))
    mask[:, 10:30, 10:40] = 1
    found = pack.EscalierMeasureCoherence.execute(film, shaken, **DIALS, motion=motion, mask=to_image(mask)).args[3]
    assert list(found.regions) == ["whole", "inside", "outside"]
    assert not (fresh_folders.temp / "escalier" / "flow").exists()


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"restyled": slice(0, 4)}, "restyled must have the source's 6 frames, got 4"),
        ({"lag": 6}, r"lag must lie in 2\.\.5, got 6"),
        ({"mask": (4, 48, 64)}, "mask must hold 1 or 6 masks"),
        ({"keyframes": True}, "keyframes must have the source's 6 frames, got 9"),
    ],
    ids=["length", "lag", "mask", "keyframes"],
)
def test_what_does_not_belong_together_is_refused_by_name(
    pack: SimpleNamespace, fresh_folders, to_image: Callable, clip: np.ndarray, film, inputs: dict, message: str
) -> None:
    use = DIALS | {"restyled": film}
    if "restyled" in inputs:
        use["restyled"] = film[inputs["restyled"]]
    if "lag" in inputs:
        use["lag"] = inputs["lag"]
    if "mask" in inputs:
        use["mask"] = to_image(np.zeros(inputs["mask"]))
    if "keyframes" in inputs:
        use["keyframes"] = Keyframes([0], [clip[0]], 9)
    with pytest.raises(ValueError, match=f"^Measure Coherence: {message}"):
        pack.EscalierMeasureCoherence.execute(film, **use)


def test_cancel_stops_it(pack: SimpleNamespace, comfyui, fresh_folders, monkeypatch, film, shaken) -> None:
    cancelled = comfyui.model_management.InterruptProcessingException

    def report(self: object, done: float, total: float, picture: object = None) -> None:
        raise cancelled

    monkeypatch.setattr(pack.module("progress").Progress, "__call__", report)
    with pytest.raises(cancelled):
        pack.EscalierMeasureCoherence.execute(film, shaken, **DIALS)
    assert list(fresh_folders.temp.rglob("*.part")) == []
