"""Where results go: no name leads out of the folder, through a link, over a dot file or over another result."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from escalier.comfyui import HeadlessError, ResultFolder, check_output
from escalier.comfyui.local_names import LONGEST_BYTES, local_name, local_path

ESCAPES = [
    *("..", "../..", "../../etc/passwd", "/etc/passwd", "//server/share/a", "\\\\server\\share\\a", "..\\..\\a"),
    *("C:\\Windows\\a", "c:/a", "C:a", "a/../../b", "./../a", "....//a", "a\x00/../b", "~/.bashrc", "~root/a"),
    *(".bashrc", ".git/config", "a/.ssh/authorized_keys", "...", ". .", "a/. ./b", "a/.. /b", " ../a", "%2e%2e/a"),
    *("\uff0e\uff0e\uff0fa", "\u2024\u2024\u2215a", "..\u2044a", "a\u202egnp.exe", "a\u200b", "\ufeffa", "a\r\nb"),
    *("CON", "con.png", "NUL.tar.gz", "aux ", "COM1", "lpt9.txt", "COM\u00b9.png", "CONIN$", "clock$", "prn."),
    *(
        "a:stream",
        "a.png::$DATA",
        'a<>"|?*',
        "a.",
        "a ",
        "a. . .",
        "x" * 300,
        "\u00e9" * 300 + ".png",
        "a/" * 100 + "b",
    ),
    *("\x1b[2Ja", "\x7f", "\x9b2J", "\ud800", "a\ud800.png"),
]


@pytest.mark.parametrize("spelling", ESCAPES, ids=ascii)
@pytest.mark.parametrize("where", ["name", "folder"])
def test_no_spelling_leads_out_of_the_folder(tmp_path: Path, spelling: str, where: str) -> None:
    folder = ResultFolder(tmp_path / "out")
    try:
        target = folder.claim("", spelling) if where == "name" else folder.claim(spelling, "a.png")
    except HeadlessError as refusal:
        assert "must name a file" in str(refusal)
        return
    with folder.writing(target) as file:
        file.write(b"data")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written == [target] and target.resolve().is_relative_to(tmp_path / "out")
    for part in target.relative_to(tmp_path / "out").parts:
        assert part == local_name(part) and not part.startswith(".") and not part.endswith((".", " "))
        assert part.isprintable() and len(part.encode()) <= LONGEST_BYTES and not set(part) & set('<>:"|?*\\')
        assert part.split(".")[0].lower() not in ("con", "nul", "aux", "prn", "com1", "lpt9", "conin$", "clock$")


@pytest.mark.parametrize(
    ("folder", "name", "place"),
    [
        pytest.param("sets/blue", "a.png", "sets/blue/a.png", id="a subfolder"),
        pytest.param("sets\\blue", "a.png", "sets/blue/a.png", id="a Windows server"),
        pytest.param("../x", "../../a.png", "x/a.png", id="climbing out"),
        pytest.param("/etc", "C:\\a.png", "etc/a.png", id="from the root"),
        pytest.param("été", "Ünï 01 (2).png", "été/Ünï 01 (2).png", id="what artists write stays"),
    ],
)
def test_a_name_stays_as_it_is_where_it_can(folder: str, name: str, place: str) -> None:
    assert local_path(folder, name) == PurePosixPath(place)


def test_two_results_of_one_name_do_not_meet(tmp_path: Path) -> None:
    folder = ResultFolder(tmp_path)
    names = ["a.png", "A.PNG", "../a.png", "e\u0301.png", "\u00e9.png", "b", "b/c.png", "x" * 300, "x" * 301]
    targets = [folder.claim(name.rpartition("/")[0], name.rpartition("/")[2]) for name in names]
    assert len({str(target).casefold() for target in targets}) == len(names)
    for number, target in enumerate(targets):
        with folder.writing(target) as file:
            file.write(bytes([number]))
    assert [target.read_bytes()[0] for target in targets] == list(range(len(names)))


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_link_in_the_folder_is_replaced_never_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    output = tmp_path / "out"
    output.mkdir()
    (output / "a.png").symlink_to(precious)
    folder = ResultFolder(output)
    with folder.writing(folder.claim("", "a.png")) as file:
        file.write(b"result")
    assert precious.read_text() == "mine" and (output / "a.png").read_bytes() == b"result"
    assert not (output / "a.png").is_symlink()


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
@pytest.mark.parametrize("place", ["sets", "sets/deep"])
def test_a_folder_that_is_a_link_is_refused(tmp_path: Path, place: str) -> None:
    elsewhere, output = tmp_path / "elsewhere", tmp_path / "out"
    elsewhere.mkdir()
    (output / place).parent.mkdir(parents=True)
    (output / place).symlink_to(elsewhere)
    folder = ResultFolder(output)
    with (
        pytest.raises(HeadlessError, match=r"must be a folder, but it is a link to .*elsewhere"),
        folder.writing(folder.claim("sets/deep", "a.png")) as file,
    ):
        file.write(b"result")
    assert not list(elsewhere.iterdir())


def test_an_output_folder_that_is_a_link_itself_was_the_artists_wish(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    folder = ResultFolder(tmp_path / "out")
    with folder.writing(folder.claim("", "a.png")) as file:
        file.write(b"result")
    assert (tmp_path / "real" / "a.png").read_bytes() == b"result"


def test_half_a_result_is_none(tmp_path: Path) -> None:
    folder = ResultFolder(tmp_path)
    with pytest.raises(KeyboardInterrupt), folder.writing(folder.claim("", "a.png")) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["a file", "below a file", "a broken link", "unwritable"])
def test_an_output_folder_that_cannot_be_is_refused_before_the_work(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    places = {"a file": "file", "below a file": "file/out/deep", "a broken link": "broken/out"}
    folder = tmp_path / places[kind] if kind in places else Path("/proc/escalier_out")
    if kind == "unwritable" and not Path("/proc").is_dir():
        pytest.skip("no folder here that nobody can write")
    with pytest.raises(ValueError, match=r"^--output: folder must be (a folder|writable), got .*choose another one"):
        check_output(folder)


def test_a_missing_output_folder_is_not_made_before_there_is_a_result(tmp_path: Path) -> None:
    check_output(tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists()
