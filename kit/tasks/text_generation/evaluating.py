"""Every system on the same commits: the tuned model, its base, nearest neighbour, and rules.

A base with a chat template is asked a second time, after training examples as earlier turns.
Answers are unconstrained and greedy, each system asked with the same prompts. What decoding for use
adds is reported with the export. ``perplexity`` is of the reference messages after their diffs,
``diff_perplexity`` of the diffs themselves: what the base knew and the tuned model may forget.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kit.evaluation.commit_baselines import nearest_neighbour, rule_message
from kit.evaluation.commits import parse
from kit.evaluation.consistency import CHANGES, consistency
from kit.evaluation.generation import (
    compare_texts,
    score_texts,
    signatures,
    text_slices,
    type_confusion,
)
from kit.evaluation.intervals import bootstrap
from kit.evaluation.overlap import bleu_4
from kit.files import write_atomically
from kit.hub.sources import fetch_again
from kit.records import Answer, CheckpointRecord, EvaluationRecord, Metric, Source
from kit.runs import Progress, Run
from kit.tasks.text_generation.few_shot import few_shot
from kit.tasks.text_generation.fitting import tokenized
from kit.tasks.text_generation.loading import (
    Commits,
    Prompting,
    load_model,
    load_tokenizer,
    prompting,
    read_split,
    spec,
)
from kit.tasks.text_generation.predicting import answers, losses, tuned

SAMPLES_EACH = 6
MISTAKES = 8
MEASURED_DIFFS = 120
TYPE_TOKENS = 24
"""Enough for a type, a scope and the colon."""

DESCRIPTIONS = {
    "tuned": "the fine-tuned model",
    "nearest": "the message of the most similar training diff (NNGen)",
    "rules": "a rule that reads paths and changed lines and learns nothing",
    "base": "the base model, asked with the same prompt",
    "base_few_shot": "the base model, shown three training examples before the same prompt",
}


def evaluate_test_split(run: Run, progress: Progress) -> EvaluationRecord:
    """Evaluate on the run's own test split and leave ``predictions.jsonl`` beside the record."""
    file = run.folder / "data" / "test.parquet"
    source = Source(kind="local", name=file.name, revision="", license="")
    record, predictions = evaluate_rows(run, read_split(run, "test"), "test", source, progress)
    write_atomically(run.folder / "predictions.jsonl", predictions)
    return record


def evaluate_rows(
    run: Run, rows: Commits, split: str, source: Source, progress: Progress
) -> tuple[EvaluationRecord, bytes]:
    """Put every system on the rows; return the record and all answers as JSONL."""
    start = time.perf_counter()
    types = run.recipe.task.labels
    found, measured = _systems(run, rows, progress)
    progress("evaluate: scores", 0, None)
    systems = {
        name: score_texts(texts, rows.messages, rows.diffs, types) | measured.get(name, {})
        for name, texts in found.items()
    }
    sliced = text_slices(_sliced(run, rows), found["tuned"], rows.messages, types)
    order = _by_closeness(found["tuned"], rows.messages)
    record = EvaluationRecord(
        split=split,
        n=len(rows),
        headline="type_accuracy",
        labels=types,
        systems=systems,
        descriptions={name: DESCRIPTIONS[name] for name in found},
        comparisons=tuple(
            comparison
            for name in found
            if name != "tuned"
            for comparison in compare_texts(
                "tuned", name, found["tuned"], found[name], rows.messages, types
            )
        ),
        confusion=type_confusion(found["tuned"], rows.messages, types),
        slices=sliced["type_accuracy"],
        mistakes=_answers(rows, found["tuned"], _wrong(found["tuned"], rows, order)[:MISTAKES]),
        samples=_answers(rows, found["tuned"], [*order[:SAMPLES_EACH], *order[-SAMPLES_EACH:]]),
        consistency=_consistency(run, rows, found["tuned"], progress),
        signatures=signatures(),
        source=source,
        seconds=time.perf_counter() - start,
    )
    return record, _predictions(rows, found)


def _systems(
    run: Run, rows: Commits, progress: Progress
) -> tuple[dict[str, list[str]], dict[str, dict[str, Metric]]]:
    """Return each system's answers, and what was measured of the two models besides."""
    train = read_split(run, "train")
    found: dict[str, list[str]] = {}
    measured: dict[str, dict[str, Metric]] = {}
    progress("evaluate tuned", 0, 4)
    found["tuned"], measured["tuned"] = _of_model(*tuned(run), rows)
    progress("evaluate nearest", 1, 4)
    found["nearest"] = nearest_neighbour(train.diffs, train.messages, rows.diffs)
    progress("evaluate rules", 2, 4)
    found["rules"] = [rule_message(diff) for diff in rows.diffs]
    progress("evaluate base", 3, 4)
    trained_from = CheckpointRecord.load(run.folder / "checkpoint.json").base
    folder = fetch_again(run.base, trained_from)
    model, tokenizer = load_model(folder).eval(), load_tokenizer(folder)
    asking = prompting(tokenizer, spec(run), run.preset.training.max_length)
    found["base"], measured["base"] = _of_model(model, tokenizer, asking, rows)
    shown = few_shot(tokenizer, asking, model.config.max_position_embeddings, train)
    if shown:
        progress("evaluate base, few-shot", 4, 5)
        prompts = [shown.prompt(diff, tokenizer) for diff in rows.diffs]
        found["base_few_shot"] = answers(model, tokenizer, prompts, shown)
    return found, measured


