"""ComfyUI's progress bar, preview and Cancel button as the one callback that the library knows."""

import math
import time

import comfy.model_management
import comfy.utils
import numpy as np
from comfy_execution.utils import get_executing_context
from PIL import Image

from escalier.film import as_uint8

PREVIEW_INTERVAL_S = 0.5
PREVIEW_SIDE_PX = 512


class Progress:
    """`progress(done, total, picture=None)` for one run of one node. It raises when the artist presses Cancel.

    Create it where the node executes: the bar belongs to the node that is running at that moment, even if the library
    reports from threads of its own. `previews=False` keeps pictures off a node that makes none.
    """

    def __init__(self, *, previews: bool = True) -> None:
        context = get_executing_context()
        self._bar = comfy.utils.ProgressBar(1, node_id=context.node_id if context else None)
        self._next_preview = 0.0 if previews else math.inf

    def __call__(self, done: float, total: float, picture: np.ndarray | None = None) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        self._bar.update_absolute(done, total, self._preview(picture))

    def _preview(self, picture: np.ndarray | None) -> tuple[str, Image.Image, int] | None:
        """A picture now and then: each one is encoded and sent, which would cost more than the work it shows."""
        now = time.monotonic()
        if picture is None or now < self._next_preview:
            return None
        self._next_preview = now + PREVIEW_INTERVAL_S
        return ("JPEG", Image.fromarray(as_uint8(picture)), PREVIEW_SIDE_PX)
