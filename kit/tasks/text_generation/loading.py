"""Commits, models and the prompt as the stages of this task read them.

The prompt is that of ``kit.prompts`` between a prefix and a suffix. The starter's are special
tokens of its own tokenizer; those of a model with a chat template come from the template.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from kit.errors import RecipeError
from kit.prompts import render
from kit.recipe import TextGeneration
from kit.runs import Run

DIFF, MESSAGE = "<|diff|>", "<|message|>"
GENERATION = "generation.json"
INSTRUCTION = (
    "Write one Conventional Commits subject line for this change, "
    "`type(scope): description`, at most 72 characters, nothing else.\n\n"
)
SLACK = 4
LEAST_BUDGET = 48
"""Tokens: room for a path and a few changed lines."""
MOST_UNUSABLE = 0.05
"""The largest share of training rows that may be left out before a fit is refused."""
MARK = "\x00diff\x00"


@dataclass(frozen=True)
class Commits:
    """Rows of one split: diffs, the subjects that people gave them, and other columns."""

    ids: tuple[str, ...]
    diffs: tuple[str, ...]
    messages: tuple[str, ...]
    fields: dict[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.diffs)


@dataclass(frozen=True)
class Prompting:
    """How a model is asked: what stands around the rendered diff, and how long it may be.

    ``budget`` is in tokens of the rendered diff, ``max_new_tokens`` of the answer; ``end`` are the
    ids that end an answer; ``types`` the commit types it may have.
    """

    prefix: str
    suffix: str
    budget: int
    max_new_tokens: int
    end: tuple[int, ...]
    types: tuple[str, ...]

    def save(self, folder: Path) -> None:
        """Write ``generation.json``, which every front end reads."""
        (folder / GENERATION).write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Prompting:
        """Read ``generation.json`` of a checkpoint or an export."""
        values = json.loads((folder / GENERATION).read_text("utf-8"))
        return cls(**{**values, "end": tuple(values["end"]), "types": tuple(values["types"])})

    def prompt(self, diff: str, tokenizer: Any) -> str:
        """Return the text that the model goes on from."""
        return self.prefix + render(diff, self.budget, counter(tokenizer)) + self.suffix


def spec(run: Run) -> TextGeneration:
    """Return the recipe's task as what it is here."""
    task = run.recipe.task
    if not isinstance(task, TextGeneration):
        raise TypeError(f"expected a recipe of text_generation, got {task.kind}")
    return task


def read_split(run: Run, split: str) -> Commits:
    """Read ``data/<split>.parquet`` of a run."""
    return read_commits(run.folder / "data" / f"{split}.parquet")


def read_commits(path: Path) -> Commits:
    """Read prepared commits: columns id, text (the diff), label (the type), message, others."""
    import pyarrow.parquet as pq

    columns: dict[str, list[str]] = pq.read_table(path).to_pydict()
    fields = {
        name: tuple(str(value) for value in values)
        for name, values in columns.items()
        if name not in {"id", "text", "label", "message"}
    }
    fields["type"] = tuple(columns["label"])
    return Commits(tuple(columns["id"]), tuple(columns["text"]), tuple(columns["message"]), fields)


def prompting(tokenizer: Any, task: TextGeneration, max_length: int) -> Prompting:
    """Return how the model of this tokenizer is asked, within ``max_length`` tokens in all.

    Raises:
        RecipeError: that leaves too little for a diff.
    """
    prefix, suffix = _frame(tokenizer)
    frame = len(tokenizer(prefix + suffix, add_special_tokens=False)["input_ids"])
    taken = task.max_new_tokens + frame + SLACK
    if max_length - taken < LEAST_BUDGET:
        raise RecipeError(
            f"expected training.max_length of at least {taken + LEAST_BUDGET}, got {max_length}: "
            f"{LEAST_BUDGET} tokens for a diff beside {taken} for the frame and the answer"
        )
    return Prompting(
        prefix=prefix,
        suffix=suffix,
        budget=max_length - taken,
        max_new_tokens=task.max_new_tokens,
        end=(int(tokenizer.eos_token_id),),
        types=task.labels,
    )


def chat_frame(tokenizer: Any, shown: Sequence[tuple[str, str]] = ()) -> tuple[str, str]:
    """Return what the chat template puts before and after the diff that is asked about.

    ``shown`` are rendered diffs with their messages, as turns before the question.
    """
    turns = []
    for diff, message in shown:
        turns.append({"role": "user", "content": INSTRUCTION + diff})
        turns.append({"role": "assistant", "content": message})
    turns.append({"role": "user", "content": INSTRUCTION + MARK})
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    before, _, after = text.partition(MARK)
    return before, after


def _frame(tokenizer: Any) -> tuple[str, str]:
    """Return what stands before and after the diff."""
    if getattr(tokenizer, "chat_template", None):
        return chat_frame(tokenizer)
    known = tokenizer.get_vocab()
    if DIFF in known and MESSAGE in known:
        return DIFF, MESSAGE
    return INSTRUCTION, "\nSubject line: "


def counter(tokenizer: Any) -> Callable[[str], int]:
    """Return the function that counts the tokens of one line, each line once."""

    @cache
    def count(line: str) -> int:
        return len(tokenizer(line, add_special_tokens=False)["input_ids"])

    return count


def load_tokenizer(folder: Path) -> Any:
    """Load a tokenizer without the padding and truncation that its file may carry."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(folder: Path, dtype: str = "float32", **options: Any) -> Any:
    """Load a causal model from safetensors."""
    from transformers import AutoModelForCausalLM, logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    return AutoModelForCausalLM.from_pretrained(
        folder, use_safetensors=True, dtype=dtype, **options
    )
