"""The demos that run in a reader's browser: their packaged files and their ``demo.json``.

There are two: ``classifier`` answers a text with a label, ``generator`` a diff with a commit's
message. A page holds one as three lines (the heads of ``classifier.js`` and ``generator.js`` show
them), with the packaged files beside it, the runtime of ``kit.browser`` and the exported model in
a folder whose name changes with its bytes::

    page/  generator.js  generator.css  ...  demo.json  runtime/  models/<hash>/

    for name, path in component_files("generator").items():
        copy_file(path, page / name)
    config = generator_config(
        title="A commit message in your browser", samples=export.samples,
        model_path="models/3fa1c09b/", model_bytes=7_900_000,
    )
    write_atomically(page / "demo.json", json.dumps(config).encode())
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Required, TypedDict, Unpack

from kit.browser.runtime import RUNTIME_BYTES, RUNTIME_VERSION
from kit.errors import InputError, did_you_mean
from kit.records import Answer

WEB = Path(__file__).with_name("web")
SHARED = ("demo.css", "loading.js", "page.js", "sharing.js")
FILES = {
    "classifier": ("classifier.css", "classifier.js", "worker.js", *SHARED),
    "generator": (
        "generator.css",
        "generator.js",
        "generator-worker.js",
        "prompts.js",
        "subjects.js",
        "writer.js",
        *SHARED,
    ),
}
# What the page asks for below model_path; model_bytes is their sum.
MODEL_FILES = {
    "classifier": (
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "onnx/model_quantized.onnx",
    ),
    "generator": (
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "generation.json",
        "onnx/model_quantized.onnx",
    ),
}
# transformers.js reads a folder below localModelPath only under a name that could be a Hub repo's.
FOLDER_NAME = re.compile(r"\w(?!.*(--|\.\.))[\w\-.]{0,94}\w", re.ASCII)


class Page(TypedDict, total=False):
    """What a demo is told about its page. Paths are relative to ``demo.json``.

    ``title`` names the demo to a screen reader. ``model_path`` is the exported model's folder, or
    None to show the samples alone, and ``model_bytes`` the size of ``MODEL_FILES`` together.
    ``runtime_path`` is the folder that ``kit.browser.runtime.fetch`` filled. ``space_url`` is where
    a reader goes whose browser cannot run the model, ``parity_url`` where the browser's answers are
    compared with Python's.
    """

    title: Required[str]
    model_path: Required[str | None]
    model_bytes: int
    runtime_path: str
    space_url: str | None
    model_url: str | None
    dataset_url: str | None
    post_url: str | None
    parity_url: str | None


def component_files(name: str) -> dict[str, Path]:
    """Return a component's files: name beside the page -> packaged file."""
    return {file: WEB / file for file in FILES[name]}


def demo_config(
    *, labels: Sequence[str], max_length: int, samples: Sequence[Answer], **page: Unpack[Page]
) -> dict[str, Any]:
    """Return the content of a classifier's ``demo.json``.

    Args:
        labels: of the model, in the order of its outputs; the bars keep that order.
        max_length: tokens that the model reads of a text.
        samples: recorded answers; the first one fills the page before anything loads.
        page: as ``Page`` says.

    Raises:
        InputError: no samples, a sample with a label that the model has not, or a model folder
            whose name the browser's library would not read.
    """
    for sample in samples:
        if sample.predicted not in labels:
            raise InputError(
                f"a recorded sample was answered '{sample.predicted}', which is no label of the "
                f"model; {did_you_mean(sample.predicted, labels)}"
            )
    answers = [
        {"text": s.text, "label": s.predicted, "probability": s.probability, "note": s.note}
        for s in samples
    ]
    return {**_config(page, answers), "labels": list(labels), "max_length": max_length}


def generator_config(*, samples: Sequence[Answer], **page: Unpack[Page]) -> dict[str, Any]:
    """Return the content of a generator's ``demo.json``.

    Args:
        samples: recorded answers, diffs with the messages written for them; the first one fills
            the page before anything loads.
        page: as ``Page`` says.

    Raises:
        InputError: no samples, a sample without a message, or a model folder whose name the
            browser's library would not read.
    """
    for sample in samples:
        if not sample.predicted.strip():
            raise InputError(
                f"expected a message with every recorded sample, got none with '{sample.id}'; "
                "export the model again"
            )
    answers = [{"text": s.text, "message": s.predicted, "note": s.note} for s in samples]
    return _config(page, answers)


def _config(page: Page, samples: list[dict[str, Any]]) -> dict[str, Any]:
    if not samples:
        raise InputError("expected at least one recorded sample for the demo, got none")
    path = page["model_path"]
    return {
        "title": page["title"],
        "model_path": path and _folder(path),
        "model_bytes": page.get("model_bytes", 0),
        "runtime_path": page.get("runtime_path", "runtime/").rstrip("/") + "/",
        "runtime_bytes": RUNTIME_BYTES,
        "runtime_version": RUNTIME_VERSION,
        "samples": samples,
        "space_url": page.get("space_url"),
        "model_url": page.get("model_url"),
        "dataset_url": page.get("dataset_url"),
        "post_url": page.get("post_url"),
        "parity_url": page.get("parity_url"),
    }


def _folder(path: str) -> str:
    name = path.rstrip("/").rpartition("/")[2]
    if not FOLDER_NAME.fullmatch(name):
        raise InputError(
            f"expected a model folder named with letters, digits, - _ and . (no -- or ..), "
            f"got '{path}'; name it by the hash of its files"
        )
    return path.rstrip("/") + "/"
