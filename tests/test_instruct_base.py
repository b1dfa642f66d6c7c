"""A tiny Qwen2 with a chat template as the base: few-shot, and the whole chain with QLoRA."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from kit.inference import Generator
from kit.pipeline import run_stages
from kit.project import find_project
from kit.recipe import TextGeneration, find_recipe
from kit.records import CheckpointRecord, EvaluationRecord, ExportRecord, Record
from kit.runs import Run, open_run, override
from kit.tasks.text_generation.few_shot import SHOTS, examples, few_shot
from kit.tasks.text_generation.loading import (
    INSTRUCTION,
    Commits,
    Prompting,
    load_tokenizer,
    prompting,
)
from tests import tiny_commits
from tests.conftest import silent, toy_run

SETTINGS = ("training.method=qlora", "training.max_length=260", "training.epochs=1")
CONTEXT = 1024
VOCABULARY = 400


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, dict[str, Record]]:
    """Return a run with an instruct base after the whole chain; tests must not change it."""
    root = tiny_commits.project(tmp_path_factory.mktemp("instruct") / "project", chat=True)
    recipe = find_recipe(root, "toy")
    run = open_run(find_project(root), recipe, None, override(recipe.preset(None), SETTINGS))
    return run, {stage.name: record for stage, record, _ in run_stages(run, silent)}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the tokenizer of an instruct base."""
    folder = tmp_path_factory.mktemp("chat")
    tiny_commits.chat_base(folder)
    return load_tokenizer(folder)


@pytest.fixture(scope="module")
def alone(tokenizer: Any) -> Prompting:
    """Return how the base is asked without examples."""
    return prompting(tokenizer, TextGeneration(max_new_tokens=16), 260)


def commits(more: str = "") -> Commits:
    """Return rows of train, ``more`` added to the end of each diff."""
    rows = tiny_commits.rows(60)
    messages = tuple(row["message"] for row in rows)
    return Commits(
        ids=tuple(str(number) for number in range(len(rows))),
        diffs=tuple(row["diff"].replace(",3 @@", ",903 @@") + more for row in rows),
        messages=messages,
        fields={"type": tuple(message.split("(")[0] for message in messages)},
    )


def test_qlora_of_an_instruct_base_runs_the_whole_chain(
    chain: tuple[Run, dict[str, Record]],
) -> None:
    run, records = chain
    fit, evaluation, export = records["train"], records["evaluate"], records["export"]
    assert isinstance(fit, CheckpointRecord)
    assert (fit.method, fit.quantization) == ("lora", "nf4")
    assert fit.epochs[0].eval_loss < math.log(VOCABULARY) - 0.2
    assert isinstance(evaluation, EvaluationRecord)
    assert isinstance(export, ExportRecord)
    assert export.parity["fp32"].agreement == 1.0
    generator = Generator(run.folder / "export")
    prompt = generator.prompt(tiny_commits.commit("fix", "cache", "close", 3)["diff"])
    assert prompt.startswith(f"<|diff|>{INSTRUCTION}M src/cache.py\n")
    assert prompt.endswith("<|message|>")


def test_a_base_with_a_chat_template_is_also_asked_after_examples(
    chain: tuple[Run, dict[str, Record]],
) -> None:
    run, records = chain
    record = records["evaluate"]
    assert isinstance(record, EvaluationRecord)
    shown, alone = record.systems["base_few_shot"], record.systems["base"]
    assert shown["type_accuracy"].n == alone["type_accuracy"].n == record.n
    assert {c.metric for c in record.comparisons if c.b == "base_few_shot"} >= {"type_accuracy"}
    assert set(record.descriptions) == set(record.systems)
    rows = [json.loads(line) for line in (run.folder / "predictions.jsonl").open()]
    assert all("base_few_shot" in row for row in rows)
    for page in ("model-card.md", "results.md", "post.md"):
        text = (run.folder / "pages" / page).read_text()
        assert "base, few-shot" in text
        assert "untrained head" not in text


def test_examples_are_turns_before_the_same_question(tokenizer: Any, alone: Prompting) -> None:
    shown = few_shot(tokenizer, alone, CONTEXT, commits())
    assert shown
    assert shown.prefix.endswith(alone.prefix)
    assert (shown.suffix, shown.budget) == (alone.suffix, alone.budget)
    assert shown.prefix.count(INSTRUCTION) == SHOTS + 1
    for _, message in examples(commits()):
        assert f"<|message|>{message}<|end|>" in shown.prefix


def test_examples_are_the_same_each_time_and_of_different_types() -> None:
    train = commits()
    chosen = examples(train)
    assert chosen == examples(train)
    assert set(chosen) <= set(zip(train.diffs, train.messages, strict=True))
    assert len({message.split("(")[0] for _, message in chosen}) == SHOTS


@pytest.mark.parametrize("context", [800, 900, CONTEXT])
def test_the_longest_question_after_the_longest_examples_fits_the_context(
    tokenizer: Any, alone: Prompting, context: int
) -> None:
    train = commits("+more of it()\n" * 900)
    shown = few_shot(tokenizer, alone, context, train)
    assert shown
    ids = tokenizer(shown.prompt(train.diffs[0], tokenizer), add_special_tokens=False)["input_ids"]
    assert len(ids) + shown.max_new_tokens <= context
    assert shown.prefix.count("+more of it()") >= SHOTS


def test_without_a_template_or_room_there_are_no_examples(
    tokenizer: Any, alone: Prompting, tmp_path: Path
) -> None:
    tiny_commits.base(tmp_path)
    assert few_shot(load_tokenizer(tmp_path), alone, CONTEXT, commits()) is None
    assert few_shot(tokenizer, alone, 300, commits()) is None


def test_a_base_without_a_chat_template_has_no_few_shot(tmp_path: Path) -> None:
    run = toy_run(tiny_commits.project(tmp_path / "project"), epochs=1)
    record = {s.name: r for s, r, _ in run_stages(run, silent, last="evaluate")}["evaluate"]
    assert isinstance(record, EvaluationRecord)
    assert set(record.systems) == {"tuned", "nearest", "rules", "base"}
