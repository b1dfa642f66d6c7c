"""Preferences: pairs made usable, a tiny Llama that learns them, and what is refused in a line."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kit.errors import InputError, KitError, RecipeError
from kit.pipeline import run_stages
from kit.recipe import LocalModel, PreferenceData
from kit.records import CheckpointRecord, DatasetRecord, EvaluationRecord, Record
from kit.runs import Run, open_run, settings_of
from tests import tiny, tiny_commits
from tests.asking import ask
from tests.conftest import silent, toy_run

Pair = dict[str, Any]


def pair(number: int, **changes: Any) -> Pair:
    """Return a pair whose better subject says what is done, the other nothing."""
    kind = list(tiny_commits.VERBS)[number % 4]
    name = tiny_commits.NAMES[number % 9]
    row = tiny_commits.commit(kind, name, tiny_commits.VERBS[kind], 1000 + number)
    rejected = f"chore({name}): change"
    return {"prompt": row["diff"], "chosen": row["message"], "rejected": rejected} | changes


def preferring(folder: Path, pairs: Sequence[Pair], **changes: Any) -> Run:
    """Return the toy run that trains on the pairs by dpo."""
    file = folder / "recipes" / "toy" / "pairs.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in pairs))
    run = toy_run(folder, **{"objective": "dpo", "learning_rate": 2e-3, "epochs": 4} | changes)
    preset = replace(run.preset, preferences=PreferenceData("pairs.jsonl", license="mit"))
    return open_run(run.project, run.recipe, None, preset)


def finished(run: Run, last: str) -> dict[str, Record]:
    """Run the stages up to one and return their records."""
    return {stage.name: record for stage, record, _ in run_stages(run, silent, last=last)}


@pytest.fixture
def commits(tmp_path: Path) -> Path:
    """Return a fresh toy project of commits."""
    return tiny_commits.project(tmp_path / "project")


@pytest.mark.parametrize(
    ("method", "quantization"), [("full", None), ("lora", None), ("lora", "nf4"), ("ia3", None)]
)
def test_a_model_learns_to_prefer_the_chosen_answers(
    commits: Path, method: str, quantization: str | None
) -> None:
    rate = {"full": 2e-3, "lora": 1e-2, "ia3": 5e-2}[method]
    run = preferring(
        commits, [pair(n) for n in range(40)], method=method, quantization=quantization,
        learning_rate=rate, freeze_embeddings=method == "full",
    )  # fmt: skip
    records = finished(run, "train")
    data, record = records["data"], records["train"]
    assert isinstance(data, DatasetRecord)
    assert isinstance(record, CheckpointRecord)
    assert (record.objective, record.method) == ("dpo", method)
    assert record.preferences
    assert data.preferences
    assert record.preferences.pairs == data.preferences.splits["train"].rows == 36
    assert record.preferences.rewards[-1].accuracy == 1.0
    assert record.preferences.rewards[-1].margin > 0
    assert record.epochs[-1].eval_loss < math.log(2)
    adapter = {file.path for file in record.files if file.path.startswith("adapter/")}
    assert bool(adapter) == (method != "full")
    assert not any("ref" in path for path in adapter)


@pytest.mark.parametrize(
    ("method", "quantization"), [("full", None), ("dora", None), ("lora", "nf4")]
)
def test_an_untrained_model_is_its_own_reference(
    commits: Path, method: str, quantization: str | None
) -> None:
    pairs = [pair(n) for n in range(20)]
    still = {"method": method, "quantization": quantization, "epochs": 1, "learning_rate": 1e-12}
    record = finished(preferring(commits, pairs, **still), "train")["train"]
    assert isinstance(record, CheckpointRecord)
    assert record.epochs[0].eval_loss == pytest.approx(math.log(2), abs=1e-4)


def test_the_chain_goes_on_from_a_checkpoint_given_as_base(commits: Path) -> None:
    messages = toy_run(commits, epochs=1)
    finished(messages, "train")
    checkpoint = messages.folder / "checkpoint"
    run = preferring(commits, [pair(n) for n in range(20)], epochs=1)
    base = LocalModel(str(checkpoint), license="mit")
    run = open_run(run.project, run.recipe, None, replace(run.preset, base=base))
    records = finished(run, "assemble")
    assert isinstance(records["evaluate"], EvaluationRecord)
    assert {"tuned", "base"} <= set(records["evaluate"].systems)
    card = (run.folder / "pages" / "model-card.md").read_text()
    assert "training by preferences (DPO with beta 0.10, 18 pairs)" in card
    assert "pairs.jsonl" in (run.folder / "pages" / "data.md").read_text()
    assert not list((run.folder / "assembly" / "dataset").rglob("preferences*"))


def test_a_pair_about_a_test_diff_is_left_out(commits: Path) -> None:
    import pyarrow.parquet as pq

    plain = toy_run(commits)
    finished(plain, "data")
    held = pq.read_table(plain.folder / "data" / "test.parquet").to_pydict()["text"][0]
    run = preferring(commits, [*(pair(n) for n in range(10)), pair(10, prompt=held)])
    record = finished(run, "data")["data"]
    assert isinstance(record, DatasetRecord)
    assert record.preferences
    assert record.preferences.removed == {"leaked": 1}
    assert record.sources[-1].license == "mit"


def test_all_pairs_of_a_diff_stand_in_one_split(commits: Path) -> None:
    import pyarrow.parquet as pq

    pairs = [pair(n // 3, rejected=f"chore: change {n}") for n in range(30)]
    run = preferring(commits, pairs)
    finished(run, "data")
    folder = run.folder / "data" / "preferences"
    train, validation = (
        set(pq.read_table(folder / f"{name}.parquet").to_pydict()["text"])
        for name in ("train", "validation")
    )
    assert train
    assert validation
    assert not train & validation


UNUSABLE: dict[str, Pair] = {
    "no_rejected": {"rejected": None},
    "not_text": {"chosen": ["fix: a"]},
    "empty": {"chosen": "  "},
    "equal_answers": {"chosen": "fix: same ", "rejected": "fix: same\n\nbody"},
    "no_changed_line": {"prompt": "please write a subject"},
    "secret": {"chosen": "fix: use AKIA" + "IOSFODNN7EXAMPLE"},
}


@pytest.mark.parametrize("reason", UNUSABLE)
def test_pairs_that_cannot_be_used_are_counted(commits: Path, reason: str) -> None:
    bad = pair(40, **UNUSABLE[reason])
    few = preferring(commits, [*(pair(n) for n in range(30)), bad])
    record = finished(few, "data")["data"]
    assert isinstance(record, DatasetRecord)
    assert record.preferences
    assert record.preferences.removed == {reason: 1}
    many = preferring(commits, [*(pair(n) for n in range(10)), bad])
    with pytest.raises(InputError, match=rf"1 of 11 are not \({reason} 1\)"):
        finished(many, "data")


def test_answers_that_would_be_cut_are_refused_above_a_share(commits: Path) -> None:
    long = "fix(parser): " + "describe everything " * 12
    pairs = [pair(n, rejected=long) if n < 4 else pair(n) for n in range(20)]
    with pytest.raises(InputError, match=r"\d of \d+ pairs have a longer one"):
        finished(preferring(commits, pairs), "train")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"method": "prefix"}, "use full, lora, dora or ia3"),
        ({"method": "full", "quantization": "nf4"}, "use lora or dora"),
        ({"label_smoothing": 0.1}, "no place for training.label_smoothing=0.1"),
    ],
)
def test_what_has_no_meaning_for_preferences_is_refused(
    commits: Path, changes: dict[str, Any], said: str
) -> None:
    run = preferring(commits, [pair(n) for n in range(10)], **changes)
    with pytest.raises(RecipeError, match=said):
        finished(run, "train")


def test_a_classifier_has_no_preferences(tmp_path: Path) -> None:
    root = tiny.project(tmp_path / "project")
    said = ask(root, "run", "toy", "--set", "training.objective=dpo").fault
    assert "a classifier has labels; use sft" in said


def test_the_command_line_names_pairs_and_refuses_half_of_it(commits: Path, tmp_path: Path) -> None:
    file = tmp_path / "theirs.jsonl"
    file.write_text("".join(json.dumps(pair(n)) + "\n" for n in range(12)))
    dpo = ("--set", "training.objective=dpo")
    said = ask(commits, "data", "toy", *dpo, "--preferences", str(file), "--json").document
    assert said["data"]["preferences"]["source"]["license"] == "unknown"
    assert said["data"]["preferences"]["source"]["name"] == "theirs.jsonl"
    assert "--preferences FILE" in ask(commits, "data", "toy", *dpo).fault
    missing = ask(commits, "data", "toy", *dpo, "--preferences", "none.jsonl").fault
    assert "name one with --preferences" in missing
    assert (
        "add --set training.objective=dpo"
        in ask(commits, "data", "toy", "--preferences", str(file)).fault
    )


def test_pairs_that_are_not_read_name_no_run(commits: Path) -> None:
    plain = toy_run(commits)
    named = replace(plain.preset, preferences=PreferenceData("none.jsonl"))
    other = replace(named, training=replace(named.training, beta=0.5))
    assert settings_of(plain.recipe, other) == plain.settings
    dpo = preferring(commits, [pair(0)])
    before = dpo.folder
    assert preferring(commits, [pair(1)]).folder != before
    assert preferring(commits, [pair(0)], beta=0.5).folder != before


def test_pairs_need_a_license(commits: Path) -> None:
    run = preferring(commits, [pair(n) for n in range(4)])
    preset = replace(run.preset, preferences=PreferenceData("pairs.jsonl"))
    with pytest.raises(KitError, match="expected the license of preferences"):
        finished(open_run(run.project, run.recipe, None, preset), "data")
