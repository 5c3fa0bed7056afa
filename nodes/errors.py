"""What an artist reads when something is refused: the node's name, then the library's sentence."""

import errno
import functools
from collections.abc import Callable
from typing import Any

import folder_paths
import torch

from escalier import refusals
from escalier.refusals import Refusal

# What other packages and the system say of files, packages, memory, types and values. Anything else is a fault of ours:
# it keeps its traceback and its type.
OF_OTHERS = (TypeError, ValueError, ImportError, OSError, MemoryError)

NO_ALPHA_SIZE = "64x64"
NO_ALPHA = (
    "this empty mask of 64x64 is what Load Image gives for a picture that has no alpha: connect another mask, or load "
    "a picture with alpha"
)


def named_after_node(execute: Callable[..., Any]) -> Callable[..., Any]:
    """Put the node's display name in front of a refusal, in place of the library function that raised it."""

    @functools.wraps(execute)
    def execute_by_name(cls: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return execute(cls, *args, **kwargs)
        except Refusal as refusal:
            refusal.who = cls.define_schema().display_name
            if NO_ALPHA_SIZE in refusal.sentence and any(map(_is_of_no_alpha, (*args, *kwargs.values()))):
                refusal.remedy = NO_ALPHA
            raise
        except OF_OTHERS as error:
            kind = next(kind for kind in OF_OTHERS if isinstance(error, kind))
            said = sentence(error)
            raise kind(f"{cls.define_schema().display_name}: {said}") from error

    return execute_by_name


def _is_of_no_alpha(value: object) -> bool:
    """Whether this is the MASK that Load Image hands over for a picture without alpha."""
    return (
        isinstance(value, torch.Tensor)
        and value.ndim in (2, 3)
        and f"{value.shape[-1]}x{value.shape[-2]}" == NO_ALPHA_SIZE
        and not value.any()
    )


def sentence(error: Exception) -> str:
    """The library's sentence; where the system alone has spoken, the remedy that only the server's side knows."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC and error.strerror is not None:
        return (
            f"the disk of ComfyUI's temporary folder {folder_paths.get_temp_directory()} must have room, but it is "
            "full; free some space, shorten the clip, or start ComfyUI with --temp-directory on a larger disk"
        )
    return refusals.sentence(error)
