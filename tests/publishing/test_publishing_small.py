"""A publication of kilobytes on the loopback Hub: planned, applied, repeated, taken back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kit.errors import ConflictError, HubError, TakenError
from tests.publishing.small import World, assembled, requests_of, without_pauses, world

WRITES = {"POST", "PUT", "DELETE", "PATCH"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    without_pauses(monkeypatch)


def writes(found: World, since: int) -> list[tuple[str, str]]:
    """Return the requests since then that change something."""
    return [r for r in requests_of(found.server.requests[since:]) if r[0] in WRITES]


def test_planning_sends_no_write(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        plan = there.plan(assembled(tmp_path / "one", 1))
        assert [repo.state for repo in plan.repos] == ["absent"] * 3
        assert writes(there, 0) == []


def test_all_becomes_public_and_nothing_is_ever_half(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        journal = there.publish(assembled(tmp_path / "one", 1))
        state = there.state()
        assert journal.end == "finished"
        assert {kind: repo["private"] for kind, repo in state.items()} == {
            "models": False,
            "datasets": False,
            "spaces": False,
        }
        assert all(repo["refs"] == [f"refs/tags/{journal.plan.tag}"] for repo in state.values())
        assert there.halves == []


def test_the_same_again_sends_no_write(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        one = assembled(tmp_path / "one", 1)
        there.publish(one)
        seen = len(there.server.requests)
        assert there.plan(one).steps == ()
        assert writes(there, seen) == []


def test_only_a_changed_file_is_sent(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        one = assembled(tmp_path / "one", 1)
        there.publish(one)
        (one / "model" / "README.md").write_text("# Other words\n")
        plan = there.plan(one)
        assert [change.path for repo in plan.repos for change in repo.changes] == ["README.md"]
        assert there.publish(one).end == "finished"
        assert there.halves == []


def test_a_new_version_replaces_files_and_removes_those_that_are_gone(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        there.publish(assembled(tmp_path / "one", 1))
        there.publish(assembled(tmp_path / "two", 2))
        assert [repo["files"] for repo in there.state().values()] == [
            there.known[1][kind] for kind in there.state()
        ]
        assert there.halves == []


@pytest.mark.parametrize("first", [False, True], ids=["of new repos", "of a new version"])
def test_undo_leaves_what_was_there_before(tmp_path: Path, first: bool) -> None:
    with world(tmp_path) as there:
        if first:
            there.publish(assembled(tmp_path / "one", 1))
        before = there.state()
        two = assembled(tmp_path / "two", 2)
        journal = there.publish(two)
        there.publication(two, journal).take_back()
        assert there.state() == before
        assert there.halves == []


def test_a_file_of_someone_else_is_neither_overwritten_nor_removed(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        api = there.hub._api
        api.create_repo("ada/toy")
        api.upload_file(path_or_fileobj=b"mine", path_in_repo="config.json", repo_id="ada/toy")
        plan = there.plan(assembled(tmp_path / "one", 1))
        assert "kit did not put it there" in plan.problems[0]


def test_a_change_by_someone_else_meanwhile_is_reported_and_kept(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        one = assembled(tmp_path / "one", 1)
        there.publish(one)
        two = assembled(tmp_path / "two", 2)
        there.knows(two)
        journal = there.journal(two)
        there.hub._api.upload_file(
            path_or_fileobj=b"theirs", path_in_repo="theirs.txt", repo_id="ada/toy"
        )
        with pytest.raises(ConflictError, match="changed by someone else"):
            there.publication(two, journal).carry_on()
        files = there.state()["models"]["files"]
        assert "theirs.txt" in files
        assert "records/only-1.json" in files
        assert journal.end == "rolled back"


def test_a_file_that_changes_while_it_is_sent_is_found_by_reading_back(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        one = assembled(tmp_path / "one", 1)
        there.knows(one)
        journal = there.journal(one)
        (one / "model" / "config.json").write_text('{"other": 1}')
        with pytest.raises(HubError, match=r"config\.json is not what was sent"):
            there.publication(one, journal).carry_on()
        assert there.state() == {}


def test_a_name_that_is_taken_meanwhile_is_left_alone(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        one = assembled(tmp_path / "one", 1)
        there.knows(one)
        journal = there.journal(one)
        there.hub._api.create_repo("ada/toy", private=True)
        there.hub._api.upload_file(
            path_or_fileobj=b"theirs", path_in_repo="theirs.txt", repo_id="ada/toy"
        )
        with pytest.raises(TakenError, match="is there already"):
            there.publication(one, journal).carry_on()
        assert set(there.state()["models"]["files"]) == {"theirs.txt"}


def test_a_journal_cut_in_the_middle_of_a_line_is_read(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        one = assembled(tmp_path / "one", 1)
        there.publish(one)
        path = tmp_path / "journal.jsonl"
        whole = path.read_bytes()
        shutil.copy(path, tmp_path / "kept.jsonl")
        path.write_bytes(whole[:-9])
        journal = there.journal(one)
        assert journal.end is None
        there.publication(one, journal).carry_on()
        assert path.read_bytes() == whole
