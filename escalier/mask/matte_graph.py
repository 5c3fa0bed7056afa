"""What a background-removal network in an ONNX file is, read from its graph without loading its weights.

Only names, kinds of layers and a few settings are read, by a walk over the file's protocol buffers
(github.com/onnx/onnx, onnx.proto): a file of a gigabyte takes milliseconds.
"""

from __future__ import annotations

import mmap
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

CONVOLUTIONS = ("Conv", "ConvInteger", "QLinearConv", "FusedConv", "NhwcFusedConv")
PASSING_ON = (
    "Cast", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Identity", "Sub", "Mul", "Div", "Add",
    "Pad", "Transpose", "Unsqueeze", "Reshape", "Squeeze", "Resize", "Clip",
)  # fmt: skip
"""What may stand between a network's input and its first layer, or behind its last one."""
FURTHEST_BACK = 16
NESTED_POOLINGS = 20
"""U2Net and IS-Net pool in each of their small U's, 33 times in all; plain networks pool five times."""
SWIN_BLOCKS = 8
BEN_MODULES = frozenset({"multifieldcrossatt", "dec_blk1", "insmask_head", "shallow"})
BIREFNET_MODULES = frozenset({"bb", "squeeze_module"})


@dataclass(frozen=True)
class MatteGraph:
    """A network's plan.

    `layers` counts the kinds of layers. `modules` are the first parts of the layers' names, as torch writes them:
    "bb" of "/bb/layers.0/attn/MatMul". `first_stride` is that of the first convolution, 0 where none is found.
    `gives_logits` says whether the first output comes out of a convolution, and not out of a sigmoid; None where it
    comes out of something else.
    """

    layers: Mapping[str, int]
    modules: frozenset[str]
    first_stride: int
    gives_logits: bool | None

    @property
    def architecture(self) -> str:
        """U2Net, IS-Net, BiRefNet or BEN, or "" for what is none of them.

        U2Net and IS-Net are both nested U's of convolutions and pooling; IS-Net halves the picture before the first.
        BiRefNet and BEN look at it with a Swin transformer.
        """
        pooled, attends = self.layers.get("MaxPool", 0), self.layers.get("Softmax", 0)
        if pooled >= NESTED_POOLINGS and not attends:
            return "IS-Net" if self.first_stride == 2 else "U2Net" if self.first_stride == 1 else ""
        if attends >= SWIN_BLOCKS:
            if self.modules & BEN_MODULES:
                return "BEN"
            return "BiRefNet" if self.modules & BIREFNET_MODULES or "DeformConv" in self.layers else ""
        return ""


def read_matte_graph(path: str | Path) -> MatteGraph | None:
    """The plan of a network in an ONNX file; None if the file is none, which onnxruntime can say better.

    >>> read_matte_graph(__file__) is None
    True
    """
    try:
        with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            graph = next((value for field, value in _fields(content, 0, len(content)) if field == 7), None)
            return None if not isinstance(graph, tuple) else _read(content, *graph)
    except (ValueError, IndexError, OSError, UnicodeDecodeError):
        return None


def _read(content: mmap.mmap, start: int, stop: int) -> MatteGraph:
    nodes = []
    inputs, outputs, tensors = [], [], set()
    for field, value in _fields(content, start, stop):
        if not isinstance(value, tuple):
            continue
        if field == 1:
            nodes.append(_Node.at(content, *value))
        elif field == 5:
            tensors.add(_text(content, value, 8))
        elif field in (11, 12):
            (inputs if field == 11 else outputs).append(_text(content, value, 1))
    return MatteGraph(
        Counter(node.kind.removeprefix("Nhwc") for node in nodes),
        frozenset(node.name.split("/")[1] for node in nodes if node.name.startswith("/")),
        _first_stride(nodes, {name for name in inputs if name not in tensors}),
        _gives_logits(nodes, outputs),
    )


def _first_stride(nodes: list[_Node], names: set[str]) -> int:
    """The stride of the first convolution behind the inputs of these names."""
    readers: dict[str, list[_Node]] = {}
    for node in nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    near = deque(names)
    for _ in range(len(nodes)):
        if not near:
            break
        for node in readers.get(near.popleft(), []):
            if node.kind in CONVOLUTIONS:
                return node.stride
            if node.kind in PASSING_ON:
                near.extend(node.outputs)
    return 0


def _gives_logits(nodes: list[_Node], outputs: list[str]) -> bool | None:
    makers = {name: node for node in nodes for name in node.outputs}
    name = outputs[0] if outputs else ""
    for _ in range(FURTHEST_BACK):
        node = makers.get(name)
        if node is None or not node.inputs:
            return None
        if node.kind not in PASSING_ON:
            return True if node.kind in CONVOLUTIONS else False if node.kind == "Sigmoid" else None
        name = node.inputs[0]
    return None


@dataclass(frozen=True)
class _Node:
    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    stride: int

    @classmethod
    def at(cls, content: mmap.mmap, start: int, stop: int) -> _Node:
        kind, name, stride = "", "", 1
        inputs, outputs = [], []
        for field, value in _fields(content, start, stop):
            if not isinstance(value, tuple):
                continue
            if field in (1, 2):
                (inputs if field == 1 else outputs).append(_decoded(content, value))
            elif field == 3:
                name = _decoded(content, value)
            elif field == 4:
                kind = _decoded(content, value)
            elif field == 5 and _text(content, value, 1) == "strides":
                stride = _first_number(content, value)
        return cls(kind, name, tuple(inputs), tuple(outputs), stride)


def _first_number(content: mmap.mmap, span: tuple[int, int]) -> int:
    """The first of an attribute's whole numbers, which may be packed or not."""
    for field, value in _fields(content, *span):
        if field == 8:
            return _varint(content, value[0])[0] if isinstance(value, tuple) else value
    return 1


def _text(content: mmap.mmap, span: tuple[int, int], wanted: int) -> str:
    for field, value in _fields(content, *span):
        if field == wanted and isinstance(value, tuple):
            return _decoded(content, value)
    return ""


def _decoded(content: mmap.mmap, span: tuple[int, int]) -> str:
    return content[span[0] : span[1]].decode()


def _fields(content: mmap.mmap, start: int, stop: int) -> Iterator[tuple[int, int | tuple[int, int]]]:
    """Number and value of each field of a message: a whole number, or where its bytes begin and end."""
    while start < stop:
        key, start = _varint(content, start)
        kind = key & 7
        if kind == 0:
            number, start = _varint(content, start)
            yield key >> 3, number
            continue
        if kind == 2:
            length, start = _varint(content, start)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError("no protocol buffer")
        if start + length > stop:
            raise ValueError("a protocol buffer that is cut off")
        yield key >> 3, (start, start + length)
        start += length


def _varint(content: mmap.mmap, start: int) -> tuple[int, int]:
    number = shift = 0
    while shift < 64:
        byte = content[start]
        start += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, start
        shift += 7
    raise ValueError("no protocol buffer")
