"""How far an exported text generator is from its checkpoint: the same prompts, token for token.

    said = reference(model, generator, prompts)          # torch, greedily
    token_parity("fp32", size, generator, said, progress)

A prompt's tokens are compared up to the first that differs, because all that follow were written
after another text. Logits are compared along torch's text, whatever the file would have written.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kit.inference import END, Generator


@dataclass(frozen=True)
class Said:
    """What torch writes after a prompt: token ids (END for the end), and the logits of each.

    ``logits`` has the shape [len(ids), vocabulary].
    """

    prompt: tuple[int, ...]
    ids: tuple[int, ...]
    logits: npt.NDArray[np.float32]


@dataclass(frozen=True)
class TokenParity:
    """One exported file against torch, on the same prompts, greedily and one by one.

    ``agreement`` is the share of torch's tokens that the file, too, would write after what stands
    before them in torch's text. ``identical`` is the share of prompts with the same tokens,
    ``identical_tokens`` the share of torch's tokens up to the first that differs; the end counts as
    a token. ``written`` are the file's own answers, tokens without the end.
    """

    file: str
    n: int
    tokens: int
    agreement: float
    identical: float
    identical_tokens: float
    largest_logit_difference: float
    bytes: int
    tokens_per_second: float
    first_token_ms: float
    written: tuple[tuple[int, ...], ...]


def reference(model: Any, generator: Generator, prompts: Sequence[str]) -> list[Said]:
    """Return torch's greedy answers to prompts, each alone and without padding.

    Args:
        model: causal language model of transformers, in evaluation mode.
        generator: says how prompts are cut into tokens and when an answer has ended.
        prompts: as ``generator.prompt`` makes them.
    """
    return [_said(model, generator, generator.encode(prompt)) for prompt in prompts]


def token_parity(
    file: str,
    size: int,
    generator: Generator,
    said: Sequence[Said],
    progress: Callable[[str, int, int | None], None],
) -> TokenParity:
    """Compare a file's greedy answers with torch's.

    Args:
        file: its name in the record.
        size: its bytes.
        generator: answers from that file.
        said: torch's answers.
        progress: told how many prompts are done.
    """
    alike, differences, first_ms, seconds, steps, kept = [], [], [], 0.0, 0, 0
    texts = []
    for done, answer in enumerate(said):
        written = generator.write(answer.prompt)
        texts.append(written.ids)
        alike.append(_alike(answer.ids, (*written.ids, *[END] * written.ended)))
        logits, times = _follow(generator, answer)
        differences.append(float(np.abs(logits - answer.logits).max()))
        kept += int((logits.argmax(1) == answer.logits.argmax(1)).sum())
        first_ms.append(1000 * times[0])
        seconds, steps = seconds + sum(times[1:]), steps + len(times) - 1
        if done % 10 == 0:
            progress(f"token parity of {file}", done, len(said))
    tokens = sum(len(answer.ids) for answer in said)
    return TokenParity(
        file=file,
        n=len(said),
        tokens=tokens,
        agreement=kept / tokens,
        identical=sum(same == len(a.ids) for same, a in zip(alike, said, strict=True)) / len(said),
        identical_tokens=sum(alike) / tokens,
        largest_logit_difference=max(differences),
        bytes=size,
        tokens_per_second=steps / seconds if seconds else 0.0,
        first_token_ms=statistics.median(first_ms),
        written=tuple(texts),
    )


def _said(model: Any, generator: Generator, prompt: list[int]) -> Said:
    import torch
    from transformers import GenerationConfig

    plain = GenerationConfig(
        do_sample=False,
        num_beams=1,
        repetition_penalty=1.0,
        max_new_tokens=generator.max_new_tokens,
        eos_token_id=generator.end,
        pad_token_id=generator.end[0],
    )
    with torch.inference_mode():
        given = torch.tensor([prompt])
        mask = torch.ones_like(given)
        found = model.generate(given, attention_mask=mask, generation_config=plain)[0].tolist()
        ids = _cut(found[len(prompt) :], generator)
        logits = model(torch.tensor([found])).logits[0, len(prompt) - 1 :][: len(ids)]
    return Said(tuple(prompt), tuple(ids), logits.float().numpy())


def _cut(ids: list[int], generator: Generator) -> list[int]:
    """Return the tokens before the first that ends an answer, and END for that one."""
    for place, token in enumerate(ids):
        if generator.ends(token):
            return [*ids[:place], END]
    return ids


def _alike(wanted: Sequence[int], found: Sequence[int]) -> int:
    """Return how many tokens are the same before the first that differs."""
    same = [a == b for a, b in zip(wanted, found, strict=False)]
    return same.index(False) if False in same else len(same)


def _follow(generator: Generator, said: Said) -> tuple[npt.NDArray[np.float32], list[float]]:
    """Let a file read torch's text; return its logits and the seconds of each call."""
    rows, times, cache = [], [], generator.start()
    for ids in [said.prompt, *([token] for token in said.ids[:-1])]:
        start = time.perf_counter()
        logits, cache = generator.read(ids, cache)
        times.append(time.perf_counter() - start)
        rows.append(logits)
    return np.stack(rows), times
