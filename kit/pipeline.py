"""The chain, run: each stage in order, skipped when its record is fresh; resumed where it stopped.

    for stage, record, ran in run_stages(run, progress):
        ...

``kit.stages`` says what the stages are and what makes a record stale.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from kit.errors import RecipeError, RunError
from kit.files import put_in_place, tree
from kit.hub.remote import ENDPOINT
from kit.records import PUBLICATION, Record
from kit.runs import Progress, Run, locked, publications
from kit.stages import STAGES, Stage, fresh, inputs, stage_named
from kit.tasks import implementation


def run_stages(
    run: Run, progress: Progress, first: str = "data", last: str = "assemble"
) -> Iterator[tuple[Stage, Record, bool]]:
    """Run the stages from ``first`` to ``last``; yield each with its record and whether it ran.

    Stages before ``first`` are not looked at, but their records must be there. Naming a stage by
    ``first`` runs it again even when it is fresh.

    Raises:
        RecipeError: there is no such stage, or ``first`` comes after ``last``.
        RunError: another process works in the folder, or an earlier record is missing.
    """
    names = [stage.name for stage in STAGES]
    start, end = names.index(stage_named(first).name), names.index(stage_named(last).name)
    if start > end:
        raise RecipeError(f"expected --from before --to, got {first} after {last}")
    for name in sorted({n for stage in STAGES[start : end + 1] for n in stage.after}):
        if name in names[:start] and not (run.folder / stage_named(name).record).is_file():
            raise RunError(
                f"expected {stage_named(name).record} in {run.relative}, found none; "
                f"`kit {name} {run.recipe.name}` makes it, with the same options"
            )
    task = implementation(run.recipe.task.kind)
    with locked(run):
        for number, stage in enumerate(STAGES[start : end + 1]):
            forced = number == 0 and first != "data"
            record = None if forced else fresh(run, stage)
            ran = record is None
            if record is None:
                record = _execute(run, stage, task, progress)
            yield stage, record, ran


def _execute(run: Run, stage: Stage, task: ModuleType, progress: Progress) -> Record:
    read = inputs(run, stage)
    (run.folder / stage.record).unlink(missing_ok=True)
    record: Record = getattr(task, stage.name)(run, progress)
    record = record.model_copy(update={"inputs": read})
    record.save(run.folder / stage.record)
    return record


def accept(run: Run) -> list[Path]:
    """Copy the run's records into ``recipes/<name>/results/``, from which the site is built.

    What was published on the public Hub goes with them, so that any machine's site links it.

    Raises:
        RunError: a stage has not finished.
    """
    results = run.recipe.folder / "results"
    for stage in STAGES:
        stage.kind.load(run.folder / stage.record)
    written = []
    for stage in STAGES:
        if stage.name != "assemble":
            written.append(_copied(run.folder / stage.record, results / stage.record))
    published = publications(run.project, run.recipe.name, ENDPOINT) / PUBLICATION
    if published.is_file():
        written.append(_copied(published, results / PUBLICATION))
    put_in_place(
        results / "pages",
        lambda folder: shutil.copytree(run.folder / "pages", folder, dirs_exist_ok=True),
    )
    return [*written, *tree(results / "pages")]


def _copied(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target
