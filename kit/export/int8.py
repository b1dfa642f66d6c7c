"""An int8 ONNX file that keeps the model's answers: three kinds of weights, three ways to round.

    write_int8(folder / "onnx/model.onnx", folder / "onnx/model_quantized.onnx")

Plain dynamic quantization of a BERT-like encoder changes about one answer in fifty, and two places
make nearly all of the change. So:

- embedding tables get a scale for every row, not one for the table;
- the two matrices of each feed-forward block (the second one's input has outliers, the first one's
  errors reach it) are stored in int8, a scale for every column, and multiplied in fp32;
- every other matrix, square, is multiplied in int8, a scale for every column, its input rounded as
  it comes. These weights use seven bits: without VNNI, x86 kernels add two 8-bit products in 16
  bits and saturate, a browser's do not, and the two would disagree.

A text generator's file is written otherwise: ``kit.export.block_int8``.

A table that is both looked up and multiplied by (tied embeddings) is stored once.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from kit.export.graph import insert, matrices, replace, values

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

LARGEST = 127
SMALLEST_SCALE = np.float32(1e-12)


def write_int8(source: Path, target: Path) -> None:
    """Read an fp32 ONNX file and write its int8 counterpart as a single file."""
    import onnx

    model = onnx.load(source)
    # Shapes that the exporter inferred for weights go stale when the weights are transposed.
    del model.graph.value_info[:]
    _quantize(model, target, _store_embeddings(model) + _store_feed_forward(model))


def _quantize(model: ModelProto, target: Path, stored: list[str]) -> None:
    """Quantize what is not stored yet, and its inputs as they come, by onnxruntime's own tool."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    between = target.with_suffix(".partial.onnx")
    onnx.save(model, between)
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        quantize_dynamic(
            between,
            target,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            nodes_to_exclude=stored,
            # What a fused node gives has no type that onnx could infer.
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
    finally:
        root.setLevel(level)
        between.unlink()


def rounded(
    weights: npt.NDArray[np.float32], axis: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Return int8 weights and the scale of each slice along ``axis`` (absolute maximum / 127)."""
    others = tuple(i for i in range(weights.ndim) if i != axis)
    scale = np.maximum(np.abs(weights).max(axis=others) / LARGEST, SMALLEST_SCALE)
    shape = [-1 if i == axis else 1 for i in range(weights.ndim)]
    steps = np.rint(weights / scale.reshape(shape))
    return steps.astype(np.int8), scale.astype(np.float32)


def _store_embeddings(model: ModelProto) -> list[str]:
    """Replace look-ups in fp32 tables by look-ups in int8 rows times their scale."""
    tables = matrices(model)
    gathers = [node for node in model.graph.node if node.op_type == "Gather"]
    done: list[str] = []
    for name in dict.fromkeys(node.input[0] for node in gathers if node.input[0] in tables):
        lookups = [node for node in gathers if node.input[0] == name]
        users = [node for node in model.graph.node if name in node.input]
        rows, scale = rounded(values(tables[name]), axis=0)
        replace(model, tables[name], {f"{name}_int8": rows, f"{name}_scale": scale[:, None]})
        for node in lookups:
            done += _look_up(model, node)
        if len(lookups) < len(users):
            done += _restore(model, name)
    return done


def _look_up(model: ModelProto, node: NodeProto) -> list[str]:
    """Put a look-up in int8 rows in the place of a look-up in an fp32 table."""
    from onnx import TensorProto, helper

    name, ids, out = node.input[0], node.input[1], node.output[0]
    new = [
        helper.make_node("Gather", [f"{name}_int8", ids], [f"{out}_int8"], f"{node.name}_rows"),
        helper.make_node(
            "Cast", [f"{out}_int8"], [f"{out}_float"], f"{node.name}_cast", to=TensorProto.FLOAT
        ),
        helper.make_node("Gather", [f"{name}_scale", ids], [f"{out}_scale"], f"{node.name}_scales"),
        helper.make_node("Mul", [f"{out}_float", f"{out}_scale"], [out], f"{node.name}_scaled"),
    ]
    insert(model, node, new)
    return [item.name for item in new]


def _restore(model: ModelProto, name: str) -> list[str]:
    """Compute a stored matrix under its old name; the runtime does it once, when it loads."""
    from onnx import TensorProto, helper

    new = [
        helper.make_node(
            "Cast", [f"{name}_int8"], [f"{name}_float"], f"{name}_cast", to=TensorProto.FLOAT
        ),
        helper.make_node("Mul", [f"{name}_float", f"{name}_scale"], [name], f"{name}_scaled"),
    ]
    for place, item in enumerate(new):
        model.graph.node.insert(place, item)
    return [item.name for item in new]


def _store_feed_forward(model: ModelProto) -> list[str]:
    """Store the matrices that are not square in int8, and multiply by them in fp32."""
    from onnx import TensorProto, helper

    tables = matrices(model)
    done: list[str] = []
    for node in [n for n in model.graph.node if n.op_type == "MatMul" and n.input[1] in tables]:
        name = node.input[1]
        rows, columns = tables[name].dims
        if rows == columns:
            continue
        steps, scale = rounded(values(tables[name]), axis=1)
        replace(model, tables[name], {f"{name}_int8": steps, f"{name}_scale": scale})
        # The runtime folds the cast of a constant when it loads the file: multiplying costs no more
        # than in fp32. The scale of a column may as well come after the product.
        out, product = node.output[0], f"{node.output[0]}_product"
        new = [
            helper.make_node(
                "Cast",
                [f"{name}_int8"],
                [f"{name}_float"],
                f"{node.name}_cast",
                to=TensorProto.FLOAT,
            ),
            helper.make_node("MatMul", [node.input[0], f"{name}_float"], [product], node.name),
            helper.make_node("Mul", [product, f"{name}_scale"], [out], f"{node.name}_scaled"),
        ]
        insert(model, node, new)
        done += [item.name for item in new]
    return done
