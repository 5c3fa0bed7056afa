"""What every node is by its class alone: its id, its place in the menu, its name in a refusal."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch


def test_id_menu_entry_and_description_come_from_the_class(pack: SimpleNamespace) -> None:
    schema = pack.EscalierLineBoil.define_schema()
    assert (schema.node_id, schema.category) == ("EscalierLineBoil", "escalier/boiling")
    assert schema.description.startswith("Shows two or three redraws of one film in turn, each held")
    assert "\n" not in schema.description and "  " not in schema.description


def test_clone_that_comfyui_runs_keeps_the_id_and_says_its_name_once(pack: SimpleNamespace) -> None:
    clone = pack.EscalierCadence.PREPARE_CLASS_CLONE(None)
    assert clone.__name__ != "EscalierCadence"
    assert clone.define_schema().node_id == "EscalierCadence"
    with pytest.raises(ValueError, match=r"^Set Cadence: film must be a batch of pictures") as caught:
        clone.execute(film=torch.zeros(0, 4, 4, 3), every=2, phase=0)
    assert str(caught.value).count("Set Cadence") == 1


def test_menu_of_files_is_what_lies_there_when_comfyui_asks(
    pack: SimpleNamespace, fresh_folders: SimpleNamespace
) -> None:
    def folders() -> list[str]:
        return next(one.options for one in pack.EscalierLoadKeyframes.define_schema().inputs if one.id == "folder")

    assert "just_now" not in folders()
    Path(fresh_folders.input, "just_now").mkdir()
    assert "just_now" in folders()


def test_inputs_are_handed_out_anew_and_no_schema_changes_another(pack: SimpleNamespace) -> None:
    first, second = pack.EscalierDial.define_schema(), pack.EscalierDial.define_schema()
    first.inputs.clear()
    assert second.inputs and pack.EscalierDial.define_schema().inputs
