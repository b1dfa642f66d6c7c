"""Greedy answers and losses of a torch model, batched by length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kit.runs import Run
from kit.tasks.text_generation.loading import Prompting, load_model, load_tokenizer

BATCH_ROWS = 32
UNCOUNTED = -100

Ids = Sequence[Sequence[int]]
Losses = npt.NDArray[np.float64]


def tuned(run: Run) -> tuple[Any, Any, Prompting]:
    """Return the checkpoint's model, its tokenizer and how it is asked."""
    folder = run.folder / "checkpoint"
    model = load_model(folder)
    if run.preset.training.method == "prefix":
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, folder / "adapter")
    return model.eval(), load_tokenizer(folder), Prompting.load(folder)


def answers(model: Any, tokenizer: Any, prompts: Sequence[str], asking: Prompting) -> list[str]:
    """Return what the model writes after each prompt: greedy, unconstrained, its first line."""
    import torch

    found: dict[int, str] = {}
    tokenizer.padding_side = "left"
    with torch.inference_mode():
        for chosen, batch in _batches(tokenizer, prompts):
            ids = model.generate(
                **batch.to(model.device),
                do_sample=False,
                max_new_tokens=asking.max_new_tokens,
                eos_token_id=list(asking.end),
                pad_token_id=tokenizer.pad_token_id,
            )
            fresh = ids[:, batch["input_ids"].shape[1] :]
            texts = tokenizer.batch_decode(fresh, skip_special_tokens=True)
            found.update(zip(chosen, map(first_line, texts), strict=True))
    return [found[i] for i in range(len(prompts))]


def losses(model: Any, rows: Ids, labels: Ids) -> Losses:
    """Return nats and tokens of each row's labels, shape [rows, 2]; -100 is not counted.

    The perplexity is ``exp(sum of nats / sum of tokens)``.
    """
    import torch
    from torch.nn.functional import cross_entropy

    found = []
    with torch.inference_mode():
        for ids, wanted in zip(rows, labels, strict=True):
            # The first token has nothing before it; what comes before the first counted token is
            # read, and not projected onto the vocabulary.
            first = next((i for i, label in enumerate(wanted) if i and label != UNCOUNTED), None)
            if first is None:
                found.append((0.0, 0))
                continue
            targets = torch.tensor(wanted[first:], device=model.device)
            given = torch.tensor([ids], device=model.device)
            logits = model(input_ids=given, logits_to_keep=len(ids) - first + 1).logits[0, :-1]
            nats = cross_entropy(logits.float(), targets, reduction="sum", ignore_index=UNCOUNTED)
            found.append((float(nats), int((targets != UNCOUNTED).sum())))
    return np.array(found, np.float64)


def _batches(tokenizer: Any, prompts: Sequence[str]) -> Iterator[tuple[list[int], Any]]:
    if not prompts:
        return
    encoded = tokenizer(list(prompts), add_special_tokens=False)["input_ids"]
    order = sorted(range(len(prompts)), key=lambda i: len(encoded[i]))
    for start in range(0, len(order), BATCH_ROWS):
        chosen = order[start : start + BATCH_ROWS]
        rows = {"input_ids": [encoded[i] for i in chosen]}
        yield chosen, tokenizer.pad(rows, return_tensors="pt")


def first_line(text: str) -> str:
    """Return what counts of an answer: its first line."""
    return text.strip().split("\n")[0].strip()
