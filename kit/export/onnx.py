"""ONNX files of a model, fp32 and int8, single files that a browser loads too.

    write_onnx(model, inputs, folder)    # folder/model.onnx, folder/model_quantized.onnx

The exporter is that of transformers. int8 is dynamic, weights per channel in seven bits
(``reduce_range``): without VNNI, x86 kernels add two 8-bit products in 16 bits and saturate, while
a browser's do not. Seven bits cannot overflow, so every machine gives the same answer.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

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

    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    for name, quantizer in ((FP32, None), (INT8, _int8())):
        onnx_ir.save(_program(model, inputs, quantizer), folder / name)


def _program(model: Any, inputs: Mapping[str, Any], quantizer: Any) -> Any:
    from transformers.exporters import OnnxConfig, OnnxExporter

    config = OnnxConfig(dynamic=True, quantizer=quantizer)
    with _quiet():
        exported = OnnxExporter().export(model, dict(inputs), config)
    return exported.program


def _int8() -> Any:
    from onnxruntime.quantization import QuantType
    from transformers.exporters import OnnxRuntimeDynamicConfig, OnnxRuntimeQuantizer

    return OnnxRuntimeQuantizer(
        OnnxRuntimeDynamicConfig(weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
    )


@contextmanager
def _quiet() -> Iterator[None]:
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
