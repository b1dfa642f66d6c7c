"""The written stage: card, dataset card, post and figures of a classifier, from its records."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from kit.data.licenses import result_license
from kit.project import Project
from kit.recipe import Recipe
from kit.records import CheckpointRecord, DatasetRecord, EvaluationRecord, PagesRecord
from kit.rendering import Ledger, known
from kit.runs import Progress, Run
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
    "model-card.md": "text_classification/model-card.md.jinja",
    "dataset-card.md": "text_classification/dataset-card.md.jinja",
    "post.md": "text_classification/post.md.jinja",
    "results.md": "text_classification/results.md.jinja",
    "data.md": "text_classification/data.md.jinja",
    "reproduce.md": "reproduce.md.jinja",
}
PROSE = [
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
]
CARD = {
    "pipeline_tag": "text-classification",
    "metrics": {"accuracy": ("accuracy", "Accuracy"), "macro_f1": ("f1", "Macro-F1")},
}
TUTORIAL = Path(__file__).with_name("tutorial.py")
SNIPPET = """from transformers import pipeline

classify = pipeline("text-classification", "{repo}", max_length={length}, truncation=True)
print(classify("{text}"))"""


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
    pages |= tutorial_pages(TUTORIAL.read_text("utf-8"), ledger, values, {})
    return pages, ledger


def context(project: Project, recipe: Recipe, records: dict[str, Any]) -> dict[str, Any]:
    """Return what the templates see: records, words that follow from them, prose and figures."""
    evaluation, checkpoint = records["evaluation"], records["checkpoint"]
    drawn = [
        figures.comparison(evaluation),
        figures.slices(evaluation),
        figures.loss(checkpoint),
        figures.confusion(evaluation),
        figures.calibration(evaluation),
    ]
    sources = [source.license for source in records["dataset"].sources]
    terms = (
        result_license(checkpoint.base.license, sources),
        result_license(sources[0], sources[1:]),
    )
    shared = shared_context(project, recipe, records, terms, drawn)
    samples = [sample.text for sample in recipe.task.samples]
    return {
        **shared,
        "prose": read_prose(recipe, PROSE),
        "weakest": words.weakest_slices(evaluation, "kind"),
        "snippet": SNIPPET.format(
            repo=shared["repo_id"],
            length=checkpoint.settings["max_length"],
            text=_plain(samples[0] if samples else "Good."),
        ),
        "tutorial": tutorial_settings(project, recipe, checkpoint, samples=samples),
        **_headings(records, shared["strongest"]),
    }


def _headings(records: dict[str, Any], strongest: str) -> dict[str, Any]:
    """Return headings and captions that say the finding, each by a condition on a record."""
    evaluation: EvaluationRecord = records["evaluation"]
    checkpoint: CheckpointRecord = records["checkpoint"]
    verdict = words.against(evaluation, strongest)
    name = words.said(strongest)
    weakest = words.weakest_slices(evaluation, "kind")
    sure = [_spaced(kind) for kind in words.surely_weak(evaluation, weakest)]
    kinds = words.listed([_spaced(evaluation.slices[place].value) for place in weakest])
    dataset: DatasetRecord = records["dataset"]
    removed = any(dataset.removed.values()) or any(dataset.leaked_from_train.values())
    last = checkpoint.epochs[-1].step == checkpoint.best_step
    return {
        "headings": {
            "why": "Why tune a model for this at all",
            "data": f"The rows, and what was {'thrown away' if removed else 'looked for'}",
            "code": "The code that ran",
            "compare": _compare_heading(evaluation, strongest, verdict),
            "fails": words.fails_heading(sure),
            "browser": "The same answer in a browser tab",
            "cost": "What it cost",
            "next": "Five minutes more",
        },
        "caption_comparison": f"The tuned model {verdict} the strongest baseline, {name}.",
        "caption_slices": f"Weakest on {known(html.escape(kinds))}."
        if kinds
        else "Accuracy by slice.",
        "caption_loss": (
            "The last epoch was the best."
            if last
            else "Later epochs fitted the training rows only."
        ),
    }


def _compare_heading(evaluation: EvaluationRecord, strongest: str, verdict: str) -> str:
    """Say the verdict on the strongest baseline, and whether the tuning improved the base."""
    said = f"It {verdict} {words.said(strongest)}"
    if strongest == "base_centroid" or words.against(evaluation, "base_centroid") != "beats":
        return said
    if verdict == "beats":
        return f"{said}, and the tuning made the difference"
    return f"{said}, though the tuning improved the base"


def _spaced(value: str) -> str:
    return value.replace("_", " ")


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
