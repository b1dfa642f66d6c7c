"""Training examples as earlier turns of a chat: what a base model can do without being tuned.

One prompt for every question, so that its cost and its examples are the same for every row.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from kit.prompts import render
from kit.tasks.text_generation.loading import SLACK, Commits, Prompting, chat_frame, counter

SHOTS = 3
LEAST_TOKENS = 24
"""An example whose diff has less room than this would show little of it."""


def few_shot(tokenizer: Any, asking: Prompting, context: int, train: Commits) -> Prompting | None:
    """Return how the model is asked after examples; None without a chat template or the room.

    Args:
        tokenizer: of the base model.
        asking: how it is asked without examples; questions keep their budget.
        context: tokens that the model can read in all.
        train: where the examples come from.
    """
    if not getattr(tokenizer, "chat_template", None):
        return None
    count = counter(tokenizer)
    frame = count(asking.prefix) + count(asking.suffix)
    room = context - asking.budget - frame - asking.max_new_tokens - SLACK
    share = min(asking.budget, room // SHOTS - frame - asking.max_new_tokens - SLACK)
    if share < LEAST_TOKENS:
        return None
    shown = [(render(diff, share, count), message) for diff, message in examples(train)]
    shown = [(diff, said) for diff, said in shown if diff and count(said) <= asking.max_new_tokens]
    prefix, suffix = chat_frame(tokenizer, shown)
    return replace(asking, prefix=prefix, suffix=suffix) if shown else None


def examples(train: Commits) -> list[tuple[str, str]]:
    """Return one diff and message for each of the most common types, ``SHOTS`` of them.

    The diff is a short one of its type, at the lower quartile of lengths: the very shortest are
    of changes that are no example for others.
    """
    types = Counter(train.fields["type"])
    chosen = []
    for kind in sorted(types, key=lambda name: (-types[name], name))[:SHOTS]:
        rows = [i for i, of in enumerate(train.fields["type"]) if of == kind]
        rows.sort(key=lambda i: (len(train.diffs[i]), train.ids[i]))
        row = rows[len(rows) // 4]
        chosen.append((train.diffs[row], train.messages[row]))
    return chosen
