"""Text classification: one function per stage, looked up by ``kit.pipeline``.

Each takes the run and a progress callback, writes its files in the run's folder and returns its
record; the pipeline saves the record. Heavy libraries are imported when a stage starts.
"""

from __future__ import annotations

from kit.records import (
    AssemblyRecord,
    CheckpointRecord,
    DatasetRecord,
    EvaluationRecord,
    ExportRecord,
    PagesRecord,
)
from kit.runs import Progress, Run


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


def assemble(run: Run, progress: Progress) -> AssemblyRecord:
    """Lay out the exact folders of the model, dataset and Space repos."""
    from kit.tasks.text_classification.demo import assemble_repos

    return assemble_repos(run, progress)
