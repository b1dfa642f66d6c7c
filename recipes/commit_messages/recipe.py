"""Commit messages: the first line that belongs to a diff, by a 5.2 M model made from scratch.

    kit run commit_messages                       # the starter preset: embedded pairs, no network
    kit run commit_messages --repo ~/src/app      # your own history
    kit run commit_messages --preset full         # Qwen2.5-Coder 0.5B from the Hub, LoRA on NF4

One row: {"project": "harrow", "language": "python", "diff": "diff --git a/src/harrow/beds.py ...",
"message": "perf(beds): look up occupied cells in a set instead of a list", "body": ""}
"""

from __future__ import annotations

from pathlib import Path

from kit.recipe import (
    Cleaning,
    HubModel,
    LocalData,
    LocalModel,
    Preset,
    Recipe,
    Sample,
    TextGeneration,
    Training,
)

DIFFS = Path(__file__).parent / "samples"
SAMPLES = {
    "queue": "a clock that jumps",
    "seat-map": "a new ability, two files",
    "quick-start": "one digit in a README",
    "workflow": "a workflow",
    "track": "a faster loop",
    "money": "a file moved and renamed",
    "comments": "only a test",
    "dockerfile": "a comment that gives orders",
}

BASE = LocalModel("base", license="apache-2.0", name="diff-llama-5m")
PAIRS = LocalData(
    "data/commits.jsonl",
    license="cc0-1.0",
    text_column="diff",
    label_column="message",
    language_creators="machine-generated",
)
# Whole projects go to one split: commits of one project share files, names and habits.
SPLIT = Cleaning(group_by=("project", "repo"), test_share=0.18, validation_share=0.06, max_words=24)

RECIPE = Recipe(
    name="commit_messages",
    title="A tiny model learns a commit's type, and babbles the rest",
    slug="commit-messages-5m",
    language="en",
    emoji="📝",
    task=TextGeneration(
        slices=("language", "project"),
        samples=tuple(
            Sample((DIFFS / f"{name}.diff").read_text("utf-8"), note)
            for name, note in SAMPLES.items()
        ),
    ),
    presets={
        # -- presets
        "starter": Preset(
            data=PAIRS,
            base=BASE,
            cleaning=SPLIT,
            training=Training(epochs=2, batch_size=8, learning_rate=5e-4, max_length=288),
        ),
        # --
        "full": Preset(
            data=PAIRS,
            base=HubModel("Qwen/Qwen2.5-Coder-0.5B-Instruct", license="apache-2.0"),
            cleaning=SPLIT,
            training=Training(
                method="lora",
                quantization="nf4",
                epochs=3,
                batch_size=8,
                learning_rate=2e-4,
                max_length=1024,
                lora_rank=16,
            ),
        ),
    },
)
