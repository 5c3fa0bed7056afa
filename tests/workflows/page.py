"""ComfyUI's real page in headless Chromium: load a canvas workflow, export its API form, take a picture.

Shipped workflows are made with it: after changing a canvas JSON (or a node's inputs), run

    python tests/workflows/page.py URL

against a running server (`escalier comfyui`). Every workflows/NAME.json is loaded in the page, and what the page
exports is written to workflows/api/NAME.json. The tests check that both are still the same.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WORKFLOWS = Path(__file__).resolve().parents[2] / "workflows"

LAUNCH_ARGUMENTS = [
    "--no-sandbox",  # root in a container has no sandbox
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Dialogs speak of missing nodes and models, toasts of everything else that went wrong while loading.
COMPLAINTS = """() => [...document.querySelectorAll('.p-dialog, .p-toast-message-error, .p-toast-message-warn')]
    .map(e => e.innerText.trim()).filter(t => t.length > 0)"""


def find_chromium() -> str | None:
    """The browser to drive: ESCALIER_CHROMIUM, else Chromium or Chrome on the path."""
    names = (os.environ.get("ESCALIER_CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)


class Page:
    """The page of one server, with the graph that it holds."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(f"page: {error}"))
        page.on("console", self._note_console)

    def _note_console(self, message: Any) -> None:
        # ComfyUI's own graph, shown first, asks for models on the internet, which its server forbids.
        outside = ("Failed to load resource", "Content Security Policy", "Fetch API cannot load")
        if message.type == "error" and not any(text in message.text for text in outside):
            self.errors.append(f"console: {message.text}")

    def open(self, url: str, settings: dict[str, object]) -> None:
        """Open the page as an artist finds it who has worked in it before; settings of the server stay as they are."""
        known = {"Comfy.TutorialCompleted": True, "Comfy.Workflow.WarnBlueprintOverwrite": False, **settings}
        self.page.route("**/api/settings", lambda route: route.fulfill(json=known))
        self.page.goto(url)
        self.page.wait_for_function("() => window.app?.graph && window.app.extensionManager", timeout=120_000)
        self.page.wait_for_function("() => Object.keys(LiteGraph.registered_node_types).length > 400", timeout=60_000)
        # The page ends its start by loading a graph of its own; one loaded before that would be lost.
        self.page.wait_for_function("() => window.app.graph.nodes.length > 0", timeout=60_000)

    def load(self, canvas: dict) -> list[str]:
        """Load a canvas workflow. Returns what the page complains about: errors, missing nodes, dialogs, toasts."""
        self.errors.clear()
        self.page.evaluate("async canvas => { await app.loadGraphData(canvas) }", canvas)
        self.page.wait_for_timeout(700)
        missing = self.page.evaluate(
            "() => app.graph.nodes.map(n => n.type).filter(type => !(type in LiteGraph.registered_node_types))"
        )
        return self.errors + [f"missing node: {name}" for name in missing] + self.page.evaluate(COMPLAINTS)

    def canvas(self) -> dict:
        """The workflow as the page saves it (Save)."""
        return self.page.evaluate("() => app.graph.serialize()")

    def api(self) -> dict:
        """The workflow as the page exports it for the server (Export (API))."""
        return self.page.evaluate("async () => (await app.graphToPrompt()).output")

    def fit(self) -> None:
        """Bring the whole graph into view."""
        self.page.evaluate("""() => {
            const box = app.graph.nodes.map(n => n.getBounding()).concat(app.graph.groups.map(g => g.getBounding()));
            const left = Math.min(...box.map(b => b[0])), top = Math.min(...box.map(b => b[1]));
            const right = Math.max(...box.map(b => b[0] + b[2])), bottom = Math.max(...box.map(b => b[1] + b[3]));
            const view = app.canvas.canvas.getBoundingClientRect();
            const bar = 60;  // the side bar covers the left edge
            const scale = Math.min((view.width - bar) / (right - left + 80), view.height / (bottom - top + 80));
            app.canvas.ds.scale = scale;
            app.canvas.ds.offset[0] = ((view.width + bar) / scale - (right + left)) / 2;
            app.canvas.ds.offset[1] = (view.height / scale - (bottom + top)) / 2;
            app.canvas.setDirty(true, true);
        }""")
        self.page.wait_for_timeout(600)

    def picture(self, path: Path) -> None:
        self.page.screenshot(path=str(path))


@contextlib.contextmanager
def open_page(url: str, *, width: int = 1600, height: int = 900, nodes_2: bool = False) -> Iterator[Page]:
    """The server's page in a fresh browser, with classic nodes or Nodes 2.0; closed at the end."""
    from playwright.sync_api import sync_playwright

    chromium = find_chromium()
    if chromium is None:
        raise FileNotFoundError("open_page: Chromium must be installed, found none; apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=LAUNCH_ARGUMENTS)
        try:
            page = Page(browser.new_context(viewport={"width": width, "height": height}).new_page())
            page.open(url, {"Comfy.VueNodes.Enabled": nodes_2})
            yield page
        finally:
            browser.close()


def write_api_workflows(url: str) -> None:
    """Export every shipped canvas workflow for the server."""
    with open_page(url) as page:
        for path in sorted(WORKFLOWS.glob("*.json")):
            complaints = page.load(json.loads(path.read_text(encoding="utf-8")))
            if complaints:
                raise ValueError(f"write_api_workflows: {path.name} must load in the page, got {complaints}")
            target = path.parent / "api" / path.name
            target.write_text(json.dumps(page.api(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            print(f"{target}: {len(page.api())} nodes")


if __name__ == "__main__":
    write_api_workflows(sys.argv[1])
