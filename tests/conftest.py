"""Shared by every test: tiers that nobody has to remember, and skips that are a list, not a habit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["comfyui_server"]

ROOT = Path(__file__).resolve().parent.parent
skipped: dict[str, str] = {}

# Fixtures of tests/support/comfyui_server.py, tests/nodes/conftest.py and tests/workflows/conftest.py.
OF_COMFYUI = {"comfyui", "comfyui_folder", "pack", "page", "page_driver", "server"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for ComfyUI, or for a fixture that does, is of the tier `server`; who is of no other is `quick`."""
    for item in items:
        if OF_COMFYUI & set(getattr(item, "fixturenames", ())):
            item.add_marker("server")
        elif item.get_closest_marker("slow") is None:
            item.add_marker("quick")


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        skipped[report.nodeid] = reason


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Under ESCALIER_ALLOWED_SKIPS=FILE, a skip that the file does not name fails the run."""
    listing = os.environ.get("ESCALIER_ALLOWED_SKIPS")
    if not listing:
        return
    lines = Path(listing).read_text(encoding="utf-8").splitlines()
    allowed = {line.split("#")[0].strip() for line in lines} - {""}
    surprises = {test: reason for test, reason in skipped.items() if test not in allowed}
    if surprises:
        report = "\n".join(f"  {test}: {reason}" for test, reason in sorted(surprises.items()))
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"\nSkipped, and not in {listing}:\n{report}", red=True)
