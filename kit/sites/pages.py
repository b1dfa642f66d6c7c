"""The pages of one recipe: what its run rendered, with the component where the post says try-it."""

from __future__ import annotations

import html
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from kit.brief import read_brief
from kit.browser.component import MODEL_FILES, Page, demo_config, generator_config
from kit.files import copy_file, sha256, write_atomically
from kit.project import Project
from kit.recipe import Recipe
from kit.records import Answer, CheckpointRecord, EvaluationRecord, ExportRecord
from kit.runs import finished, open_run

FILES = ("notebook.ipynb", "tutorial.py")
PAGES = {"post.md": "index.md", "results.md": "", "data.md": "", "reproduce.md": ""}
ASSETS = "../../assets"


@dataclass(frozen=True)
class RecipePages:
    """What the home page says of a recipe."""

    name: str
    title: str
    summary: str
    accuracy: str
    size: str
    has_model: bool


def recipe_pages(project: Project, recipe: Recipe, docs: Path) -> RecipePages | None:
    """Write ``docs/recipes/<name>/``; return None where the recipe has neither run nor results."""
    source = _source(project, recipe)
    if source is None:
        return None
    target = docs / "recipes" / recipe.name
    export = ExportRecord.load(source / "export.json")
    evaluation = EvaluationRecord.load(source / "evaluation.json")
    model = _model_folder(project, recipe, export)
    brief = read_brief(recipe.folder / "brief.md")
    for page, name in PAGES.items():
        text = (source / "pages" / page).read_text("utf-8")
        text = text.replace(
            "<!-- try-it -->", try_it(recipe.task.component, export.samples, model is not None)
        )
        head = _front_matter(brief.title, brief.summary, page)
        write_atomically(target / (name or page), (head + text).encode())
    for file in FILES:
        if (source / "pages" / file).is_file():
            copy_file(source / "pages" / file, target / file)
    if (source / "pages" / "figures").is_dir():
        shutil.copytree(source / "pages" / "figures", target / "figures", dirs_exist_ok=True)
    _demo(project, recipe, source, export, model, docs, target)
    tuned = evaluation.systems["tuned"][evaluation.headline]
    return RecipePages(
        name=recipe.name,
        title=recipe.title,
        summary=brief.summary,
        accuracy=f"{100 * tuned.value:.1f} % of {tuned.n:,} test rows "
        f"({100 * tuned.low:.1f} to {100 * tuned.high:.1f})",
        size=f"{export.parity['int8'].bytes / 1e6:.0f} MB",
        has_model=model is not None,
    )


def try_it(component: str, samples: tuple[Answer, ...], has_model: bool) -> str:
    """Return the component's HTML, with recorded answers for a reader without JavaScript."""
    recorded = "".join(_recorded(sample) for sample in samples)
    note = "" if has_model else "<p>The model file is not part of this build of the site.</p>"
    return (
        f'<link rel="stylesheet" href="{ASSETS}/kit/{component}.css">\n'
        f'<div class="kit-{component}" id="try-it" data-config="demo.json">\n'
        "<noscript><p>Without JavaScript the model cannot run here. Recorded when it was "
        f"evaluated:</p><ul>{recorded}</ul></noscript>\n</div>\n{note}\n"
        f'<script type="module" src="{ASSETS}/kit/{component}.js"></script>'
    )


def _recorded(sample: Answer) -> str:
    """Return a recorded answer as a list item: a text with its label, or a diff's message."""
    said = html.escape(sample.predicted)
    if sample.probability is None:
        return f"<li>{html.escape(sample.note)}: <code>{said}</code></li>"
    return f"<li>“{html.escape(sample.text)}”: {said}, {100 * sample.probability:.1f} %</li>"


def home_cards(found: list[RecipePages]) -> str:
    """Return the recipes as cards, in HTML."""
    if not found:
        return "*No recipe has results yet. `kit run NAME`, then `kit accept NAME`.*"
    cards = "\n".join(
        f'<div class="kit-card" markdown="0">\n'
        f'<h3><a href="recipes/{made.name}/">{html.escape(made.title)}</a></h3>\n'
        f"<p>{html.escape(made.summary)}</p>\n"
        f"<p><strong>{made.accuracy}</strong></p>\n"
        f'<p><a href="recipes/{made.name}/#try-it">Run it here ({made.size})</a></p>\n</div>'
        for made in found
    )
    return f'<div class="kit-cards" markdown="0">\n{cards}\n</div>'


def _source(project: Project, recipe: Recipe) -> Path | None:
    """Return the folder of records to show: the present settings' run, else the results."""
    for candidate in (
        open_run(project, recipe, None, recipe.preset(None)).folder,
        recipe.folder / "results",
    ):
        if (candidate / "pages.json").is_file() and (candidate / "pages" / "post.md").is_file():
            return candidate
    return None


def _model_folder(project: Project, recipe: Recipe, export: ExportRecord) -> Path | None:
    """Return an export on this machine whose files are the recorded ones, byte for byte."""
    wanted = {
        file.path: file.sha256
        for file in export.files
        if file.path in MODEL_FILES[recipe.task.component]
    }
    for folder in finished(project, recipe.name, "export.json"):
        files = {name: folder / "export" / name for name in wanted}
        if all(p.is_file() and sha256(p) == wanted[name] for name, p in files.items()):
            return folder / "export"
    return None


def _demo(
    project: Project,
    recipe: Recipe,
    source: Path,
    export: ExportRecord,
    model: Path | None,
    docs: Path,
    target: Path,
) -> None:
    sizes = {file.path: file.bytes for file in export.files}
    if model is not None:
        for name in MODEL_FILES[recipe.task.component]:
            copy_file(model / name, docs / "assets" / "models" / export.model_id / name)
    page: Page = {
        "title": recipe.title,
        "model_path": f"{ASSETS}/models/{export.model_id}/" if model else None,
        "model_bytes": sum(sizes[name] for name in MODEL_FILES[recipe.task.component]),
        "runtime_path": f"{ASSETS}/runtime/",
        "parity_url": "results/#the-exported-files",
    }
    if recipe.task.component == "generator":
        config = generator_config(samples=export.samples, **page)
    else:
        length = int(CheckpointRecord.load(source / "checkpoint.json").settings["max_length"])
        config = demo_config(
            labels=recipe.task.labels, max_length=length, samples=export.samples, **page
        )
    write_atomically(target / "demo.json", json.dumps(config, indent=1).encode())


def _front_matter(title: str, summary: str, page: str) -> str:
    names = {
        "post.md": "",
        "results.md": "Results: ",
        "data.md": "Data: ",
        "reproduce.md": "Reproduce: ",
    }
    text = re.sub(r"\s+", " ", names[page] + summary)[:155]
    return (
        f"---\ntitle: {json.dumps(names[page] + title)}\ndescription: {json.dumps(text)}\n---\n\n"
    )
