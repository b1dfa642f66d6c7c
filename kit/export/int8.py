"""An int8 ONNX file that keeps the model's answers: three kinds of weights, three ways to round.

    write_int8(folder / "onnx/model.onnx", folder / "onnx/model_quantized.onnx")

Plain dynamic quantization of a BERT-like encoder changes about one answer in fifty, and two places
make nearly all of the change. So:

- embedding tables get a scale for every row, not one for the table;
- the second matrix of each feed-forward block, whose input has outliers, is stored in int8 with a
  scale for every column and multiplied in fp32;
- every other matrix is multiplied in int8, a scale for every column, its input rounded as it comes.
  These weights use seven bits: without VNNI, x86 kernels add two 8-bit products in 16 bits and
  saturate, a browser's do not, and the two would disagree.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

LARGEST = 127
SMALLEST_SCALE = np.float32(1e-12)


def write_int8(source: Path, target: Path) -> None:
    """Read an fp32 ONNX file and write its int8 counterpart as a single file."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(source)
    # Shapes that the exporter inferred for weights go stale when the weights are transposed.
    del model.graph.value_info[:]
    stored = _store_embeddings(model) + _store_wide_inputs(model)
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
    from onnx import TensorProto, helper

    tables = _matrices(model)
    done: list[str] = []
    for node in [n for n in model.graph.node if n.op_type == "Gather" and n.input[0] in tables]:
        name, ids, out = node.input[0], node.input[1], node.output[0]
        rows, scale = rounded(_values(tables[name]), axis=0)
        _replace(model, tables[name], {f"{name}_int8": rows, f"{name}_scale": scale[:, None]})
        new = [
            helper.make_node("Gather", [f"{name}_int8", ids], [f"{out}_int8"], f"{node.name}_rows"),
            helper.make_node(
                "Cast", [f"{out}_int8"], [f"{out}_float"], f"{node.name}_cast", to=TensorProto.FLOAT
            ),
            helper.make_node(
                "Gather", [f"{name}_scale", ids], [f"{out}_scale"], f"{node.name}_scales"
            ),
            helper.make_node("Mul", [f"{out}_float", f"{out}_scale"], [out], f"{node.name}_scaled"),
        ]
        _insert(model, node, new)
        done += [item.name for item in new]
    return done


def _store_wide_inputs(model: ModelProto) -> list[str]:
    """Store the matrices with more rows than columns in int8, and multiply by them in fp32."""
    from onnx import TensorProto, helper

    tables = _matrices(model)
    done: list[str] = []
    for node in [n for n in model.graph.node if n.op_type == "MatMul" and n.input[1] in tables]:
        name = node.input[1]
        rows, columns = tables[name].dims
        if rows <= columns:
            continue
        steps, scale = rounded(_values(tables[name]), axis=1)
        _replace(model, tables[name], {f"{name}_int8": steps, f"{name}_scale": scale})
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
        _insert(model, node, new)
        done += [item.name for item in new]
    return done


def _matrices(model: ModelProto) -> dict[str, TensorProto]:
    return {
        tensor.name: tensor
        for tensor in model.graph.initializer
        if len(tensor.dims) == 2 and tensor.data_type == tensor.FLOAT
    }


def _values(tensor: TensorProto) -> npt.NDArray[np.float32]:
    from onnx import numpy_helper

    return np.asarray(numpy_helper.to_array(tensor), np.float32)


def _replace(model: ModelProto, old: TensorProto, new: dict[str, npt.NDArray[Any]]) -> None:
    from onnx import numpy_helper

    model.graph.initializer.remove(old)
    for name, values in new.items():
        model.graph.initializer.append(numpy_helper.from_array(values, name))


def _insert(model: ModelProto, at: NodeProto, nodes: list[NodeProto]) -> None:
    """Put nodes in the place of one."""
    place = list(model.graph.node).index(at)
    model.graph.node.remove(at)
    for offset, node in enumerate(nodes):
        model.graph.node.insert(place + offset, node)
