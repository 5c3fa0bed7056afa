"""Menu escalier/diffusion: sheets and frames that look at one anchor while they are painted."""

from collections.abc import Callable

import torch
from comfy.model_patcher import ModelPatcher
from comfy_api.v0_0_2 import io

from escalier.diffusion import AttentionBank, attend_to_anchor, of_anchor
from escalier.refusals import Refusal

from .. import sockets
from ..errors import sentence
from ..node import Node, optional, output, span

BLOCKS = {"output": ("output",), "middle and output": ("middle", "output"), "all": ("input", "middle", "output")}
Replacement = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, dict], torch.Tensor]


def _blocks_input() -> io.Combo.Input:
    return io.Combo.Input(
        "blocks",
        options=list(BLOCKS),
        default="output",
        tooltip="Where in the network. 'output' shares colours, strokes and faces and leaves the layout to the "
        "ControlNets; 'all' holds looks together more firmly, lets the anchor's layout through, and costs more.",
    )


def _step_inputs() -> list[io.Input]:
    return [
        io.Float.Input(
            "start_percent",
            **span(0.0, 0.0, 1.0, step=0.01),
            tooltip="From which part of the sampling on. 0 is its start, where layout and large colours are decided.",
        ),
        io.Float.Input(
            "end_percent",
            **span(0.8, 0.0, 1.0, step=0.01),
            tooltip="Up to which part of the sampling. 0.8 leaves the last fine detail to each picture; less costs "
            "less time and memory.",
        ),
    ]


class EscalierSharedAttention(Node):
    """Lets all sheets or frames of a batch look at one of them while they are painted, so that they get the same faces,
    colours and strokes. Put it between the model and the sampler. The model itself stays as it is.
    """

    display_name = "Share Attention"
    search_aliases = ("style aligned", "reference only", "cross-frame attention", "consistent characters")
    inputs = (
        io.Model.Input("model", tooltip="A model of the SD 1.5, SD 2 or SDXL family."),
        io.Int.Input(
            "anchor",
            **span(0, 0, 9999),
            tooltip="Which picture of the batch the others look at, counted from 0. It is painted as it would be "
            "alone. Not used when a bank is connected.",
        ),
        io.Float.Input(
            "strength",
            **span(1.0, 0.0, 1.0, step=0.01),
            tooltip="How much they look at it. 1 treats the anchor's places like their own; 0 changes nothing.",
        ),
        _blocks_input(),
        *_step_inputs(),
        optional(
            sockets.AttentionBank,
            "bank",
            "What Record Attention kept of an earlier sampler run: its anchor is looked at, instead of one in this "
            "batch. Steps, scheduler and denoise must be the same in both runs.",
        ),
        optional(
            io.Latent,
            "after",
            "Connect the latent of the recorded run here, so that it is finished before this one. Only needed with a "
            "bank.",
        ),
    )
    outputs = (output(io.Model, "model", "The model that shares, for the sampler."),)

    @classmethod
    def execute(
        cls,
        model: ModelPatcher,
        anchor: int,
        strength: float,
        blocks: str,
        bank: AttentionBank | None = None,
        after: object = None,
        **part: float,
    ) -> io.NodeOutput:
        within = _sigma_range(model, **part)

        def share(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, options: dict) -> torch.Tensor:
            attend = _attention(options)
            if not within(options):
                return attend(query, key, value)
            try:
                anchors = _recall(bank, options, key) if bank is not None else _anchors(key, value, options, anchor)
            except ValueError as error:  # it rises from the sampler, which knows nothing of this node
                raise Refusal(sentence(error), who="Share Attention") from error
            return attend_to_anchor(query, key, value, *anchors, attend=attend, strength=strength)

        return io.NodeOutput(_with_attention(model, BLOCKS[blocks], share))


