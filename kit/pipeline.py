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
from kit.files import put_in_place, tree, write_atomically
from kit.hub.remote import ENDPOINT
from kit.records import PUBLICATION, Record
from kit.runs import Progress, Run, held, locked, publications
from kit.stages import STAGES, Stage, fresh, inputs, later, stage_named
from kit.tasks import implementation


def run_stages(
    run: Run, progress: Progress, first: str | None = None, last: str = "assemble"
) -> Iterator[tuple[Stage, Record, bool]]:
    """Run the stages from ``first`` to ``last``; yield each with its record and whether it ran.

    Stages before ``first`` are not looked at, but their records must be there. Naming a stage by
    ``first`` runs it again even when it is fresh; None begins with the data and skips what is
    fresh. When a stage has run, the records that were made from its last one are removed.

    Raises:
        RecipeError: there is no such stage, or ``first`` comes after ``last``.
        RunError: another process works in the folder, or an earlier record is missing.
    """
    names = [stage.name for stage in STAGES]
    start = names.index(stage_named(first).name) if first else 0
    end = names.index(stage_named(last).name)
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
            forced = number == 0 and first is not None
            record = None if forced else fresh(run, stage)
            ran = record is None
            if record is None:
                record = _execute(run, stage, task, progress)
            yield stage, record, ran


def _execute(run: Run, stage: Stage, task: ModuleType, progress: Progress) -> Record:
    read = inputs(run, stage)
    (run.folder / stage.record).unlink(missing_ok=True)
    if stage.work:
        _same_work(run.folder / stage.work, read)
    record: Record = getattr(task, stage.name)(run, progress)
    record = record.model_copy(update={"inputs": read})
    record.save(run.folder / stage.record)
    for other in later(stage):
        (run.folder / other.record).unlink(missing_ok=True)
    return record


def _same_work(work: Path, read: str) -> None:
    """Drop what a killed run left unless it had read the same."""
    note = work / "inputs"
    if not note.is_file() or note.read_text("utf-8") != read:
        shutil.rmtree(work, ignore_errors=True)
        write_atomically(note, read.encode())


def accept(run: Run) -> list[Path]:
    """Copy the run's records into ``recipes/<name>/results/``, from which the site is built.

    What was published on the public Hub goes with them, so that any machine's site links it. All
    of it is put in place at once.

    Raises:
        RunError: a stage has not finished.
    """
    results = run.recipe.folder / "results"
    records = {stage.record: run.folder / stage.record for stage in STAGES[:-1]}
    published = publications(run.project, run.recipe.name, ENDPOINT) / PUBLICATION
    if published.is_file():
        records[PUBLICATION] = published

    def write(folder: Path) -> None:
        if results.is_dir():
            # What else is there, such as the counts after a release, stays.
            shutil.copytree(results, folder, dirs_exist_ok=True)
            shutil.rmtree(folder / "pages", ignore_errors=True)
        for name, path in records.items():
            shutil.copyfile(path, folder / name)
        shutil.copytree(run.folder / "pages", folder / "pages")

    with held(run):
        for stage in STAGES:
            stage.kind.load(run.folder / stage.record)
        put_in_place(results, write)
    return [*(results / name for name in records), *tree(results / "pages")]
