"""The whole chain on a toy model: which files it leaves, what it skips, what it does again."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kit.errors import RunError
from kit.pipeline import accept, run_stages
from kit.recipe import recipe_names
from kit.records import CheckpointRecord, DatasetRecord, EvaluationRecord, ExportRecord, Record
from kit.runs import Run, locked
from kit.stages import STAGES, fresh
from tests.conftest import silent, toy_run
from tests.test_gates import copied  # noqa: F401  a fixture
from tests.tiny import ROOT

Finished = tuple[Run, dict[str, Record]]

FILES = {
    *("dataset.json", "checkpoint.json", "evaluation.json", "export.json", "pages.json"),
    *("assembly.json", "settings.json", "predictions.jsonl", ".lock"),
    *(f"data/{split}.parquet" for split in ("train", "validation", "test")),
    *(f"checkpoint/{n}" for n in ("config.json", "model.safetensors", "tokenizer.json")),
    "checkpoint/tokenizer_config.json",
    *(f"export/{n}" for n in ("config.json", "tokenizer.json", "tokenizer_config.json")),
    *(f"export/onnx/model{suffix}.onnx" for suffix in ("", "_quantized")),
    *(f"pages/{n}.md" for n in ("model-card", "dataset-card", "post", "results", "data")),
    "pages/reproduce.md",
    *("pages/notebook.ipynb", "pages/tutorial.py"),
    *(f"pages/social/{name}.txt" for name in ("x", "linkedin", "instagram", "alt")),
    *(f"pages/social/{name}" for name in ("video.md", "titles.md", "og.png", "thumbnail.png")),
    *("pages/bundle/README.md", "pages/bundle/ATTRIBUTION.md"),
    *(f"pages/figures/{n}.svg" for n in ("comparison", "slices", "loss", "confusion")),
    "pages/figures/calibration.svg",
}


def test_the_chain_leaves_exactly_these_files(finished: Finished) -> None:
    run, _ = finished
    found = {
        path.relative_to(run.folder).as_posix() for path in run.folder.rglob("*") if path.is_file()
    }
    assert {name for name in found if not name.startswith("assembly/")} == FILES
    assert "assembly/space/runtime/transformers.min.js" in found
    assert "assembly/gradio/inference.py" in found


def test_the_project_ships_two_recipes() -> None:
    assert recipe_names(ROOT) == ["commit_messages", "sentiment"]


def test_a_second_run_does_nothing(finished: Finished) -> None:
    run, _ = finished
    assert [ran for _, _, ran in run_stages(run, silent)] == [False] * len(STAGES)


def test_a_changed_sentence_runs_only_what_reads_it(finished: Finished) -> None:
    run, _ = finished
    prose = run.recipe.folder / "prose" / "why.md"
    before = prose.read_text()
    try:
        prose.write_text(before + "\nOne more sentence.\n")
        stale = [stage.name for stage in STAGES if fresh(run, stage) is None]
    finally:
        prose.write_text(before)
    assert stale == ["write"]


@pytest.mark.parametrize("damage", ["older", "cut"])
def test_a_record_that_an_older_kit_left_or_that_is_cut_is_made_again(
    finished: Finished, damage: str
) -> None:
    run, _ = finished
    record = run.folder / "export.json"
    before = record.read_text()
    older = {key: value for key, value in json.loads(before).items() if key != "thousand"}
    try:
        record.write_text(json.dumps(older) if damage == "older" else before[:50])
        stale = [stage.name for stage in STAGES if fresh(run, stage) is None]
    finally:
        record.write_text(before)
    assert stale[0] == "export"


def test_the_evaluation_record_keeps_its_contract(finished: Finished) -> None:
    run, _ = finished
    record = json.loads((run.folder / "evaluation.json").read_text())
    assert record["schema_version"] == 1
    assert record["split"] == "test"
    assert set(record["systems"]) == {"tuned", "base", "base_centroid", "tfidf", "majority"}
    assert {"value", "low", "high", "n"} <= set(record["systems"]["tuned"]["accuracy"])
    wanted = {"metric", "a", "b", "difference", "low", "high", "p_value"}
    assert all(wanted <= set(comparison) for comparison in record["comparisons"])


def test_the_toy_model_learns_and_beats_its_base(finished: Finished) -> None:
    record = finished[1]["evaluate"]
    assert isinstance(record, EvaluationRecord)
    tuned, base = (record.systems[name]["accuracy"].value for name in ("tuned", "base"))
    assert tuned > 0.9 > base


def test_accuracy_recomputed_from_the_predictions_is_the_records(finished: Finished) -> None:
    run, records = finished
    lines = (run.folder / "predictions.jsonl").read_text().splitlines()
    answers = [json.loads(line) for line in lines]
    right = sum(answer["label"] == answer["predicted"] for answer in answers)
    record = records["evaluate"]
    assert isinstance(record, EvaluationRecord)
    assert record.systems["tuned"]["accuracy"].value == pytest.approx(right / len(answers))


def test_every_split_is_disjoint_and_counted(finished: Finished) -> None:
    record = finished[1]["data"]
    assert isinstance(record, DatasetRecord)
    kept = sum(split.rows for split in record.splits.values())
    assert kept + sum(record.removed.values()) == record.rows_read == 240


def test_the_exports_agree_with_the_checkpoint(finished: Finished) -> None:
    record = finished[1]["export"]
    assert isinstance(record, ExportRecord)
    assert record.parity["fp32"].largest_logit_difference < 1e-3
    assert record.parity["fp32"].agreement == 1
    assert record.parity["int8"].agreement >= 0.95


def test_the_best_epoch_has_the_lowest_validation_loss(finished: Finished) -> None:
    record = finished[1]["train"]
    assert isinstance(record, CheckpointRecord)
    best = min(record.epochs, key=lambda epoch: epoch.eval_loss)
    assert record.best_step == best.step


def test_no_branch_name_and_no_machine_path_reaches_a_record(finished: Finished) -> None:
    run, _ = finished
    for stage in STAGES:
        text = (run.folder / stage.record).read_text()
        assert str(run.project.root) not in text
        assert not re.search(r'"revision": "(main|master)"', text)


def test_two_processes_cannot_work_in_one_run(project: Path) -> None:
    run = toy_run(project)
    with locked(run), pytest.raises(RunError, match="another process works in"):
        list(run_stages(run, silent, last="data"))


def test_changed_data_is_another_run(project: Path) -> None:
    before = toy_run(project).folder
    rows = project / "recipes" / "toy" / "rows.jsonl"
    rows.write_text(rows.read_text() + '{"text": "a fine phone", "label": "positive"}\n')
    assert toy_run(project).folder != before


def test_a_setting_of_the_task_makes_stale_what_reads_it(finished: Finished) -> None:
    run, _ = finished
    changed: dict[str, Any] = {
        "label_aliases": {"pos": "positive"},
        "slices": ("length",),
        "samples": run.recipe.task.samples[:1],
    }
    stale = {}
    for name, value in changed.items():
        task = replace(run.recipe.task, **{name: value})
        other = replace(run, recipe=replace(run.recipe, task=task))
        stale[name] = [stage.name for stage in STAGES if fresh(other, stage) is None]
    assert stale == {
        "label_aliases": ["data"],
        "slices": ["evaluate"],
        "samples": ["evaluate", "export"],
    }


def test_a_stage_that_ran_again_takes_the_records_made_from_its_last_one_with_it(
    copied: Run,  # noqa: F811
) -> None:
    *_, (stage, _, ran) = run_stages(copied, silent, first="export", last="export")
    assert (stage.name, ran) == ("export", True)
    there = [stage.name for stage in STAGES if (copied.folder / stage.record).is_file()]
    assert there == ["data", "train", "evaluate", "export"]


def test_accepted_results_are_replaced_at_once_and_counts_stay(copied: Run) -> None:  # noqa: F811
    results = copied.recipe.folder / "results"
    (results / "pages").mkdir(parents=True, exist_ok=True)
    (results / "pages" / "old.md").write_text("of an earlier run")
    (results / "stats.json").write_text("{}")
    paths = accept(copied)
    assert all(path.is_file() for path in paths)
    assert (results / "stats.json").read_text() == "{}"
    assert not (results / "pages" / "old.md").exists()
    assert not list(results.parent.glob(".results*"))
