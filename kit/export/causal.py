"""ONNX files of a causal language model with its key-value cache, fp32 and int8, single files.

    write_causal_onnx(model, folder)    # folder/onnx/model.onnx, folder/onnx/model_quantized.onnx

One graph reads a prompt (many tokens, an empty cache) and goes on from it (one token, the cache of
those before). It takes one sequence without padding:

| name | shape |
|---|---|
| ``input_ids`` | [1, tokens], int64 |
| ``past_key_values.N.key``, ``.value`` | [1, key-value heads, tokens before, width of a head] |
| ``logits`` | [1, 1, vocabulary]: what follows the last token |
| ``present.N.key``, ``.value`` | [1, key-value heads, tokens before + tokens, width of a head] |

Positions follow from the length of the cache, so there is no ``attention_mask`` and no
``position_ids``. @huggingface/transformers 4 makes the first, empty cache from these shapes: what
is a number stays one, what is a name becomes 0. ``kit.inference.Generator`` does the same.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.export.block_int8 import write_block_int8
from kit.export.onnx import FP32, INT8, quiet

if TYPE_CHECKING:
    from onnx_ir import Model, Value

_CACHE = re.compile(r"(input|output)\.past_key_values\.layers\.([0-9]+)\.(key|value)s")
_SIDES = {"input": "past_key_values", "output": "present"}


def write_causal_onnx(model: Any, folder: Path) -> None:
    """Write ``onnx/model.onnx`` and ``onnx/model_quantized.onnx`` below ``folder``.

    Args:
        model: a causal language model of transformers (Llama, Qwen2 and their like) in evaluation
            mode, float32, on the CPU.
        folder: the export's folder.

    Raises:
        ValueError: the weights are of another type than float32.
    """
    import onnx_ir
    from transformers.exporters import OnnxConfig, OnnxExporter

    if str(model.dtype) != "torch.float32":
        raise ValueError(f"expected a model in float32, given {model.dtype}: call model.float()")
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    inputs, shapes = _step(model)
    config = OnnxConfig(dynamic=True, dynamic_shapes=shapes, ort_fusions="cpu")
    with quiet():
        program = OnnxExporter().export(model, inputs, config).program
    _name_cache(program)
    _drop_notes(program)
    onnx_ir.save(program, folder / FP32)
    write_block_int8(folder / FP32, folder / INT8)


def _step(model: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return example inputs, three tokens after a cache of five, and which of their axes vary."""
    import torch

    ids = torch.arange(8)[None] % model.config.vocab_size
    with torch.no_grad():
        cache = model(input_ids=ids[:, :5], use_cache=True).past_key_values
    varies = torch.export.Dim.DYNAMIC
    inputs = {
        "input_ids": ids[:, 5:],
        "past_key_values": cache,
        "use_cache": True,
        "logits_to_keep": 1,
    }
    shapes = {
        "input_ids": {1: varies},
        "past_key_values": [{2: varies} for _ in range(2 * model.config.num_hidden_layers)],
        "logits_to_keep": None,
    }
    return inputs, shapes


def _name_cache(program: Model) -> None:
    """Give cache and axes the names that Transformers.js looks for."""
    for value in [*program.graph.inputs, *program.graph.outputs]:
        if found := _CACHE.fullmatch(value.name or ""):
            value.name = f"{_SIDES[found[1]]}.{found[2]}.{found[3]}"
            past = found[1] == "input"
            _name_axis(value, 2, "past_sequence_length" if past else "total_sequence_length")
        elif value.name == "input_ids":
            _name_axis(value, 1, "sequence_length")


def _name_axis(value: Value, axis: int, name: str) -> None:
    import onnx_ir

    dims = list(value.shape or ())
    value.shape = onnx_ir.Shape([*dims[:axis], name, *dims[axis + 1 :]])


def _drop_notes(program: Model) -> None:
    """Drop what the exporter notes at each node, such as lines of its own source."""
    for node in program.graph:
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()
