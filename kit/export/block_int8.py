"""An int8 ONNX file of a text generator: a scale for every 32 weights, multiplied in fp32.

    write_block_int8(folder / "onnx/model.onnx", folder / "onnx/model_quantized.onnx")

A generator reads its own words, so one token that differs changes all that follow. Two things keep
its answers. Nothing is rounded but weights: but for their last digits, the logits depend neither on
a processor's kernels nor on how many tokens are processed together. And a scale serves one block of
a row: one large weight then costs its 31 neighbours their last bits, not its whole row.

What stands for a matrix is plain ONNX (cast, times scale, reshape) and a runtime computes it once,
when it loads the file. A table that is both looked up and multiplied by is stored once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kit.export.graph import insert, matrices, replace, rounded, values

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

BLOCK = 32
PRODUCTS = ("MatMul", "FusedMatMul", "Gemm")


def write_block_int8(source: Path, target: Path) -> None:
    """Read an fp32 ONNX file and write its int8 counterpart as a single file."""
    import onnx

    model = onnx.load(source)
    del model.graph.value_info[:]
    axes = _axes(model)
    for name, tensor in matrices(model).items():
        if name in axes:
            _store(model, name, tensor, axes[name])
    onnx.save(model, target)


def rounded_blocks(
    weights: npt.NDArray[np.float32], axis: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Return int8 weights and the scale of each block (absolute maximum / 127).

    Args:
        weights: [a, b].
        axis: the one that is cut into blocks of 32; whole, where its length is no multiple.

    Returns:
        Weights and scales, [a, blocks, block] and [a, blocks, 1] where ``axis`` is 1,
        [blocks, block, b] and [blocks, 1, b] where it is 0.
    """
    length = weights.shape[axis]
    block = BLOCK if length % BLOCK == 0 else length
    shape = list(weights.shape)
    shape[axis : axis + 1] = [length // block, block]
    return rounded(weights.reshape(shape), over=axis + 1)


def _axes(model: ModelProto) -> dict[str, int]:
    """Return the axis along which each weight is summed; rows that are looked up stay whole."""
    axes = {}
    for node in model.graph.node:
        if node.op_type in PRODUCTS:
            axes[node.input[1]] = 1 if _transposed(node) else 0
        elif node.op_type == "Transpose":
            axes[node.input[0]] = 1
    axes.update({node.input[0]: 1 for node in model.graph.node if node.op_type == "Gather"})
    return axes


def _transposed(node: NodeProto) -> bool:
    return any(attribute.name == "transB" and attribute.i for attribute in node.attribute)


def _store(model: ModelProto, name: str, tensor: TensorProto, axis: int) -> None:
    users = [node for node in model.graph.node if name in node.input]
    lookups = [node for node in users if node.op_type == "Gather" and node.input[0] == name]
    steps, scale = rounded_blocks(values(tensor), axis)
    new: dict[str, npt.NDArray[Any]] = {
        f"{name}_int8": steps,
        f"{name}_scale": scale,
        f"{name}_shape": np.asarray(tensor.dims, np.int64),
    }
    if lookups:
        # The first two dimensions of what is looked up are those of the ids.
        new[f"{name}_rows_shape"] = np.asarray([0, 0, -1], np.int64)
    replace(model, tensor, new)
    for node in lookups:
        _look_up(model, node)
    if len(lookups) < len(users):
        for place, node in enumerate(_scaled(name, f"{name}_shape")):
            model.graph.node.insert(place, node)


def _look_up(model: ModelProto, node: NodeProto) -> None:
    """Put a look-up in int8 rows in the place of a look-up in an fp32 table."""
    from onnx import helper

    name, ids, out = node.input[0], node.input[1], node.output[0]
    gathers = [
        helper.make_node("Gather", [f"{name}_{part}", ids], [f"{out}_{part}"], f"{out}_{part}")
        for part in ("int8", "scale")
    ]
    insert(model, node, [*gathers, *_scaled(out, f"{name}_rows_shape")])


def _scaled(name: str, shape: str) -> list[NodeProto]:
    """Return the nodes that make ``name`` from its int8 blocks, their scales and its shape."""
    from onnx import TensorProto, helper

    return [
        helper.make_node(
            "Cast", [f"{name}_int8"], [f"{name}_float"], f"{name}_cast", to=TensorProto.FLOAT
        ),
        helper.make_node(
            "Mul", [f"{name}_float", f"{name}_scale"], [f"{name}_blocks"], f"{name}_scaled"
        ),
        helper.make_node("Reshape", [f"{name}_blocks", shape], [name], f"{name}_whole"),
    ]
