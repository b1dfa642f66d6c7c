"""Gates: what must hold before anything of a run may leave this machine.

``kit check NAME`` prints a line for each. A gate recomputes; it does not trust a record's word
where the files are at hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from kit.data.audit import has_secret, mask
from kit.data.licenses import known_license
from kit.files import sha256, tree
from kit.records import (
    AssemblyRecord,
    CheckpointRecord,
    DatasetRecord,
    EvaluationRecord,
    ExportRecord,
    PagesRecord,
    file_entries,
)
from kit.rendering import look_up, show
from kit.runs import Run
from kit.stages import fresh, stage_named
from kit.tasks import implementation
from kit.writing.pages import as_bytes, load_records
from kit.writing.social import LIMITS, copy_faults

PLACEHOLDERS = re.compile(r"More Information Needed|\bTODO\b|\bFILLME\b|lorem ipsum", re.IGNORECASE)
WEIGHTS = {".safetensors", ".onnx"}
UNSAFE = {".bin", ".pt", ".pth", ".pkl", ".ckpt", ".h5", ".msgpack"}
LEAST_AGREEMENT = 0.97
MOST_DIFFERENCE = 0.02


@dataclass(frozen=True)
class Verdict:
    """What one gate says."""

    gate: str
    passed: bool
    said: str

    def document(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        return asdict(self)


def check_run(run: Run) -> list[Verdict]:
    """Ask every gate about a run whose repos are assembled."""
    gates: tuple[tuple[str, Callable[[Run], str | None], str], ...] = (
        ("license", _license, "every source has a known license"),
        ("privacy", _privacy, "no personal data and no secret in text files to be pushed"),
        ("evaluation", _evaluation, "made with this data and this checkpoint; tuned beats base"),
        ("parity", _parity, "exports agree with the checkpoint"),
        ("pages", _pages, "pages are what their records render to"),
        ("numbers", _numbers, "every number of the ledger is in its record"),
        ("copies", _copies, "each copy is short enough for its network"),
        ("placeholders", _placeholders, "no unfilled place on a page"),
        ("files", _files, "assembled files are whole; weights are safetensors and ONNX only"),
    )
    verdicts = []
    for name, gate, fine in gates:
        fault = gate(run)
        verdicts.append(Verdict(name, fault is None, fault or fine))
    return verdicts


def _license(run: Run) -> str | None:
    base = CheckpointRecord.load(run.folder / "checkpoint.json").base
    sources = DatasetRecord.load(run.folder / "dataset.json").sources
    for source in (*sources, base):
        if source.license == "unknown" or not known_license(source.license):
            mend = "state it in recipe.py or in its card" if source is base else "--license"
            return f"{source.name}: expected a known license, got '{source.license}'; {mend}"
    if not known_license(run.project.license):
        return f"kit.toml: expected a known license of the code, got '{run.project.license}'"
    return None


def _privacy(run: Run) -> str | None:
    record = DatasetRecord.load(run.folder / "dataset.json")
    if record.personal_data_action == "keep" and any(record.personal_data.values()):
        return "data: personal data was kept; set cleaning.personal_data to mask or drop"
    for path in (*tree(run.folder / "pages"), *tree(run.folder / "assembly")):
        if path.suffix not in {".md", ".py", ".html", ".ipynb", ".txt"}:
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            where = f"{path.relative_to(run.folder)}, line {number}"
            if has_secret(line):
                return f"{where}: looks like a secret"
            if "email" in mask(line)[1]:
                return f"{where}: holds an e-mail address"
    return None


def _evaluation(run: Run) -> str | None:
    evaluation = EvaluationRecord.load(run.folder / "evaluation.json")
    dataset = DatasetRecord.load(run.folder / "dataset.json")
    checkpoint = CheckpointRecord.load(run.folder / "checkpoint.json")
    if evaluation.n != dataset.splits["test"].rows:
        return f"expected {dataset.splits['test'].rows} test rows evaluated, got {evaluation.n}"
    for record, folder in ((dataset.splits["test"].file, run.folder), *_weights(run, checkpoint)):
        path = folder / record.path
        if not path.is_file() or sha256(path) != record.sha256:
            return f"{record.path} is not the file that was evaluated; run the recipe again"
    for comparison in evaluation.comparisons:
        if comparison.b.startswith("base") and (
            comparison.difference <= 0 or comparison.p_value >= 0.05
        ):
            return f"the tuned model does not beat {comparison.b} (p = {comparison.p_value:.3f})"
    return None


def _weights(run: Run, checkpoint: CheckpointRecord) -> list[tuple[Any, Any]]:
    return [
        (file, run.folder / "checkpoint")
        for file in checkpoint.files
        if file.path.endswith(".safetensors")
    ]


def _parity(run: Run) -> str | None:
    for name, parity in ExportRecord.load(run.folder / "export.json").parity.items():
        if parity.agreement < LEAST_AGREEMENT:
            return (
                f"{name} agrees on {parity.agreement:.3f} of decisions, expected {LEAST_AGREEMENT}"
            )
        # One row of fifty is the most, whatever the last digit of the fraction is.
        if round(abs(parity.accuracy_difference), 6) > MOST_DIFFERENCE:
            return (
                f"{name} differs by {parity.accuracy_difference:+.3f} of right answers from the "
                f"checkpoint, expected at most {MOST_DIFFERENCE}"
            )
    return None


def _pages(run: Run) -> str | None:
    written = PagesRecord.load(run.folder / "pages.json")
    whole = written.files == file_entries(run.folder / "pages")
    if whole and fresh(run, stage_named("write")):
        # What they were rendered from is as it was, and the same records give the same bytes.
        return None
    rendered, _ = implementation(run.recipe.task.kind).render(run)
    for name, made in rendered.items():
        path = run.folder / "pages" / name
        if not path.is_file() or path.read_bytes() != as_bytes(made):
            return f"pages/{name} differs from what its records render to; `kit write` mends it"
    return None


def _numbers(run: Run) -> str | None:
    records = load_records(run.folder)
    for entry in PagesRecord.load(run.folder / "pages.json").ledger:
        path = run.folder / "pages" / entry.page
        # A picture carries its alt text, and in it every number that it shows.
        if not path.is_file() or entry.text.encode() not in path.read_bytes():
            return f"{entry.page}: {entry.text!r} of {entry.record} is not on the page"
        value = look_up(records[entry.record], entry.pointer)
        if show(value, entry.form) != entry.text:
            return f"{entry.page}: {entry.record} {entry.pointer} is {value}, page {entry.text!r}"
    return None


def _copies(run: Run) -> str | None:
    folder = run.folder / "pages"
    there = [page for page in LIMITS if (folder / page).is_file()]
    copies = {page: (folder / page).read_text("utf-8") for page in there}
    return next(iter(copy_faults(copies)), None)


def _placeholders(run: Run) -> str | None:
    for path in tree(run.folder / "pages"):
        if path.suffix == ".png":
            continue
        found = PLACEHOLDERS.search(path.read_text("utf-8"))
        if found:
            return f"{path.relative_to(run.folder)}: {found[0]!r} stands there unfilled"
    return None


def _files(run: Run) -> str | None:
    assembly = run.folder / "assembly"
    repos = AssemblyRecord.load(run.folder / "assembly.json").repos
    recorded = {f"{repo}/{file.path}" for repo, files in repos.items() for file in files}
    for path in tree(assembly):
        name = path.relative_to(assembly).as_posix()
        if name not in recorded:
            return f"{name} was not assembled; remove it, or `kit assemble` again"
    for repo, files in repos.items():
        for file in files:
            path = assembly / repo / file.path
            if not path.is_file() or sha256(path) != file.sha256:
                return f"{repo}/{file.path} is not the file that was assembled"
            if path.suffix in UNSAFE:
                return f"{repo}/{file.path}: weights must be {' or '.join(sorted(WEIGHTS))}"
    return None
