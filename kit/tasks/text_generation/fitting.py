"""Fit a causal model to prompts and answers with TRL's SFTTrainer, loss on the answer only.

Rows are tokenized here, so that what is cut is known before a trainer is built: TRL would drop a
row without a trainable token silently. Where the objective is ``dpo``, the rows are pairs and the
trainer is that of ``preferring``.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.errors import InputError, RecipeError
from kit.files import put_in_place
from kit.hub.sources import fetch_model
from kit.recipe import Training
from kit.records import CheckpointRecord
from kit.runs import Progress, Run
from kit.tasks.text_generation.loading import (
    MOST_UNUSABLE,
    Commits,
    Prompting,
    load_model,
    load_tokenizer,
    prompting,
    read_split,
    spec,
)
from kit.tasks.text_generation.pairs import read_pairs
from kit.tasks.text_generation.preferring import (
    preference_trainer,
    refuse_what_cannot_prefer,
    tokenized_pairs,
    with_rewards,
)
from kit.training.adapters import folded, prepared, wrap
from kit.training.arguments import choose_precision, trainer_arguments
from kit.training.batching import batch_by_length
from kit.training.checkpoints import train
from kit.training.recording import checkpoint_record, parameters, reporter

if TYPE_CHECKING:
    from datasets import Dataset

UNTRAINED = -100


def fit(run: Run, progress: Progress) -> CheckpointRecord:
    """Train, and leave the best epoch's weights in ``checkpoint/`` of the run's folder."""
    from transformers import set_seed

    training = run.preset.training
    refuse_what_cannot_work(training)
    base = fetch_model(run.base)
    precision = choose_precision(training.precision)
    tokenizer = load_tokenizer(base.folder)
    asking = prompting(tokenizer, spec(run), training.max_length)
    splits, cut = _splits(run, tokenizer, asking)
    set_seed(training.seed)
    model = wrap(prepared(_base_model(base.folder, training), training), training, "CAUSAL_LM")
    reference = _base_model(base.folder, training) if training.objective == "dpo" else None
    work = run.folder / "trainer"
    project_what_is_learnt()
    trainer = _trainer(model, reference, tokenizer, splits, training, work, precision, progress)
    counts = parameters(model)
    meter = train(trainer, work, run.project.country, progress)
    _keep(trainer.model, tokenizer, asking, base.folder, training, run.folder / "checkpoint")
    record = checkpoint_record(
        run, base.source, trainer, meter, precision, counts, sum(splits[0]["length"])
    )
    shutil.rmtree(work, ignore_errors=True)
    return record if reference is None else with_rewards(record, trainer, training, cut)


def refuse_what_cannot_work(training: Training) -> None:
    """Refuse combinations that cannot be trained.

    Raises:
        RecipeError: names the setting, the reason and what works.
    """
    if training.objective == "dpo":
        refuse_what_cannot_prefer(training)
    if training.quantization and training.method not in {"lora", "dora"}:
        raise RecipeError(
            f"training.quantization=nf4 freezes the weights, training.method={training.method} "
            "would train or scale them; use lora or dora"
        )


def _splits(run: Run, tokenizer: Any, asking: Prompting) -> tuple[list[Dataset], int]:
    """Return train and validation as the objective takes them, and how many pairs are cut."""
    names = ("train", "validation")
    if run.preset.training.objective == "sft":
        return [tokenized(tokenizer, asking, read_split(run, name)) for name in names], 0
    found = [tokenized_pairs(tokenizer, asking, read_pairs(run, name)) for name in names]
    return [pairs for pairs, _ in found], sum(cut for _, cut in found)


def tokenized(tokenizer: Any, asking: Prompting, rows: Commits) -> Dataset:
    """Return token ids and labels, the prompt's being left out of the loss.

    Raises:
        InputError: more answers are cut by ``max_new_tokens`` than can be put up with.
    """
    from datasets import Dataset

    columns: dict[str, list[Any]] = {"input_ids": [], "labels": [], "length": []}
    cut = 0
    for diff, message in zip(rows.diffs, rows.messages, strict=True):
        prompt = tokenizer(asking.prompt(diff, tokenizer), add_special_tokens=False)["input_ids"]
        answer = tokenizer(message, add_special_tokens=False)["input_ids"]
        room = asking.max_new_tokens - 1
        if len(answer) > room:
            cut += 1
            continue
        answer = [*answer, asking.end[0]]
        columns["input_ids"].append(prompt + answer)
        columns["labels"].append([UNTRAINED] * len(prompt) + answer)
        columns["length"].append(len(prompt) + len(answer))
    if cut > MOST_UNUSABLE * len(rows):
        raise InputError(
            f"expected messages of at most {asking.max_new_tokens - 1} tokens, {cut} of "
            f"{len(rows)} are longer; raise max_new_tokens in the recipe's task"
        )
    return Dataset.from_dict(columns)


def _base_model(folder: Path, training: Training) -> Any:
    """Load the base in fp32, or its linear layers in four bits."""
    if not training.quantization:
        return load_model(folder)
    import torch
    from transformers import BitsAndBytesConfig

    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    return load_model(folder, "bfloat16", quantization_config=config)


def _trainer(
    model: Any,
    reference: Any,
    tokenizer: Any,
    splits: Sequence[Dataset],
    training: Training,
    work: Path,
    precision: str,
    progress: Progress,
) -> Any:
    from transformers import EarlyStoppingCallback, PrinterCallback

    given = {
        "model": model,
        "train_dataset": splits[0],
        # In order of length: in any other, most of what is evaluated is padding.
        "eval_dataset": splits[1].sort("length"),
        "processing_class": tokenizer,
        "callbacks": [EarlyStoppingCallback(training.patience), reporter(progress)],
    }
    if reference is None:
        trainer = _message_trainer(training, work, precision, **given)
    else:
        trainer = preference_trainer(reference, training, work, precision, **given)
    trainer.remove_callback(PrinterCallback)
    batch_by_length(trainer, splits[0]["length"], training.batch_size)
    return trainer


def project_what_is_learnt() -> None:
    """Let TRL project the positions whose next token is learnt onto the vocabulary, and no others.

    It does so on a GPU only: on other devices a changing number of positions would have some of
    them compile anew. A CPU compiles nothing, and there a short message after a long diff costs
    half of each step for the diff's own tokens, which are not learnt.
    """
    from trl.trainer import utils

    utils._use_triton = lambda device: True  # type: ignore[attr-defined]


def _message_trainer(training: Training, work: Path, precision: str, **given: Any) -> Any:
    from trl import SFTConfig, SFTTrainer  # type: ignore[attr-defined]

    arguments = trainer_arguments(
        training,
        work,
        precision,
        SFTConfig,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        activation_checkpointing=False,
    )
    return SFTTrainer(args=arguments, **given)


def _keep(
    model: Any, tokenizer: Any, asking: Prompting, base: Path, training: Training, folder: Path
) -> None:
    """Save the merged weights, the adapter alone where there is one, tokenizer and prompt."""

    def write(temporary: Path) -> None:
        whole = model
        if training.method != "full":
            model.save_pretrained(temporary / "adapter", safe_serialization=True)
            whole = _merged(model, temporary / "adapter", base, training)
        whole.save_pretrained(temporary, safe_serialization=True)
        tokenizer.save_pretrained(temporary)
        asking.save(temporary)

    put_in_place(folder, write)


def _merged(model: Any, adapter: Path, base: Path, training: Training) -> Any:
    """Fold the adapter in; four-bit weights are first replaced by the base's own.

    Virtual tokens of a prefix have no place in weights: then these are the base's.
    """
    if training.method == "prefix":
        return load_model(base)
    if not training.quantization:
        return folded(model)
    from peft import PeftModel

    return folded(PeftModel.from_pretrained(load_model(base, "bfloat16"), adapter))
