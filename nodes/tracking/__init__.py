"""Menu escalier/tracking: who is in the picture, frame by frame."""

from comfy_api.v0_0_2 import io

from .track import EscalierMaskFromSam3Track, EscalierTrackMask, EscalierTrackMaskSam2

NODES: list[type[io.ComfyNode]] = [EscalierTrackMask, EscalierTrackMaskSam2, EscalierMaskFromSam3Track]
