"""The pages of one recipe: what its run rendered, with the component where the post says try-it.

made = recipe_pages(project, find_recipe(project.root, "sentiment"), project.build / "docs")
made.headline, made.words      # what the home page and the blog say of it
"""

from __future__ import annotations

import datetime
import html
import json
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kit.brief import Brief, read_brief
from kit.browser.component import Page, demo_config, generator_config
from kit.browser.runtime import RUNTIME_BYTES
from kit.files import copy_file, write_atomically
from kit.project import Project
from kit.recipe import Recipe
from kit.records import Answer, CheckpointRecord, DatasetRecord, EvaluationRecord, ExportRecord
from kit.rendering import show
from kit.runs import open_run
from kit.sites.getting import get_page
from kit.sites.hosting import ASSETS, model_files, model_path
from kit.sites.metadata import Head, Thing, dataset, front_matter, posting, source_code
from kit.sites.reception import reception

FILES = ("notebook.ipynb", "tutorial.py")
PAGES = {"post.md": "index.md", "results.md": "", "data.md": "", "reproduce.md": ""}
PICTURE = "social/og.png"
"""What a page shows when it is shared; a run of an older kit has none."""
FIGURE = re.compile(
    r'<svg(?=[^>]* role="img")(?![^>]* aria-label)(.*?)<figcaption>(.*?)<', re.DOTALL
)
READING = 220
"""Words a minute, for the reading time of a post."""


@dataclass(frozen=True, kw_only=True)
class RecipePages:
    """What other pages say of a recipe. ``image`` is its picture's path below the site, if any;
    ``figure`` the comparison's SVG; ``size`` what the demo loads, as its button says.
    """

    name: str
    title: str
    headline: str
    summary: str
    published: datetime.date
    tags: tuple[str, ...]
    words: int
    result: str
    size: str
    figure: str
    has_model: bool
    image: str | None = None

    @property
    def label(self) -> str:
        """What the navigation calls it."""
        return self.name.replace("_", " ").capitalize()

    @property
    def path(self) -> str:
        """Where its pages are, below the site's address."""
        return f"recipes/{self.name}/"

    @property
    def minutes(self) -> int:
        """How long the post takes to read, in minutes."""
        return max(1, round(self.words / READING))


def recipe_pages(
    project: Project, recipe: Recipe, docs: Path, picture: str | None = None
) -> RecipePages | None:
    """Write ``docs/recipes/<name>/``; return None where the recipe has neither run nor results.

    ``picture`` is shown where the recipe has no ``social/og.png``.
    """
    source = _source(project, recipe)
    if source is None:
        return None
    target = docs / "recipes" / recipe.name
    export = ExportRecord.load(source / "export.json")
    path = model_path(project, recipe, export, docs)
    brief = read_brief(recipe.folder / "brief.md")
    made = _about(recipe, source, brief, export, path is not None)
    made = replace(made, image=_picture(recipe, source, target) or picture)
    box = try_it(recipe.task.component, export.samples, path is not None)
    for page, name in PAGES.items():
        # The attribute is for Markdown alone, and it would stay in the HTML.
        text = (source / "pages" / page).read_text("utf-8").replace(' markdown="0"', "")
        text = FIGURE.sub(_named, text)
        if page == "post.md":
            text = _with_byline(project, made, text).replace("<!-- try-it -->", box)
        if page == "results.md":
            text += reception(recipe)
        head = front_matter(project, _head(project, recipe, made, page, brief, source))
        write_atomically(target / (name or page), (head + text).encode())
    for file in FILES:
        if (source / "pages" / file).is_file():
            copy_file(source / "pages" / file, target / file)
    if (source / "pages" / "figures").is_dir():
        shutil.copytree(source / "pages" / "figures", target / "figures", dirs_exist_ok=True)
    _demo(recipe, source, export, path, target)
    head = front_matter(project, _head(project, recipe, made, "get.md", brief, source))
    text = get_page(project, recipe, source, target, export, path)
    write_atomically(target / "get.md", (head + text).encode())
    return made


def _about(
    recipe: Recipe, source: Path, brief: Brief, export: ExportRecord, has_model: bool
) -> RecipePages:
    evaluation = EvaluationRecord.load(source / "evaluation.json")
    tuned = evaluation.systems["tuned"][evaluation.headline]
    what = "Right type on" if evaluation.headline == "type_accuracy" else "Right on"
    figure = source / "pages" / "figures" / "comparison.svg"
    asked = sum(file.bytes for file in model_files(recipe, export))
    return RecipePages(
        name=recipe.name,
        title=recipe.title,
        headline=brief.title,
        summary=brief.summary,
        published=brief.date,
        tags=brief.editorial.tags,
        words=_words((source / "pages" / "post.md").read_text("utf-8")),
        result=f"{what} {show(tuned.value, 'pct')} of {tuned.n:,} test rows "
        f"({show(tuned.low, 'pct')} to {show(tuned.high, 'pct')})",
        size=f"{(asked + RUNTIME_BYTES) / 1e6:.0f}\N{NO-BREAK SPACE}MB",
        figure=figure.read_text("utf-8") if figure.is_file() else "",
        has_model=has_model,
    )


