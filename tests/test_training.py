"""Training: what a kill costs, what LoRA leaves, what is refused."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kit.errors import RecipeError
from kit.files import sha256
from kit.pipeline import run_stages
from kit.recipe import Training
from kit.records import CheckpointRecord
from kit.tasks.text_classification.fitting import refuse_what_cannot_work
from kit.training.arguments import choose_precision, cpu_has_bf16
from kit.training.checkpoints import SPENT
from tests import tiny
from tests.conftest import silent, toy_run

WEIGHTS = "checkpoint/model.safetensors"
KILLED = """
import sys
from pathlib import Path
from tests.conftest import silent, toy_run
from kit.pipeline import run_stages
list(run_stages(toy_run(Path(sys.argv[1]), epochs=6, patience=6), silent, last="train"))
"""


def test_a_killed_training_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    whole = toy_run(tiny.project(tmp_path / "whole"), epochs=6, patience=6)
    list(run_stages(whole, silent, last="train"))
    project = tiny.project(tmp_path / "killed")
    run = toy_run(project, epochs=6, patience=6)
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(project)], cwd=tiny.ROOT)
    deadline = time.monotonic() + 120
    while not list(run.folder.glob(f"trainer/checkpoint-*/{SPENT}")):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (run.folder / "checkpoint.json").exists()
    for path in run.folder.glob(f"trainer/checkpoint-*/{SPENT}"):
        assert 0 < json.loads(path.read_text())["seconds"] < 120
        path.write_text(json.dumps({"seconds": 1000.0, "energy_wh": 50.0}))
    *_, (_, record, ran) = run_stages(run, silent, last="train")
    assert ran
    assert isinstance(record, CheckpointRecord)
    assert record.steps == 6 * 11
    assert sha256(run.folder / WEIGHTS) == sha256(whole.folder / WEIGHTS)
    # What the part before the kill took counts too.
    assert 1000 < record.seconds < 1120
    assert record.energy_wh is not None
    assert 50 < record.energy_wh < 60
    assert record.tokens_per_second == pytest.approx(record.tokens / record.seconds)
    assert not (run.folder / "trainer").exists()


def test_what_a_killed_run_left_of_other_rows_or_code_is_not_gone_on_from(project: Path) -> None:
    run = toy_run(project, epochs=1)
    left = run.folder / "trainer" / "checkpoint-999"
    left.mkdir(parents=True)
    (left / SPENT).write_text(json.dumps({"seconds": 1000.0, "energy_wh": 50.0}))
    (left.parent / "inputs").write_text("of an older kit")
    *_, (_, record, _) = run_stages(run, silent, last="train")
    assert isinstance(record, CheckpointRecord)
    assert (record.steps, record.seconds < 1000) == (11, True)


def test_lora_on_a_classifier_is_merged_with_its_head(project: Path) -> None:
    run = toy_run(project, method="lora", learning_rate=8e-3, epochs=6)
    *_, (_, record, _) = run_stages(run, silent, last="train")
    assert isinstance(record, CheckpointRecord)
    assert record.trainable_parameters < record.parameters / 2
    assert record.epochs[-1].eval_loss < 0.5
    from safetensors import safe_open

    with safe_open(run.folder / WEIGHTS, "pt") as weights:
        names = set(weights.keys())
    assert "classifier.weight" in names
    assert not any("lora" in name for name in names)


def test_distilbert_trains_and_exports_by_the_same_code(tmp_path: Path) -> None:
    run = toy_run(tiny.project(tmp_path / "project", base="distilbert"), epochs=1)
    stages = [stage.name for stage, _, _ in run_stages(run, silent, last="export")]
    assert stages[-1] == "export"


@pytest.mark.parametrize(
    ("training", "said"),
    [
        (Training(objective="dpo"), "use sft"),
        (Training(method="prefix"), "use full, lora or dora"),
        (Training(method="lora", quantization="nf4"), "use none"),
    ],
)
def test_what_cannot_work_is_one_line_with_the_way_out(training: Training, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        refuse_what_cannot_work(training)


def test_bf16_by_name_is_refused_where_it_is_only_emulated() -> None:
    if cpu_has_bf16():
        assert choose_precision("bf16") == "bf16"
    else:
        assert choose_precision("auto") == "fp32"
        with pytest.raises(RecipeError, match="needs a GPU or a CPU"):
            choose_precision("bf16")
