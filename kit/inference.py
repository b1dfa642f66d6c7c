"""Answers of an exported model, from its folder alone: onnxruntime, tokenizers and numpy.

This file imports nothing of kit and is copied as it is into a Space, so that the evaluation of
an export, ``kit predict`` and the demo give the same answer. From a shell::

    $ python inference.py FOLDER "A kind, funny film."
    [{"label": "positive", "probability": 0.98}, {"label": "negative", "probability": 0.02}]

Texts are answered one by one. Dynamic int8 quantization takes the range of an activation from
the whole batch, so a batched answer would depend on its neighbours.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

DEFAULT_FILE = "onnx/model_quantized.onnx"


class Classifier:
    """A sequence classifier: ``config.json``, ``tokenizer.json``, ``tokenizer_config.json``, ONNX.

    Args:
        folder: the exported model.
        file: the ONNX file to run, relative to ``folder``.
        threads: of onnxruntime; None leaves the choice to it.

    Raises:
        FileNotFoundError: a file of the export is missing.
    """

    def __init__(
        self, folder: str | Path, file: str = DEFAULT_FILE, threads: int | None = None
    ) -> None:
        folder = Path(folder)
        if not (folder / file).is_file():
            raise FileNotFoundError(f"no {file} in {folder}")
        config = json.loads((folder / "config.json").read_text("utf-8"))
        limits = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
        self.labels = [config["id2label"][str(i)] for i in range(len(config["id2label"]))]
        self.max_length = int(limits["model_max_length"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.max_length)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads:
            options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            str(folder / file), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [node.name for node in self._session.get_inputs()]

    def tokens(self, text: str) -> int:
        """Return how many tokens the model reads of a text, special ones included."""
        return len(self._tokenizer.encode(text).ids)

    def logits(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return the raw outputs, shape [texts, labels]."""
        rows = [self._run(text) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, len(self.labels)), np.float32)

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return the softmax of the outputs, shape [texts, labels]; each row sums to 1."""
        return softmax(self.logits(texts))

    def answer(self, text: str) -> list[dict[str, Any]]:
        """Return every label with its probability in [0, 1], the likeliest first."""
        row = self.probabilities([text])[0]
        order = np.argsort(-row, kind="stable")
        return [{"label": self.labels[i], "probability": float(row[i])} for i in order]

    def _run(self, text: str) -> npt.NDArray[np.float32]:
        encoded = self._tokenizer.encode(text)
        columns = {
            "input_ids": encoded.ids,
            "attention_mask": encoded.attention_mask,
            "token_type_ids": encoded.type_ids,
        }
        feed = {name: np.array([columns[name]], np.int64) for name in self._inputs}
        output: npt.NDArray[np.float32] = self._session.run(None, feed)[0][0]
        return output


def softmax(logits: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return probabilities along the last axis, computed in double precision."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    exponents = np.exp(shifted)
    return np.asarray(exponents / exponents.sum(axis=-1, keepdims=True))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit('usage: python inference.py FOLDER "text"')
    print(json.dumps(Classifier(sys.argv[1]).answer(sys.argv[2])))
