"""The name of an export: a hash of what a browser loads, which stands in the model's path there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from kit.files import sha256


def model_id(folder: Path, names: Iterable[str]) -> str:
    """Return 12 hex digits of the digest of the named files: a browser keeps what a path gave."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(f"{name} {sha256(folder / name)}\n".encode())
    return digest.hexdigest()[:12]
