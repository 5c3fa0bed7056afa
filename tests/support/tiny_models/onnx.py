"""A matte network of 157 bytes, without the onnx package: sigmoid(4 (red - blue)), so red is subject and blue is set.

The bytes are what onnx.helper writes for a 1x1 convolution and a sigmoid at opset 17; weights, bias and side stand in
them at known places.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

_NODES = b'\n\x12\n\x01x\n\x01w\n\x01b\x12\x01c"\x04Conv\n\x0f\n\x01c\x12\x01y"\x07Sigmoid\x12\x01g'
_WEIGHTS = b"*\x1b\x08\x01\x08\x03\x08\x01\x08\x01\x10\x01B\x01wJ\x0c"
_BIAS = b"*\r\x08\x01\x10\x01B\x01bJ\x04"
_INPUT = b"Z\x1d\n\x01x\x12\x18\n\x16\x08\x01\x12\x12\n\x02\x08\x01\n\x02\x08\x03"
_OUTPUT = b"b\x1d\n\x01y\x12\x18\n\x16\x08\x01\x12\x12\n\x02\x08\x01\n\x02\x08\x01"


def write_tiny_onnx(
    path: Path, *, side_px: int = 320, weights: Sequence[float] = (4.0, 0.0, -4.0), bias: float = 0.0
) -> Path:
    """Write a network that takes (1, 3, side, side) and gives (1, 1, side, side); side_px in 128..16383."""
    side = b"\n\x03\x08" + bytes((side_px & 0x7F | 0x80, side_px >> 7))
    graph = _NODES + _WEIGHTS + struct.pack("<3f", *weights) + _BIAS + struct.pack("<f", bias)
    graph += _INPUT + 2 * side + _OUTPUT + 2 * side
    path.write_bytes(b"\x08\n:\x92\x01" + graph + b"B\x04\n\x00\x10\x11")
    return path
