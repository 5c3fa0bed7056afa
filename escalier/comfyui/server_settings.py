"""How a server of ComfyUI is run: a value."""

from dataclasses import dataclass

from escalier.refusals import Refusal, named


@dataclass(frozen=True)
class ServerSettings:
    """How a server is run, whichever ComfyUI it is.

    Attributes
    ----------
    port
        Port to listen on; by default a free one.
    device
        "auto" runs on the processor where torch sees no graphics card, "cpu" always, "card" never.
    keep_outputs
        True leaves files where ComfyUI saves them. False gives it an empty folder, deleted at the end.
    arguments
        More arguments for ComfyUI's own command line.
    start_seconds
        How long it may take until it answers.

    >>> ServerSettings(port=70000)
    Traceback (most recent call last):
    escalier.refusals.Refusal: Server: port must lie in 1..65535, got 70000; leave it out for a free one
    """

    port: int | None = None
    device: str = "auto"
    keep_outputs: bool = False
    arguments: tuple[str, ...] = ()
    start_seconds: float = 300.0

    def __post_init__(self) -> None:
        with named("Server"):
            if self.device not in ("auto", "cpu", "card"):
                raise Refusal("device", 'be "auto", "cpu" or "card"', f'"{self.device}"', 'leave it out for "auto"')
            if self.port is not None and not 1 <= self.port <= 65535:
                raise Refusal("port", "lie in 1..65535", self.port, "leave it out for a free one")
