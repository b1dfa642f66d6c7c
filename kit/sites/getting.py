"""The page "Get it" of a recipe: what can be downloaded, from this site and from the Hub.

    get_page(project, recipe, source, target, export)    # Markdown; copies the records beside it

A link stands there only where its target does: files of this build, repos that were published.
"""

from __future__ import annotations

from pathlib import Path

from kit.files import copy_file
from kit.project import Project
from kit.recipe import Recipe
from kit.records import ExportRecord
from kit.rendering import escape_markdown, show
from kit.sites.hosting import model_files, published
from kit.sites.templating import site_page

RECORDS = {
    "dataset.json": "what was read, removed, split and found in the data",
    "checkpoint.json": "settings, base model, loss, time, versions",
    "evaluation.json": "every system, interval, comparison and slice",
    "export.json": "the exported files with sha256, and their parity",
    "pages.json": "every number of the pages, and where it stands in the records",
}
WORDS = {"model": "the model", "dataset": "the data", "space": "the Space"}
EXTRAS = {"notebook.ipynb": "a notebook", "tutorial.py": "a script"}


def get_page(
    project: Project,
    recipe: Recipe,
    source: Path,
    target: Path,
    export: ExportRecord,
    path: str | None,
) -> str:
    """Return the page, its files copied beside it.

    Args:
        project: owner and repository.
        recipe: name and task.
        source: the run's folder, or ``results/``.
        target: the folder of the recipe's pages.
        export: the exported files.
        path: where a page loads them from, None where it cannot.
    """
    return site_page(
        "get.md.jinja",
        recipe=recipe,
        repository=project.repository,
        models=_models(recipe, export, path) if path else [],
        records=_copied(source, target, "records", RECORDS),
        extras=_copied(source / "pages", target, "files", EXTRAS),
        repos=_repos(project, recipe),
    )


def _models(recipe: Recipe, export: ExportRecord, path: str) -> list[dict[str, str]]:
    return [
        {
            "path": file.path,
            "url": path + file.path,
            "size": _size(file.bytes),
            "sha256": file.sha256,
        }
        for file in model_files(recipe, export)
    ]


def _copied(
    source: Path, target: Path, folder: str, wanted: dict[str, str]
) -> list[dict[str, str]]:
    """Copy the files that are there into a folder beside the page, and describe them."""
    found = [name for name in wanted if (source / name).is_file()]
    for name in found:
        copy_file(source / name, target / folder / name)
    return [
        {
            "name": name,
            "url": f"{folder}/{name}",
            "what": wanted[name],
            "size": _size((source / name).stat().st_size),
        }
        for name in found
    ]


def _repos(project: Project, recipe: Recipe) -> list[dict[str, str]]:
    record = published(project, recipe)
    return [
        {
            "what": WORDS[repo.repo_type],
            "name": escape_markdown(repo.repo_id),
            "url": repo.url,
            "commit": repo.commit[:12],
        }
        for repo in (record.repos if record else ())
    ]


def _size(count: int) -> str:
    return show(count, "mb") if count >= 100_000 else f"{count / 1000:.1f}\N{NO-BREAK SPACE}kB"
