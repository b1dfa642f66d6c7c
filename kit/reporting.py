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
from kit.pipeline import run_stages
from kit.project import Project
from kit.records import EvaluationRecord, Record
from kit.runs import Progress, Run
from kit.stages import STAGES
from kit.tasks import implementation

if TYPE_CHECKING:
    from kit.installing import Hook
    from kit.publishing.gates import Verdict


BESIDE = {
    "accuracy": (("macro_f1", "macro-F1", ".3f"),),
    "type_accuracy": (
        ("format_validity", "format", ".3f"),
        ("chrf", "chrF", ".1f"),
        ("bleu", "BLEU", ".1f"),
    ),
}
"""What the table shows beside the headline metric: metric, heading, format."""


def report_run(run: Run, first: str | None, last: str, as_json: bool) -> None:
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
    key, beside = record.headline, BESIDE[record.headline]
    p_values = {c.b: c.p_value for c in record.comparisons if c.metric == key}
    ordered = sorted(record.systems.items(), key=lambda item: -item[1][key].value)
    heads = "".join(f" {title:>8}" for _, title, _ in beside)
    lines = [
        f"{record.split}, n = {record.n}",
        f"{'system':14} {key.replace('_', ' '):>13}  {'95 % interval':15}{heads}  against tuned",
    ]
    for name, metrics in ordered:
        metric = metrics[key]
        p_value = f"p = {p_values[name]:.2g}" if name in p_values else ""
        interval = f"{metric.low:.3f} to {metric.high:.3f}"
        others = "".join(f" {metrics[other].value:8{form}}" for other, _, form in beside)
        lines.append(f"{name:14} {metric.value:13.3f}  {interval:15}{others}  {p_value}")
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
    _report_evaluation(run, record, file, as_json)


def report_endpoint(run: Run, url: str, model: str, as_json: bool) -> None:
    """Put a run's test rows to a model behind an address and print the table or the record."""
    task = implementation(run.recipe.task.kind)
    with progress_bar() as progress:
        record, file = task.evaluate_endpoint(run, url, model, progress)
    _report_evaluation(run, record, file, as_json)


def _report_evaluation(run: Run, record: EvaluationRecord, file: Path, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(record.model_dump(mode="json"), indent=1))
        return
    click.echo(evaluation_table(record))
    click.echo(f"record       {file.relative_to(run.project.root)}")


def read_texts(run: Run, text: str | None, file: str | None) -> list[str]:
    """Return what a run is asked: the argument, stdin for "-", or a file.

    The task says whether a file is one input, in any bytes, or has one on each line.

    Raises:
        InputError: none was given, or the file is not there or not text.
        UsageError: both a text and a file were given.
    """
    if file and text is not None:
        raise click.UsageError("expected a text or --input, got both")
    task = implementation(run.recipe.task.kind)
    whole: int | None = task.WHOLE_BYTES
    try:
        read = _bytes_given(text, file, -1 if whole is None else whole + 1)
        given = read[:whole].decode("utf-8", "replace" if whole else "strict")
    except (OSError, UnicodeError) as error:
        lines = task.READS if whole else f"file of {task.READS} lines"
        where = f"a {lines} at {file}" if file else f"a {task.READS} in UTF-8"
        raise InputError(f"expected {where}, got: {error}") from error
    if whole and len(read) > whole:
        click.echo(f"kit: read the first {whole / 2**20:.0f} MB of the {task.READS}", err=True)
    # Not splitlines(): a text may hold a form feed or a line separator.
    split = given.split("\n") if file and not whole else [given]
    found = [part for part in split if part.strip()]
    if not found:
        raise InputError(
            f'expected a {task.READS}, got none; give one as "…", "-" for stdin, or --input'
        )
    return found


def _bytes_given(text: str | None, file: str | None, most: int) -> bytes:
    if file:
        with Path(file).open("rb") as opened:
            return opened.read(most)
    if text == "-":
        return sys.stdin.buffer.read(most)
    return (text or "").encode("utf-8", "surrogateescape")


def report_answers(run: Run, texts: Sequence[str], n: int | None, as_json: bool) -> None:
    """Answer texts with the run's int8 file.

    Raises:
        RunError: a file of the export is missing.
    """
    try:
        rows, lines = implementation(run.recipe.task.kind).predict(run, texts, n)
    except FileNotFoundError as error:
        raise RunError(f"{error}; `kit export {run.recipe.name}` writes it again") from error
    click.echo(json.dumps(rows, indent=1, ensure_ascii=False) if as_json else "\n".join(lines))


def report_bundle(run: Run, out: str | None, as_json: bool) -> None:
    """Write a run's bundle and print where it stands and what is in it."""
    bundle = implementation(run.recipe.task.kind).bundle(
        run, Path(out).expanduser() if out else None
    )
    made = bundle.document()
    if bundle.path.is_relative_to(run.project.root):
        made["path"] = bundle.path.relative_to(run.project.root).as_posix()
    if as_json:
        names = {"recipe": run.recipe.name, "preset": run.preset_name, "folder": run.relative}
        click.echo(json.dumps({**names, **made}, indent=1))
        return
    lines = [f"{size:12,}  {name}" for name, size in bundle.files.items()]
    click.echo(
        "\n".join([*lines, f"{'bundle':12} {made['path']}", f"{'sha256':12} {bundle.sha256}"])
    )


def report_hook(hook: Hook, as_json: bool) -> None:
    """Print where a hook was written or removed, and what became of the one before it."""
    if as_json:
        paths = {"hook": hook.path, "export": hook.export, "other": hook.other}
        document = {name: path and path.as_posix() for name, path in paths.items()}
        click.echo(json.dumps({**document, "shared": hook.shared}, indent=1))
        return
    if hook.shared:
        click.echo("kit: core.hooksPath names the folder; other repositories may use it", err=True)
    lines = [f"{'hook' if hook.export else 'removed':12} {hook.path}"]
    if hook.export:
        lines.append(f"{'model':12} {hook.export}")
    if hook.other:
        lines.append(f"{'kept' if hook.export else 'put back':12} {hook.other}")
    click.echo("\n".join(lines))


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
    found = project.runs.glob("*/*/settings.json")
    folders = sorted(
        (path for path in found if name in (None, path.parents[1].name)),
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
