"""Which run a bare name means, and the base that such a run was made with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kit.choosing import choose_run, finished_run
from kit.errors import InputError, KitError
from kit.hub.sources import fetch_model
from kit.project import find_project
from kit.runs import Run, locked
from tests import tiny


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Return a base of the reader's own, beside no recipe."""
    tiny.classifier(tmp_path / "elsewhere", spread=0.3)
    return tmp_path / "elsewhere"


def begun(root: Path, base: Path) -> Run:
    run = choose_run(find_project(root), "toy", base=str(base))
    with locked(run):
        (run.folder / "export.json").write_text("{}")
    return run


def test_a_bare_name_finds_the_folder_that_base_named(tmp_path: Path, other: Path) -> None:
    root = tiny.project(tmp_path / "project")
    run = begun(root, other)
    found = finished_run(find_project(root), "toy", "export.json")
    assert (found.folder, found.settings) == (run.folder, run.settings)
    assert fetch_model(found.base) == fetch_model(run.base)


def test_a_base_that_is_gone_is_missed_only_by_what_needs_it(tmp_path: Path, other: Path) -> None:
    root = tiny.project(tmp_path / "project")
    run = begun(root, other)
    shutil.rmtree(other)
    found = finished_run(find_project(root), "toy", "export.json")
    assert found.folder == run.folder
    with pytest.raises(InputError, match=f"config.json at {other}, found none; mend --base"):
        assert found.settings
    with pytest.raises(KitError, match=f"model.safetensors in {other}"):
        fetch_model(found.base)


@pytest.mark.parametrize(
    ("card", "license_id"),
    [
        ("---\nlicense: mit\n---\n# A base\n", "mit"),
        ("# A base without metadata\n", "unknown"),
        ("---\nlicense: [mit]\n---\n", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_base_has_the_license_that_its_card_states(
    card: str | None, license_id: str, tmp_path: Path, other: Path
) -> None:
    if card is not None:
        (other / "README.md").write_text(card, "utf-8")
    root = tiny.project(tmp_path / "project")
    run = choose_run(find_project(root), "toy", base=str(other))
    assert fetch_model(run.base).source.license == license_id
