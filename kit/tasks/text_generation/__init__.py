"""Text generation, commit subjects from diffs: one function per stage, looked up by the pipeline.

Each takes the run and a progress callback, writes its files in the run's folder and returns its
record; the pipeline saves the record. Heavy libraries are imported when a stage starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.hook import MOST_BYTES
from kit.records import (
    AssemblyRecord,
    CheckpointRecord,
    DatasetRecord,
    EvaluationRecord,
    ExportRecord,
    PagesRecord,
)
from kit.rendering import Ledger
from kit.runs import Progress, Run

if TYPE_CHECKING:
    from kit.spaces.bundling import Bundle

SHARED_CODE: tuple[str, ...] = ("prompts.py",)
"""What every stage of the task depends on, besides what the pipeline names."""
STAGE_CODE: dict[str, tuple[str, ...]] = {
    "data": ("{task}/pairs.py",),
    "train": ("{task}/preferring.py",),
    "evaluate": ("{task}/few_shot.py",),
}
"""What single stages of the task depend on besides."""
READS = "diff"
WHOLE_BYTES = MOST_BYTES
"""As many bytes of a file are one input of ``kit predict``; None where each line is one."""


def data(run: Run, progress: Progress) -> DatasetRecord:
    """Clean, audit and split the commits by project, and the pairs where the objective is dpo."""
    from kit.data.commit_rows import usable_commits
    from kit.data.preparing import prepare
    from kit.tasks.text_generation.pairs import prepare_pairs, wanted_pairs

    seed, wanted = run.preset.training.seed, wanted_pairs(run)
    record = prepare(run.recipe, run.preset, seed, run.folder, progress, usable_commits)
    if wanted is None:
        return record
    pairs = prepare_pairs(run, wanted, progress)
    sources = (*record.sources, pairs.source)
    return record.model_copy(update={"preferences": pairs, "sources": sources})


def train(run: Run, progress: Progress) -> CheckpointRecord:
    """Fit the base model to messages or preferences; keep the epoch of lowest validation loss."""
    from kit.tasks.text_generation.fitting import fit

    return fit(run, progress)


def evaluate(run: Run, progress: Progress) -> EvaluationRecord:
    """Put every system on the same test rows."""
    from kit.tasks.text_generation.evaluating import evaluate_test_split

    return evaluate_test_split(run, progress)


def export(run: Run, progress: Progress) -> ExportRecord:
    """Write the ONNX files and hold them against the checkpoint, token for token."""
    from kit.tasks.text_generation.exporting import export_checkpoint

    return export_checkpoint(run, progress)


def write(run: Run, progress: Progress) -> PagesRecord:
    """Render card, dataset card, post and figures."""
    from kit.tasks.text_generation.pages import write_pages

    return write_pages(run, progress)


def render(run: Run) -> tuple[dict[str, str | bytes], Ledger]:
    """Return every page by path, and the ledger, as the run's records render now."""
    from kit.tasks.text_generation.pages import render_pages

    return render_pages(run.project, run.recipe, run.folder)


def evaluate_outside(
    run: Run, path: Path, columns: tuple[str | None, str | None], progress: Progress
) -> tuple[EvaluationRecord, Path]:
    """Put every system on the rows of an outside file; return the record and where it stands."""
    from kit.tasks.text_generation.outside import evaluate_outside as evaluate_file

    return evaluate_file(run, path, columns, progress)


def evaluate_endpoint(
    run: Run, url: str, model: str, progress: Progress
) -> tuple[EvaluationRecord, Path]:
    """Put the test rows to a model behind an address; return the record and where it stands."""
    from kit.tasks.text_generation.outside import evaluate_endpoint as ask_endpoint

    return ask_endpoint(run, url, model, progress)


def assemble(run: Run, progress: Progress) -> AssemblyRecord:
    """Lay out the exact folders of the model, dataset and Space repos."""
    from kit.tasks.text_generation.demo import assemble_repos

    return assemble_repos(run, progress)


def bundle(run: Run, target: Path | None) -> Bundle:
    """Write the zip that trains where it is unpacked."""
    import kit.prompts
    from kit.spaces.bundling import write_bundle

    return write_bundle(run, target, (Path(kit.prompts.__file__),))


def predict(
    run: Run, texts: Sequence[str], n: int | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Write messages with the int8 file; return what ``--json`` prints, and lines for a person.

    Args:
        run: a run whose export is there.
        texts: diffs.
        n: how many different messages for each, at most. None is one.

    Raises:
        FileNotFoundError: a file of the export is missing.
        InputError: a text is no diff.
    """
    from kit.errors import InputError
    from kit.inference import Generator

    generator = Generator(run.folder / "export")
    rows = []
    for diff in texts:
        try:
            rows += generator.alternatives(diff, n or 1)
        except ValueError as error:
            raise InputError(f"{error}") from error
    return rows, [row["text"] for row in rows]


def measure_again(
    folder: Path, test: Path, labels: Sequence[str], progress: Progress
) -> dict[str, float]:
    """Return the generator's metrics on test rows, by the exported fp32 file alone.

    Args:
        folder: a model repo.
        test: the prepared rows, Parquet.
        labels: the commit types.
        progress: told how far it came.
    """
    from kit.tasks.text_generation.exporting import measure

    return measure(folder, test, labels, progress)
