"""Logits and embeddings of a torch model, batched by length so that little is padded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def logits(model: Any, tokenizer: Any, texts: Sequence[str], batch_size: int = 32) -> Floats:
    """Return the outputs of a classifier, shape [texts, labels], in the order of ``texts``."""
    import torch

    found: dict[int, Floats] = {}
    model.eval()
    with torch.inference_mode():
        for chosen, batch in _batches(model, tokenizer, texts, batch_size):
            rows = model(**batch).logits.float().cpu().numpy()
            found.update(zip(chosen, rows, strict=True))
    return np.stack([found[i] for i in range(len(texts))])


def with_heads(
    models: Sequence[Any], tokenizer: Any, texts: Sequence[str], batch_size: int = 32
) -> tuple[list[Floats], Floats]:
    """Return what classifiers that differ in their head say, and the embeddings they share.

    The encoder of the first runs once, for all of them.

    Returns:
        The outputs of each classifier, shape [texts, labels], and the mean of the encoder's last
        hidden states, shape [texts, width].
    """
    import torch

    outputs: dict[int, list[Floats]] = {}
    means: dict[int, Floats] = {}
    encoder = models[0].base_model.eval()
    with torch.inference_mode():
        for chosen, batch in _batches(models[0], tokenizer, texts, batch_size):
            encoded = encoder(**batch)
            mask = batch["attention_mask"].unsqueeze(-1)
            rows = (encoded.last_hidden_state * mask).sum(1) / mask.sum(1)
            means.update(zip(chosen, rows.float().cpu().numpy(), strict=True))
            found = [_head(model.eval(), encoded, batch) for model in models]
            outputs.update((i, [each[row] for each in found]) for row, i in enumerate(chosen))
    every = range(len(texts))
    return (
        [np.stack([outputs[i][k] for i in every]) for k in range(len(models))],
        np.stack([means[i] for i in every]),
    )


def _head(model: Any, encoded: Any, batch: Any) -> Floats:
    """Return the outputs of a classifier whose encoder is not run: it would say ``encoded``."""
    encoder = model.base_model
    encoder.forward = lambda *_, **__: encoded
    try:
        found: Floats = model(**batch).logits.float().cpu().numpy()
    finally:
        del encoder.forward
    return found


def _batches(
    model: Any, tokenizer: Any, texts: Sequence[str], batch_size: int
) -> Iterator[tuple[list[int], Any]]:
    encoded = tokenizer(list(texts), truncation=True, max_length=tokenizer.model_max_length)
    lengths = [len(ids) for ids in encoded["input_ids"]]
    order = sorted(range(len(texts)), key=lengths.__getitem__)
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        rows = {name: [values[i] for i in chosen] for name, values in encoded.items()}
        yield chosen, tokenizer.pad(rows, return_tensors="pt").to(model.device)
