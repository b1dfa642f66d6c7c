"""What commands say: progress and notices on stderr, results on stdout, as text or as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kit.errors import InputError, KitError, RunError
from kit.pipeline import STAGES, run_stages
from kit.project import Project
from kit.records import EvaluationRecord, Record
from kit.runs import Progress, Run
from kit.tasks import implementation

if TYPE_CHECKING:
    from kit.publishing.gates import Verdict


def report_run(run: Run, first: str, last: str, as_json: bool) -> None:
    """Run stages, a line each on stderr as they end; then the table and the paths on stdout."""
    records: dict[str, Record] = {}
    start = time.perf_counter()
    click.echo(f"kit: {run.recipe.name}, preset {run.preset_name}, in {run.relative}", err=True)
    with progress_bar() as progress:
        before = start
        for stage, record, ran in run_stages(run, progress, first, last):
            now = time.perf_counter()
            took = f"{now - before:6.1f} s" if ran else "   fresh"
            click.echo(f"  {stage.name:9} {took}", err=True)
            records[stage.name], before = record, now
    click.echo(f"  all in    {time.perf_counter() - start:6.1f} s", err=True)
    if as_json:
        click.echo(json.dumps(run_document(run, records), indent=1))
        return
    evaluation = records.get("evaluate")
    if isinstance(evaluation, EvaluationRecord):
        click.echo(evaluation_table(evaluation))
    click.echo("\n".join(made(run, list(records))))


def run_document(run: Run, records: dict[str, Record]) -> dict[str, Any]:
    """Return what ``--json`` prints of a run: recipe, preset, folder, and each stage's record."""
    return {
        "recipe": run.recipe.name,
        "preset": run.preset_name,
        "folder": run.relative,
        **{name: record.model_dump(mode="json") for name, record in records.items()},
    }


def evaluation_table(record: EvaluationRecord) -> str:
    """Return the systems as a table, best first, each with its interval and its p-value."""
    p_values = {c.b: c.p_value for c in record.comparisons if c.metric == "accuracy"}
    ordered = sorted(record.systems.items(), key=lambda item: -item[1]["accuracy"].value)
    lines = [
        f"{record.split}, n = {record.n}",
        f"{'system':14} {'accuracy':>8}  {'95 % interval':15} {'macro-F1':>8}  against tuned",
    ]
    for name, metrics in ordered:
        accuracy, f1 = metrics["accuracy"], metrics["macro_f1"]
        p_value = f"p = {p_values[name]:.2g}" if name in p_values else ""
        interval = f"{accuracy.low:.3f} to {accuracy.high:.3f}"
        lines.append(f"{name:14} {accuracy.value:8.3f}  {interval:15}  {f1.value:7.3f}  {p_value}")
    return "\n".join(lines)


def made(run: Run, stages: Sequence[str]) -> list[str]:
    """Return a line for each thing that a reader would open, of the stages that were run."""
    things = {
        "data": [("splits", "data")],
        "train": [("checkpoint", "checkpoint")],
        "evaluate": [("answers", "predictions.jsonl")],
        "export": [("int8 model", "export/onnx/model_quantized.onnx")],
        "write": [("card", "pages/model-card.md"), ("post", "pages/post.md")],
        "assemble": [("repo folders", "assembly"), ("demo page", "assembly/space/index.html")],
    }
    found = [pair for stage in stages for pair in things.get(stage, [])]
    return [f"{label:12} {run.relative}/{path}" for label, path in found]


def report_outside(
    run: Run, path: Path, columns: tuple[str | None, str | None], as_json: bool
) -> None:
    """Evaluate a run on an outside file and print the table or the record."""
    task = implementation(run.recipe.task.kind)
    with progress_bar() as progress:
        record, file = task.evaluate_outside(run, path, columns, progress)
    if as_json:
        click.echo(json.dumps(record.model_dump(mode="json"), indent=1))
        return
    click.echo(evaluation_table(record))
    click.echo(f"record       {file.relative_to(run.project.root)}")


