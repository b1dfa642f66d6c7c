"""`kit stats`: what the Hub says of a publication, kept by day and shown on the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from kit.errors import HubError, RunError
from kit.hub.rehearsal.faults import Fault
from kit.project import Project, find_project
from kit.publishing.counting import count
from kit.recipe import Recipe, find_recipe
from kit.records import StatsRecord
from kit.sites.reception import MOST_DAYS, reception
from tests import tiny
from tests.asking import ask
from tests.publishing.small import World, assembled, requests_of, without_pauses, world

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    without_pauses(monkeypatch)


@pytest.fixture
def toy(tmp_path: Path) -> tuple[Project, Recipe]:
    """Return a project of ada's with the recipe toy, which nobody has run."""
    root = tmp_path / "project"
    (root / "recipes" / "toy").mkdir(parents=True)
    (root / "kit.toml").write_text('owner = "ada"\n')
    (root / "recipes" / "toy" / "recipe.py").write_text(tiny.RECIPE % "base")
    return find_project(root), find_recipe(root, "toy")


@contextmanager
def published(folder: Path) -> Iterator[World]:
    """Publish to a Hub on which the model was downloaded and liked before."""
    with world(folder) as there:
        there.publish(assembled(folder / "one", 1))
        received(there, downloads=1234, likes=5)
        yield there


def received(there: World, downloads: int, likes: int) -> None:
    """Let the Hub say so of the model."""
    model = there.server.rehearsal.storage.find("models", "ada/toy")
    assert model is not None
    model.downloads, model.likes = downloads, likes


def test_a_day_holds_downloads_likes_and_the_stage(
    tmp_path: Path, toy: tuple[Project, Recipe]
) -> None:
    with published(tmp_path) as there:
        before = len(there.server.requests)
        record = count(*toy, there.hub, NOON)
        assert {method for method, _ in requests_of(there.server.requests[before:])} == {"GET"}
    (day,) = record.days
    assert (day.day, day.endpoint) == ("2026-11-21", there.server.url)
    assert [(r.repo_type, r.repo_id, r.downloads, r.likes) for r in day.repos] == [
        ("dataset", "ada/toy-data", 0, 0),
        ("model", "ada/toy", 1234, 5),
        ("space", "ada/toy", None, 0),
    ]
    assert [r.stage for r in day.repos][:2] == [None, None]
    assert day.repos[2].stage in {"RUNNING", "BUILDING", "RUNNING_BUILDING"}


def test_the_later_count_of_a_utc_day_replaces_the_earlier(
    tmp_path: Path, toy: tuple[Project, Recipe]
) -> None:
    with published(tmp_path) as there:
        count(*toy, there.hub, NOON)
        received(there, downloads=2000, likes=6)
        # Late in the evening where the clock is ten hours behind is the next day in UTC.
        behind = timezone(timedelta(hours=-10))
        count(*toy, there.hub, datetime(2026, 11, 21, 20, tzinfo=behind))
        received(there, downloads=3000, likes=7)
        record = count(*toy, there.hub, NOON)
    assert [(day.day, day.repos[1].likes) for day in record.days] == [
        ("2026-11-21", 7),
        ("2026-11-22", 6),
    ]
    assert StatsRecord.of(toy[1].folder / "results") == record


def test_nothing_published_is_one_line_and_keeps_nothing(
    tmp_path: Path, toy: tuple[Project, Recipe]
) -> None:
    with world(tmp_path) as there, pytest.raises(RunError, match="neither model, data nor Space"):
        count(*toy, there.hub, NOON)
    assert not (toy[1].folder / "results").exists()


def test_a_hub_that_does_not_answer_leaves_the_history_as_it_was(
    tmp_path: Path, toy: tuple[Project, Recipe]
) -> None:
    with published(tmp_path) as there:
        kept = count(*toy, there.hub, NOON)
        there.server.faults.append(Fault(status=500, times=0, path="/api/"))
        with pytest.raises(HubError, match="answered 500"):
            count(*toy, there.hub, NOON + timedelta(days=1))
    assert StatsRecord.of(toy[1].folder / "results") == kept


def test_the_command_prints_the_day_and_says_where_it_is_kept(
    tmp_path: Path, toy: tuple[Project, Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = toy[0].root
    with published(tmp_path) as there:
        monkeypatch.setenv("HF_ENDPOINT", there.server.url)
        said = ask(root, "stats", "toy")
        document = ask(root, "stats", "toy", "--json").document
    assert said.code == 0
    assert "1,234 downloads       5 likes" in said.out
    assert "kept in recipes/toy/results/stats.json" in said.out
    assert len(document["days"]) == 1
    assert document == json.loads((root / "recipes/toy/results/stats.json").read_text())
    assert "there is no recipe 'toi'" in ask(root, "stats", "toi").fault


def test_the_page_shows_the_latest_days_and_none_without_a_count(
    tmp_path: Path, toy: tuple[Project, Recipe]
) -> None:
    assert reception(toy[1]) == ""
    with published(tmp_path) as there:
        for later in range(MOST_DAYS + 2):
            received(there, downloads=1000 + later, likes=later)
            count(*toy, there.hub, NOON + timedelta(days=later))
    shown = reception(toy[1])
    assert "| 2026-11-29 | model | 1,008 | 8 |  |" in shown
    assert "| 2026-11-29 | Space |  | 0 | running |" in shown
    assert "2026-11-23" in shown
    assert "2026-11-22" not in shown


def test_a_broken_history_is_one_line(tmp_path: Path, toy: tuple[Project, Recipe]) -> None:
    results = toy[1].folder / "results"
    results.mkdir()
    (results / "stats.json").write_text('{"days": [{"day": "<script>"}]}')
    with pytest.raises(RunError, match=r"stats\.json, at days"):
        reception(toy[1])
