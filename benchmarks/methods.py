"""The ways to fine-tune, side by side: what each reaches, and what it takes.

Each is a run of the recipe in a process of its own, from the same base on the same rows, evaluated
on the same test rows; a finished run is not made again. From the repository's root::

    .venv/bin/python -m benchmarks.methods commit_messages

Learning rates differ because the methods do: an adapter of a few thousand numbers learns at a rate
at which a whole model would fall apart. They were not searched for.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

METHODS: dict[str, dict[str, str]] = {
    "full": {},
    "lora": {"method": "lora", "learning_rate": "2e-3", "lora_rank": "16"},
    "dora": {"method": "dora", "learning_rate": "2e-3", "lora_rank": "16"},
    "ia3": {"method": "ia3", "learning_rate": "1e-2"},
    "prefix": {"method": "prefix", "learning_rate": "1e-2"},
    "lora on nf4": {"method": "qlora", "learning_rate": "2e-3", "lora_rank": "16"},
}
SHOWN = ("accuracy", "type_accuracy", "format_validity", "chrf", "bleu")


def evaluated(recipe: str, changes: dict[str, str], more: list[str]) -> dict[str, Any]:
    """Run the recipe up to its evaluation and return what ``--json`` prints."""
    words = [f"--set=training.{name}={value}" for name, value in changes.items()]
    command = [sys.executable, "-m", "kit", "run", recipe, "--to", "evaluate", "--json"]
    done = subprocess.run([*command, *words, *more], stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def lines(found: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield the table in Markdown."""
    tuned = next(iter(found.values()))["evaluate"]["systems"]["tuned"]
    metrics = [name for name in SHOWN if name in tuned]
    yield f"| method | {' | '.join(metrics)} | trained | seconds | peak memory |"
    yield f"|---|{'---:|' * (len(metrics) + 3)}"
    for name, document in found.items():
        systems, record = document["evaluate"]["systems"], document["train"]
        scores = " | ".join(f"{systems['tuned'][metric]['value']:.3f}" for metric in metrics)
        share = 100 * record["trainable_parameters"] / record["parameters"]
        memory = record["peak_memory_bytes"] / 1e9
        yield f"| {name} | {scores} | {share:.2f} % | {record['seconds']:.0f} | {memory:.1f} GB |"


def main() -> None:
    """Run the methods that are named, all by default, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipe")
    parser.add_argument("--only", choices=METHODS, action="append")
    parser.add_argument("--set", action="append", default=[], help="as of `kit run`, for all")
    asked = parser.parse_args()
    more = [f"--set={change}" for change in asked.set]
    found = {name: evaluated(asked.recipe, METHODS[name], more) for name in asked.only or METHODS}
    print("\n".join(lines(found)))


if __name__ == "__main__":
    main()
