"""Every node of the pack, in the order of the menu."""

from comfy_api.v0_0_2 import ComfyExtension, io
from typing_extensions import override

from . import boiling, coherence, composite, diffusion, film, keyframes, mask, propagation, sam, tracking

ROOMS = (film, keyframes, propagation, sam, mask, tracking, composite, diffusion, coherence, boiling)
NODES: list[type[io.ComfyNode]] = [node for room in ROOMS for node in room.NODES]


class EscalierExtension(ComfyExtension):
    @override
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return NODES


async def comfy_entrypoint() -> EscalierExtension:
    return EscalierExtension()
