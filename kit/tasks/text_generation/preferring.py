"""Train a causal model to prefer one answer to another, with TRL's DPOTrainer.

The loss is -log sigmoid(beta * (r_chosen - r_rejected)), r being the log-probability of an answer
under the trained model less that under the base (Rafailov et al., 2023, equation 7). The base
stands beside the trained model in memory, whether that is trained whole or by an adapter.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.errors import InputError, RecipeError
from kit.recipe import Training
from kit.records import CheckpointRecord, PreferenceFit, Reward
from kit.tasks.text_generation.loading import MOST_UNUSABLE, Prompting
from kit.training.arguments import trainer_arguments

if TYPE_CHECKING:
    from datasets import Dataset


def refuse_what_cannot_prefer(training: Training) -> None:
    """Refuse settings that have no meaning for preferences.

    Raises:
        RecipeError: names the setting, the reason and what works.
    """
    if training.method == "prefix":
        raise RecipeError(
            "training.objective=dpo moves a model away from its base, training.method=prefix "
            "leaves its weights as they are; use full, lora, dora or ia3"
        )
    for name, given in (
        ("label_smoothing", training.label_smoothing),
        ("dropout", training.dropout),
    ):
        if given:
            raise RecipeError(
                f"training.objective=dpo compares a model with its base and has no place for "
                f"training.{name}={given}; set it to 0"
            )


def tokenized_pairs(
    tokenizer: Any, asking: Prompting, rows: Sequence[dict[str, str]]
) -> tuple[Dataset, int]:
    """Return token ids of prompt, chosen and rejected, and how many pairs are cut, so left out.

    ``length`` is in tokens, of both sequences that a pair is trained on.

    Raises:
        InputError: more pairs are cut by ``max_new_tokens`` than can be put up with, or all.
    """
    from datasets import Dataset

    def ids(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    pairs = []
    for row in rows:
        chosen, rejected = ([*ids(row[name]), asking.end[0]] for name in ("chosen", "rejected"))
        if max(len(chosen), len(rejected)) > asking.max_new_tokens:
            continue
        prompt = ids(asking.prompt(row["text"], tokenizer))
        length = 2 * len(prompt) + len(chosen) + len(rejected)
        pairs.append(
            {"prompt_ids": prompt, "chosen_ids": chosen, "rejected_ids": rejected, "length": length}
        )
    cut = len(rows) - len(pairs)
    if cut > MOST_UNUSABLE * len(rows) or not pairs:
        raise InputError(
            f"expected answers of at most {asking.max_new_tokens - 1} tokens, {cut} of "
            f"{len(rows)} pairs have a longer one; shorten them or raise max_new_tokens in the "
            "recipe's task"
        )
    return Dataset.from_list(pairs), cut


def preference_trainer(
    reference: Any, training: Training, work: Path, precision: str, **given: Any
) -> Any:
    """Return the trainer of a model that is held against ``reference``, its base as it was loaded.

    ``given`` is what every trainer takes: model, data sets, tokenizer, callbacks.
    """
    from trl import DPOConfig, DPOTrainer  # type: ignore[attr-defined]

    class TokenizedTrainer(DPOTrainer):
        """Takes rows as they are: TRL would join texts first, and put other tokens between them."""

        def _prepare_dataset(self, dataset: Any, *more: Any) -> Any:
            return dataset

    if training.quantization:
        from peft import prepare_model_for_kbit_training

        # As the trained model's: what is compared must differ by the adapter alone.
        reference = prepare_model_for_kbit_training(reference, use_gradient_checkpointing=False)
    arguments = trainer_arguments(
        training,
        work,
        precision,
        DPOConfig,
        beta=training.beta,
        max_length=None,
        activation_checkpointing=False,
    )
    return TokenizedTrainer(ref_model=reference, args=arguments, **given)


def with_rewards(
    record: CheckpointRecord, trainer: Any, training: Training, cut: int
) -> CheckpointRecord:
    """Return the record with what was measured on the validation pairs after each epoch."""
    rewards = tuple(
        Reward(
            epoch=log["epoch"],
            step=log["step"],
            accuracy=log["eval_rewards/accuracies"],
            margin=log["eval_rewards/margins"],
        )
        for log in trainer.state.log_history
        if "eval_rewards/accuracies" in log
    )
    fit = PreferenceFit(
        beta=training.beta, pairs=len(trainer.train_dataset), cut=cut, rewards=rewards
    )
    return record.model_copy(update={"preferences": fit})
