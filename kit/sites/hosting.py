"""Where a recipe's pages load its model from: a copy in the site, or the repo that was published.

    path = model_path(project, recipe, export, docs)     # None: no page can run it

``model_host`` in ``kit.toml`` chooses. A repo is named at the commit of the publication, and only
while the files published there are the ones that the pages speak of; else the site's copy serves.
"""

from __future__ import annotations

from pathlib import Path

from kit.browser.component import MODEL_FILES
from kit.files import copy_file, sha256
from kit.hub.remote import ENDPOINT
from kit.project import Project
from kit.recipe import Recipe
from kit.records import PUBLICATION, ExportRecord, FileEntry, PublicationRecord
from kit.runs import finished, publications

ASSETS = "../../assets"
"""Where the site's own files are, seen from a recipe's page."""


def model_path(project: Project, recipe: Recipe, export: ExportRecord, docs: Path) -> str | None:
    """Return the folder of the model's files, seen from the recipe's page; None if there is none.

    Files on this machine are copied into ``docs`` unless the Hub serves them.
    """
    if project.model_host == "hub" and (address := _on_hub(project, recipe, export)):
        return address
    folder = _exported(project, recipe, export)
    if folder is None:
        return None
    path = f"models/{export.model_id}"
    for file in model_files(recipe, export):
        copy_file(folder / file.path, docs / "assets" / path / file.path)
    return f"{ASSETS}/{path}/"


def model_files(recipe: Recipe, export: ExportRecord) -> list[FileEntry]:
    """Return what a page asks for of the exported files."""
    return [file for file in export.files if file.path in MODEL_FILES[recipe.task.component]]


def published(project: Project, recipe: Recipe) -> PublicationRecord | None:
    """Return the last publication on the public Hub, made here or accepted."""
    made = publications(project, recipe.name, ENDPOINT) / PUBLICATION
    accepted = recipe.folder / "results" / PUBLICATION
    path = made if made.is_file() else accepted
    return PublicationRecord.load(path) if path.is_file() else None


def _on_hub(project: Project, recipe: Recipe, export: ExportRecord) -> str | None:
    record = published(project, recipe)
    if record is None or record.model_id != export.model_id:
        return None
    (repo,) = (repo for repo in record.repos if repo.repo_type == "model")
    return f"{repo.url}/resolve/{repo.commit}/"


def _exported(project: Project, recipe: Recipe, export: ExportRecord) -> Path | None:
    """Return an export on this machine whose files are the recorded ones, byte for byte."""
    wanted = {file.path: file.sha256 for file in model_files(recipe, export)}
    for folder in finished(project, recipe.name, "export.json"):
        files = {name: folder / "export" / name for name in wanted}
        if all(p.is_file() and sha256(p) == wanted[name] for name, p in files.items()):
            return folder / "export"
    return None
