"""Menu escalier/sam: Segment Anything, the objects that are pointed at."""

from comfy_api.v0_0_2 import io

from .segment import EscalierEmbedForSam, EscalierLoadSam, EscalierSegment, EscalierSegmentEverything

NODES: list[type[io.ComfyNode]] = [EscalierLoadSam, EscalierEmbedForSam, EscalierSegment, EscalierSegmentEverything]
