"""How torch says that memory has run out."""

from __future__ import annotations


def is_short_memory(error: BaseException) -> bool:
    """Whether an error says that memory has run out. The graphics card has one of its own, the processor a message.

    >>> is_short_memory(MemoryError()), is_short_memory(RuntimeError("shapes do not match"))
    (True, False)
    """
    import torch

    return isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )
