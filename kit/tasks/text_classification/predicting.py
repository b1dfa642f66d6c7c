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


def embeddings(model: Any, tokenizer: Any, texts: Sequence[str], batch_size: int = 32) -> Floats:
    """Return the mean of the encoder's last hidden states, shape [texts, width]."""
    import torch

    found: dict[int, Floats] = {}
    encoder = model.base_model
    encoder.eval()
    with torch.inference_mode():
        for chosen, batch in _batches(model, tokenizer, texts, batch_size):
            hidden = encoder(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            rows = ((hidden * mask).sum(1) / mask.sum(1)).float().cpu().numpy()
            found.update(zip(chosen, rows, strict=True))
    return np.stack([found[i] for i in range(len(texts))])


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
