"""What no run determines: somebody else's commits, and somebody else's model.

Each leaves a record of its own in ``evaluations/`` of the run; ``evaluation.json`` stays as it is.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from kit.data.commit_rows import usable_commits
from kit.data.rows import Tally
from kit.data.sources import read_rows
from kit.errors import InputError, RunError
from kit.evaluation.generation import compare_texts, score_texts
from kit.files import sha256
from kit.prompts import render
from kit.recipe import Cleaning
from kit.records import Endpoint, EndpointRecord, EvaluationRecord, Source
from kit.runs import Progress, Run
from kit.tasks.text_generation.endpoint import (
    MAX_TOKENS,
    TEMPERATURE,
    ChatEndpoint,
    Reply,
    open_endpoint,
)
from kit.tasks.text_generation.evaluating import evaluate_rows
from kit.tasks.text_generation.loading import (
    INSTRUCTION,
    Commits,
    Prompting,
    counter,
    load_tokenizer,
    read_split,
    spec,
)
from kit.tasks.text_generation.predicting import first_line

AS_GIVEN = Cleaning(personal_data="keep")
"""Every row with a readable diff and a conventional subject is asked; nothing is masked."""


def evaluate_outside(
    run: Run, path: Path, columns: tuple[str | None, str | None], progress: Progress
) -> tuple[EvaluationRecord, Path]:
    """Evaluate on the rows of a file; leave the record in ``evaluations/`` and return both.

    Args:
        run: a run whose checkpoint is there.
        path: JSONL, CSV or Parquet, gzipped too.
        columns: of the diff and the message, "diff" and "message" where None.
        progress: called as each system is asked.

    Raises:
        InputError: the file cannot be used, or none of its rows can.
    """
    digest = sha256(path) if path.is_file() else ""
    rows = _rows(run, path, columns)
    source = Source(kind="local", name=path.name, revision=digest, license="unknown")
    record, _ = evaluate_rows(run, rows, path.name, source, progress)
    file = run.folder / "evaluations" / f"{path.name.partition('.')[0]}-{digest[:8]}.json"
    record.save(file)
    return record, file


def _rows(run: Run, path: Path, columns: tuple[str | None, str | None]) -> Commits:
    names = {"text": columns[0] or "diff", "label": columns[1] or "message"}
    found = usable_commits(list(read_rows(path, names)), spec(run), AS_GIVEN, Tally())
    if not found:
        raise InputError(f"expected rows with diff and message in {path}, got none to be used")
    fields = set.intersection(*(set(row.fields) for row in found)) - {"message"}
    columns_of = {name: tuple(row.fields[name] for row in found) for name in sorted(fields)}
    return Commits(
        tuple(row.id for row in found),
        tuple(row.text for row in found),
        tuple(row.fields["message"] for row in found),
        {**columns_of, "type": tuple(row.label for row in found)},
    )


def evaluate_endpoint(
    run: Run, url: str, model: str, progress: Progress
) -> tuple[EndpointRecord, Path]:
    """Ask a model behind an address about the run's test rows; leave its record and its answers.

    It is shown as much of each diff as the tuned model, after the instruction that chat models
    get. Answers are kept as they come: after an error, the same command goes on where it stopped.

    Args:
        run: a run that was evaluated.
        url: base address of an OpenAI-compatible server, such as ``https://host/v1``.
        model: the name that the server knows it by.
        progress: called with each question.

    Raises:
        InputError: the address cannot be used.
        EndpointError: it does not answer, or not as expected.
        RunError: the run's answers are of other rows.
    """
    start = time.perf_counter()
    endpoint, rows = open_endpoint(url, model), read_split(run, "test")
    record, tuned = EvaluationRecord.load(run.folder / "evaluation.json"), _tuned(run, rows)
    file = run.folder / "evaluations" / f"endpoint-{_slug(endpoint)}.json"
    replies = _replies(endpoint, _questions(run, rows), file.with_suffix(".part.jsonl"), progress)
    texts = [first_line(reply.text) for reply in replies]
    types = run.recipe.task.labels
    scores = score_texts(texts, rows.messages, rows.diffs, types)
    compared = compare_texts("tuned", "endpoint", tuned, texts, rows.messages, types)
    found = EndpointRecord.model_validate(
        {
            **record.model_dump(),
            "inputs": "",
            "systems": {**record.systems, "endpoint": scores},
            "descriptions": {**record.descriptions, "endpoint": f"{model}, asked over the network"},
            "comparisons": (*record.comparisons, *compared),
            "endpoint": _described(endpoint, replies),
            "seconds": time.perf_counter() - start,
        }
    )
    file.with_suffix(".part.jsonl").replace(file.with_suffix(".jsonl"))
    found.save(file)
    return found, file


def _tuned(run: Run, rows: Commits) -> list[str]:
    """Return what the tuned model answered when the run was evaluated."""
    lines = (run.folder / "predictions.jsonl").read_text("utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    if [row["id"] for row in found] != list(rows.ids):
        raise RunError(
            f"expected the answers to the test rows in {run.relative}/predictions.jsonl, got "
            f"others; `kit evaluate {run.recipe.name}` writes them again"
        )
    return [row["tuned"] for row in found]


def _questions(run: Run, rows: Commits) -> list[str]:
    asking = Prompting.load(run.folder / "checkpoint")
    count = counter(load_tokenizer(run.folder / "checkpoint"))
    return [INSTRUCTION + render(diff, asking.budget, count) for diff in rows.diffs]


def _slug(endpoint: ChatEndpoint) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", endpoint.model.lower()).strip("-")[:40]
    digest = hashlib.sha256(f"{endpoint.url}\n{endpoint.model}".encode()).hexdigest()
    return f"{name}-{digest[:8]}"


def _replies(
    endpoint: ChatEndpoint, questions: Sequence[str], kept: Path, progress: Progress
) -> list[Reply]:
    """Return an answer to each question; those that are in ``kept`` are not asked for again."""
    before = _kept(kept)
    kept.parent.mkdir(exist_ok=True)
    replies = []
    with kept.open("a", encoding="utf-8") as file:
        for done, question in enumerate(questions):
            progress("evaluate endpoint", done, len(questions))
            asked = hashlib.sha256(question.encode()).hexdigest()
            if asked not in before:
                before[asked] = endpoint.ask(question)
                file.write(json.dumps({"asked": asked, **asdict(before[asked])}) + "\n")
                file.flush()
            replies.append(before[asked])
    return replies


def _kept(path: Path) -> dict[str, Reply]:
    """Return the answers of an asking that was cut off, by the digest of the question."""
    if not path.is_file():
        return {}
    lines = path.read_text("utf-8").splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    if whole != lines:
        path.write_text("".join(whole), "utf-8")
    rows = [json.loads(line) for line in whole]
    return {row.pop("asked"): Reply(**row) for row in rows}


def _described(endpoint: ChatEndpoint, replies: Sequence[Reply]) -> Endpoint:
    prompt = [reply.prompt_tokens for reply in replies if reply.prompt_tokens is not None]
    answer = [reply.answer_tokens for reply in replies if reply.answer_tokens is not None]
    return Endpoint(
        url=endpoint.url,
        model=endpoint.model,
        answered_as=tuple(sorted({reply.model for reply in replies})),
        asked_at=datetime.now(UTC).isoformat(timespec="seconds"),
        instruction=INSTRUCTION.strip(),
        temperature=TEMPERATURE,
        max_tokens=MAX_TOKENS,
        prompt_tokens=sum(prompt) if prompt else None,
        answer_tokens=sum(answer) if answer else None,
    )
