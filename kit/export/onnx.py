"""ONNX files of a model, fp32 and int8, single files that a browser loads too.

    write_onnx(model, inputs, folder)    # folder/model.onnx, folder/model_quantized.onnx

The exporter is that of transformers; ``kit.export.int8`` says how the int8 file is rounded.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from kit.export.int8 import write_int8

FP32 = "onnx/model.onnx"
INT8 = "onnx/model_quantized.onnx"


def write_onnx(model: Any, inputs: Mapping[str, Any], folder: Path) -> None:
    """Write ``onnx/model.onnx`` and ``onnx/model_quantized.onnx`` below ``folder``.

    Args:
        model: a torch model in evaluation mode, on the CPU.
        inputs: example tensors by input name, shape [batch, tokens]; both axes become dynamic.
        folder: the export's folder.
    """
    import onnx_ir
    from transformers.exporters import OnnxConfig, OnnxExporter

    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    # Attention as plain products: fused, it is traced with its shape arithmetic, which takes longer
    # to trace and to run, for the same answers.
    model.set_attn_implementation("eager")
    with quiet():
        exported = OnnxExporter().export(model, dict(inputs), OnnxConfig(dynamic=True))
    onnx_ir.save(exported.program, folder / FP32)
    write_int8(folder / FP32, folder / INT8)


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back the exporter's notes: experimental, and which versions its authors tested."""
    names = ("torch.onnx", "transformers", "onnxscript", "root", "onnx_ir")
    loggers = [logging.getLogger(None if name == "root" else name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
