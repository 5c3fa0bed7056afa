"""Self-attention that looks at an anchor as well: what several sheets or frames need to be painted as one.

In self-attention every place of a picture looks at all places of the same picture. Here it also looks at those of an
anchor, one picture of the batch or one of an earlier run, so that faces, colours and strokes come from there. After
the attention injection of "Cross-Image Attention" (Alaluf et al., 2023) and the shared attention of "StyleAligned"
(Hertz et al., 2023), without the latter's normalisation of queries.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from escalier.arguments import checked
from escalier.out_of_memory import is_short_memory
from escalier.refusals import MemoryRefusal, Refusal, TypeRefusal

if TYPE_CHECKING:
    from torch import Tensor

Attend = Callable[["Tensor", "Tensor", "Tensor"], "Tensor"]
"""Attention over all heads: query (B, T, C), key (B, S, C) and value (B, S, C) to (B, T, C)."""

SIGMA_DIGITS = 4  # of a noise level, in relation to its size, by which a step of an earlier run is found again


@checked
def attend_to_anchor(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    anchor_key: Tensor,
    anchor_value: Tensor,
    *,
    attend: Attend,
    strength: float = 1.0,
) -> Tensor:
    """Attention to a picture's own places and to those of an anchor, at once.

    Parameters
    ----------
    query, key, value
        What self-attention gets: float (B, T, C), B pictures of T places.
    anchor_key, anchor_value
        The anchor's, (B, S, C): one for each picture. `of_anchor` repeats them.
    attend
        The attention itself, with its heads.
    strength
        0..1: 0 is the picture's own attention to the bit, 1 treats the anchor's places as its own. More holds looks
        together and lets more of the anchor's drawing through.

    Returns
    -------
    Tensor
        (B, T, C).

    Raises
    ------
    ValueError
        If `strength` is outside 0..1.
    MemoryError
        If the memory is too short even for one picture at a time.

    A picture that is its own anchor stays as it is:

    >>> import torch
    >>> own = torch.rand(1, 6, 4)
    >>> attend = torch.nn.functional.scaled_dot_product_attention
    >>> shared = attend_to_anchor(own, own, own, own, own, attend=attend)
    >>> torch.allclose(shared, attend(own, own, own), atol=1e-6)
    True
    """
    import torch

    _check_tokens(query=query, key=key, value=value, anchor_key=anchor_key, anchor_value=anchor_value)
    if not 0 <= strength <= 1:
        raise Refusal("strength", "lie in 0..1", strength, "1 shares fully")
    if strength == 0:
        return attend(query, key, value)

    def share(query: Tensor, key: Tensor, value: Tensor, anchor_key: Tensor, anchor_value: Tensor) -> Tensor:
        shared = attend(query, torch.cat([key, anchor_key], 1), torch.cat([value, anchor_value], 1))
        return shared if strength == 1 else torch.lerp(attend(query, key, value), shared, strength)

    return _in_parts_that_fit(share, query, key, value, anchor_key, anchor_value)


@checked
def of_anchor(tokens: Tensor, chunks: int, anchor: int) -> Tensor:
    """The anchor's tokens, once for each picture, in each of the chunks that a sampler joins in one batch.

    Parameters
    ----------
    tokens
        (chunks x pictures, T, C): the same pictures under each condition, positive and negative for instance.
    chunks
        How many conditions there are.
    anchor
        Which of the pictures, counted from 0.

    Returns
    -------
    Tensor
        Of the same shape; a view.

    Raises
    ------
    ValueError
        If there is no such picture.

    >>> import torch
    >>> of_anchor(torch.arange(6.0).reshape(6, 1, 1), chunks=2, anchor=1).flatten().tolist()
    [1.0, 1.0, 1.0, 4.0, 4.0, 4.0]
    """
    _check_tokens(tokens=tokens)
    if chunks < 1 or len(tokens) % chunks:
        raise Refusal("chunks", f"divide the batch of {len(tokens)}", chunks, "it is the number of conditions")
    pictures = len(tokens) // chunks
    if not 0 <= anchor < pictures:
        rule = f"lie in 0..{pictures - 1}"
        raise Refusal("anchor", rule, anchor, f"the batch has {pictures} picture{'s' * (pictures > 1)}, counted from 0")
    by_chunk = tokens.unflatten(0, (chunks, pictures))
    return by_chunk[:, anchor : anchor + 1].expand_as(by_chunk).flatten(0, 1)


def _check_tokens(**given: Tensor) -> None:
    import torch

    for name, tokens in given.items():
        if not isinstance(tokens, torch.Tensor) or tokens.ndim != 3:
            shape = tuple(getattr(tokens, "shape", ()))
            rule = "be a Tensor (pictures, places, channels)"
            raise TypeRefusal(name, rule, f"{type(tokens).__name__} of shape {shape}", "give what self-attention gets")


@checked
class AttentionBank:
    """The keys and values of an anchor in every block and step of one run, in ordinary memory, for later runs.

    SD 1.5 at 512 px needs about 45 MB a step and condition for all blocks, SDXL at 1024 px 420 MB: restrict blocks
    and steps.

    >>> import torch
    >>> bank = AttentionBank()
    >>> bank.keep(("output", 3, 0), 1.25, "positive", torch.ones(4, 8), torch.ones(4, 8))
    >>> [tuple(part.shape) for part in bank.recall(("output", 3, 0), 1.25, "positive")]
    [(4, 8), (4, 8)]
    >>> bank.nbytes
    256
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[Hashable, str, Hashable], tuple[Tensor, Tensor]] = {}
        self._last_sigma = 0.0

    @property
    def nbytes(self) -> int:
        return sum(part.nbytes for pair in self._kept.values() for part in pair)

    def keep(self, block: Hashable, sigma: float, condition: Hashable, key: Tensor, value: Tensor) -> None:
        """Keep what one block computed from the anchor, (T, C) each. A noise level that rises begins a new run."""
        if sigma > self._last_sigma:
            self._kept.clear()
        self._last_sigma = sigma
        self._kept[block, _step(sigma), condition] = (
            key.detach().to("cpu", copy=True),
            value.detach().to("cpu", copy=True),
        )

    def recall(self, block: Hashable, sigma: float, condition: Hashable) -> tuple[Tensor, Tensor]:
        """What was kept there.

        Raises
        ------
        ValueError
            If nothing was: no run was recorded, or one with other steps, blocks or conditions.
        """
        kept = self._kept.get((block, _step(sigma), condition))
        if kept is not None:
            return kept
        if not self._kept:
            remedy = (
                "connect the latent of the recorded sampler to 'after', and change that sampler's seed once if it was "
                "not run again"
            )
            raise Refusal("bank", "hold a recorded run, but it is empty", remedy=remedy)
        rule = f"hold the step with noise level {sigma:.4g} of block {block}"
        remedy = (
            "give both samplers the same steps, scheduler and denoise, and share no more blocks and steps than were "
            "recorded"
        )
        raise Refusal("bank", rule, "a run with other settings", remedy)


def _in_parts_that_fit(share: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
    """All pictures at once, or half and half again where the memory is short: pictures do not look at one another."""
    import torch

    pictures = tensors[0].shape[0]
    try:
        return share(*tensors)
    except (MemoryError, RuntimeError) as error:
        if not is_short_memory(error):
            raise
        if pictures == 1:
            rule = "hold one picture's attention and the anchor's, but it is full"
            raise MemoryRefusal("the memory", rule, remedy="take smaller sheets, or share in fewer blocks") from error
    torch.cuda.empty_cache()
    halves = zip(*(tensor.split((pictures + 1) // 2) for tensor in tensors), strict=True)
    return torch.cat([_in_parts_that_fit(share, *half) for half in halves])


def _step(sigma: float) -> str:
    return f"{sigma:.{SIGMA_DIGITS}g}"
