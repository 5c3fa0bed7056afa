"""Menu escalier/diffusion: ControlNets of the wrong family, refused in a sentence before the sampler fails in none."""

from typing import Any

from comfy.model_patcher import ModelPatcher
from comfy_api.v0_0_2 import io

from escalier.diffusion import family_of
from escalier.refusals import Refusal

from ..node import Node, output

CROSS_ATTENTION = "attn2.to_k.weight"


class EscalierCheckControlNets(Node):
    """Passes a model on if the ControlNets were made for its family, and says which one was not. Without it, a
    ControlNet for SD 1.5 on an SDXL model ends in an error about matrices.
    """

    display_name = "Check ControlNets"
    search_aliases = ("controlnet mismatch", "mat1 and mat2", "wrong controlnet", "controlnet family")
    inputs = (
        io.Model.Input("model", tooltip="The model that the sampler is going to use."),
        *(
            io.ControlNet.Input(
                f"control_net{number}",
                optional=bool(number),
                tooltip=f"{'Another' if number else 'A'} ControlNet that is going to be used with this model.",
            )
            for number in ("", "_2", "_3", "_4")
        ),
    )
    outputs = (output(io.Model, "model", "The same model, for the sampler."),)

    @classmethod
    def execute(cls, model: ModelPatcher, **controlnets: Any) -> io.NodeOutput:
        wanted = model.model.model_config.unet_config.get("context_dim")
        for name, controlnet in controlnets.items():
            width = _text_width(controlnet)
            if wanted is not None and width is not None and width != wanted:
                rule = f"be of the model's family, {family_of(wanted)}"
                remedy = f"load a ControlNet for {family_of(wanted)}, or a checkpoint of {family_of(width)}"
                raise Refusal(name, rule, f"one for {family_of(width)}", remedy)
        return io.NodeOutput(model)


def _text_width(controlnet: Any) -> int | None:
    """How wide the text is that a ControlNet reads; None where it reads none, as T2I adapters do."""
    network: Any = getattr(controlnet, "control_model", None)
    weights = network.state_dict() if hasattr(network, "state_dict") else getattr(controlnet, "control_weights", {})
    return next((weight.shape[1] for name, weight in weights.items() if name.endswith(CROSS_ATTENTION)), None)
