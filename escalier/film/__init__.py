"""Films: where frames come from, how they move, where they go."""

from .frames import ArrayFrames, FolderFrames, FrameSource, MaskSource, Size, as_uint8, check_masks, read_picture

__all__ = [
    "ArrayFrames",
    "FolderFrames",
    "FrameSource",
    "MaskSource",
    "Size",
    "as_uint8",
    "check_masks",
    "read_picture",
]
