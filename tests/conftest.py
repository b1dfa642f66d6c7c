"""What every test gets: its own home and folder, no network, and toy projects made on the spot."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.pipeline import run_stages
from kit.project import find_project
from kit.recipe import find_recipe
from kit.records import Record
from kit.runs import Run, open_run
from tests import tiny, tiny_commits

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Move home, caches and the working folder to the test's own place."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    """Let connections go to this machine only."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            raise OSError(f"no network in tests: {address}")
        connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


def silent(what: str, done: int, total: int | None) -> None:
    """Take progress and say nothing."""


def toy_run(folder: Path, **changes: Any) -> Run:
    """Return the toy recipe's run, its preset changed by ``changes`` of the training."""
    from dataclasses import replace

    found = find_project(folder)
    recipe = find_recipe(folder, "toy")
    preset = recipe.preset(None)
    preset = replace(preset, training=replace(preset.training, **changes))
    return open_run(found, recipe, None, preset)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a fresh toy project."""
    return tiny.project(tmp_path / "project")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, dict[str, Record]]:
    """Return a toy run after the whole chain, and its records; tests must not change it."""
    run = toy_run(tiny.project(tmp_path_factory.mktemp("finished") / "project"))
    return run, {stage.name: record for stage, record, _ in run_stages(run, silent)}


@pytest.fixture(scope="session")
def commits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, dict[str, Record]]:
    """Return a toy run of commits after the whole chain; tests must not change it."""
    run = toy_run(tiny_commits.project(tmp_path_factory.mktemp("commits") / "project"))
    return run, {stage.name: record for stage, record, _ in run_stages(run, silent)}
