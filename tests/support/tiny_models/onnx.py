"""Matte networks of a few hundred bytes, written without the onnx package.

`write_tiny_onnx` writes sigmoid(4 (red - blue)), so red is subject and blue is set: the bytes are what onnx.helper
writes for a 1x1 convolution and a sigmoid at opset 17; weights, bias and side stand in them at known places.
`write_onnx` writes any plan of layers, so that a network can have the plan of a published family and still be tiny.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_NODES = b'\n\x12\n\x01x\n\x01w\n\x01b\x12\x01c"\x04Conv\n\x0f\n\x01c\x12\x01y"\x07Sigmoid\x12\x01g'
_WEIGHTS = b"*\x1b\x08\x01\x08\x03\x08\x01\x08\x01\x10\x01B\x01wJ\x0c"
_BIAS = b"*\r\x08\x01\x10\x01B\x01bJ\x04"
_INPUT = b"Z\x1d\n\x01x\x12\x18\n\x16\x08\x01\x12\x12\n\x02\x08\x01\n\x02\x08\x03"
_OUTPUT = b"b\x1d\n\x01y\x12\x18\n\x16\x08\x01\x12\x12\n\x02\x08\x01\n\x02\x08\x01"
NUMBERS = {"float32": 1, "uint8": 2, "float16": 10, "float64": 11}
Shape = Sequence["int | str"]
POOLINGS = 33
"""How often U2Net and IS-Net pool."""


def write_tiny_onnx(
    path: Path, *, side_px: int = 320, weights: Sequence[float] = (4.0, 0.0, -4.0), bias: float = 0.0
) -> Path:
    """Write a network that takes (1, 3, side, side) and gives (1, 1, side, side); side_px in 128..16383."""
    side = b"\n\x03\x08" + bytes((side_px & 0x7F | 0x80, side_px >> 7))
    graph = _NODES + _WEIGHTS + struct.pack("<3f", *weights) + _BIAS + struct.pack("<f", bias)
    graph += _INPUT + 2 * side + _OUTPUT + 2 * side
    path.write_bytes(b"\x08\n:\x92\x01" + graph + b"B\x04\n\x00\x10\x11")
    return path


def write_nested_u(
    path: Path,
    *,
    stride: int = 1,
    side_px: int | str = 64,
    numbers: str = "float32",
    sigmoid: bool = True,
    shape: Shape | None = None,
    given: Shape | None = None,
    channels: int = 1,
) -> Path:
    """A network with the plan of U2Net (a stride of 1) or IS-Net (2), which shows where it is red and not blue.

    `shape` and `given` are what it says that it takes and gives; a side that is a text may have any length.
    """
    layers = [node("Conv", ("x", "w"), "p0", strides=(stride, stride))]
    layers += [node("MaxPool", (f"p{i}",), f"p{i + 1}", kernel_shape=(1, 1)) for i in range(POOLINGS)]
    layers += [node("Sigmoid", (f"p{POOLINGS}",), "y")] if sigmoid else [node("Identity", (f"p{POOLINGS}",), "y")]
    layers += [node("Relu", (f"p{i + 1}",), f"side{i}") for i in range(3)]
    kernel = np.repeat(np.array([4, 0, -4], numbers).reshape(1, 3, 1, 1), channels, axis=0)
    taken = shape or (1, 3, side_px, side_px)
    small = tuple(side // stride if isinstance(side, int) else f"{side}_out" for side in taken[2:])
    ends = [("y", given or (1, channels, *small)), *((f"side{i}", (1, channels, *small)) for i in range(3))]
    return write_onnx(path, layers, {"w": kernel}, [("x", taken)], ends, numbers)


def write_swin(path: Path, module: str, *, sigmoid: bool, side_px: int = 64) -> Path:
    """A network with the plan of BiRefNet ("bb") or BEN ("multifieldcrossatt"), by the name of its first module."""
    layers = [node("Conv", ("x", "w"), "p0", name=f"/{module}/patch_embed/Conv")]
    layers += [
        node("Softmax", (f"p{i}",), f"a{i}", name=f"/{module}/layers.{i}/attn/Softmax", axis=1) for i in range(12)
    ]
    layers += [node("Identity", (f"p{i}",), f"p{i + 1}", name=f"/{module}/Identity_{i}") for i in range(12)]
    layers.append(node("Sigmoid" if sigmoid else "Identity", ("p12",), "y"))
    kernel = np.float32([4, 0, -4]).reshape(1, 3, 1, 1)
    return write_onnx(
        path, layers, {"w": kernel}, [("x", (1, 3, side_px, side_px))], [("y", (1, 1, side_px, side_px))], "float32"
    )


def write_onnx(
    path: Path,
    layers: Sequence[bytes],
    tensors: dict[str, np.ndarray],
    inputs: Sequence[tuple[str, Shape]],
    outputs: Sequence[tuple[str, Shape]],
    numbers: str = "float32",
) -> Path:
    """Write a network of these layers, as onnx.proto has it."""
    graph = b"".join(_field(1, layer) for layer in layers) + _field(2, b"g")
    graph += b"".join(_field(5, _tensor(name, values)) for name, values in tensors.items())
    graph += b"".join(_field(11, _value(name, shape, numbers)) for name, shape in inputs)
    graph += b"".join(_field(12, _value(name, shape, numbers)) for name, shape in outputs)
    opset = _field(1, b"") + _number(2, 17)
    path.write_bytes(_number(1, 8) + _field(7, graph) + _field(8, opset))
    return path


def node(kind: str, inputs: Sequence[str], output: str, *, name: str = "", **settings: int | Sequence[int]) -> bytes:
    """A layer: what it reads, and the name of what it gives."""
    written = b"".join(_field(1, one.encode()) for one in inputs) + _field(2, output.encode())
    written += _field(3, name.encode()) + _field(4, kind.encode())
    for key, value in settings.items():
        if isinstance(value, int):
            attribute = _field(1, key.encode()) + _number(3, value) + _number(20, 2)
        else:
            attribute = _field(1, key.encode()) + b"".join(_number(8, one) for one in value) + _number(20, 7)
        written += _field(5, attribute)
    return written


def _tensor(name: str, values: np.ndarray) -> bytes:
    written = b"".join(_number(1, side) for side in values.shape) + _number(2, NUMBERS[values.dtype.name])
    return written + _field(8, name.encode()) + _field(9, values.tobytes())


def _value(name: str, shape: Shape, numbers: str) -> bytes:
    sides = b"".join(
        _field(1, _number(1, side) if isinstance(side, int) else _field(2, side.encode())) for side in shape
    )
    kind = _field(1, _number(1, NUMBERS[numbers]) + _field(2, sides))
    return _field(1, name.encode()) + _field(2, kind)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    written = b""
    while value > 127:
        written += bytes((value & 127 | 128,))
        value >>= 7
    return written + bytes((value,))
