"""What a generator is trained and measured on: the tokens that count, and no others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from trl.trainer import utils

from kit.tasks.text_generation.fitting import project_what_is_learnt
from kit.tasks.text_generation.predicting import losses
from tests import tiny_text

IDS = torch.arange(5, 17)[None]
LABELS = torch.where(torch.arange(12)[None] >= 9, IDS, -100)


@pytest.mark.parametrize("kind", ["llama", "qwen2"])
@pytest.mark.parametrize("first", [0, 1, 4, 11])
def test_losses_are_those_of_the_models_own_head(kind: str, first: int) -> None:
    model = tiny_text.model(kind).eval()
    labels = torch.where(torch.arange(12)[None] >= first, IDS, -100)
    with torch.inference_mode():
        wanted = float(model(input_ids=IDS, labels=labels).loss)
    nats, tokens = losses(model, IDS.tolist(), labels.tolist())[0]
    assert tokens == 12 - max(first, 1)
    assert nats / tokens == pytest.approx(wanted, rel=1e-5)


def test_a_row_of_which_nothing_counts_has_no_loss() -> None:
    model = tiny_text.model("llama").eval()
    assert losses(model, [[5, 6]], [[5, -100]]).tolist() == [[0.0, 0.0]]


def test_training_projects_the_message_alone_for_the_same_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = utils._ChunkedLogProbFunction  # type: ignore[attr-defined]
    projected = []

    def apply(hidden: Any, *rest: Any) -> Any:
        projected.append(len(hidden))
        return own.apply(hidden, *rest)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(utils, "_ChunkedLogProbFunction", SimpleNamespace(apply=apply))
    monkeypatch.setattr(utils, "_use_triton", lambda device: False)
    model = tiny_text.model("llama")
    utils.add_fused_lm_head(model, outputs=("log_probs", "entropy", "is_top1"))
    whole = model(input_ids=IDS, labels=LABELS, fused_lm_head=True).loss
    project_what_is_learnt()
    alone = model(input_ids=IDS, labels=LABELS, fused_lm_head=True).loss
    assert projected == [11, 3]
    assert float(alone) == pytest.approx(float(whole), rel=1e-6)
