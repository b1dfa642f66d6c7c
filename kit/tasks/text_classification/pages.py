"""The written stage: card, dataset card, post and figures of a classifier, from its records."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from kit.brief import read_brief
from kit.data.licenses import result_license
from kit.errors import InputError
from kit.files import put_in_place, write_atomically
from kit.project import Project
from kit.recipe import Recipe
from kit.records import (
    CheckpointRecord,
    DatasetRecord,
    EvaluationRecord,
    ExportRecord,
    PagesRecord,
    Record,
    file_entries,
)
from kit.rendering import Ledger, escape_markdown, known, render
from kit.runs import Progress, Run
from kit.writing import figures, metadata, words

PAGES = {
    "model-card.md": "model-card.md.jinja",
    "dataset-card.md": "dataset-card.md.jinja",
    "post.md": "post.md.jinja",
    "results.md": "results.md.jinja",
    "data.md": "data.md.jinja",
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
RECORDS: dict[str, tuple[str, type[Record]]] = {
    "dataset": ("dataset.json", DatasetRecord),
    "checkpoint": ("checkpoint.json", CheckpointRecord),
    "evaluation": ("evaluation.json", EvaluationRecord),
    "export": ("export.json", ExportRecord),
}
SNIPPET = """from transformers import pipeline

classify = pipeline("text-classification", "{repo}", max_length={length}, truncation=True)
print(classify("{text}"))"""


def write_pages(run: Run, progress: Progress) -> PagesRecord:
    """Render ``pages/`` of the run from its records, its prose and its brief."""
    progress("write", 0, None)
    rendered, ledger = render_pages(run.project, run.recipe, run.folder)

    def write(folder: Path) -> None:
        for name, text in rendered.items():
            write_atomically(folder / name, text.encode())

    put_in_place(run.folder / "pages", write)
    return PagesRecord(files=file_entries(run.folder / "pages"), ledger=tuple(ledger.entries))


def render_pages(project: Project, recipe: Recipe, folder: Path) -> tuple[dict[str, str], Ledger]:
    """Return every page and figure by path, and the ledger: a pure function of files.

    Args:
        project: owner and links.
        recipe: title, prose and brief.
        folder: holds the records, as a run does and as ``results/`` does.
    """
    records = {name: kind.load(folder / file) for name, (file, kind) in RECORDS.items()}
    ledger = Ledger(records)
    values = context(project, recipe, records)
    pages = {
        page: render(template, page, ledger, **values, **_head(page, values))
        for page, template in PAGES.items()
    }
    for figure in values["drawn"]:
        pages[f"figures/{figure.name}.svg"] = figure.svg + "\n"
    return pages, ledger


def context(project: Project, recipe: Recipe, records: dict[str, Any]) -> dict[str, Any]:
    """Return what the templates see: records, words that follow from them, prose and figures."""
    evaluation, dataset, checkpoint = (
        records["evaluation"],
        records["dataset"],
        records["checkpoint"],
    )
    drawn = [
        figures.comparison(evaluation),
        figures.slices(evaluation),
        figures.loss(checkpoint),
        figures.confusion(evaluation),
        figures.calibration(evaluation),
    ]
    opponents = [c.b for c in evaluation.comparisons]
    data_licenses = [source.license for source in dataset.sources]
    model_license = result_license(checkpoint.base.license, data_licenses)
    repo_id, dataset_id = f"{project.owner}/{recipe.slug}", f"{project.owner}/{recipe.slug}-data"
    strongest = words.strongest_baseline(evaluation)
    return {
        **records,
        "project": project,
        "recipe": recipe,
        "labels": evaluation.labels,
        "prose": _prose(recipe),
        "drawn": drawn,
        "figures": {
            f.name: {"alt": escape_markdown(f.alt), "inline": known(figures.inline(f))}
            for f in drawn
        },
        "systems": sorted(
            evaluation.systems, key=lambda n: -evaluation.systems[n]["accuracy"].value
        ),
        "descriptions": evaluation.descriptions,
        "names": {name: figures.NAMES.get(name, name) for name in evaluation.systems},
        "opponents": opponents,
        "verdicts": {name: words.against(evaluation, name) for name in opponents},
        "index": {name: words.comparison_index(evaluation, name) for name in opponents},
        "strongest": strongest,
        "weakest": words.weakest_slice(evaluation, "kind"),
        "removed": [reason for reason, count in dataset.removed.items() if count],
        "method": {"full": "Full", "lora": "LoRA", "dora": "DoRA"}[checkpoint.method],
        "repo_id": repo_id,
        "dataset_id": dataset_id,
        "dataset_name": f"{recipe.name.replace('_', ' ').capitalize()} data",
        "dataset_url": f"https://huggingface.co/datasets/{dataset_id}",
        "license_model": model_license,
        "license_data": ", ".join(sorted(set(data_licenses))),
        "license_sentence": (
            f"The weights are under `{model_license}`, which follows from the base model "
            f"(`{checkpoint.base.license}`) and the data (`{', '.join(data_licenses)}`)."
        ),
        "snippet": SNIPPET.format(
            repo=repo_id,
            length=checkpoint.settings["max_length"],
            text=_plain(recipe.task.samples[0].text if recipe.task.samples else "Good."),
        ),
        "code_excerpt": excerpt((recipe.folder / "recipe.py").read_text("utf-8"), "presets"),
        **_headings(records, strongest),
    }


def excerpt(source: str, marker: str) -> str:
    """Return the lines of a source between ``# -- marker`` and the next ``# --``, dedented.

    Raises:
        InputError: the source has no such marker.
    """
    import textwrap

    found = re.search(rf"^ *# -- {marker}\n(.*?)^ *# --", source, re.DOTALL | re.MULTILINE)
    if not found:
        raise InputError(f"expected lines '# -- {marker}' and '# --' in recipe.py, found none")
    return textwrap.dedent(found[1]).strip()


def _head(page: str, values: dict[str, Any]) -> dict[str, str]:
    if page == "model-card.md":
        data = metadata.model_card_data(
            name=values["recipe"].slug,
            repo_id=values["repo_id"],
            dataset_id=values["dataset_id"],
            language=values["recipe"].language,
            license_id=values["license_model"],
            pipeline_tag="text-classification",
            dataset=values["dataset"],
            checkpoint=values["checkpoint"],
            evaluation=values["evaluation"],
        )
    elif page == "dataset-card.md":
        data = metadata.dataset_card_data(
            name=values["dataset_name"],
            language=values["recipe"].language,
            license_id=values["dataset"].sources[0].license,
            task="text-classification",
            dataset=values["dataset"],
        )
    elif page != "post.md":
        return {}
    else:
        brief = read_brief(values["recipe"].folder / "brief.md")
        return {"headline": brief.title, "date": brief.date.isoformat()}
    return {"card_data": data}


def _prose(recipe: Recipe) -> dict[str, str]:
    found = {}
    for name in PROSE:
        path = recipe.folder / "prose" / f"{name}.md"
        if not path.is_file():
            raise InputError(f"expected prose at {path}, found none; write that section")
        found[path.name] = path.read_text("utf-8")
    return found


def _headings(records: dict[str, Any], strongest: str) -> dict[str, Any]:
    """Return headings and captions that say the finding, each by a condition on a record."""
    evaluation: EvaluationRecord = records["evaluation"]
    checkpoint: CheckpointRecord = records["checkpoint"]
    verdict = words.against(evaluation, strongest)
    name = figures.NAMES.get(strongest, strongest)
    weakest = words.weakest_slice(evaluation, "kind")
    kind = evaluation.slices[weakest].value.replace("_", " ") if weakest is not None else None
    last = checkpoint.epochs[-1].step == checkpoint.best_step
    return {
        "headings": {
            "why": "Why tune a model for this at all",
            "data": "The rows, and what was thrown away",
            "code": "The code that ran",
            "compare": _compare_heading(evaluation, verdict, name),
            "fails": f"Where it fails: {escape_markdown(kind)}" if kind else "Where it fails",
            "browser": "The same answer in a browser tab",
            "cost": "What it cost",
            "next": "Five minutes more",
        },
        "caption_comparison": f"The tuned model {verdict} the strongest baseline, {name}.",
        "caption_slices": f"Weakest on {known(html.escape(kind))}."
        if kind
        else "Accuracy by slice.",
        "caption_loss": (
            "The last epoch was the best."
            if last
            else "Later epochs fitted the training rows only."
        ),
    }


def _compare_heading(evaluation: EvaluationRecord, verdict: str, name: str) -> str:
    own = words.against(evaluation, "base_centroid") == "beats"
    tail = ", and it is not the base model's doing" if own else ""
    return f"It {verdict} {name}{tail}"


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
