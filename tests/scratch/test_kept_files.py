"""A kept file opens as what was written or not at all, whatever has become of its bytes."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from escalier.scratch import ArrayFile, array_bytes, open_array, read_facts, write_array, write_facts

ARRAY = np.random.default_rng(0).integers(0, 256, (3, 4, 5), np.uint8)
FACTS = {"start": 3, "cuts": [12, 40]}
FUZZ = settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

edits = st.lists(
    st.tuples(st.sampled_from(["cut", "set", "insert", "remove", "swap"]), st.integers(0, 10**6), st.integers(0, 255)),
    min_size=1,
    max_size=3,
)


def edited(data: bytes, changes: list[tuple[str, int, int]]) -> bytes:
    for kind, place, value in changes:
        at = place % (len(data) + 1)
        if kind == "cut":
            data = data[:at]
        elif kind == "set":
            data = data[:at] + bytes([value]) + data[at + 1 :]
        elif kind == "insert":
            data = data[:at] + bytes([value]) * (1 + value) + data[at:]
        elif kind == "remove":
            data = data[:at] + data[at + 1 + value :]
        else:
            data = data[at:] + data[:at]
    return data


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("kept")
    write_array(folder / "array", ARRAY, "noise")
    write_facts(folder / "facts", FACTS, "facts")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@FUZZ
@given(changes=edits)
def test_an_edited_array_opens_as_it_was_or_not_at_all(
    tmp_path: Path, kept: dict[str, bytes], changes: list[tuple[str, int, int]]
) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(edited(kept["array"], changes))
    opened = open_array(path, ARRAY.shape, np.uint8, "noise")
    assert (opened is not None) == path.exists()
    assert opened is None or (opened == ARRAY).all()


@FUZZ
@given(changes=edits)
def test_edited_facts_read_as_they_were_or_not_at_all(
    tmp_path: Path, kept: dict[str, bytes], changes: list[tuple[str, int, int]]
) -> None:
    path = tmp_path / "facts.json"
    path.write_bytes(edited(kept["facts"], changes))
    assert read_facts(path, "facts") in (None, FACTS)


@pytest.mark.parametrize(
    ("shape", "dtype", "what"),
    [((3, 4, 5), np.int8, "noise"), ((3, 5, 4), np.uint8, "noise"), ((3, 4, 5), np.uint8, "another film")],
    ids=["type", "shape", "meaning"],
)
def test_a_whole_file_of_another_kind_is_named_and_removed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, shape: tuple[int, ...], dtype: type, what: str
) -> None:
    caplog.set_level(logging.WARNING, "escalier")
    path = tmp_path / "a.npy"
    write_array(path, ARRAY, "noise")
    assert open_array(path, shape, dtype, what) is None
    assert "a.npy is damaged" in caplog.text and not path.exists()


def test_facts_of_another_thing_are_not_believed(tmp_path: Path) -> None:
    write_facts(tmp_path / "a.json", FACTS, "cuts of one film")
    assert read_facts(tmp_path / "a.json", "cuts of another") is None


def test_the_size_of_a_file_is_known_before_it_is_written(tmp_path: Path) -> None:
    for number, shape in enumerate([(1, 3), (7, 2, 2), (100, 3, 4, 3)]):
        write_array(tmp_path / str(number), np.zeros(shape, np.float16))
        assert (tmp_path / str(number)).stat().st_size == array_bytes(shape, np.float16)


def test_an_array_is_written_in_the_order_of_its_axes(tmp_path: Path) -> None:
    turned = np.asfortranarray(np.arange(24).reshape(2, 3, 4))[:, ::-1]
    with ArrayFile(tmp_path / "a.npy", (2, 3, 4), np.float32, "turned") as file:
        for piece in turned:
            file.append(piece)
    opened = open_array(tmp_path / "a.npy", (2, 3, 4), np.float32, "turned")
    assert opened is not None and (opened == turned).all() and not opened.flags.writeable
