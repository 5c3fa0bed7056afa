"""A ComfyUI server as a child process: loopback only, on a free port, gone when the `with` block ends."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from escalier.log import log
from escalier.refusals import MissingFile, named, printable

from .errors import ComfyUIError
from .find import ComfyUI, find_comfyui
from .folders import cache_folder, data_folder, pack_folder
from .model_folders import ModelFolders
from .mount import MOUNT_NAME, is_installed, mount, mount_kept
from .requirements import ask_python, child_environment, install_remedy
from .results import check_writable
from .server_settings import LOOPBACK, ServerSettings, check_port, free_port, port_taken
from .slots import Slot, take_slot

STATS_BYTES = 1 << 20
STOP_SECONDS = 8.0
PORT_TRIES = 3
COLOUR_CODES = re.compile(r"\x1b\[[0-9;]*m")


class Server:
    """ComfyUI with the pack mounted, as a context manager.

    Parameters
    ----------
    comfyui
        The ComfyUI to run; by default the one `find_comfyui` finds.
    settings
        Port, device and the like, see `ServerSettings`.
    pack
        Folder of the node pack, under any name; by default the one this library lies in.
    mount
        False leaves the pack out.
    base
        Folder with `models/`, `custom_nodes/`, `input/`, `output/` and `user/`. By default the embedded ComfyUI has its
        own in the data folder, and any other keeps its own.
    models
        Folder of models to use instead of the one in `base`.

    >>> with Server(settings=ServerSettings(device="cpu")) as server:  # doctest: +SKIP
    ...     print(server.url)
    """

    def __init__(
        self,
        comfyui: ComfyUI | None = None,
        settings: ServerSettings | None = None,
        *,
        pack: Path | None = None,
        mount: bool = True,
        base: Path | None = None,
        models: Path | None = None,
    ) -> None:
        if models is not None and not models.is_dir():
            raise MissingFile("models", "be a folder", models, "check the path", who="Server")
        self.comfyui = comfyui or find_comfyui()
        self.pack = (pack or pack_folder()) if mount else None
        own_base = data_folder() / "comfyui" if self.comfyui.embedded else self.comfyui.folder
        self.base = (base or own_base).absolute()
        self.models = models.absolute() if models else None
        self.settings = settings or ServerSettings()
        self.port = self.settings.port or 0
        self._process: subprocess.Popen[bytes] | None = None
        self._slot: Slot | None = None

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id of ComfyUI while it runs."""
        return self._process.pid if self._process else None

    @property
    def output_folder(self) -> Path:
        """Where ComfyUI saves its files."""
        return self.base / "output" if self.settings.keep_outputs else self.scratch / "output"

    @property
    def scratch(self) -> Path:
        """The folder of this server's log and temporary files, deleted when it stops."""
        if self._slot is None:
            raise RuntimeError("Server: scratch exists only between start and stop")
        return self._slot.run

    @property
    def model_folders(self) -> ModelFolders:
        """Where this ComfyUI looks for models and inputs; known before it starts."""
        return ModelFolders.of(self.comfyui.folder, self.base, self.models, self.settings.arguments)

    @property
    def log_file(self) -> Path:
        return self.scratch / "comfyui.log"

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @named("Server")
    def start(self) -> None:
        """Start ComfyUI and wait until it answers.

        Raises
        ------
        ComfyUIError
            When a package is missing, the port is taken, ComfyUI ends while starting, or does not answer in time.
        """
        try:
            self._prepare()
            arguments = self._command_line()
            for attempt in range(PORT_TRIES):
                self.port = check_port(self.port) if self.settings.port else free_port()
                self._launch(arguments)
                if self._wait_until_ready():
                    break
                last = attempt + 1 == PORT_TRIES
                if last or self.settings.port is not None or "already in use" not in self.log_text():
                    raise self._explain_start()
                log.info("Port %d was taken in between; trying another.", self.port)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop ComfyUI, by its own process id, and delete its scratch folder. Calling it twice does no harm.

        What nodes keep for a later job stays, for a server that is started after this one.
        """
        process, self._process = self._process, None
        try:
            if process is not None:
                _end(process)
        finally:
            slot, self._slot = self._slot, None
            if slot is not None:
                slot.leave()

    def check_inputs(self) -> None:
        """Refuse an input folder that files cannot be placed in, before the server is started."""
        check_writable(self.base / "input", "--input: ComfyUI's input folder", "free it, or name another --base DIR")

    def place_input(self, file: Path) -> str:
        """Copy a file, or the files of a folder, into ComfyUI's input folder until the server stops.

        Gives the name that loaders know it by. It is the same for the same file, so that work that was kept is found.

        Raises
        ------
        ComfyUIError
            When it cannot be copied.
        """
        if self._slot is None:
            raise RuntimeError("Server: inputs can be placed only between start and stop")
        try:
            return self._slot.place(file, self.base / "input")
        except OSError as error:
            why, remedy = printable(str(error.strerror or error)), "free some space there, or name another --base DIR"
            rule = f"fit into ComfyUI's input folder {self.base / 'input'}, but it could not be copied ({why})"
            raise ComfyUIError(printable(str(file)), rule, remedy=remedy, who="--input") from error

    def log_text(self) -> str:
        """All that ComfyUI has written so far."""
        try:
            return COLOUR_CODES.sub("", self.log_file.read_text(encoding="utf-8", errors="replace"))
        except FileNotFoundError:
            return ""

    def failure(self, patience_seconds: float = 0.0) -> str | None:
        """How ComfyUI ended, with the last lines of its log, or None while it runs.

        A process that has just closed its connections may take a moment to end; `patience_seconds` waits for it.
        """
        if self._process is None:
            return "it was stopped"
        try:
            code = self._process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            return None
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        hint = ", perhaps for lack of memory" if code == -9 else ""
        return f"{how}{hint}. The end of its log, kept in {self._keep_log()}:\n{self._log_tail()}"

    def pack_failure(self) -> str | None:
        """Why the pack could not be imported, or None."""
        lines = self.log_text().splitlines()
        if not any("IMPORT FAILED" in line and line.rstrip().endswith(MOUNT_NAME) for line in lines):
            return None
        reasons = [line for line in lines if "Cannot import" in line and MOUNT_NAME in line]
        return reasons[-1].partition(": ")[2] or reasons[-1] if reasons else "see its log"

    def _prepare(self) -> None:
        if self.settings.port is not None:
            check_port(self.port)
        # Not in the system's temporary folder: that is often kept in memory, and runs of a long shot are large.
        scratch_root = data_folder() / "scratch" if self.base == self.comfyui.folder else self.base / "scratch"
        try:
            self._slot = take_slot(scratch_root)
            if self.base != self.comfyui.folder:
                for name in ("models", "custom_nodes", "input", "output", "user"):
                    (self.base / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            remedy = "free some space there, or set ESCALIER_DATA to another folder"
            raise ComfyUIError(f"{scratch_root.parent}", "be writable", error, remedy) from error
        if self.pack is not None and not (self.pack / "nodes").is_dir():
            raise MissingFile("the pack", "hold a folder nodes/", self.pack, "clone the whole repository")

    def _command_line(self) -> list[str]:
        """Everything but the port, which may have to be tried more than once."""
        on_card = ask_python(self.comfyui, self.pack, self.settings.device)
        command = [str(self.comfyui.python), str(Path(__file__).with_name("launch.py"))]
        command += [str(self.comfyui.folder / "main.py"), "--listen", LOOPBACK, "--disable-auto-launch"]
        command += ["--disable-api-nodes", "--database-url", "sqlite:///:memory:"]
        command += ["--temp-directory", str(self.scratch), "--max-upload-size", "1000000"]
        if self.base != self.comfyui.folder:
            command += ["--base-directory", str(self.base)]
        if not self.settings.keep_outputs:
            (self.scratch / "output").mkdir()
            command += ["--output-directory", str(self.scratch / "output")]
        if self.models is not None:
            command += ["--models-directory", str(self.models)]
        if not on_card:
            command.append("--cpu")
        if self.pack is not None and not is_installed(self.base, self.pack):
            command += ["--extra-model-paths-config", str(mount(self.pack, self.scratch))]
        return [*command, *self.settings.arguments]

    def _launch(self, arguments: list[str]) -> None:
        log.info("Starting ComfyUI %s (%s).", self.comfyui.version, self.comfyui.origin)
        # A session or group of its own: Ctrl-C in the terminal reaches this process, which then stops the other.
        new_group = 0x200 if os.name == "nt" else 0  # subprocess.CREATE_NEW_PROCESS_GROUP, which only Windows has
        lock = self._slot.lock if self._slot else None
        with self.log_file.open("wb") as output:
            self._process = subprocess.Popen(
                [*arguments, "--port", str(self.port)],
                cwd=self.scratch,
                env=child_environment(),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                creationflags=new_group,
                start_new_session=os.name != "nt",
                # The child holds the slot, too: when this process is killed, nobody else may have it before that ends.
                pass_fds=(lock,) if lock is not None and sys.platform != "win32" else (),
            )

    def _wait_until_ready(self) -> bool:
        """True as soon as our own server answers, False when its process has ended."""
        deadline = time.monotonic() + self.settings.start_seconds
        pause = 0.1
        while self._process is not None and self._process.poll() is None:
            if self._answers():
                if reason := self.pack_failure():
                    log.warning("ComfyUI could not import the pack: %s", reason)
                if self._slot is not None:  # only now: before it answers, ComfyUI would empty what nodes work in
                    mount_kept(self._slot.kept, self._slot.run)
                return True
            if time.monotonic() > deadline:
                what, rule = "ComfyUI", f"answer within {self.settings.start_seconds:.0f} seconds, but it has not"
                remedy = f"the end of its log, kept in {self._keep_log()}:\n{self._log_tail()}"
                raise ComfyUIError(what, rule, remedy=remedy)
            time.sleep(pause)
            pause = min(pause * 1.2, 0.5)
        return False

    def _answers(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy has no business on loopback
        try:
            with opener.open(f"{self.url}/system_stats", timeout=5) as answer:
                stats = json.loads(answer.read(STATS_BYTES))
        except (OSError, ValueError, RecursionError, http.client.HTTPException):
            return False  # not yet there, or another program on this port
        # Another ComfyUI may have taken the port in between; ours was told of our scratch folder.
        system = stats.get("system") if isinstance(stats, dict) else None
        arguments = system.get("argv") if isinstance(system, dict) else None
        return isinstance(arguments, list) and str(self.scratch) in arguments

    def _explain_start(self) -> ComfyUIError:
        text = self.log_text()
        if "already in use" in text:
            return port_taken(self.port)
        remedy = "read the end of its log"
        if "ModuleNotFoundError" in text or "ImportError" in text:
            remedy = install_remedy(self.comfyui, self.pack)
        code = self._process.poll() if self._process else None
        rule = f"stay up, but it ended while starting (exit code {code})"
        log = f"The end of its log, kept in {self._keep_log()}:\n{self._log_tail()}"
        return ComfyUIError("ComfyUI", rule, remedy=f"{remedy}. {log}")

    def _log_tail(self, lines: int = 15) -> str:
        kept = [line for line in self.log_text().splitlines() if line.strip()]
        return "\n".join("  " + line for line in kept[-lines:])

    def _keep_log(self) -> Path:
        """Copy the log to where it outlives the server."""
        kept = cache_folder() / "logs" / "comfyui-last-failure.log"
        with contextlib.suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.log_file, kept)
        return kept


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe that the child waits on; kill it, and what it started, when it does not leave."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        if os.name == "nt":
            process.kill()
        else:
            # The child leads a group of its own, which cannot be anyone else's while it has not been waited for.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
        process.wait()
    except BaseException:  # a second Ctrl-C while waiting: no more patience, but no orphan either
        process.kill()
        process.wait()
        raise
