"""The table of painted keyframes before a workflow's work counts as its Load Keyframes does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from escalier.comfyui import Place
from escalier.commands.run import keyframe_listings
from escalier.film import ArrayFrames, write_film
from escalier.keyframes import write_keyframes


@pytest.mark.parametrize("first", [0, 1, 1017, "1017", ["4", 0]], ids=repr)
def test_the_table_counts_from_the_nodes_first_number(first: object, tmp_path: Path) -> None:
    film = ArrayFrames(np.random.default_rng(0).integers(0, 256, (5, 32, 48, 3), np.uint8))
    write_film(tmp_path / "clip.mp4", film)
    linked = isinstance(first, list)
    write_keyframes(tmp_path / "painted", film, [0, 3], first=0 if linked else int(first))
    workflow = {
        "1": {"class_type": "LoadVideo", "inputs": {"file": "clip.mp4"}},
        "2": {"class_type": "EscalierLoadKeyframes", "inputs": {"film": ["1", 0], "folder": "painted", "first": first}},
        "4": {"class_type": "PrimitiveInt", "inputs": {"value": 0}},
    }
    given = {Place("2", "folder"): tmp_path / "painted", Place("1", "file"): tmp_path / "clip.mp4"}
    ((node, listing),) = keyframe_listings(workflow, given)
    assert node == "2" and [entry.frame for entry in listing.entries] == [0, 3]
    assert listing.first == (0 if linked else int(first))
