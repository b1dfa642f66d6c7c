"""The trainer's arguments from a recipe's ``Training``: what every task's fit shares.

arguments = trainer_arguments(preset.training, folder / "trainer", precision="fp32")
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kit.errors import RecipeError
from kit.recipe import Training


def choose_precision(wanted: str) -> str:
    """Return ``bf16`` or ``fp32``: bf16 only where the GPU or the CPU multiplies in it.

    Raises:
        RecipeError: bf16 was asked for by name and the machine only emulates it.
    """
    import torch

    able = torch.cuda.is_bf16_supported() if torch.cuda.is_available() else cpu_has_bf16()
    if wanted == "bf16" and not able:
        raise RecipeError(
            "training.precision=bf16 needs a GPU or a CPU with bf16 arithmetic (AMX, AVX512-BF16, "
            "Arm BF16), this one has none; leave it at auto"
        )
    return "bf16" if able and wanted != "fp32" else "fp32"


def cpu_has_bf16() -> bool:
    """Tell whether the CPU has instructions for bf16 products; emulation is slower than fp32."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.is_file() else set()
    return bool(flags & {"amx_bf16", "avx512_bf16", "bf16"})


def trainer_arguments(
    training: Training, folder: Path, precision: str, kind: Any = None, **more: Any
) -> Any:
    """Return arguments with an evaluation and a checkpoint per epoch, the best one kept.

    ``kind`` is the class of arguments, ``TrainingArguments`` if left out; ``more`` is its own.

    Checkpoints stand at epoch ends only: inside an epoch, batches by length do not replay.
    """
    import torch
    from transformers import TrainingArguments

    return (kind or TrainingArguments)(
        output_dir=str(folder),
        num_train_epochs=training.epochs,
        per_device_train_batch_size=training.batch_size,
        per_device_eval_batch_size=2 * training.batch_size,
        learning_rate=training.learning_rate,
        weight_decay=training.weight_decay,
        warmup_steps=training.warmup,
        lr_scheduler_type=training.scheduler,
        label_smoothing_factor=training.label_smoothing,
        bf16=precision == "bf16",
        # Without a GPU the library takes bf16 only from who says that the CPU is meant.
        use_cpu=precision == "bf16" and not torch.cuda.is_available(),
        optim="adamw_torch_fused",
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        logging_steps=10,
        seed=training.seed,
        data_seed=training.seed,
        disable_tqdm=True,
        report_to="none",
        dataloader_pin_memory=False,
        **more,
    )
