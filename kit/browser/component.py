"""The classifier that runs in a reader's browser: its packaged files and its ``demo.json``.

A page holds the component as three lines (the head of ``classifier.js`` shows them), with the
packaged files beside it, the runtime of ``kit.browser`` and the exported model in a folder whose
name changes with its bytes::

    page/  classifier.js  worker.js  classifier.css  demo.json  runtime/  models/<hash>/

    config = demo_config(
        title="Sentiment in your browser", labels=("negative", "positive"), max_length=128,
        samples=export.samples, model_path="models/3fa1c09b/", model_bytes=24_300_000,
    )
    write_atomically(page / "demo.json", json.dumps(config).encode())
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kit.browser.runtime import RUNTIME_BYTES, RUNTIME_VERSION
from kit.errors import InputError, did_you_mean
from kit.records import Answer

WEB = Path(__file__).with_name("web")
NAMES = ("classifier.css", "classifier.js", "worker.js")
# What the page asks for below model_path; model_bytes is their sum.
MODEL_FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "onnx/model_quantized.onnx",
)
# transformers.js reads a folder below localModelPath only under a name that could be a Hub repo's.
FOLDER_NAME = re.compile(r"\w(?!.*(--|\.\.))[\w\-.]{0,94}\w", re.ASCII)


def component_files() -> dict[str, Path]:
    """Return the script, the worker and the style: name beside the page -> packaged file."""
    return {name: WEB / name for name in NAMES}


def demo_config(
    *,
    title: str,
    labels: Sequence[str],
    max_length: int,
    samples: Sequence[Answer],
    model_path: str | None,
    model_bytes: int = 0,
    runtime_path: str = "runtime/",
    space_url: str | None = None,
    model_url: str | None = None,
    dataset_url: str | None = None,
    post_url: str | None = None,
    parity_url: str | None = None,
) -> dict[str, Any]:
    """Return the content of ``demo.json``. Paths in it are relative to that file.

    Args:
        title: names the demo to a screen reader.
        labels: of the model, in the order of its outputs; the bars keep that order.
        max_length: tokens that the model reads of a text.
        samples: recorded answers; the first one fills the page before anything loads.
        model_path: the exported model's folder, or None to show the samples alone.
        model_bytes: the size of ``MODEL_FILES`` together.
        runtime_path: the folder that ``kit.browser.fetch`` filled.
        space_url: where a reader goes whose browser cannot run the model.
        parity_url: where the browser's answers are compared with Python's.

    Raises:
        InputError: no samples, a sample with a label that the model has not, or a model folder
            whose name the browser's library would not read.
    """
    if not samples:
        raise InputError("expected at least one recorded sample for the demo, got none")
    for sample in samples:
        if sample.predicted not in labels:
            raise InputError(
                f"a recorded sample was answered '{sample.predicted}', which is no label of the "
                f"model; {did_you_mean(sample.predicted, labels)}"
            )
    return {
        "title": title,
        "model_path": model_path and _folder(model_path),
        "model_bytes": model_bytes,
        "runtime_path": runtime_path.rstrip("/") + "/",
        "runtime_bytes": RUNTIME_BYTES,
        "runtime_version": RUNTIME_VERSION,
        "labels": list(labels),
        "max_length": max_length,
        "samples": [
            {"text": s.text, "label": s.predicted, "probability": s.probability, "note": s.note}
            for s in samples
        ],
        "space_url": space_url,
        "model_url": model_url,
        "dataset_url": dataset_url,
        "post_url": post_url,
        "parity_url": parity_url,
    }


def _folder(path: str) -> str:
    name = path.rstrip("/").rpartition("/")[2]
    if not FOLDER_NAME.fullmatch(name):
        raise InputError(
            f"expected a model folder named with letters, digits, - _ and . (no -- or ..), "
            f"got '{path}'; name it by the hash of its files"
        )
    return path.rstrip("/") + "/"
