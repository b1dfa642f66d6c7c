"""What differs by task: one folder each, looked up by the task's ``kind``."""

from __future__ import annotations

import importlib
from types import ModuleType


def implementation(kind: str) -> ModuleType:
    """Return the package of a task: its stages, ``render`` and ``evaluate_outside``."""
    return importlib.import_module(f"kit.tasks.{kind}")
