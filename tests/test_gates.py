"""Gates: each refuses what it must, on a copy of a finished run, and passes on an untouched one."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kit.publishing.gates import check_run
from kit.records import EvaluationRecord, Record
from kit.runs import Run
from tests.asking import copied_project

Finished = tuple[Run, dict[str, Record]]
Tamper = Callable[[Path], None]
Faults = dict[str, tuple[Tamper, str]]

GATES = [
    *("license", "privacy", "evaluation", "parity", "pages", "numbers", "copies"),
    *("placeholders", "files"),
]
TOKEN = "hf_" + "aB3dE6gH" * 4 + "xY"  # the form of a secret, and none


@pytest.fixture
def copied(finished: Finished, tmp_path: Path) -> Run:
    """Return the finished run in a copy of its project."""
    run, _ = finished
    root = copied_project(run.project.root, tmp_path / "copy")
    recipe = replace(run.recipe, folder=root / "recipes" / "toy")
    return replace(
        run,
        project=replace(run.project, root=root),
        recipe=recipe,
        folder=root / run.relative,
    )


def refusals(run: Run) -> dict[str, str]:
    """Return what each gate that refuses says."""
    return {verdict.gate: verdict.said for verdict in check_run(run) if not verdict.passed}


def untouched(finished: Finished) -> set[str]:
    """Return the gates that refuse the toy run itself: its base may be too good to beat."""
    record = finished[1]["evaluate"]
    assert isinstance(record, EvaluationRecord)
    against = [c for c in record.comparisons if c.b.startswith("base")]
    beaten = all(c.difference > 0 and c.p_value < 0.05 for c in against)
    return set() if beaten else {"evaluation"}


def edited(file: str, change: Callable[[Any], None]) -> Tamper:
    """Return what changes a record in place."""

    def tamper(folder: Path) -> None:
        document = json.loads((folder / file).read_text())
        change(document)
        (folder / file).write_text(json.dumps(document))

    return tamper


def appended(file: str, text: str) -> Tamper:
    """Return what adds a line to a file; where it is a hard link, to that name only."""

    def tamper(folder: Path) -> None:
        content = (folder / file).read_bytes()
        (folder / file).unlink()
        (folder / file).write_bytes(content + text.encode())

    return tamper


def removed(file: str) -> Tamper:
    """Return what takes a file away."""
    return lambda folder: (folder / file).unlink()


def planted(file: str, content: bytes) -> Tamper:
    """Return what puts a file where the run left none."""

    def tamper(folder: Path) -> None:
        (folder / file).write_bytes(content)

    return tamper


def pickled(folder: Path) -> None:
    """Add a pickle to the model repo, and to its record, as a careless stage would."""
    content = pickle.dumps({"weight": [1.0]})
    planted("assembly/model/pytorch_model.bin", content)(folder)
    entry = {
        "path": "pytorch_model.bin",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    edited("assembly.json", lambda record: record["repos"]["model"].append(entry))(folder)


def another_number(folder: Path) -> None:
    """Change the first number of the ledger on its page; the record stays."""
    entry = json.loads((folder / "pages.json").read_text())["ledger"][0]
    page = folder / "pages" / entry["page"]
    text = page.read_text()
    assert entry["text"] in text
    page.write_text(text.replace(entry["text"], "99.9 %"))


def data_license(record: Any) -> None:
    record["sources"][0]["license"] = "unknown"


def base_license(record: Any) -> None:
    record["base"]["license"] = "apache2"


def low_parity(record: Any) -> None:
    record["parity"]["int8"]["agreement"] = 0.9


def kept_personal_data(record: Any) -> None:
    record["personal_data_action"] = "keep"
    record["personal_data"]["email"] = 1


def fewer_rows(record: Any) -> None:
    record["n"] -= 1


def beaten_by_the_base(record: Any) -> None:
    for comparison in record["comparisons"]:
        if comparison["b"] == "base":
            comparison["difference"] = -0.1


def other_pointer(record: Any) -> None:
    record["ledger"][0]["pointer"] = record["ledger"][1]["pointer"]
    record["ledger"][0]["form"] = ".7f"


ROUNDS: list[Faults] = [
    {
        "license": (edited("dataset.json", data_license), "a known license, got 'unknown'"),
        "privacy": (appended("assembly/model/README.md", "\nada@example.org\n"), "e-mail address"),
        "evaluation": (edited("evaluation.json", fewer_rows), "test rows evaluated"),
        "parity": (edited("export.json", low_parity), "int8 agrees on 0.900 of decisions"),
        "numbers": (edited("pages.json", other_pointer), "model-card.md: "),
        "placeholders": (appended("pages/post.md", "\n[More Information Needed]\n"), "unfilled"),
        "files": (appended("assembly/dataset/README.md", "."), "dataset/README.md is not the file"),
    },
    {
        "license": (edited("checkpoint.json", base_license), "got 'apache2'"),
        "privacy": (appended("pages/post.md", "\nWrite to ada@example.org\n"), "pages/post.md"),
        "evaluation": (edited("evaluation.json", beaten_by_the_base), "does not beat base"),
        "copies": (appended("pages/social/x.txt", "so " * 100), "x.txt: expected at most 280"),
        "placeholders": (appended("pages/model-card.md", "\nTODO: limits\n"), "'TODO'"),
        "files": (removed("assembly/gradio/app.py"), "gradio/app.py is not the file"),
    },
    {
        "privacy": (appended("assembly/gradio/app.py", f"\n# {TOKEN}\n"), "looks like a secret"),
        "evaluation": (appended("data/test.parquet", "x"), "data/test.parquet is not the file"),
        "numbers": (removed("pages/model-card.md"), "model-card.md: "),
        "pages": (removed("pages/post.md"), "differs from what its records render to"),
        "files": (planted("assembly/model/pytorch_model.bin", b"\x80\x04."), "was not assembled"),
    },
    {
        "privacy": (edited("dataset.json", kept_personal_data), "personal data was kept"),
        "evaluation": (appended("checkpoint/model.safetensors", "x"), "model.safetensors is not"),
        "files": (pickled, "pytorch_model.bin: weights must be .onnx or .safetensors"),
    },
    {"evaluation": (removed("data/test.parquet"), "data/test.parquet is not the file")},
]


def test_every_gate_is_asked_and_the_untouched_run_passes(copied: Run, finished: Finished) -> None:
    verdicts = check_run(copied)
    assert [verdict.gate for verdict in verdicts] == GATES
    assert {verdict.gate for verdict in verdicts if not verdict.passed} == untouched(finished)


@pytest.mark.parametrize("faults", ROUNDS)
def test_every_gate_refuses_its_own_fault(copied: Run, faults: Faults) -> None:
    for tamper, _ in faults.values():
        tamper(copied.folder)
    refused = refusals(copied)
    for gate, (_, said) in faults.items():
        assert said in refused[gate]


def test_a_changed_number_is_told_by_two_gates(copied: Run) -> None:
    another_number(copied.folder)
    refused = refusals(copied)
    assert "differs from what its records render to" in refused["pages"]
    assert "is not on the page" in refused["numbers"]


def test_a_license_of_the_code_that_the_hub_does_not_know_is_refused(copied: Run) -> None:
    run = replace(copied, project=replace(copied.project, license="mine"))
    assert refusals(run)["license"].startswith("kit.toml: expected a known license")
