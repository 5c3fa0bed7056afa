"""Tests are of one tier each, given by what they ask for, so that nobody has to remember it."""

from __future__ import annotations

import pytest

TIERS = {"quick", "server", "slow"}


def tiers(request: pytest.FixtureRequest) -> set[str]:
    return TIERS & {mark.name for mark in request.node.iter_markers()}


@pytest.fixture
def server() -> None:
    """Bears the name of the fixture that starts a real one."""


@pytest.fixture
def finished_job(server: None) -> None:
    """What a server has made."""


def test_whoever_asks_for_nothing_dear_is_quick(request: pytest.FixtureRequest) -> None:
    assert tiers(request) == {"quick"}


def test_whoever_asks_for_a_server_is_marked_so(request: pytest.FixtureRequest, server: None) -> None:
    assert tiers(request) == {"server"}


def test_a_fixture_between_does_not_hide_it(request: pytest.FixtureRequest, finished_job: None) -> None:
    assert tiers(request) == {"server"}


@pytest.mark.slow
def test_what_is_called_slow_is_not_quick(request: pytest.FixtureRequest) -> None:
    assert tiers(request) == {"slow"}
