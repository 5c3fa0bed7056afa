"""Films: where frames come from, how they move, where they go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .cadence import Cadence, RestoredCadence, pick_frames
from .frames import ArrayFrames, FolderFrames, FrameSource, MaskSource, Size, as_uint8, check_masks, read_picture

if TYPE_CHECKING:
    from .film_writing import write_film
    from .filmed_clip import FilmedClip
    from .moving_clip import MovingClip, make_clip
    from .output_formats import check_output
    from .video import UnreadableVideo, VideoFrames, open_film

__all__ = [
    "ArrayFrames",
    "Cadence",
    "FilmedClip",
    "FolderFrames",
    "FrameSource",
    "MaskSource",
    "MovingClip",
    "RestoredCadence",
    "Size",
    "UnreadableVideo",
    "VideoFrames",
    "as_uint8",
    "check_masks",
    "check_output",
    "make_clip",
    "open_film",
    "pick_frames",
    "read_picture",
    "write_film",
]

# Loaded when first asked for: PyAV alone would double the time it takes to import the pack.
_LATER = {
    "MovingClip": ".moving_clip",
    "make_clip": ".moving_clip",
    "UnreadableVideo": ".video",
    "VideoFrames": ".video",
    "FilmedClip": ".filmed_clip",
    "check_output": ".output_formats",
    "open_film": ".video",
    "write_film": ".film_writing",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATER[name], __name__), name)
