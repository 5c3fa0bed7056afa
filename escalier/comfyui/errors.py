"""What goes wrong with ComfyUI: a server, a download, a workflow. One sentence with its remedy."""

from escalier.refusals import Refusal


class ComfyUIError(Refusal):
    """ComfyUI cannot be installed, started or asked, or does not finish a job, and the artist can mend it."""


class ServerGone(ComfyUIError):
    """ComfyUI stopped answering while a job was under way."""
