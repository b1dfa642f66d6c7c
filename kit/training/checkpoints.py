"""Which checkpoint of a killed training to go on from.

Only safetensors are written or read as weights; the optimizer's state is the trainer's own.
"""

from __future__ import annotations

from pathlib import Path


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
