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
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from kit.export.graph import insert, matrices, replace, rounded, values

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto


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


def _store_embeddings(model: ModelProto) -> list[str]:
    """Replace look-ups in fp32 tables by look-ups in int8 rows times their scale."""
    tables = matrices(model)
    gathers = [node for node in model.graph.node if node.op_type == "Gather"]
    done: list[str] = []
    for name in dict.fromkeys(node.input[0] for node in gathers if node.input[0] in tables):
        rows, scale = rounded(values(tables[name]), over=1)
        replace(model, tables[name], {f"{name}_int8": rows, f"{name}_scale": scale})
        for node in gathers:
            if node.input[0] == name:
                done += _look_up(model, node)
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
        steps, scale = rounded(values(tables[name]), over=0)
        replace(model, tables[name], {f"{name}_int8": steps, f"{name}_scale": scale[0]})
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
