"""PEFT: wrap a model for the chosen method, and fold the adapter back into its weights.

model = wrap(model, training, "SEQ_CLS")
...train...
model = folded(model)      # a plain model again, with the adapter's change inside
"""

from __future__ import annotations

from typing import Any

from kit.recipe import Training


def wrap(model: Any, training: Training, task_type: str) -> Any:
    """Return the model, or a PEFT model around it for LoRA and DoRA.

    ``task_type`` is PEFT's: with ``SEQ_CLS`` the new classifier head is trained and saved whole.
    """
    if training.method == "full":
        return model
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        task_type=task_type,
        r=training.lora_rank,
        lora_alpha=2 * training.lora_rank,
        lora_dropout=0.05,
        target_modules="all-linear",
        use_dora=training.method == "dora",
    )
    return get_peft_model(model, config)


def folded(model: Any) -> Any:
    """Return a plain model: the adapter merged into the weights it stood beside."""
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
