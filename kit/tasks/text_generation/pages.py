"""The written stage: card, dataset card, post and figures of a generator, from its records."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import kit.prompts
from kit.data.licenses import result_license
from kit.project import Project
from kit.recipe import Recipe, TextGeneration
from kit.records import EvaluationRecord, PagesRecord
from kit.rendering import Ledger, known
from kit.runs import Progress, Run
from kit.tasks.text_generation import loading
from kit.writing import figures, words
from kit.writing.notebook import tutorial_pages, tutorial_settings
from kit.writing.pages import (
    Rendered,
    load_records,
    read_prose,
    render_templates,
    shared_context,
    write_rendered,
)

PAGES = {
    "model-card.md": "text_generation/model-card.md.jinja",
    "dataset-card.md": "text_generation/dataset-card.md.jinja",
    "post.md": "text_generation/post.md.jinja",
    "results.md": "text_generation/results.md.jinja",
    "data.md": "text_generation/data.md.jinja",
    "reproduce.md": "reproduce.md.jinja",
}
PROSE = (
    "card",
    "opening",
    "why",
    "data",
    "removed",
    "code",
    "compare",
    "fails",
    "browser",
    "cost",
    "next",
    "limits",
    "origin",
    "dataset",
)
CARD = {
    "pipeline_tag": "text-generation",
    "metrics": {
        "type_accuracy": ("accuracy", "Accuracy of the commit type"),
        "chrf": ("chrf", "chrF"),
        "bleu": ("bleu", "BLEU"),
    },
}
TUTORIAL = Path(__file__).with_name("tutorial.py")
SNIPPET = """import subprocess, sys
from huggingface_hub import snapshot_download

folder = snapshot_download("{repo}")
sys.path.insert(0, folder)
from inference import Generator  # onnxruntime and tokenizers, no torch

diff = subprocess.run(["git", "diff", "--staged"], capture_output=True, text=True).stdout
print(Generator(folder).alternatives(diff, n=3))"""
SHOWN_LINES = 16


def write_pages(run: Run, progress: Progress) -> PagesRecord:
    """Render ``pages/`` of the run from its records, its prose and its brief."""
    return write_rendered(run, render_pages, progress)


def render_pages(project: Project, recipe: Recipe, folder: Path) -> tuple[Rendered, Ledger]:
    """Return every page, figure and picture by path, and the ledger: a pure function of files.

    Args:
        project: owner and links.
        recipe: title, prose and brief.
        folder: holds the records, as a run does and as ``results/`` does.
    """
    ledger = Ledger(load_records(folder))
    values = context(project, recipe, dict(ledger.records))
    pages = render_templates(PAGES, ledger, values, CARD)
    pages |= tutorial_pages(TUTORIAL.read_text("utf-8"), ledger, values, {"prompts": _prompts()})
    return pages, ledger


def _prompt(recipe: Recipe) -> dict[str, Any]:
    """Return what a tutorial must know to ask as training did."""
    if not isinstance(recipe.task, TextGeneration):
        raise TypeError(f"expected a recipe of text_generation, got {recipe.task.kind}")
    return {
        "diff": loading.DIFF,
        "message": loading.MESSAGE,
        "instruction": loading.INSTRUCTION,
        "slack": loading.SLACK,
        "max_new_tokens": recipe.task.max_new_tokens,
    }


def _prompts() -> str:
    """Return the renderer of diffs as a cell; its ``__future__`` stands at the script's head."""
    text = Path(kit.prompts.__file__).read_text("utf-8")
    return text.replace("from __future__ import annotations\n\n", "", 1)


def context(project: Project, recipe: Recipe, records: dict[str, Any]) -> dict[str, Any]:
    """Return what the templates see: records, words that follow from them, prose and figures."""
    evaluation, dataset = records["evaluation"], records["dataset"]
    drawn = [
        figures.comparison(evaluation),
        figures.slices(evaluation),
        figures.loss(records["checkpoint"]),
        figures.confusion(evaluation),
    ]
    licenses = [source.license for source in dataset.sources]
    terms = (
        result_license(records["checkpoint"].base.license, licenses),
        result_license(licenses[0], licenses[1:]),
    )
    shared = shared_context(project, recipe, records, terms, drawn)
    shown = {name for row in dataset.examples for name in row.fields}
    return {
        **shared,
        "prose": read_prose(recipe, PROSE),
        "chrf_index": {
            name: words.comparison_index(evaluation, name, "chrf") for name in shared["opponents"]
        },
        # The examples need not have a body; the card names that column by itself.
        "columns": sorted(shown - {"message", "body"}),
        "weakest": words.weakest_slices(evaluation, "type"),
        "shown_rows": sorted(dataset.examples, key=lambda row: len(row.text))[:3],
        "diff_block": diff_block,
        "snippet": SNIPPET.format(repo=shared["repo_id"]),
        "tutorial": tutorial_settings(
            project,
            recipe,
            records["checkpoint"],
            prompt=_prompt(recipe),
        ),
        **_headings(evaluation, shared["strongest"], records["checkpoint"].objective),
    }


def diff_block(diff: str) -> str:
    """Return the beginning of a diff as fenced code that nothing in it can end."""
    lines = [line for line in diff.splitlines() if not line.startswith(("diff --git", "index "))]
    shown = lines[:SHOWN_LINES]
    left = len(lines) - len(shown)
    longest = max((len(run) for run in re.findall(r"`+", "\n".join(shown))), default=0)
    fence = "`" * max(3, longest + 1)
    more = [f" … {left} more lines"] if left else []
    return known("\n".join([f"{fence}diff", *shown, *more, fence]))


def _headings(evaluation: EvaluationRecord, strongest: str, objective: str) -> dict[str, Any]:
    """Return headings and captions that say the finding, each by a condition on a record."""
    verdict = words.against(evaluation, strongest)
    name = words.said(strongest)
    weakest = words.weakest_slices(evaluation, "type")
    sure = words.surely_weak(evaluation, weakest)
    kinds = words.listed([evaluation.slices[place].value for place in weakest])
    return {
        "headings": {
            "why": "Why a model this small",
            "data": "Pairs of diff and message",
            "code": "The code that ran",
            "compare": f"On the type it {verdict} {name}",
            "fails": words.fails_heading(sure),
            "browser": "The same tokens in a browser tab",
            "cost": "What it cost",
            "next": "Five minutes more",
        },
        "caption_comparison": f"The tuned model {verdict} the strongest baseline, {name}.",
        "caption_slices": f"Weakest on {kinds}." if kinds else "Right types by slice.",
        "caption_loss": "Loss on the tokens of the message only."
        if objective == "sft"
        else "Loss of the preferences (DPO), in nats.",
    }
