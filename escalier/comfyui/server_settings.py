"""How a server of ComfyUI is run: a value; and the port that it listens on, a free one or the one asked for."""

import os
import socket
from dataclasses import dataclass

from escalier.refusals import Refusal, named

from .errors import ComfyUIError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class ServerSettings:
    """How a server is run, whichever ComfyUI it is.

    >>> ServerSettings(port=70000)
    Traceback (most recent call last):
    escalier.refusals.Refusal: Server: port must lie in 1..65535, got 70000; leave it out for a free one
    """

    port: int | None = None
    """Port to listen on; by default a free one."""
    device: str = "auto"
    """On "auto" it runs on the processor where torch sees no graphics card, on "cpu" always, on "card" never."""
    keep_outputs: bool = False
    """True leaves files where ComfyUI saves them. False gives it an empty folder, deleted at the end."""
    arguments: tuple[str, ...] = ()
    """More arguments for ComfyUI's own command line."""
    start_seconds: float = 300.0
    """How long it may take until it answers."""

    def __post_init__(self) -> None:
        with named("Server"):
            if self.device not in ("auto", "cpu", "card"):
                raise Refusal("device", 'be "auto", "cpu" or "card"', f'"{self.device}"', 'leave it out for "auto"')
            if self.port is not None and not 1 <= self.port <= 65535:
                raise Refusal("port", "lie in 1..65535", self.port, "leave it out for a free one")


def free_port() -> int:
    """A port that is free now. Another program may take it before the server does, which then tries another."""
    with socket.socket() as trial:
        trial.bind((LOOPBACK, 0))
        return int(trial.getsockname()[1])


def check_port(port: int) -> int:
    """The port itself, when a server may listen on it.

    Raises ComfyUIError when another program listens there, or the system reserves the port.
    """
    with socket.socket() as trial:
        if os.name != "nt":  # a port whose last connection only times out counts as free, as it does for ComfyUI
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((LOOPBACK, port))
        except PermissionError as error:
            remedy = "give one above 1023, or leave it out"
            raise ComfyUIError("port", "be one that you may open", port, remedy) from error
        except OSError as error:
            raise port_taken(port) from error
    return port


def port_taken(port: int) -> ComfyUIError:
    """The refusal of a port in use."""
    own = f"if that program is ComfyUI, use it with --server http://{LOOPBACK}:{port}"
    remedy = f"leave --port out for a free one, or, {own}"
    return ComfyUIError("port", "be free", f"{port}, which another program uses", remedy)