def read_texts(text: str | None, file: str | None) -> list[str]:
    """Return the texts of a command: its argument, stdin for "-", or a file's lines.

    Raises:
        InputError: none was given, or the file is not there or not text.
        UsageError: both a text and a file were given.
    """
    if file and text is not None:
        raise click.UsageError("expected a text or --input, got both")
    try:
        if file:
            # Not splitlines(): a text may hold a form feed or a line separator.
            given = Path(file).read_text("utf-8").split("\n")
        else:
            given = [sys.stdin.buffer.read().decode("utf-8") if text == "-" else text or ""]
            given[0].encode("utf-8")
    except (OSError, UnicodeError) as error:
        where = f"a file of text lines at {file}" if file else "a text in UTF-8"
        raise InputError(f"expected {where}, got: {error}") from error
    found = [line for line in given if line.strip()]
    if not found:
        raise InputError('expected a text, got none; give one as "…", "-" for stdin, or --input')
    return found


def report_answers(run: Run, texts: Sequence[str], as_json: bool) -> None:
    """Answer texts with the run's int8 file.

    Raises:
        RunError: a file of the export is missing.
    """
    from kit.inference import Classifier

    try:
        classifier = Classifier(run.folder / "export")
    except FileNotFoundError as error:
        raise RunError(f"{error}; `kit export {run.recipe.name}` writes it again") from error
    answers = [(text, classifier.answer(text)) for text in texts]
    if as_json:
        rows = [{"text": text, "labels": labels} for text, labels in answers]
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    for text, labels in answers:
        tail = f"  {text}" if len(texts) > 1 else ""
        click.echo(f"{labels[0]['label']} {labels[0]['probability']:.3f}{tail}")


def report_verdicts(verdicts: Sequence[Verdict], as_json: bool) -> None:
    """Print each gate's verdict; exit 1 when one refused."""
    if as_json:
        click.echo(json.dumps([verdict.document() for verdict in verdicts], indent=1))
    else:
        for verdict in verdicts:
            click.echo(f"{'ok  ' if verdict.passed else 'FAIL'} {verdict.gate:12} {verdict.said}")
    refused = [verdict for verdict in verdicts if not verdict.passed]
    if refused:
        names = ", ".join(verdict.gate for verdict in refused)
        raise KitError(f"refused by: {names}; mend what the lines above name and check again")


def run_rows(project: Project, name: str | None) -> list[dict[str, Any]]:
    """Return the runs on disk, newest first, with the stages whose record is there."""
    folders = sorted(
        project.runs.glob(f"{name or '*'}/*/settings.json"),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    return [
        {
            "folder": path.parent.relative_to(project.root).as_posix(),
            "finished": [s.name for s in STAGES if (path.parent / s.record).is_file()],
        }
        for path in folders
    ]


def examine(project: Project) -> list[dict[str, str]]:
    """Return what this machine has for kit, a row each."""
    import importlib.metadata
    import os
    import platform
    import shutil

    def version(name: str) -> str:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return "not installed"

    libraries = ("torch", "transformers", "peft", "huggingface_hub", "onnxruntime", "gradio")
    tools = ("chromium", "npm", "git")
    return [
        {"what": "project", "found": str(project.root)},
        {"what": "python", "found": platform.python_version()},
        *({"what": name, "found": version(name)} for name in libraries),
        *({"what": name, "found": shutil.which(name) or "not on PATH"} for name in tools),
        {"what": "Hub", "found": os.environ.get("HF_ENDPOINT", "the public one")},
        {"what": "free disk", "found": f"{shutil.disk_usage(project.root).free / 1e9:.0f} GB"},
    ]


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show a bar on a terminal; elsewhere a line whenever the words change."""
    if sys.stderr.isatty():
        with _rich_bar() as progress:
            yield progress
        return
    said = ""

    def plain(what: str, done: int, total: int | None) -> None:
        nonlocal said
        if what != said:
            said = what
            click.echo(f"  … {what}", err=True)

    yield plain


@contextmanager
def _rich_bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        TextColumn("{task.completed}"),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def show(what: str, done: int, total: int | None) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield show
