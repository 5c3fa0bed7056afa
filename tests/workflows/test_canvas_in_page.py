"""Shipped canvas workflows load in ComfyUI's real page without a complaint and export what is shipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

WORKFLOWS = Path(__file__).resolve().parents[2] / "workflows"
NAMES = sorted(path.stem for path in WORKFLOWS.glob("*.json"))

# A film in the output folder has pictures and its time goes on.
PLAYING = """() => {
    const film = [...document.querySelectorAll('video')].find(video => video.currentSrc.includes('type=output'));
    if (!film) return false;
    film.muted = film.loop = true;
    film.play();
    return film.videoWidth > 0 && film.currentTime > 0.2;
}"""


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def what_runs(workflow: dict) -> dict:
    """An API workflow without the notes that newer pages add to it."""
    return {key: (node["class_type"], node["inputs"], node["_meta"]["title"]) for key, node in workflow.items()}


@pytest.mark.parametrize("name", NAMES)
def test_canvas_loads_and_exports_the_shipped_api_workflow(page: Any, name: str) -> None:
    assert page.load(read(WORKFLOWS / f"{name}.json")) == []
    shipped = read(WORKFLOWS / "api" / f"{name}.json")
    assert what_runs(page.api()) == what_runs(shipped), "run python tests/workflows/page.py URL"


def test_a_missing_node_is_noticed(page: Any) -> None:
    canvas = read(WORKFLOWS / "staircase.json")
    canvas["nodes"][0]["type"] = "NodeOfNobody"
    assert "missing node: NodeOfNobody" in page.load(canvas)


def test_help_page_of_a_node_is_served(page: Any, server: Any) -> None:
    answer = page.page.request.get(f"{server.url}/extensions/escalier/docs/EscalierPropagate.md")
    assert answer.ok and answer.text().startswith("# Propagate Keyframes")


def test_finished_film_plays_in_save_video(page: Any) -> None:
    """The page shows previews that a node was sent in place of its outcome, so Save Video must be sent none."""
    page.load(read(WORKFLOWS / "staircase.json"))
    page.fit()
    page.page.evaluate("async () => { await app.queuePrompt(0) }")
    page.page.wait_for_function(PLAYING, timeout=240_000, polling=200)
