"""Which checkpoint of a killed training to go on from.

Only safetensors are written or read as weights; the optimizer's state is the trainer's own.
"""

from __future__ import annotations

import json
from pathlib import Path

from kit.runs import Progress


def newest(folder: Path) -> Path | None:
    """Return the last complete epoch checkpoint of the trainer's folder, if there is one.

    The trainer writes ``trainer_state.json`` last but one; a folder without it was cut off.
    """
    found = [
        path
        for path in folder.glob("checkpoint-*")
        if (path / "trainer_state.json").is_file() and (path / "rng_state.pth").is_file()
    ]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def resume_from(folder: Path, progress: Progress) -> str | None:
    """Return the newest checkpoint as the trainer takes it, and say from which step it goes on."""
    found = newest(folder)
    if found is None:
        return None
    step = json.loads((found / "trainer_state.json").read_text())["global_step"]
    progress(f"going on from step {step}", step, None)
    return str(found)
