"""Every node of the pack, in the order of the menu."""

import sys

from comfy_api.v0_0_2 import ComfyExtension, io
from typing_extensions import override

from . import boiling, coherence, composite, diffusion, film, keyframes, mask, propagation, sam, tracking
from .page import add_routes

ROOMS = (film, keyframes, propagation, sam, mask, tracking, composite, diffusion, coherence, boiling)
NODES: list[type[io.ComfyNode]] = [node for room in ROOMS for node in room.NODES]


class EscalierExtension(ComfyExtension):
    @override
    async def on_load(self) -> None:
        """Runs once, before the server starts. A script that only imports the nodes has no server, and needs none."""
        server = getattr(sys.modules.get("server"), "PromptServer", None)
        if server is not None and hasattr(server, "instance"):
            add_routes(server.instance.routes)

    @override
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return NODES


async def comfy_entrypoint() -> EscalierExtension:
    return EscalierExtension()
