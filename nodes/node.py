"""What every node of this pack is: a class whose name is its id, whose folder is its place in the menu."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeAlias

from comfy_api.v0_0_2 import io

from .errors import named_after_node

MadeInput: TypeAlias = io.Input | Callable[[], io.Input]
"""An input, or what makes it whenever ComfyUI asks: a menu of what lies on this machine at that moment."""


class Node(io.ComfyNode):
    """A node; its docstring is the description that artists read.

    `execute` converts what the sockets hold, calls one function of the library, and converts back. Whatever is refused
    on the way is said in the node's name.
    """

    display_name: ClassVar[str]
    search_aliases: ClassVar[Sequence[str]]
    inputs: ClassVar[Sequence[MadeInput]]
    outputs: ClassVar[Sequence[io.Output]]
    is_output_node: ClassVar[bool] = False
    _schema_facts: ClassVar[dict[str, str]]

    def __init_subclass__(cls, **facts: Any) -> None:
        super().__init_subclass__(**facts)
        if "_schema_facts" in cls.__dict__:  # ComfyUI runs a clone of the class, under another name
            return
        room = cls.__module__.removeprefix(f"{__package__}.").partition(".")[0]
        description = " ".join((cls.__doc__ or "").split())
        cls._schema_facts = {"node_id": cls.__name__, "category": f"escalier/{room}", "description": description}
        cls.execute = classmethod(named_after_node(cls.__dict__["execute"].__func__))

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            **cls._schema_facts,
            display_name=cls.display_name,
            search_aliases=list(cls.search_aliases),
            inputs=[made() if callable(made) else made for made in cls.inputs],
            outputs=list(cls.outputs),
            is_output_node=cls.is_output_node,
        )


def output(kind: Any, name: str, tooltip: str) -> io.Output:
    """An output of a socket type, such as io.Video."""
    return kind.Output(display_name=name, tooltip=tooltip)


def optional(kind: Any, id: str, tooltip: str) -> io.Input:
    """A socket that may stay empty."""
    return kind.Input(id, optional=True, tooltip=tooltip)


def span(default: float, least: float, most: float, *, step: float | None = None) -> dict[str, Any]:
    """Default and range of a number, as its input calls them."""
    return {"default": default, "min": least, "max": most} | ({} if step is None else {"step": step})
