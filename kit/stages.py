"""The stages of the chain, in order, and what each depends on.

    data ─► train ─► evaluate ─► export ─► write ─► assemble

A stage reads the run's settings, the records of the stages before it, its own code and, where a
page is written, templates, prose and brief. The digest of all that is in its record's ``inputs``;
present and equal is fresh.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

from kit.errors import RecipeError, RecordError, did_you_mean
from kit.files import sha256, tree
from kit.records import (
    AssemblyRecord,
    CheckpointRecord,
    DatasetRecord,
    EvaluationRecord,
    ExportRecord,
    PagesRecord,
    Record,
)
from kit.runs import Run
from kit.tasks import implementation

PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Stage:
    """One step: the record it leaves, the folder it fills, and what else its result depends on.

    ``code`` names files and folders of kit; ``recipe_files`` those of the recipe's folder;
    ``task_settings`` fields of the recipe's task; ``after`` the stages whose records it reads.
    ``work`` is the folder in which a killed run of the stage leaves what the next goes on from.
    """

    name: str
    record: str
    kind: type[Record]
    folder: str
    code: tuple[str, ...]
    after: tuple[str, ...] = ()
    recipe_files: tuple[str, ...] = ()
    task_settings: tuple[str, ...] = ()
    work: str = ""


STAGES = (
    Stage(
        "data",
        "dataset.json",
        DatasetRecord,
        "data",
        ("data",),
        task_settings=("label_aliases",),
    ),
    Stage(
        "train",
        "checkpoint.json",
        CheckpointRecord,
        "checkpoint",
        ("training", "hub/sources.py", "{task}/fitting.py", "{task}/loading.py"),
        after=("data",),
        task_settings=("max_new_tokens",),
        work="trainer",
    ),
    Stage(
        "evaluate",
        "evaluation.json",
        EvaluationRecord,
        ".",
        ("evaluation", "{task}/evaluating.py", "{task}/predicting.py"),
        after=("data", "train"),
        task_settings=("max_new_tokens", "slices", "samples", "probes"),
    ),
    Stage(
        "export",
        "export.json",
        ExportRecord,
        "export",
        ("export", "inference.py", "{task}/exporting.py"),
        after=("data", "train"),
        task_settings=("max_new_tokens", "samples"),
    ),
    Stage(
        "write",
        "pages.json",
        PagesRecord,
        "pages",
        (
            "writing",
            "brief",
            "rendering.py",
            "templates",
            "{task}/pages.py",
            "{task}/tutorial.py",
        ),
        after=("data", "train", "evaluate", "export"),
        recipe_files=("brief.md", "prose", "recipe.py"),
    ),
    Stage(
        "assemble",
        "assembly.json",
        AssemblyRecord,
        "assembly",
        ("spaces", "browser", "inference.py", "{task}/demo.py"),
        after=("data", "export", "write"),
        recipe_files=("../../spaces/{recipe}",),
    ),
)


def stage_named(name: str) -> Stage:
    """Return the stage of that name.

    Raises:
        RecipeError: there is none.
    """
    for stage in STAGES:
        if stage.name == name:
            return stage
    names = [stage.name for stage in STAGES]
    raise RecipeError(f"there is no stage '{name}'; {did_you_mean(name, names)}")


def later(stage: Stage) -> list[Stage]:
    """Return the stages that read what this one leaves, by itself or by way of others."""
    reading = {stage.name}
    found = []
    for other in STAGES:
        if reading & {*other.after}:
            reading.add(other.name)
            found.append(other)
    return found


def fresh(run: Run, stage: Stage) -> Record | None:
    """Return the stage's record if it is there and everything it read is as it was."""
    path = run.folder / stage.record
    if not path.is_file() or not (run.folder / stage.folder).is_dir():
        return None
    try:
        record = stage.kind.load(path)
    except RecordError:
        return None
    return record if record.inputs == inputs(run, stage) else None


def inputs(run: Run, stage: Stage) -> str:
    """Digest what the stage reads: settings, earlier records, code, and the recipe's own files."""
    digest = hashlib.sha256(json.dumps(run.settings, sort_keys=True).encode())
    for name in stage.after:
        digest.update(_digest(run.folder / stage_named(name).record))
    for name in stage.task_settings:
        digest.update(repr((name, getattr(run.recipe.task, name, None))).encode())
    if stage.name == "export":
        project = run.project
        prices = (project.hosted_input_price, project.hosted_output_price, project.currency)
        digest.update(repr((project.price_per_hour, *prices)).encode())
    if stage.name in {"write", "assemble"}:
        digest.update(
            repr((run.recipe.title, run.recipe.slug, replace(run.project, root=Path()))).encode()
        )
    task = implementation(run.recipe.task.kind)
    for name in (*stage.code, *task.SHARED_CODE, *task.STAGE_CODE.get(stage.name, ())):
        digest.update(_digest(PACKAGE / name.replace("{task}", f"tasks/{run.recipe.task.kind}")))
    for name in stage.recipe_files:
        digest.update(_digest(run.recipe.folder / name.format(recipe=run.recipe.name)))
    return digest.hexdigest()


def _digest(path: Path) -> bytes:
    """Digest a file, or a folder's files with their names; a missing one counts as empty."""
    if path.is_file():
        return sha256(path).encode()
    if not path.is_dir():
        return b"-"
    files = [file for file in tree(path) if "__pycache__" not in file.parts]
    return "".join(f"{file.relative_to(path)} {sha256(file)}\n" for file in files).encode()