def _of_model(
    model: Any, tokenizer: Any, asking: Prompting, rows: Commits
) -> tuple[list[str], dict[str, Metric]]:
    prompts = [asking.prompt(diff, tokenizer) for diff in rows.diffs]
    pairs = tokenized(tokenizer, asking, rows)
    ids = [
        tokenizer(text, add_special_tokens=False)["input_ids"] for text in prompts[:MEASURED_DIFFS]
    ]
    return answers(model, tokenizer, prompts, asking), {
        "perplexity": _perplexity(losses(model, pairs["input_ids"], pairs["labels"])),
        "diff_perplexity": _perplexity(losses(model, ids, ids)),
    }


def _perplexity(rows: Any) -> Metric:
    """Return exp of the mean nats per token, with a bootstrap interval over rows."""

    def statistic(sample: Any) -> float:
        return float(np.exp(sample[:, 0].sum() / sample[:, 1].sum()))

    low, high = bootstrap(statistic, rows)
    return Metric(value=statistic(rows), low=low, high=high, n=len(rows), method="bootstrap")


def _consistency(
    run: Run, rows: Commits, before: Sequence[str], progress: Progress
) -> dict[str, Metric]:
    """Ask again about diffs changed in ways that leave the commit's type as it is.

    A prompt shows less than a diff: where a change leaves it as it was, so is its answer.
    """
    model, tokenizer, asking = tuned(run)
    told = {
        asking.prompt(diff, tokenizer): message
        for diff, message in zip(rows.diffs, before, strict=True)
    }
    # Only the type is compared, and it comes first.
    asking = replace(asking, max_new_tokens=min(TYPE_TOKENS, asking.max_new_tokens))
    found = {}
    for done, (name, change) in enumerate(CHANGES.items()):
        progress(f"evaluate: {name}", done, len(CHANGES))
        changed = [change(diff) for diff in rows.diffs]
        kept = [i for i, diff in enumerate(rows.diffs) if changed[i] != diff]
        if not kept:
            continue
        prompts = [asking.prompt(changed[i], tokenizer) for i in kept]
        new = [prompt for prompt in dict.fromkeys(prompts) if prompt not in told]
        told |= zip(new, answers(model, tokenizer, new, asking), strict=True)
        after = [_type(told[prompt]) for prompt in prompts]
        found[name] = consistency([_type(before[i]) for i in kept], after)
    return found


def _type(message: str) -> str | None:
    parsed = parse(message)
    return parsed.type if parsed else None


def _sliced(run: Run, rows: Commits) -> dict[str, Sequence[str]]:
    """Return the type, the fields that the recipe slices by, and the size of the diff."""
    fields: dict[str, Sequence[str]] = {"type": rows.fields["type"]}
    fields |= {name: rows.fields[name] for name in run.recipe.task.slices if name in rows.fields}
    return {**fields, "size": [_size_class(diff) for diff in rows.diffs]}


def _size_class(diff: str) -> str:
    changed = sum(line[:1] in "+-" for line in diff.splitlines() if line)
    ends = ((8, "up to 8 lines"), (20, "9 to 20 lines"), (45, "21 to 45 lines"))
    return next((name for end, name in ends if changed <= end), "46 lines and more")


def _by_closeness(predicted: Sequence[str], references: Sequence[str]) -> list[int]:
    """Return the rows from the answer nearest to its reference to the furthest."""
    scores = [bleu_4(p, r) for p, r in zip(predicted, references, strict=True)]
    return sorted(range(len(scores)), key=lambda i: (-scores[i], i))


def _wrong(predicted: Sequence[str], rows: Commits, order: Sequence[int]) -> list[int]:
    """Return the rows whose answer has another type than the reference, the nearest texts first."""
    return [i for i in order if _type(predicted[i]) != rows.fields["type"][i]]


def _answers(rows: Commits, predicted: Sequence[str], chosen: Sequence[int]) -> tuple[Answer, ...]:
    return tuple(
        Answer(
            id=rows.ids[i],
            text=rows.diffs[i],
            label=rows.messages[i],
            predicted=predicted[i],
            note=rows.fields.get("language", ("",) * len(rows))[i],
        )
        for i in chosen
    )


def _predictions(rows: Commits, found: dict[str, list[str]]) -> bytes:
    lines = [
        json.dumps(
            {"id": rows.ids[i], "message": rows.messages[i]}
            | {name: texts[i] for name, texts in found.items()}
        )
        for i in range(len(rows))
    ]
    return ("\n".join(lines) + "\n").encode()
