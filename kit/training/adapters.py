"""The model as it is trained: dropout, frozen parts, the PEFT method around it and its folding.

model = wrap(prepared(model, training), training, "SEQ_CLS")
...train...
model = folded(model)      # a plain model again, with the adapter's change inside
"""

from __future__ import annotations

from typing import Any

from kit.recipe import Training

PREFIX_TOKENS = 20


def prepared(model: Any, training: Training) -> Any:
    """Set the dropout of a loaded model, and freeze its word embeddings, as the settings say."""
    if training.dropout is not None:
        _set_dropout(model, training.dropout)
    if training.freeze_embeddings:
        model.get_input_embeddings().requires_grad_(False)
    return model


def _set_dropout(model: Any, share: float) -> None:
    """Set every dropout: modules, and the numbers that attention passes on, in any spelling."""
    import torch

    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = share
        for name in ("attention_dropout", "dropout_prob", "attention_probs_dropout_prob"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, share)


def wrap(model: Any, training: Training, task_type: str) -> Any:
    """Return the model, or a PEFT model around it.

    ``task_type`` is PEFT's: with ``SEQ_CLS`` the new classifier head is trained and saved whole.
    """
    if training.method == "full":
        return model
    from peft import get_peft_model, prepare_model_for_kbit_training

    if training.quantization:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    return get_peft_model(model, _config(training, task_type))


def _config(training: Training, task_type: str) -> Any:
    from peft import IA3Config, LoraConfig, PrefixTuningConfig

    if training.method == "ia3":
        return IA3Config(task_type=task_type)
    if training.method == "prefix":
        return PrefixTuningConfig(task_type=task_type, num_virtual_tokens=PREFIX_TOKENS)
    return LoraConfig(
        task_type=task_type,
        r=training.lora_rank,
        lora_alpha=2 * training.lora_rank,
        lora_dropout=0.05,
        target_modules="all-linear",
        use_dora=training.method == "dora",
    )


def folded(model: Any) -> Any:
    """Return a plain model: the adapter merged into the weights it stood beside."""
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