def _named(figure: re.Match[str]) -> str:
    """Return a figure whose drawing bears the words of its caption for those who do not see it."""
    label = html.escape(" ".join(html.unescape(figure[2]).split()))
    return f'<svg aria-label="{label}"{figure[1]}<figcaption>{figure[2]}<'


def _words(text: str) -> int:
    """Count the words of a post that a reader reads: no markup, no figure, no code."""
    text = re.sub(r"\A---\n.*?\n---\n|<figure.*?</figure>|```.*?```", " ", text, flags=re.DOTALL)
    return len(re.findall(r"\w[\w'’.,-]*", re.sub(r"<[^>]+>|\]\([^)]*\)", " ", text)))


def _picture(recipe: Recipe, source: Path, target: Path) -> str | None:
    """Copy the recipe's picture for link previews beside its pages; return its path."""
    picture = source / "pages" / PICTURE
    if not picture.is_file():
        return None
    copy_file(picture, target / PICTURE)
    return f"recipes/{recipe.name}/{PICTURE}"


def _with_byline(project: Project, made: RecipePages, text: str) -> str:
    """Put date, author, reading time and tags below the post's heading."""
    day = made.published.isoformat()
    tags = "".join(
        f' <a class="kit-tag" href="../../blog/tags/#{anchor(tag)}">{html.escape(tag)}</a>'
        for tag in made.tags
    )
    line = (
        f'<p class="kit-byline"><time datetime="{day}">{day}</time> by '
        f"{html.escape(project.author)}, {made.minutes} min to read{tags}</p>"
    )
    heading, rest = text.split("\n", 1)
    return f"{heading}\n\n{line}\n{rest}"


def anchor(tag: str) -> str:
    """Return the anchor of a tag on the page of tags."""
    return re.sub(r"[^a-z0-9]+", "-", tag.lower()).strip("-") or "tag"


def _head(
    project: Project, recipe: Recipe, made: RecipePages, page: str, brief: Brief, source: Path
) -> Head:
    """Return what a page of the recipe says of itself."""
    name = page.removesuffix(".md")
    summary = brief.editorial.meta_description or brief.summary or recipe.title
    titles = {
        "post": (made.headline, summary),
        "results": (
            f"Results: {recipe.title}",
            f"Every system on the same test rows, with intervals, slices, mistakes: {summary}",
        ),
        "data": (
            f"Data: {recipe.title}",
            f"Rows, what was removed, leakage, personal data and licences: {summary}",
        ),
        "reproduce": (
            f"Reproduce: {recipe.title}",
            f"The commands, versions and hashes that make the same numbers again: {summary}",
        ),
        "get": (
            f"Get it: {recipe.title}",
            f"The measured files, the records and the code, and where they are: {summary}",
        ),
    }
    title, description = titles[name]
    post = page == "post.md"
    above = (
        (("Recipes", "recipes/"),) if post else (("Recipes", "recipes/"), (made.label, made.path))
    )
    head = Head(
        path=made.path if post else f"{made.path}{name}/",
        title=title,
        description=description,
        image=made.image,
        image_text=made.headline if made.image else "",
        published=made.published if post else None,
        tags=made.tags if post else (),
        trail=above,
        options=_options(recipe, name),
    )
    return replace(head, things=_things(project, recipe, made, head, source))


def _options(recipe: Recipe, name: str) -> tuple[tuple[str, Any], ...]:
    """Return what the theme must know of a page: its tables can be sorted, it holds a component."""
    if name in ("results", "data"):
        return (("sortable", True),)
    return (("component", recipe.task.component),) if name == "post" else ()


def _things(
    project: Project, recipe: Recipe, made: RecipePages, head: Head, source: Path
) -> tuple[Thing, ...]:
    if head.published:
        return (posting(project, head, made.words, recipe.language),)
    if head.path.endswith("/data/"):
        record = DatasetRecord.load(source / "dataset.json")
        licenses = sorted({item.license for item in record.sources})
        name = f"{made.label} data"
        about = f"{name}: {head.description}"
        return (dataset(project, head.path, name, about, licenses),)
    if head.path.endswith("/reproduce/"):
        return (source_code(project, head.path, recipe.title, head.description),)
    return ()


def try_it(component: str, samples: tuple[Answer, ...], has_model: bool) -> str:
    """Return the component's HTML, with recorded answers for a reader without JavaScript."""
    recorded = "".join(_recorded(sample) for sample in samples)
    note = "" if has_model else "<p>The model file is not part of this build of the site.</p>"
    return (
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


def _source(project: Project, recipe: Recipe) -> Path | None:
    """Return the folder of records to show: the present settings' run, else the results."""
    candidates = [recipe.folder / "results"]
    # To name a run, its data and its base are hashed: only where there are runs.
    if (project.runs / recipe.name).is_dir():
        candidates.insert(0, open_run(project, recipe, None, recipe.preset(None)).folder)
    for candidate in candidates:
        if (candidate / "pages.json").is_file() and (candidate / "pages" / "post.md").is_file():
            return candidate
    return None


def _demo(
    recipe: Recipe, source: Path, export: ExportRecord, path: str | None, target: Path
) -> None:
    page: Page = {
        "title": recipe.title,
        "model_path": path,
        "model_bytes": sum(file.bytes for file in model_files(recipe, export)),
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
