"""What goes wrong outside our own code: a server, a download, a workflow. One sentence with its remedy."""

from __future__ import annotations


class HeadlessError(RuntimeError):
    """A failure the artist can mend. The command line prints its text alone, without a traceback."""


class ServerGone(HeadlessError):
    """ComfyUI stopped answering while a job was under way."""
