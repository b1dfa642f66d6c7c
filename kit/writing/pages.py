"""What the pages of every task share: records, prose, names, card heads, and how they are written.

A task brings its templates, its figures and the words that follow from its numbers::

    ledger = Ledger(load_records(folder))
    values = shared_context(project, recipe, ledger.records, (of_model, of_data), drawn)
    pages = render_templates(PAGES, ledger, values, pipeline_tag="text-classification")
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kit.brief import Brief, read_brief
from kit.errors import InputError
from kit.files import put_in_place, write_atomically
from kit.hub.remote import Repo
from kit.project import Project
from kit.recipe import HubModel, ModelSource, Preset, Recipe
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
from kit.writing import figures, metadata, social, words

RECORDS: dict[str, tuple[str, type[Record]]] = {
    "dataset": ("dataset.json", DatasetRecord),
    "checkpoint": ("checkpoint.json", CheckpointRecord),
    "evaluation": ("evaluation.json", EvaluationRecord),
    "export": ("export.json", ExportRecord),
}
METHODS = {
    "full": "Full",
    "lora": "LoRA",
    "dora": "DoRA",
    "ia3": "IA3",
    "prefix": "Prefix",
}
PERSONAL_DATA = {
    "email": "e-mail addresses",
    "iban": "IBANs",
    "card": "card numbers",
    "ip_address": "IP addresses",
    "phone": "telephone numbers",
}
ACTIONS = {"mask": "masked", "drop": "their rows removed", "keep": "kept"}
Rendered = dict[str, str | bytes]
"""Pages and figures by path: text, or the bytes of a picture."""
Renderer = Callable[[Project, Recipe, Path], tuple[Rendered, Ledger]]


def write_rendered(run: Run, render_pages: Renderer, progress: Progress) -> PagesRecord:
    """Write what a task renders of a run to ``pages/``, and return the record with its ledger."""
    progress("write", 0, None)
    rendered, ledger = render_pages(run.project, run.recipe, run.folder)
    texts = {name: made for name, made in rendered.items() if isinstance(made, str)}
    for line in social.warnings(texts, read_brief(run.recipe.folder / "brief.md")):
        print(f"kit: {line}", file=sys.stderr)  # noqa: T201

    def write(folder: Path) -> None:
        for name, made in rendered.items():
            write_atomically(folder / name, as_bytes(made))

    put_in_place(run.folder / "pages", write)
    return PagesRecord(files=file_entries(run.folder / "pages"), ledger=tuple(ledger.entries))


def as_bytes(made: str | bytes) -> bytes:
    """Return what is written of a page or a picture."""
    return made if isinstance(made, bytes) else made.encode()


def load_records(folder: Path) -> dict[str, Any]:
    """Return the records of a run's folder, or of ``results/``, by the names templates use."""
    return {name: kind.load(folder / file) for name, (file, kind) in RECORDS.items()}


def render_templates(
    pages: Mapping[str, str], ledger: Ledger, values: Mapping[str, Any], card: Mapping[str, Any]
) -> Rendered:
    """Return each page, figure and picture by path.

    Args:
        pages: page to template.
        ledger: receives every number.
        values: what the templates see.
        card: what the model card's data says of the task: pipeline_tag, metrics.
    """
    rendered: Rendered = {
        page: render(template, page, ledger, **values, **_head(page, values, card))
        for page, template in pages.items()
    }
    for figure in values["drawn"]:
        rendered[f"figures/{figure.name}.svg"] = figure.svg + "\n"
    return rendered | social.render_social(ledger, values)


def shared_context(
    project: Project,
    recipe: Recipe,
    records: Mapping[str, Any],
    licenses: tuple[str, str],
    drawn: Sequence[figures.Figure],
) -> dict[str, Any]:
    """Return what the templates of every task see; ``licenses`` are those of model and data."""
    license_model, license_dataset = licenses
    evaluation, dataset, checkpoint = (
        records["evaluation"],
        records["dataset"],
        records["checkpoint"],
    )
    opponents = list(dict.fromkeys(comparison.b for comparison in evaluation.comparisons))
    data_licenses = [source.license for source in dataset.sources]
    found = dataset.personal_data
    brief = read_brief(recipe.folder / "brief.md")
    repo_id, dataset_id = f"{project.owner}/{recipe.slug}", f"{project.owner}/{recipe.slug}-data"
    return {
        **records,
        "project": project,
        "recipe": recipe,
        "brief": brief,
        "labels": evaluation.labels,
        "drawn": drawn,
        "figures": {
            f.name: {"alt": escape_markdown(f.alt), "inline": known(figures.inline(f))}
            for f in drawn
        },
        "systems": sorted(
            evaluation.systems,
            key=lambda name: -evaluation.systems[name][evaluation.headline].value,
        ),
        "descriptions": evaluation.descriptions,
        "names": {name: figures.name_of(evaluation, name) for name in evaluation.systems},
        "opponents": opponents,
        "verdicts": {name: words.against(evaluation, name) for name in opponents},
        "index": {name: words.comparison_index(evaluation, name) for name in opponents},
        "strongest": words.strongest_baseline(evaluation),
        "slice_order": words.slices_in_order(evaluation),
        "personal_data": {k: PERSONAL_DATA.get(k, k.replace("_", " ")) for k in found},
        "personal_action": ACTIONS[dataset.personal_data_action],
        "removed": [reason for reason, count in dataset.removed.items() if count],
        "method": METHODS[checkpoint.method],
        "repo_id": repo_id,
        "dataset_id": dataset_id,
        "dataset_name": f"{recipe.name.replace('_', ' ').capitalize()} data",
        "dataset_url": Repo("dataset", dataset_id).url(),
        "options": run_options(recipe, checkpoint),
        "citation": citation(project, recipe, brief, Repo("model", repo_id).url()),
        "post_url": project.address(f"recipes/{recipe.name}/"),
        "license_model": license_model,
        "license_dataset": license_dataset,
        "license_data": ", ".join(sorted(set(data_licenses))),
        "license_sentence": (
            f"The weights are under `{license_model}`, which follows from the base model "
            f"(`{checkpoint.base.license}`) and the data (`{', '.join(data_licenses)}`)."
        ),
        "code_excerpt": excerpt((recipe.folder / "recipe.py").read_text("utf-8"), "presets"),
    }


