"""How long one answer takes: an exported folder in Python and in Chromium, on one thread each.

The median over ``--repeat`` answers at 32 and at 128 tokens, tokenizing included: fp32 and int8
by ``kit.inference``, and the same int8 file by the component's own worker in a page served on
127.0.0.1. From the repository's root, after a run (``kit runs`` lists their folders)::

    .venv/bin/python -m benchmarks.latency runs/sentiment/starter-<hash8>/export
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.chromium import chromium, served
from kit.browser.runtime import RUNTIME_VERSION, fetch
from kit.errors import InputError, KitError
from kit.export.onnx import FP32, INT8
from kit.files import sha256
from kit.inference import Classifier

ROOT = Path(__file__).parents[1]
LENGTHS = (32, 128)
THREADS = 1
# In turns, so that a machine that slows down does so for all alike; in a row within a turn,
# because a process that was away finds its caches cold.
TURNS = 5
WARMUP = 3
SENTENCE = "the film was slow but kind and the cast is very good it made a long evening short"
LOAD = """async (message) => {
    const worker = new Worker("worker.js", { type: "module" });
    window.ask = (message, wanted) => new Promise((resolve, reject) => {
        worker.onerror = (event) => reject(new Error(event.message));
        worker.onmessage = ({ data }) => {
            if (data.type === "failed") reject(new Error(data.detail));
            if (data.type === wanted) resolve(data);
        };
        worker.postMessage(message);
    });
    await window.ask({ type: "load", ...message }, "ready");
}"""
RUN = """async ({ text, runs }) => {
    const answers = [];
    for (let id = 0; id < runs; id++) {
        answers.push(await window.ask({ type: "run", id, text }, "answer"));
    }
    return answers;
}"""

# (text, runs) -> milliseconds of each run
System = Callable[[str, int], list[float]]


def main() -> None:
    """Measure every system and print the table, or one JSON document."""
    options = _options()
    folder = options.folder
    try:
        systems: dict[str, System] = {
            name: partial(answered, Classifier(folder, file, threads=THREADS))
            for name, file in (("python_fp32", FP32), ("python_int8", INT8))
        }
        sizer = Classifier(folder, threads=THREADS)
    except FileNotFoundError as error:
        raise InputError(f"expected an exported folder, got {folder}: {error}") from error
    texts = {tokens: text_of(sizer, tokens) for tokens in options.tokens}
    with ExitStack() as stack:
        if not options.no_browser:
            systems["chromium_int8"] = stack.enter_context(in_chromium(folder, sizer))
        found = {tokens: medians(systems, text, options.repeat) for tokens, text in texts.items()}
    document = summary(found, options.repeat, sha256(folder / INT8))
    print(json.dumps(document, indent=1) if options.json else table(document))


def text_of(classifier: Classifier, tokens: int) -> str:
    """Return a text that the model reads as so many tokens, special ones included.

    Raises:
        InputError: the model reads fewer, or has none of the words as one token.
    """
    if not 3 <= tokens <= classifier.max_length:
        raise InputError(f"expected --tokens from 3 to {classifier.max_length}, got {tokens}")
    special = classifier.tokens("")
    whole = [word for word in SENTENCE.split() if classifier.tokens(word) == special + 1]
    text = " ".join(islice(cycle(whole), tokens - special))
    if classifier.tokens(text) != tokens:
        raise InputError(
            f"expected a vocabulary of English words to write a text of {tokens} tokens; "
            "give the export of an English model"
        )
    return text


def medians(systems: Mapping[str, System], text: str, repeat: int) -> dict[str, float]:
    """Return the median milliseconds of one answer by system."""
    times: dict[str, list[float]] = {name: [] for name in systems}
    for _ in range(TURNS):
        for name, answers in systems.items():
            times[name] += answers(text, WARMUP + max(1, repeat // TURNS))[WARMUP:]
    return {name: median(values) for name, values in times.items()}


def answered(classifier: Classifier, text: str, runs: int) -> list[float]:
    """Return the milliseconds of each run in Python, from the text to probabilities."""
    times = []
    for _ in range(runs):
        start = perf_counter()
        classifier.probabilities([text])
        times.append(1000 * (perf_counter() - start))
    return times


@contextmanager
def in_chromium(folder: Path, classifier: Classifier) -> Iterator[System]:
    """Load the folder's int8 file in a page's worker; the worker itself takes the time."""
    runtime = fetch(ROOT / "build" / "runtime")
    with served("classifier", folder, runtime) as url, chromium() as browser:
        page = browser.new_page()
        page.goto(url)
        paths = {"runtime": f"{url}runtime/", "model": f"{url}models/measured/"}
        page.evaluate(LOAD, {**paths, "version": RUNTIME_VERSION, "store": "latency"})

        def answers(text: str, runs: int) -> list[float]:
            said = page.evaluate(RUN, {"text": text, "runs": runs})
            here, there = classifier.tokens(text), said[0]["tokens"]
            if here != there:
                raise InputError(f"expected {here} tokens as in Python, Chromium read {there}")
            return [float(answer["ms"]) for answer in said]

        yield answers


def summary(found: Mapping[int, dict[str, float]], repeat: int, digest: str) -> dict[str, Any]:
    """Return the medians in milliseconds with their ratios; below 1 the first one is faster."""
    lengths = {}
    for tokens, times in found.items():
        ratios = {"int8_to_fp32": times["python_int8"] / times["python_fp32"]}
        if "chromium_int8" in times:
            ratios["chromium_to_python"] = times["chromium_int8"] / times["python_int8"]
        lengths[tokens] = {"milliseconds": times, "ratios": ratios}
    return {"threads": THREADS, "repeat": repeat, "int8_sha256": digest, "tokens": lengths}


def table(document: dict[str, Any]) -> str:
    """Return the document as lines for a terminal."""
    lines = [
        f"median ms of an answer over {document['repeat']}, {document['threads']} thread, "
        f"int8 file {document['int8_sha256'][:12]}",
        f"{'tokens':>6} {'Python fp32':>12} {'Python int8':>12} {'Chromium int8':>14} "
        f"{'int8/fp32':>10} {'Chromium/Python':>16}",
    ]
    for tokens, one in document["tokens"].items():
        times, ratios = one["milliseconds"], one["ratios"]
        lines.append(
            f"{tokens:6} {times['python_fp32']:12.2f} {times['python_int8']:12.2f} "
            f"{_shown(times.get('chromium_int8')):>14} {ratios['int8_to_fp32']:10.2f} "
            f"{_shown(ratios.get('chromium_to_python')):>16}"
        )
    return "\n".join(lines)


def _shown(value: float | None) -> str:
    return "not run" if value is None else f"{value:.2f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.latency", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="an exported folder, with fp32 and int8 files")
    parser.add_argument("--tokens", type=int, nargs="+", default=LENGTHS, metavar="N")
    parser.add_argument("--repeat", type=int, default=100, help="answers of each kind (100)")
    parser.add_argument("--no-browser", action="store_true", help="measure in Python only")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except KitError as error:
        sys.exit(str(error))
