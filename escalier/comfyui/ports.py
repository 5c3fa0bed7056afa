"""Which port a server listens on: a free one, or the one that was asked for."""

import os
import socket

from .errors import ComfyUIError

LOOPBACK = "127.0.0.1"


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
            raise ComfyUIError(
                "port", "be one that you may open", port, "give one above 1023, or leave it out"
            ) from error
        except OSError as error:
            raise port_taken(port) from error
    return port


def port_taken(port: int) -> ComfyUIError:
    """The refusal of a port in use."""
    return ComfyUIError(
        "port",
        "be free",
        f"{port}, which another program uses",
        f"leave --port out for a free one, or, if that program is ComfyUI, use it with --server http://{LOOPBACK}:"
        f"{port}",
    )
