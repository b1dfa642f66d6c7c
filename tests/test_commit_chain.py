"""The chain of a commit recipe on a tiny Llama: files, records, pages, the Space, adapters."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from kit.errors import RecipeError
from kit.pipeline import run_stages
from kit.publishing.gates import check_run
from kit.records import (
    CheckpointRecord,
    DatasetRecord,
    EvaluationRecord,
    ExportRecord,
    Record,
)
from kit.runs import Run
from kit.stages import STAGES
from tests import tiny_commits
from tests.asking import ask
from tests.conftest import silent, toy_run
from tests.gradio_apps import connected, free_port
from tests.tiny import ROOT

Finished = tuple[Run, dict[str, Record]]


def test_no_project_stands_in_train_and_in_test(commits: Finished) -> None:
    import pyarrow.parquet as pq

    folder = commits[0].folder / "data"
    projects = {
        split: set(pq.read_table(folder / f"{split}.parquet").to_pydict()["project"])
        for split in ("train", "validation", "test")
    }
    assert projects["train"] & projects["test"] == set()
    assert projects["train"] & projects["validation"] == set()
    record = commits[1]["data"]
    assert isinstance(record, DatasetRecord)
    assert record.splits["test"].rows > 0


def test_the_model_learns_the_format_and_its_base_does_not_know_it(commits: Finished) -> None:
    record = commits[1]["evaluate"]
    assert isinstance(record, EvaluationRecord)
    assert record.headline == "type_accuracy"
    tuned, base = record.systems["tuned"], record.systems["base"]
    assert tuned["format_validity"].value > 0.9 > base["format_validity"].value
    assert tuned["perplexity"].value < base["perplexity"].value
    assert {"nearest", "rules"} < set(record.systems)
    wanted = {"format_validity", "type_accuracy", "chrf", "bleu"}
    assert {c.metric for c in record.comparisons if c.b == "nearest"} == wanted


def test_the_fp32_file_writes_the_checkpoints_tokens(commits: Finished) -> None:
    record = commits[1]["export"]
    assert isinstance(record, ExportRecord)
    assert record.parity["fp32"].agreement == 1.0
    assert record.parity["fp32"].largest_logit_difference < 1e-3
    assert record.samples[0].predicted.split("(")[0] in tiny_commits.VERBS


def test_every_gate_but_the_toys_score_passes(commits: Finished) -> None:
    failed = {verdict.gate for verdict in check_run(commits[0]) if not verdict.passed}
    assert failed <= {"evaluation", "parity"}


def test_a_second_run_of_commits_does_nothing(commits: Finished) -> None:
    assert [ran for _, _, ran in run_stages(commits[0], silent)] == [False] * len(STAGES)


def test_the_model_repo_answers_with_its_own_two_modules(commits: Finished, tmp_path: Path) -> None:
    model = commits[0].folder / "assembly" / "model"
    diff = tiny_commits.commit("fix", "cache", "close", 7)["diff"]
    code = (
        f"import sys; sys.path.insert(0, {str(model)!r})\n"
        "from inference import Generator\n"
        f"print(Generator({str(model)!r}).alternatives({diff!r}, n=2)[0]['text'])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
    )
    assert ": " in found.stdout


def test_the_space_names_its_samples_and_carries_its_model(commits: Finished) -> None:
    space = commits[0].folder / "assembly" / "space"
    config = json.loads((space / "demo.json").read_text())
    assert config["samples"][0]["message"]
    assert (space / config["model_path"] / "generation.json").is_file()
    assert (commits[0].folder / "assembly" / "gradio" / "prompts.py").is_file()


@pytest.fixture(scope="module")
def client(commits: Finished) -> Iterator[Client]:
    """Return a client of the app that ``kit demo toy`` serves."""
    port = free_port()
    command = [sys.executable, "-m", "kit", "demo", "toy", "--port", str(port)]
    path = {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, cwd=commits[0].project.root, env=os.environ | path, start_new_session=True
    )
    try:
        yield connected(port)
    finally:
        # Not SIGINT, which a shell has its background jobs ignore.
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def test_the_demo_writes_what_kit_predict_does(
    commits: Finished, client: Client, tmp_path: Path
) -> None:
    file = tmp_path / "change.diff"
    file.write_text(tiny_commits.commit("feat", "router", "offer", 11)["diff"])
    root = commits[0].project.root
    wanted = ask(root, "predict", "toy", "--input", str(file), "--n", "3").out.splitlines()
    assert wanted
    assert client.predict(file.read_text(), 3, api_name="/write") == wanted
    assert client.predict(file.read_text(), 3, api_name="/show") == "\n".join(wanted)


@pytest.mark.parametrize(("text", "said"), [(" ", "Paste a diff"), ("no diff", "found no file")])
def test_the_demo_says_what_is_wrong(client: Client, text: str, said: str) -> None:
    with pytest.raises(AppError, match=said):
        client.predict(text, 3, api_name="/write")


def test_prefix_tuning_is_trained_but_not_exported(tmp_path: Path) -> None:
    run = toy_run(tiny_commits.project(tmp_path / "project"), method="prefix", epochs=1)
    for _ in run_stages(run, silent, last="evaluate"):
        pass
    assert (run.folder / "checkpoint" / "adapter" / "adapter_model.safetensors").is_file()
    with pytest.raises(RecipeError, match="checkpoint/adapter"):
        list(run_stages(run, silent, first="export", last="export"))


@pytest.mark.parametrize(
    ("method", "quantization"),
    [("lora", None), ("dora", None), ("ia3", None), ("lora", "nf4")],
)
def test_an_adapter_is_kept_alone_and_merged(
    method: str, quantization: str | None, tmp_path: Path
) -> None:
    run = toy_run(
        tiny_commits.project(tmp_path / "project"),
        method=method,
        quantization=quantization,
        epochs=1,
    )
    record = [found for _, found, _ in run_stages(run, silent, last="train")][-1]
    assert isinstance(record, CheckpointRecord)
    assert 0 < record.trainable_parameters < record.parameters
    files = {file.path for file in record.files}
    assert {"adapter/adapter_model.safetensors", "model.safetensors", "generation.json"} <= files


def test_four_bits_and_full_training_are_refused_in_one_line(tmp_path: Path) -> None:
    run = toy_run(tiny_commits.project(tmp_path / "project"), quantization="nf4")
    with pytest.raises(RecipeError, match="use lora or dora"):
        list(run_stages(run, silent, last="train"))
