"""Shared by the tests of diffusion: a machine without a network."""

from __future__ import annotations

import socket

import pytest


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address can be reached, whatever a package tries."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("something tried to reach the network")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
