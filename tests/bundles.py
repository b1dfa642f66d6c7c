"""A bundle as a stranger has it: unpacked somewhere, run by a Python that has no kit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.runs import Run
from kit.tasks import implementation

SCRIPT = """
import json, runpy, sys
sys.modules["kit"] = None  # It is installed where the tests run: now importing it fails.
try:
    import kit
except ImportError:
    pass
else:
    raise SystemExit("kit can be imported")
sys.argv = ["tutorial.py"]
made = runpy.run_path("tutorial.py", run_name="__main__")
with open("value.json", "w") as file:
    json.dump(eval({expression!r}, made), file)
"""


@dataclass(frozen=True)
class Ran:
    """What a script left: exit code, what it said, and the value asked for."""

    code: int
    out: str
    err: str
    value: Any


def unpacked(run: Run, folder: Path) -> Path:
    """Write a run's bundle, unpack it below ``folder`` and return the folder that it makes."""
    bundle = implementation(run.recipe.task.kind).bundle(run, folder / "bundle.zip")
    with zipfile.ZipFile(bundle.path) as read:
        read.extractall(folder)
    return folder / run.recipe.slug


def without_kit(folder: Path, expression: str = "None") -> Ran:
    """Run the script of an unpacked bundle in a Python to which kit is not to be had."""
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "HF_HOME")},
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2"),
    }
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT.format(expression=expression)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    value = folder / "value.json"
    return Ran(
        done.returncode,
        done.stdout,
        done.stderr,
        json.loads(value.read_text()) if value.is_file() else None,
    )
