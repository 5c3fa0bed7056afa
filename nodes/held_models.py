"""Models of other packages under ComfyUI's memory manager: brought to the card before they work, taken off when others
need it."""

from collections.abc import Callable, Sequence

import comfy.model_management
import comfy.model_patcher
import torch


class _Held(torch.nn.Module):
    """ComfyUI notes the device on the module it manages; on other packages' that is a property without a setter."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module


def bringing(modules: Sequence[torch.nn.Module], working_bytes: int, *, whole: bool = False) -> Callable[[], None]:
    """What the library calls before these modules work, which need `working_bytes` beside their weights.

    `whole` is for layers that cannot fetch single weights from main memory, as ComfyUI's own can.
    """
    patchers = [
        comfy.model_patcher.ModelPatcher(
            _Held(module),
            load_device=comfy.model_management.get_torch_device(),
            offload_device=comfy.model_management.unet_offload_device(),
        )
        for module in modules
    ]

    def bring() -> None:
        whole_too = {"force_full_load": True} if whole else {}
        comfy.model_management.load_models_gpu(patchers, memory_required=working_bytes, **whole_too)

    return bring
