"""Train, and after a kill go on from the last whole checkpoint.

    meter = train(trainer, run.folder / "trainer", "USA", progress)

Only safetensors are written or read as weights; the optimizer's state is the trainer's own. Beside
each checkpoint stands what it took to get there, so that a training in two parts counts both.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kit.files import write_atomically
from kit.runs import Progress
from kit.training.measuring import NOTHING, Meter, Spent

SPENT = "spent.json"


def train(trainer: Any, work: Path, country: str, progress: Progress) -> Meter:
    """Train from the newest checkpoint of the trainer's folder on; return what it took in all."""
    found = newest(work)
    before = NOTHING
    if found is not None:
        before = Spent(**json.loads((found / SPENT).read_text()))
        step = json.loads((found / "trainer_state.json").read_text())["global_step"]
        progress(f"going on from step {step}", step, None)
    with Meter(country, before) as meter:
        trainer.add_callback(_keeping(meter))
        trainer.train(resume_from_checkpoint=str(found) if found else None)
    return meter


def newest(folder: Path) -> Path | None:
    """Return the last complete epoch checkpoint of the trainer's folder, if there is one.

    What was spent is written last; a folder without it was cut off.
    """
    found = [path for path in folder.glob("checkpoint-*") if (path / SPENT).is_file()]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def _keeping(meter: Meter) -> Any:
    from transformers import TrainerCallback

    class Keeping(TrainerCallback):
        """Writes what was spent beside each checkpoint."""

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            write_atomically(folder / SPENT, json.dumps(asdict(meter.read())).encode())

    return Keeping()
