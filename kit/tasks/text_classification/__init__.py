"""Text classification: one function per stage, looked up by ``kit.pipeline``.

Each takes the run and a progress callback, writes its files in the run's folder and returns its
record; the pipeline saves the record. Heavy libraries are imported when a stage starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.errors import RecipeError
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

SHARED_CODE: tuple[str, ...] = ()
"""What every stage of the task depends on, besides what the pipeline names."""
STAGE_CODE: dict[str, tuple[str, ...]] = {}
"""What single stages of the task depend on besides."""
READS = "text"
WHOLE_BYTES = None
"""As many bytes of a file are one input of ``kit predict``; None where each line is one."""


def data(run: Run, progress: Progress) -> DatasetRecord:
    """Clean, audit and split the rows."""
    from kit.data.preparing import prepare

    return prepare(run.recipe, run.preset, run.preset.training.seed, run.folder, progress)


def train(run: Run, progress: Progress) -> CheckpointRecord:
    """Fit the base model to the train split; keep the epoch with the lowest validation loss."""
    from kit.tasks.text_classification.fitting import fit

    return fit(run, progress)


def evaluate(run: Run, progress: Progress) -> EvaluationRecord:
    """Put every system on the same test rows."""
    from kit.tasks.text_classification.evaluating import evaluate_test_split

    return evaluate_test_split(run, progress)


def export(run: Run, progress: Progress) -> ExportRecord:
    """Write the ONNX files and hold them against the checkpoint."""
    from kit.tasks.text_classification.exporting import export_checkpoint

    return export_checkpoint(run, progress)


def write(run: Run, progress: Progress) -> PagesRecord:
    """Render card, dataset card, post and figures."""
    from kit.tasks.text_classification.pages import write_pages

    return write_pages(run, progress)


def render(run: Run) -> tuple[dict[str, str | bytes], Ledger]:
    """Return every page by path, and the ledger, as the run's records render now."""
    from kit.tasks.text_classification.pages import render_pages

    return render_pages(run.project, run.recipe, run.folder)


def evaluate_outside(
    run: Run, path: Path, columns: tuple[str | None, str | None], progress: Progress
) -> tuple[EvaluationRecord, Path]:
    """Put every system on the rows of an outside file; return the record and where it stands."""
    from kit.tasks.text_classification.outside import evaluate_outside as evaluate_file

    return evaluate_file(run, path, columns, progress)


def evaluate_endpoint(
    run: Run, url: str, model: str, progress: Progress
) -> tuple[EvaluationRecord, Path]:
    """Refuse: an endpoint writes text.

    Raises:
        RecipeError: always.
    """
    raise RecipeError(
        f"--endpoint asks a model that writes text, '{run.recipe.name}' is a recipe of labels; "
        "name a recipe of text_generation"
    )


def assemble(run: Run, progress: Progress) -> AssemblyRecord:
    """Lay out the exact folders of the model, dataset and Space repos."""
    from kit.tasks.text_classification.demo import assemble_repos

    return assemble_repos(run, progress)


def bundle(run: Run, target: Path | None) -> Bundle:
    """Write the zip that trains where it is unpacked."""
    from kit.spaces.bundling import write_bundle

    return write_bundle(run, target)


def predict(
    run: Run, texts: Sequence[str], n: int | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Label texts with the int8 file; return what ``--json`` prints, and lines for a person.

    Args:
        run: a run whose export is there.
        texts: what to label.
        n: how many labels of each, the likeliest first. None is all of them; a line has one then.

    Raises:
        FileNotFoundError: a file of the export is missing.
    """
    from kit.inference import Classifier

    classifier = Classifier(run.folder / "export")
    rows: list[dict[str, Any]] = []
    lines = []
    for text in texts:
        labels = classifier.answer(text)[:n]
        rows.append({"text": text, "labels": labels})
        said = ", ".join(f"{each['label']} {each['probability']:.3f}" for each in labels[: n or 1])
        lines.append(f"{said}  {text}" if len(texts) > 1 else said)
    return rows, lines


def measure_again(
    folder: Path, test: Path, labels: Sequence[str], progress: Progress
) -> dict[str, float]:
    """Return the classifier's metrics on test rows, by the exported fp32 file alone.

    Args:
        folder: a model repo.
        test: the prepared rows, Parquet.
        labels: the labels, in the order of the model's outputs.
        progress: told how far it came.
    """
    from kit.tasks.text_classification.exporting import measure

    return measure(folder, test, labels, progress)