class EscalierRecordAttention(Node):
    """Keeps in ordinary memory what one picture of a sampler run shows to attention, so that later runs can look at it
    through Share Attention. For sheets that do not fit into one batch.
    """

    display_name = "Record Attention"
    search_aliases = ("attention bank", "reference bank", "consistent characters")
    inputs = (
        io.Model.Input("model", tooltip="A model of the SD 1.5, SD 2 or SDXL family."),
        io.Int.Input("anchor", **span(0, 0, 9999), tooltip="Which picture of the batch is kept, counted from 0."),
        _blocks_input(),
        *_step_inputs(),
    )
    outputs = (
        output(io.Model, "model", "The model that records, for the first sampler."),
        output(
            sockets.AttentionBank,
            "bank",
            "What is kept, for Share Attention. Roughly 45 MB a step and prompt for SD 1.5 at 512 pixels with all "
            "blocks, ten times that for SDXL at 1024.",
        ),
    )

    @classmethod
    def execute(cls, model: ModelPatcher, anchor: int, blocks: str, **part: float) -> io.NodeOutput:
        within = _sigma_range(model, **part)
        bank = AttentionBank()

        def record(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, options: dict) -> torch.Tensor:
            if within(options):
                _keep(bank, options, key, value, anchor)
            return _attention(options)(query, key, value)

        return io.NodeOutput(_with_attention(model, BLOCKS[blocks], record), bank)


def _with_attention(model: ModelPatcher, kinds: tuple[str, ...], replacement: Replacement) -> ModelPatcher:
    """A clone of a model whose self-attention in blocks of these kinds is replaced. The model itself is not touched."""
    network = model.model.diffusion_model
    if not hasattr(network, "input_blocks") or not hasattr(network, "output_blocks"):
        rule, remedy = "be of the SD 1.5, SD 2 or SDXL family", "choose such a checkpoint, or leave this node out"
        raise Refusal("model", rule, f"{type(network).__name__}, whose attention is built otherwise", remedy)
    counts = {"input": len(network.input_blocks), "middle": 1, "output": len(network.output_blocks)}
    shared = model.clone()
    for kind in kinds:
        for number in range(counts[kind]):
            shared.set_model_attn1_replace(replacement, kind, number)
    return shared


def _sigma_range(model: ModelPatcher, start_percent: float, end_percent: float) -> Callable[[dict], bool]:
    """Whether a step lies in a part of the sampling, by its noise level."""
    if start_percent > end_percent:
        rule = "not be above end_percent"
        raise Refusal("start_percent", rule, f"{start_percent} and {end_percent}", "0 and 0.8 are good values")
    sampling = model.get_model_object("model_sampling")
    highest, lowest = sampling.percent_to_sigma(start_percent), sampling.percent_to_sigma(end_percent)
    return lambda options: lowest <= _sigma(options) <= highest


def _attention(options: dict) -> Callable[..., torch.Tensor]:
    from comfy.ldm.modules.attention import optimized_attention

    return lambda query, key, value: optimized_attention(
        query, key, value, options["n_heads"], attn_precision=options["attn_precision"]
    )


def _sigma(options: dict) -> float:
    return float(options["sigmas"][0])


def _block(options: dict) -> tuple[str, int, int]:
    kind, number = options["block"][:2]
    return kind, number, options["block_index"]


def _conditions(options: dict) -> list[tuple[int, int]]:
    """The chunks of a batch by condition (0 positive, 1 negative), counted where one comes several times."""
    conditions = options["cond_or_uncond"]
    return [(condition, conditions[:chunk].count(condition)) for chunk, condition in enumerate(conditions)]


def _anchors(key: torch.Tensor, value: torch.Tensor, options: dict, anchor: int) -> list[torch.Tensor]:
    """The anchor's keys and values, once for each picture of each chunk."""
    return [of_anchor(part, len(options["cond_or_uncond"]), anchor) for part in (key, value)]


def _keep(bank: AttentionBank, options: dict, key: torch.Tensor, value: torch.Tensor, anchor: int) -> None:
    conditions = _conditions(options)
    try:
        anchors = _anchors(key, value, options, anchor)
    except ValueError as error:
        raise Refusal(sentence(error), who="Record Attention") from error
    pictures = key.shape[0] // len(conditions)
    for chunk, condition in enumerate(conditions):
        bank.keep(_block(options), _sigma(options), condition, *(part[chunk * pictures] for part in anchors))


def _recall(bank: AttentionBank, options: dict, like: torch.Tensor) -> list[torch.Tensor]:
    """The anchor's keys and values of an earlier run, once for each picture of each chunk."""
    conditions = _conditions(options)
    pictures = like.shape[0] // len(conditions)
    kept = [bank.recall(_block(options), _sigma(options), condition) for condition in conditions]
    return [
        torch.cat([part[None].expand(pictures, -1, -1) for part in parts]).to(like.device, like.dtype)
        for parts in zip(*kept, strict=True)
    ]
