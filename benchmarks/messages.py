"""Commit messages in Chromium: whether they are Python's token for token, and how fast they come.

For the first ``--n`` diffs of a JSONL file, greedily and unconstrained, the tokens that the page's
worker writes are compared with those of ``kit.inference`` on the same int8 file, one thread each;
then the worker writes a message and two alternatives for each diff, as a reader asks for them. From
the repository's root, after a run (``kit runs`` lists their folders)::

    .venv/bin/python -m benchmarks.messages runs/commit_messages/starter-<hash8>/export
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.chromium import chromium, served
from kit.browser.runtime import RUNTIME_VERSION, fetch
from kit.errors import InputError, KitError
from kit.export.onnx import INT8
from kit.files import sha256
from kit.inference import Generator

ROOT = Path(__file__).parents[1]
DIFFS = ROOT / "recipes" / "commit_messages" / "data" / "commits.jsonl"
ANSWERS = 3
ASK = """async ({ load, diffs, n, constrained }) => {
    const worker = new Worker("generator-worker.js", { type: "module" });
    const ask = (message, wanted) => new Promise((resolve, reject) => {
        const asked = performance.now();
        let first = null;
        worker.onerror = (event) => reject(new Error(event.message));
        worker.onmessage = ({ data }) => {
            if (data.type === "failed") reject(new Error(data.detail));
            if (data.type !== wanted) return;
            first ??= performance.now() - asked;
            if (data.done !== false) resolve({ ...data, first });
        };
        worker.postMessage(message);
    });
    const { first: ready } = await ask({ type: "load", ...load }, "ready");
    const answers = [];
    for (const [id, diff] of diffs.entries()) {
        answers.push(await ask({ type: "run", id, diff, n, constrained }, "answer"));
    }
    worker.terminate();
    return { ready, answers };
}"""


def main() -> None:
    """Measure and print the lines, or one JSON document."""
    options = _options()
    try:
        generator = Generator(options.folder, threads=1)
    except FileNotFoundError as error:
        raise InputError(f"expected an exported folder, got {options.folder}: {error}") from error
    diffs = read_diffs(options.diffs, options.n)
    runtime = fetch(ROOT / "build" / "runtime")
    with served("generator", options.folder, runtime) as url, chromium() as browser:
        page = browser.new_page()
        page.goto(url)
        paths = {"runtime": f"{url}runtime/", "model": f"{url}models/measured/"}
        load = {**paths, "version": RUNTIME_VERSION, "store": "messages"}
        asked = {"load": load, "diffs": diffs}
        used = page.evaluate(ASK, {**asked, "n": ANSWERS, "constrained": True})
        plain = page.evaluate(ASK, {**asked, "n": 1, "constrained": False})
    found = [answer["answers"][0]["ids"] for answer in plain["answers"]]
    document = {
        "int8_sha256": sha256(options.folder / INT8),
        "parity": parity(generator, diffs, found),
        "python": python_times(generator, diffs),
        "chromium": chromium_times(used, plain["answers"]),
    }
    print(json.dumps(document, indent=1) if options.json else table(document))


def read_diffs(path: Path, n: int) -> list[str]:
    """Return the first diffs of a JSONL file with a ``diff`` in each line.

    Raises:
        InputError: the file is not there or has none.
    """
    try:
        with path.open(encoding="utf-8") as file:
            found = [str(json.loads(line)["diff"]) for line in islice(file, n)]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"expected lines with a diff in {path}, got: {error!r}") from error
    if not found:
        raise InputError(f"expected at least one diff in {path}, got none")
    return found


def parity(
    generator: Generator, diffs: Sequence[str], found: Sequence[Sequence[int]]
) -> dict[str, int]:
    """Return how many diffs got the same tokens in both, and how many tokens there were."""
    wanted = [generator.greedy(diff) for diff in diffs]
    return {
        "diffs": len(diffs),
        "identical": sum(a == b for a, b in zip(wanted, found, strict=True)),
        "tokens": sum(map(len, wanted)),
    }


def python_times(generator: Generator, diffs: Sequence[str]) -> dict[str, float]:
    """Return the median milliseconds of a message alone, and with its alternatives."""
    return {
        f"ms_of_{n}": median(_milliseconds(generator, diff, n) for diff in diffs)
        for n in (1, ANSWERS)
    }


def _milliseconds(generator: Generator, diff: str, n: int) -> float:
    start = perf_counter()
    generator.alternatives(diff, n)
    return 1000 * (perf_counter() - start)


def chromium_times(used: dict[str, Any], plain: list[dict[str, Any]]) -> dict[str, float]:
    """Return milliseconds of answers as a reader gets them, and tokens per second of greedy ones.

    The first answer stands alone, the medians are those of the later half: a browser compiles
    WebAssembly once fast and, what is used often, once more well.
    """
    answers, half = used["answers"], len(plain) // 2
    return {
        "ready_ms": used["ready"],
        "first_message_after_load_ms": answers[0]["first"],
        "first_tokens_per_second": _rate(plain[0]),
        "ms_of_1": median(answer["first"] for answer in answers[half:]),
        f"ms_of_{ANSWERS}": median(answer["ms"] for answer in answers[half:]),
        "tokens_per_second": median(map(_rate, plain[half:])),
    }


def _rate(answer: dict[str, Any]) -> float:
    return 1000 * float(answer["tokens"]) / float(answer["writing"])


def table(document: dict[str, Any]) -> str:
    """Return the document as lines for a terminal."""
    same, python, browser = document["parity"], document["python"], document["chromium"]
    return "\n".join(
        [
            f"int8 file {document['int8_sha256'][:12]}, one thread each, medians",
            f"same tokens as Python: {same['identical']} of {same['diffs']} diffs "
            f"({same['tokens']} tokens)",
            f"Chromium, first message after load: {browser['first_message_after_load_ms']:.0f} ms "
            f"(ready {browser['ready_ms']:.0f} ms after it was asked for, from this machine)",
            f"Chromium: {browser['tokens_per_second']:.0f} tokens/s "
            f"({browser['first_tokens_per_second']:.0f} in the first answer)",
            f"a message: {browser['ms_of_1']:.0f} ms, Python {python['ms_of_1']:.0f} ms",
            f"with two alternatives: {browser[f'ms_of_{ANSWERS}']:.0f} ms, "
            f"Python {python[f'ms_of_{ANSWERS}']:.0f} ms",
        ]
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.messages", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="an exported folder of a generator")
    parser.add_argument("--diffs", type=Path, default=DIFFS, help="JSONL with a diff in each line")
    parser.add_argument("--n", type=int, default=50, help="how many of them (50)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except KitError as error:
        sys.exit(str(error))
