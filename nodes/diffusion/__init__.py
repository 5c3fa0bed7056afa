"""Menu escalier/diffusion: one look for every keyframe."""

from comfy_api.v0_0_2 import io

from .check_controlnets import EscalierCheckControlNets
from .colour_lock import EscalierGridColourLock
from .control_maps import EscalierControlMap, EscalierSegmentationMap
from .pipelines import EscalierLoadPipeline, EscalierRunPipeline
from .shared_attention import EscalierRecordAttention, EscalierSharedAttention

NODES: list[type[io.ComfyNode]] = [
    EscalierControlMap,
    EscalierSegmentationMap,
    EscalierCheckControlNets,
    EscalierGridColourLock,
    EscalierSharedAttention,
    EscalierRecordAttention,
    EscalierLoadPipeline,
    EscalierRunPipeline,
]
