"""What a person reads of an error: no function names, no error numbers, nothing that a terminal would obey."""

from __future__ import annotations

import errno
import os
import socket
import urllib.error
from pathlib import Path

import pytest

from escalier.refusals import is_refusal, printable, sentence
from escalier.scratch import storage_error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        pytest.param(ValueError("check_indices: indices must rise"), "indices must rise", id="function"),
        pytest.param(ValueError("Keyframes.of: indices must rise"), "indices must rise", id="method"),
        pytest.param(TypeError("escalier.film.video: it must"), "it must", id="module"),
        pytest.param(ValueError("--fade-frames: must be >= 0"), "--fade-frames: must be >= 0", id="option"),
        pytest.param(ValueError("clip.mp4: it must end"), "clip.mp4: it must end", id="a file's name stays"),
        pytest.param(OSError(errno.ENOSPC, "write_video: it must fit"), "it must fit", id="ours with a number"),
        pytest.param(MemoryError("mix: 4 GB must be free"), "4 GB must be free", id="ours of memory"),
        pytest.param(urllib.error.URLError(OSError(111, "Connection refused")), "Connection refused", id="urllib"),
    ],
)
def test_a_sentence_loses_what_only_programmers_know(error: BaseException, text: str) -> None:
    assert sentence(error) == text


@pytest.mark.parametrize("number", sorted(errno.errorcode), ids=errno.errorcode.get)
def test_no_number_of_the_system_is_shown_and_its_file_is_named(number: int) -> None:
    said = sentence(OSError(number, os.strerror(number), "the film.mp4"))
    assert "Errno" not in said and str(number) not in said.split()
    if not isinstance(OSError(number, ""), (ConnectionError, TimeoutError)) and number != errno.ENOMEM:
        assert "the film.mp4" in said


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError(111, "Connection refused"), socket.gaierror(-2, "Name not known")], ids=repr
)
def test_a_lost_connection_is_no_file(error: OSError) -> None:
    assert "connection" in sentence(error) and "disk" not in sentence(error)


def test_our_own_sentence_about_the_disk_is_kept_with_its_number() -> None:
    told = storage_error(Path("out/film.npy"), OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert told.errno == errno.ENOSPC
    assert sentence(told).startswith("film.npy must fit into out, but the disk is full")


def test_real_refusals_of_the_system_are_sentences(tmp_path: Path) -> None:
    for path, text in ((tmp_path / "none" / "x", "must be there"), (tmp_path, "but it is a folder")):
        with pytest.raises(OSError) as caught:
            path.read_bytes()
        assert text in sentence(caught.value) and str(path) in sentence(caught.value)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("math domain error"), False),
        (KeyError("frames"), False),
        (TypeError("unhashable type: 'list'"), False),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), False),
        (ValueError("propagate: keyframes must show every shot"), True),
        (ValueError("--first: must be 0 or 1"), True),
        (MemoryError(), True),
        (ModuleNotFoundError("No module named 'diffusers'"), True),
        (OSError(errno.EIO, "Input/output error"), True),
    ],
    ids=repr,
)
def test_refusals_are_told_from_faults_of_ours(error: BaseException, expected: bool) -> None:
    assert is_refusal(error) is expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07.png", r"\x1b]0;owned\x07.png"),
        ("a\rb\nc\td", r"a\rb\nc\td"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("\u2028\u2029", r"\u2028\u2029"),
        (os.fsdecode(b"caf\xe9.png"), r"caf\xe9.png"),
        ("zürich 女 👩\u200d🎨 it's.png", "zürich 女 👩\u200d🎨 it's.png"),
    ],
    ids=ascii,
)
def test_nothing_that_a_terminal_obeys_is_printed(text: str, shown: str) -> None:
    assert printable(text) == shown
    shown.encode()


def test_a_name_in_a_message_is_made_harmless_too() -> None:
    assert sentence(FileNotFoundError("open_film: no film at \x1b[2J.mp4\nsecond line")) == (
        "no film at \\x1b[2J.mp4\nsecond line"
    )