def run_options(recipe: Recipe, checkpoint: CheckpointRecord) -> str:
    """Return what follows ``kit run NAME`` for a checkpoint's preset, base on the Hub and settings.

    >>> run_options(recipe, checkpoint)
    ' --preset full --set training.epochs=2'
    """
    bases = {name: _base_name(preset.base) for name, preset in recipe.presets.items()}
    same = [name for name, base in bases.items() if base == checkpoint.base.name]
    changed = {name: _changed(recipe.presets[name], checkpoint) for name in recipe.presets}
    near = min(
        same or [recipe.default_preset],
        key=lambda name: (len(changed[name]), name != recipe.default_preset),
    )
    options = [f"--preset {near}"] if near != recipe.default_preset else []
    if not same and checkpoint.base.kind == "hub":
        options.append(f"--base {checkpoint.base.name}")
    return "".join(f" {option}" for option in [*options, *changed[near]])


def _base_name(base: ModelSource) -> str:
    return base.repo_id if isinstance(base, HubModel) else base.name or Path(base.path).name


def _changed(preset: Preset, checkpoint: CheckpointRecord) -> list[str]:
    own = asdict(preset.training)
    return [
        f"--set training.{name}={value}"
        for name, value in checkpoint.settings.items()
        if own.get(name, value) != value
    ]


def citation(project: Project, recipe: Recipe, brief: Brief, url: str) -> str:
    """Return a BibTeX entry for the model's repo, in the words of the recipe and ``kit.toml``."""
    author = project.owner if project.author == Project.author else project.author
    title, author = (re.sub(r"[`{}\\\s]+", " ", text).strip() for text in (recipe.title, author))
    return (
        f"@misc{{{recipe.slug},\n  title  = {{{title}}},\n  author = {{{{{author}}}}},\n"
        f"  year   = {{{brief.date.year}}},\n  url    = {{{url}}}\n}}"
    )


def read_prose(recipe: Recipe, names: Iterable[str]) -> dict[str, str]:
    """Return the recipe's prose by file name.

    Raises:
        InputError: a section is missing.
    """
    found = {}
    for name in names:
        path = recipe.folder / "prose" / f"{name}.md"
        if not path.is_file():
            raise InputError(f"expected prose at {path}, found none; write that section")
        found[path.name] = path.read_text("utf-8")
    return found


def excerpt(source: str, marker: str) -> str:
    """Return the lines of a source between ``# -- marker`` and the next ``# --``, dedented.

    Raises:
        InputError: the source has no such marker.
    """
    found = re.search(rf"^ *# -- {marker}\n(.*?)^ *# --", source, re.DOTALL | re.MULTILINE)
    if not found:
        raise InputError(f"expected lines '# -- {marker}' and '# --' in recipe.py, found none")
    return textwrap.dedent(found[1]).strip()


def _head(page: str, values: Mapping[str, Any], card: Mapping[str, Any]) -> dict[str, str]:
    """Return what only a card needs: its YAML."""
    if page == "model-card.md":
        data = metadata.model_card_data(
            name=values["recipe"].slug,
            repo_id=values["repo_id"],
            dataset_id=values["dataset_id"],
            language=values["recipe"].language,
            license_id=values["license_model"],
            dataset=values["dataset"],
            checkpoint=values["checkpoint"],
            evaluation=values["evaluation"],
            **card,
        )
    elif page == "dataset-card.md":
        data = metadata.dataset_card_data(
            name=values["dataset_name"],
            language=values["recipe"].language,
            license_id=values["license_dataset"],
            task=card["pipeline_tag"],
            dataset=values["dataset"],
        )
    else:
        return {}
    return {"card_data": data}
