"""What a training run took: seconds, memory, energy, money, and on which machine.

with Meter(country="USA") as meter:
    trainer.train()
meter.spent             # Spent(seconds=171.2, energy_wh=1.3)
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

REPORTED = ("torch", "transformers", "tokenizers", "accelerate", "peft", "datasets", "numpy")


@dataclass(frozen=True)
class Spent:
    """Wall seconds, and watt-hours unless nothing was measured."""

    seconds: float = 0.0
    energy_wh: float | None = None


NOTHING = Spent()


class Meter:
    """Measures a block: wall seconds, and energy by codecarbon's offline tracker.

    Energy is an estimate where the machine has no power counter (``energy_method`` says so):
    the share of the CPU's stated power that the process used. ``before`` is what an attempt that
    was cut off had spent: it counts too.
    """

    energy_method = "codecarbon, offline"

    def __init__(self, country: str, before: Spent = NOTHING) -> None:
        self.spent = before
        self._before = before
        self._country = country
        self._tracker: Any = None

    def __enter__(self) -> Self:
        import logging

        from codecarbon import OfflineEmissionsTracker

        logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
        self._tracker = OfflineEmissionsTracker(
            country_iso_code=self._country,
            save_to_file=False,
            log_level="error",
            allow_multiple_runs=True,
            measure_power_secs=5,
            output_handlers=[_Reading(self._read)],
        )
        self._tracker.start()
        self._start = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._count()
        self._tracker.stop()

    def read(self) -> Spent:
        """Return what was spent up to now."""
        self._count()
        self._tracker.flush()
        return self.spent

    def _count(self) -> None:
        passed = time.perf_counter() - self._start
        self.spent = replace(self.spent, seconds=self._before.seconds + passed)

    def _read(self, total: Any) -> None:
        energy = 1000 * float(total.energy_consumed) + (self._before.energy_wh or 0.0)
        self.spent = replace(self.spent, energy_wh=energy)


@dataclass(frozen=True)
class _Reading:
    """What codecarbon hands its totals to, when it is flushed or stopped."""

    take: Callable[[Any], None]

    def out(self, total: Any, delta: Any) -> None:
        self.take(total)

    def live_out(self, total: Any, delta: Any) -> None:
        """Pass over what is measured in between."""

    def task_out(self, data: Any, experiment_name: str) -> None:
        """Pass over tasks; there are none."""

    def exit(self) -> None:
        """Leave nothing open."""


def peak_memory() -> int:
    """Return the largest resident size of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def hardware() -> dict[str, str]:
    """Return what the machine is: processor, cores, memory, accelerator."""
    import psutil
    import torch

    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none"
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "accelerator": gpu,
        "system": platform.system(),
    }


def versions() -> dict[str, str]:
    """Return the versions of the libraries that a result depends on."""
    found = {name: importlib.metadata.version(name) for name in REPORTED}
    return {"python": platform.python_version(), **found}


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
