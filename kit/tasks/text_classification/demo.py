"""The assembled repos of a classifier: what each page and Space of it is told."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import kit.inference
from kit.browser.component import MODEL_FILES, component_files, demo_config
from kit.browser.runtime import fetch
from kit.files import put_in_place
from kit.records import AssemblyRecord, DatasetRecord, ExportRecord, file_entries
from kit.runs import Progress, Run
from kit.spaces.assembling import (
    dataset_repo,
    gradio_space,
    model_repo,
    space_readme,
    static_space,
)

RECORDS = ("dataset.json", "checkpoint.json", "evaluation.json", "export.json", "predictions.jsonl")


def assemble_repos(run: Run, progress: Progress) -> AssemblyRecord:
    """Lay out ``assembly/{model,dataset,space,gradio}``; ``space`` is the static one."""
    progress("assemble: browser runtime", 0, None)
    runtime = fetch(run.project.build / "runtime")
    progress("assemble", 0, None)
    put_in_place(run.folder / "assembly", lambda folder: _lay_out(run, folder, runtime))
    repos = {path.name: file_entries(path) for path in sorted((run.folder / "assembly").iterdir())}
    return AssemblyRecord(repos=repos, space_sdk=run.recipe.space_sdk)


def browser_config(
    run_title: str, export: ExportRecord, max_length: int, labels: tuple[str, ...], **paths: Any
) -> dict[str, Any]:
    """Return a page's ``demo.json``: samples and sizes from the export's record."""
    size = sum(file.bytes for file in export.files if file.path in MODEL_FILES)
    return demo_config(
        title=run_title,
        labels=labels,
        max_length=max_length,
        samples=export.samples,
        model_bytes=size,
        **paths,
    )


def _lay_out(run: Run, folder: Path, runtime: Path) -> None:
    recipe, source = run.recipe, run.folder
    export = ExportRecord.load(source / "export.json")
    dataset = DatasetRecord.load(source / "dataset.json")
    pages, site = source / "pages", run.project.root / "spaces" / recipe.name
    records = [source / name for name in RECORDS]
    model_repo(
        folder / "model", pages / "model-card.md", source / "checkpoint", source / "export", records
    )
    dataset_repo(
        folder / "dataset", pages / "dataset-card.md", source / "data", [source / "dataset.json"]
    )
    model_path = f"models/{export.model_id}/"
    links = _links(run)
    static_space(
        folder / "space",
        space_readme(_space_data(run, dataset, "static"), _about(run)),
        site / "web" / "index.html",
        component_files(),
        runtime,
        source / "export",
        model_path,
        browser_config(
            recipe.title,
            export,
            run.preset.training.max_length,
            recipe.task.labels,
            model_path=model_path,
            **links,
        ),
    )
    gradio_space(
        folder / "gradio",
        space_readme(_space_data(run, dataset, "gradio"), _about(run)),
        site,
        Path(kit.inference.__file__),
        source / "export",
        {
            "title": recipe.title,
            "about": _about(run),
            "samples": [sample.text for sample in recipe.task.samples],
            "links": f"[Model]({links['model_url']}) · [Data]({links['dataset_url']})",
        },
    )


def _links(run: Run) -> dict[str, str]:
    hub, name = "https://huggingface.co", f"{run.project.owner}/{run.recipe.slug}"
    return {
        "model_url": f"{hub}/{name}",
        "dataset_url": f"{hub}/datasets/{name}-data",
        "post_url": f"{run.project.site_url.rstrip('/')}/recipes/{run.recipe.name}/",
    }


def _space_data(run: Run, dataset: DatasetRecord, sdk: str) -> dict[str, Any]:
    name = f"{run.project.owner}/{run.recipe.slug}"
    gradio = {
        "sdk_version": importlib.metadata.version("gradio"),
        "python_version": "3.12",
        "app_file": "app.py",
    }
    return {
        "title": run.recipe.title,
        "emoji": run.recipe.emoji,
        "colorFrom": run.recipe.color,
        "colorTo": "gray",
        "sdk": sdk,
        **(gradio if sdk == "gradio" else {"app_file": "index.html"}),
        "license": run.project.license,
        "short_description": run.recipe.title[:60],
        "models": [name],
        "datasets": [f"{name}-data"],
    }


def _about(run: Run) -> str:
    labels = " or ".join(run.recipe.task.labels)
    return f"Type a review and see whether the model reads it as {labels}, and how sure it is."
