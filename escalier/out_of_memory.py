"""Memory that has run out, as torch says it and as an artist reads it."""

from collections.abc import Iterator
from contextlib import contextmanager

from escalier.refusals import MemoryRefusal


def is_short_memory(error: BaseException) -> bool:
    """Whether an error says that memory has run out. The graphics card has one of its own, the processor a message.

    >>> is_short_memory(MemoryError()), is_short_memory(RuntimeError("shapes do not match"))
    (True, False)
    """
    import torch

    return isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


@contextmanager
def naming_short_memory(task: str, remedy: str) -> Iterator[None]:
    """Turn torch's errors about memory into one `MemoryError` that says for what it was too short.

    >>> with naming_short_memory("a picture of 8x8", "take a smaller one"):
    ...     raise MemoryError
    Traceback (most recent call last):
    escalier.refusals.MemoryRefusal: the memory must hold a picture of 8x8, but it is full; take a smaller one
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_short_memory(error):
            raise
        raise MemoryRefusal("the memory", f"hold {task}, but it is full", remedy=remedy) from error
