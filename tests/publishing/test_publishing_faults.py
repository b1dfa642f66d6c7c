"""Whatever breaks, a publication ends finished or taken back, and nobody ever sees half of it.

Every request of a publication is hit by one fault of each class: refused, busy, cut off after it
took effect. ``make test-faults`` (KIT_FAULTS=all) hits each by every fault there is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.errors import HubError
from kit.publishing.journal import Journal
from tests.publishing.small import FAULTS, World, assembled, fault_at, without_pauses, world

CLASSES = list(FAULTS) if os.environ.get("KIT_FAULTS") == "all" else ["403", "503", "dropped after"]


class KilledError(BaseException):
    """Stands for kill -9: nothing catches it."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    without_pauses(monkeypatch)


@pytest.fixture
def xet(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Return whether large files go by xet, whose own client waits between its attempts."""
    from huggingface_hub import constants

    monkeypatch.setenv("HF_XET_CLIENT_RETRY_BASE_DELAY", "1ms")
    monkeypatch.setenv("HF_XET_CLIENT_READ_TIMEOUT", "400ms")
    used = getattr(request, "param", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", not used)
    return used


@pytest.fixture(params=["new repos", "a new version"])
def before(request: pytest.FixtureRequest, tmp_path: Path, xet: bool) -> tuple[Path, bool]:
    """Return a folder with a Hub as it is before the publication; and whether one came before."""
    folder = tmp_path / "before"
    with world(folder, xet=xet) as there:
        if request.param == "a new version":
            there.publish(assembled(tmp_path / "one", 1))
    return folder, request.param == "a new version"


def copies(before: Path, tmp_path: Path, number: int) -> Path:
    """Return a copy of the Hub's folder for one attempt."""
    folder = tmp_path / f"attempt-{number}"
    shutil.copytree(before, folder)
    return folder


def attempt(there: World, tmp_path: Path, came_before: bool) -> tuple[Journal | None, str]:
    """Publish version two; return its journal, None if none was begun, and what was said."""
    if came_before:
        there.knows(assembled(tmp_path / "one", 1))
    two = assembled(tmp_path / "two", 2)
    there.knows(two)
    journal = None
    try:
        journal = there.journal(two)
        there.publication(two, journal).carry_on()
    except HubError as error:
        return journal, str(error)
    return journal, ""


def whole(there: World) -> Any:
    """Return everything that stands on the Hub."""
    return there.state(), there.collections()


def states(
    before: Path, tmp_path: Path, came_before: bool, path: str = "", xet: bool = False
) -> tuple[Any, Any, int]:
    """Return the Hub's state before and after an undisturbed publication, and its requests.

    Only requests with ``path`` in theirs are counted.
    """
    folder = copies(before, tmp_path, 0)
    with world(folder, xet=xet) as there:
        old = whole(there)
        journal, said = attempt(there, tmp_path, came_before)
        assert journal is not None
        assert (journal.end, said) == ("finished", "")
        return old, whole(there), sum(path in entry.path for entry in there.server.requests)


@pytest.mark.parametrize("name", CLASSES)
def test_a_fault_of_any_request_ends_finished_or_taken_back(
    before: tuple[Path, bool], tmp_path: Path, name: str
) -> None:
    assert badly_ended(before, tmp_path, name) == []


@pytest.mark.parametrize("xet", [True], indirect=True)
@pytest.mark.parametrize("name", CLASSES)
def test_a_fault_of_a_transfer_over_xet_ends_so_too(
    before: tuple[Path, bool], tmp_path: Path, name: str, xet: bool
) -> None:
    assert badly_ended(before, tmp_path, name, "xet", xet) == []


def badly_ended(
    before: tuple[Path, bool], tmp_path: Path, name: str, path: str = "", xet: bool = False
) -> list[Any]:
    """Return the requests with ``path`` in theirs whose fault did not end well."""
    folder, came_before = before
    old, new, requests = states(folder, tmp_path, came_before, path, xet)
    assert requests
    wrong = []
    for number in range(1, requests + 1):
        place = copies(folder, tmp_path, number)
        with world(place, xet=xet) as there:
            there.server.faults.append(fault_at(number, path=path, **FAULTS[name]))
            journal, said = attempt(there, tmp_path, came_before)
            end = journal.end if journal else "rolled back"
            expected = new if end == "finished" else old
            hits = [(hit.method, hit.path) for hit in there.server.requests if hit.fault]
            lines = said.count("\n") + 1
            if whole(there) != expected or there.halves or end is None or lines > 1 or not hits:
                wrong.append((number, hits, end, said, there.halves))
        shutil.rmtree(place)
    return wrong


@pytest.mark.parametrize("then", ["go on", "undo"])
def test_killed_after_any_journal_entry_it_goes_on_or_is_taken_back(
    before: tuple[Path, bool], tmp_path: Path, then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, came_before = before
    old, new, _ = states(folder, tmp_path, came_before)
    for number in entries(sorted((tmp_path / "attempt-0").glob("journal-*.jsonl"))[-1]):
        place = copies(folder, tmp_path, number)
        with world(place) as there, monkeypatch.context() as patch:
            kill_after(number, patch)
            with pytest.raises(KilledError):
                attempt(there, tmp_path, came_before)
        with world(place) as there:
            two = tmp_path / "two"
            there.knows(two)
            if came_before:
                there.knows(tmp_path / "one")
            publication = there.publication(two, there.journal(two))
            publication.carry_on() if then == "go on" else publication.take_back()
            assert whole(there) == (new if then == "go on" else old), number
            assert there.halves == [], number
        shutil.rmtree(place)


def entries(journal: Path) -> Iterator[int]:
    """Yield the numbers of the entries after which there is something left to do."""
    return iter(range(2, len(journal.read_text().splitlines())))


def kill_after(number: int, patch: pytest.MonkeyPatch) -> None:
    """Kill the publication once the journal has that many entries; the plan is the first."""
    write, written = Journal._write, iter(range(1, number + 1))

    def dying(self: Journal, entry: dict[str, Any]) -> None:
        write(self, entry)
        if next(written) == number:
            raise KilledError

    patch.setattr(Journal, "_write", dying)
