"""The four folders of a run, ``assembly/{model,dataset,space,gradio}``, whatever its task.

A task says with a ``Demo`` what only it knows; the rest is the same for all::

    assemble_repos(run, progress, Demo("classifier", (inference,), "Type a review ...", config))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.browser.component import MODEL_FILES, component_files
from kit.browser.runtime import fetch
from kit.files import put_in_place
from kit.recipe import LocalModel
from kit.records import AssemblyRecord, ExportRecord, file_entries
from kit.runs import Progress, Run
from kit.spaces.assembling import (
    dataset_repo,
    gradio_space,
    hub_links,
    model_repo,
    space_data,
    space_readme,
    static_space,
)
from kit.spaces.bundling import local_base

RECORDS = (
    *("dataset.json", "checkpoint.json", "evaluation.json", "export.json", "pages.json"),
    "predictions.jsonl",
)


@dataclass(frozen=True)
class Demo:
    """What a task's demos are made of.

    ``component`` names that of ``kit.browser``; ``modules`` are copied into the Gradio Space,
    those of ``model_modules`` beside the weights too; ``about`` is a Space's one paragraph;
    ``config`` makes a page's ``demo.json`` from what the page is told.
    """

    component: str
    modules: tuple[Path, ...]
    about: str
    config: Callable[..., dict[str, Any]]
    model_modules: tuple[Path, ...] = ()


def assemble_repos(run: Run, progress: Progress, demo: Demo) -> AssemblyRecord:
    """Lay out the folders; ``space`` is the static one, ``gradio`` what ``kit demo`` serves."""
    progress("assemble: browser runtime", 0, None)
    runtime = fetch(run.project.build / "runtime")
    progress("assemble", 0, None)
    put_in_place(run.folder / "assembly", lambda folder: _lay_out(run, folder, runtime, demo))
    repos = {path.name: file_entries(path) for path in sorted((run.folder / "assembly").iterdir())}
    export = ExportRecord.load(run.folder / "export.json")
    return AssemblyRecord(repos=repos, space_sdk=run.recipe.space_sdk, model_id=export.model_id)


def _own_base(run: Run) -> list[Path]:
    """Return the files of a base that lies beside the recipe; another folder is the user's own."""
    base = run.preset.base
    return local_base(run) if isinstance(base, LocalModel) and base.beside else []


def _lay_out(run: Run, folder: Path, runtime: Path, demo: Demo) -> None:
    recipe, source = run.recipe, run.folder
    export = ExportRecord.load(source / "export.json")
    pages, site = source / "pages", run.project.root / "spaces" / recipe.name
    files = MODEL_FILES[demo.component]
    model_repo(
        folder / "model",
        pages / "model-card.md",
        source / "checkpoint",
        source / "export",
        [source / name for name in RECORDS],
        demo.model_modules,
        _own_base(run),
    )
    dataset_repo(
        folder / "dataset", pages / "dataset-card.md", source / "data", [source / "dataset.json"]
    )
    links, model_path = hub_links(run), f"models/{export.model_id}/"
    page = demo.config(
        title=recipe.title,
        samples=export.samples,
        model_path=model_path,
        model_bytes=sum(file.bytes for file in export.files if file.path in files),
        **links,
    )
    static_space(
        folder / "space",
        space_readme(space_data(run, "static"), demo.about),
        site / "web" / "index.html",
        component_files(demo.component),
        runtime,
        source / "export",
        files,
        model_path,
        page,
    )
    gradio_space(
        folder / "gradio",
        space_readme(space_data(run, "gradio"), demo.about),
        site,
        demo.modules,
        source / "export",
        files,
        {
            "title": recipe.title,
            "about": demo.about,
            "samples": [sample.text for sample in recipe.task.samples],
            "links": f"[Model]({links['model_url']}) · [Data]({links['dataset_url']})",
        },
    )
