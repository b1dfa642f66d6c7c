"""The graph of an ONNX file: its weights, and new nodes in the place of old ones.

for name, tensor in matrices(model).items():
    replace(model, tensor, {f"{name}_int8": ..., f"{name}_scale": ...})
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

LARGEST = 127
SMALLEST_SCALE = np.float32(1e-12)


def matrices(model: ModelProto) -> dict[str, TensorProto]:
    """Return the fp32 weights with two dimensions, by name."""
    return {
        tensor.name: tensor
        for tensor in model.graph.initializer
        if len(tensor.dims) == 2 and tensor.data_type == tensor.FLOAT
    }


def values(tensor: TensorProto) -> npt.NDArray[np.float32]:
    """Return the numbers of a weight."""
    from onnx import numpy_helper

    return np.asarray(numpy_helper.to_array(tensor), np.float32)


def rounded(
    weights: npt.NDArray[np.float32], over: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Return int8 weights and their scales: the absolute maximum over one axis / 127.

    Args:
        weights: of any shape.
        over: the axis that shares a scale; it has length 1 in the scales.
    """
    scale = np.maximum(np.abs(weights).max(over, keepdims=True) / LARGEST, SMALLEST_SCALE)
    return np.rint(weights / scale).astype(np.int8), scale.astype(np.float32)


def replace(model: ModelProto, old: TensorProto, new: dict[str, npt.NDArray[Any]]) -> None:
    """Put weights, by name, in the place of one."""
    from onnx import numpy_helper

    model.graph.initializer.remove(old)
    for name, values in new.items():
        model.graph.initializer.append(numpy_helper.from_array(values, name))


def insert(model: ModelProto, at: NodeProto, nodes: list[NodeProto]) -> None:
    """Put nodes in the place of one."""
    place = list(model.graph.node).index(at)
    model.graph.node.remove(at)
    for offset, node in enumerate(nodes):
        model.graph.node.insert(place + offset, node)
