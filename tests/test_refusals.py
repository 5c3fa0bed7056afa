"""What a person reads of an error: no function names, no error numbers, nothing that a terminal would obey."""

from __future__ import annotations

import copy
import errno
import os
import pickle
import socket
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from escalier.arguments import checked
from escalier.refusals import (
    FileInTheWay,
    FileRefusal,
    ForbiddenFile,
    IndexRefusal,
    MemoryRefusal,
    MissingFile,
    NotAFile,
    NotAFolder,
    PackageRefusal,
    Refusal,
    TypeRefusal,
    file_refusal,
    is_refusal,
    named,
    printable,
    sentence,
)
from escalier.scratch import storage_error

KINDS = [
    (Refusal, ValueError),
    (TypeRefusal, TypeError),
    (IndexRefusal, IndexError),
    (MemoryRefusal, MemoryError),
    (PackageRefusal, ImportError),
    (FileRefusal, OSError),
    (MissingFile, FileNotFoundError),
    (FileInTheWay, FileExistsError),
    (ForbiddenFile, PermissionError),
    (NotAFolder, NotADirectoryError),
    (NotAFile, IsADirectoryError),
]


@pytest.mark.parametrize(("kind", "usual"), KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_refusal_is_told_alike_and_caught_by_its_usual_name(
    kind: type[Refusal], usual: type[Exception]
) -> None:
    refusal = kind("radius", "be at least 0 px", -2, "use choke to shrink a mask", who="feather_mask")
    with pytest.raises(
        usual, match=r"^feather_mask: radius must be at least 0 px, got -2; use choke to shrink a mask$"
    ):
        raise refusal
    assert (refusal.who, refusal.what, refusal.rule) == ("feather_mask", "radius", "be at least 0 px")
    assert (refusal.got, refusal.remedy) == (-2, "use choke to shrink a mask")
    for again in (pickle.loads(pickle.dumps(refusal)), copy.copy(refusal)):
        assert type(again) is kind and str(again) == str(refusal) and again.who == "feather_mask"


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS], ids=lambda kind: kind.__name__)
def test_every_kind_of_refusal_travels_from_a_worker_of_a_cluster(kind: type[Refusal]) -> None:
    """Whoever imports Dask's workers has tblib pickle every kind of error in the process."""
    support = pytest.importorskip("tblib.pickling_support", reason="distributed is not installed")
    support.install()
    refusal = kind("the clip", "lie at clip.mp4", "nothing there", "let this machine see it", who="Shot")
    again = pickle.loads(pickle.dumps(refusal))
    assert type(again) is kind and (str(again), again.who) == (str(refusal), "Shot")


@pytest.mark.parametrize(
    ("refusal", "text"),
    [
        pytest.param(Refusal("indices", "rise"), "indices must rise", id="no value, no remedy"),
        pytest.param(Refusal("rate", "be given", None), "rate must be given, got None", id="None is a value"),
        pytest.param(Refusal("no film at a.mp4", remedy="look"), "no film at a.mp4; look", id="no rule"),
        pytest.param(Refusal("indices", "rise", who="Keyframes"), "indices must rise", id="class"),
        pytest.param(Refusal("", "be >= 0", who="--fade"), "--fade: must be >= 0", id="option"),
        pytest.param(Refusal("clip.mp4: it", "end"), "clip.mp4: it must end", id="a file's name stays"),
        pytest.param(MemoryRefusal("4 GB", "be free", who="mix"), "4 GB must be free", id="memory"),
        pytest.param(MissingFile("no film at \x1b[2J.mp4"), "no film at \\x1b[2J.mp4", id="escape codes"),
        pytest.param(OSError("it must fit"), "it must fit", id="of another package"),
        pytest.param(urllib.error.URLError("Connection refused"), "Connection refused", id="urllib"),
    ],
)
def test_a_sentence_has_nothing_that_only_programmers_know(refusal: Exception, text: str) -> None:
    assert sentence(refusal) == text


def test_the_innermost_public_function_names_a_refusal() -> None:
    with pytest.raises(Refusal, match=r"^inner: radius must be at least 0, got -1$"), named("--radius"):
        outer(-1)
    with pytest.raises(TypeRefusal, match=r"^inner: radius must be a whole number"), named("--radius"):
        outer("wide")
    with pytest.raises(Refusal, match=r"^--radius: radius must be at least 0, got -1$"), named("--radius"):
        check_radius(-1)


def check_radius(radius: int) -> None:
    if radius < 0:
        raise Refusal("radius", "be at least 0", radius)


@checked
def inner(radius: int) -> None:
    check_radius(radius)


@checked
def outer(radius: object) -> None:
    inner(radius)


@checked
def counting(last: int) -> Iterator[int]:
    yield from range(last)
    check_radius(-last)


@checked
class Brush:
    def __init__(self, radius: int) -> None:
        check_radius(radius)
        self.radius = radius

    @property
    def size(self) -> int:
        check_radius(self.radius)
        return self.radius

    @classmethod
    def of(cls, radius: int) -> Brush:
        check_radius(radius)
        return cls(radius)

    def __getitem__(self, index: int) -> int:
        if index >= self.radius:
            raise IndexRefusal("index", "lie within", index)
        return index

    def steps(self) -> Iterator[int]:
        yield 1
        check_radius(self.radius)


def test_refusals_of_generators_methods_and_properties_are_named() -> None:
    steps = counting(2)
    assert [next(steps), next(steps)] == [0, 1]
    with pytest.raises(Refusal, match=r"^counting: radius must be at least 0, got -2$"):
        next(steps)
    brush = Brush(2)
    assert list(brush) == [0, 1]  # what ends a loop is no refusal
    brush.radius = -3
    for act in (lambda: brush.size, lambda: Brush.of(-3), lambda: Brush(-3), lambda: list(brush.steps())):
        with pytest.raises(Refusal, match=r"^Brush: radius must be at least 0, got -3$"):
            act()


@pytest.mark.parametrize("usual", [usual for _, usual in KINDS if issubclass(usual, OSError)])
def test_what_the_system_refuses_keeps_its_kind(usual: type[OSError]) -> None:
    kind = file_refusal(usual(errno.EIO, "no"))
    assert issubclass(kind, usual) and issubclass(kind, FileRefusal)


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
        (Refusal("keyframes", "show every shot"), True),
        (TypeRefusal("", "be 0 or 1", who="--first"), True),
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
    assert sentence(MissingFile("no film at \x1b[2J.mp4\nsecond line", who="open_film")) == (
        "no film at \\x1b[2J.mp4\nsecond line"
    )
