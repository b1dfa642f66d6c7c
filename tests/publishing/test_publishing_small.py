"""A publication of kilobytes on the loopback Hub: planned, applied, repeated, taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kit.errors import ConflictError, HubError, InputError, RunError, TakenError
from kit.hub.rehearsal.faults import Fault
from kit.hub.remote import Repo
from kit.publishing.journal import last_journal, new_journal, read_journal
from tests.publishing.small import (
    NAME,
    SPACE,
    World,
    assembled,
    requests_of,
    without_pauses,
    world,
)

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
        assert there.collections() == {"Toys": ["datasets", "models", "spaces"]}
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


def theirs(
    there: World, path: str = "theirs.txt", repo: str = "ada/toy", kind: str = "model"
) -> None:
    """Let someone else commit a file."""
    there.hub._api.upload_file(
        path_or_fileobj=b"theirs", path_in_repo=path, repo_id=repo, repo_type=kind
    )


def test_a_file_of_someone_else_is_neither_overwritten_nor_removed(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        there.hub._api.create_repo("ada/toy")
        theirs(there, "config.json")
        plan = there.plan(assembled(tmp_path / "one", 1))
        assert "config.json is there and is not as kit left it" in plan.problems[0]


def test_a_repo_of_one_commit_that_the_hub_did_not_make_is_someone_elses(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        there.hub._api.create_repo("ada/toy")
        theirs(there)
        storage = there.server.rehearsal.storage
        repo = storage.find("models", "ada/toy")
        assert repo is not None
        tree = storage.resolve(repo, "main").tree
        del repo.refs["refs/heads/main"]
        storage.add_commit(repo, "refs/heads/main", tree, "Super-squash branch 'main'", "", "ada")
        storage.save(repo)
        plan = there.plan(assembled(tmp_path / "one", 1))
        (model,) = (repo for repo in plan.repos if repo.folder == "model")
        assert "theirs.txt" in model.foreign
        assert [change for change in model.changes if change.action == "delete"] == []
        assert "theirs.txt is there and is not as kit left it" in plan.problems[0]


def test_what_is_deleted_is_shown_before_what_is_added(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        there.publish(assembled(tmp_path / "one", 1))
        plan = there.plan(assembled(tmp_path / "two", 2))
        (model,) = (repo for repo in plan.repos if repo.folder == "model")
        assert next(change.path for change in model.changes) == "records/only-1.json"


def test_a_journal_with_separators_of_lines_in_its_words_is_read(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        plan = there.plan(assembled(tmp_path / "one", 1))
        assert plan.collection is not None
        plan = replace(plan, collection=replace(plan.collection, title="a\u2028b\x85c"))
        journal = new_journal(tmp_path / "journals", plan)
        with journal.path.open("ab") as file:
            file.write('{"start": ["create", "é'.encode()[:-1])
        found = read_journal(journal.path)
        assert found is not None
        assert found.plan.collection == plan.collection


@pytest.mark.parametrize("path", ["README.md", "config.json", "records/only-1.json"])
def test_a_file_edited_on_the_hub_since_is_not_overwritten(tmp_path: Path, path: str) -> None:
    with world(tmp_path) as there:
        there.publish(assembled(tmp_path / "one", 1))
        theirs(there, path)
        plan = there.plan(assembled(tmp_path / "two", 2))
        if path != "records/only-1.json":
            assert f"{path} is there and is not as kit left it" in plan.problems[0]
        else:
            assert (plan.problems, plan.repos[1].foreign) == ((), (path,))
            assert path not in {change.path for change in plan.repos[1].changes}


def test_a_change_by_someone_else_meanwhile_is_reported_and_kept(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        there.publish(assembled(tmp_path / "one", 1))
        two = assembled(tmp_path / "two", 2)
        there.knows(two)
        journal = there.journal(two)
        theirs(there)
        with pytest.raises(ConflictError, match="changed by someone else"):
            there.publication(two, journal).carry_on()
        files = there.state()["models"]["files"]
        assert "theirs.txt" in files
        assert "records/only-1.json" in files
        assert journal.end == "rolled back"


@pytest.mark.parametrize("before", [False, True], ids=["new repos", "a new version"])
def test_undo_never_takes_what_someone_else_added_since(tmp_path: Path, before: bool) -> None:
    with world(tmp_path) as there:
        if before:
            there.publish(assembled(tmp_path / "one", 1))
        two = assembled(tmp_path / "two", 2)
        journal = there.publish(two)
        theirs(there)
        state = there.state()
        with pytest.raises(ConflictError, match=r"nothing was taken back.*Upload theirs\.txt"):
            there.publication(two, journal).take_back()
        assert there.state() == state
        assert journal.end == "finished"


def test_undo_never_takes_a_repo_with_a_pull_request(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        one = assembled(tmp_path / "one", 1)
        journal = there.publish(one)
        there.hub._api.upload_file(
            path_or_fileobj=b"better", path_in_repo="config.json", repo_id=NAME, create_pr=True
        )
        with pytest.raises(ConflictError, match="nothing was taken back"):
            there.publication(one, journal).take_back()


def test_a_collection_of_somebody_is_filled_and_left(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        theirs = there.hub._api.create_collection("Toys", namespace="ada")
        there.hub._api.create_repo("ada/other")
        there.hub._api.add_collection_item(theirs.slug, "ada/other", "model")
        one = assembled(tmp_path / "one", 1)
        journal = there.publish(one)
        assert there.collections() == {"Toys": ["models", "datasets", "models", "spaces"]}
        there.publication(one, journal).take_back()
        assert there.collections() == {"Toys": ["models"]}


def test_what_was_added_to_a_new_collection_since_keeps_it(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        one = assembled(tmp_path / "one", 1)
        journal = there.publish(one)
        made = there.hub.collection("ada", "Toys")
        assert made is not None
        there.hub._api.create_repo("ada/other")
        there.hub._api.add_collection_item(made.slug, "ada/other", "model")
        there.publication(one, journal).take_back()
        assert there.collections() == {"Toys": ["models"]}


def test_the_same_files_can_be_published_again_after_others(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        first = there.publish(assembled(tmp_path / "one", 1))
        there.publish(assembled(tmp_path / "two", 2))
        third = there.publish(tmp_path / "one")
        assert third.plan.tag == f"{first.plan.tag}-2"
        there.publication(tmp_path / "one", third).take_back()
        assert f"refs/tags/{first.plan.tag}" in there.state()["models"]["refs"]
        assert there.halves == []


def test_publications_are_taken_back_one_after_another(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        one, two = assembled(tmp_path / "one", 1), assembled(tmp_path / "two", 2)
        there.publish(one)
        between = there.state()
        there.publish(two)
        for assembly, left, lists in ((two, between, 1), (one, {}, 0)):
            journal = last_journal(tmp_path)
            assert journal is not None
            there.publication(assembly, journal).take_back()
            assert there.state() == left
            assert len(there.collections()) == lists
        assert last_journal(tmp_path) is None


def test_a_space_that_does_not_come_up_takes_everything_back(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        one = assembled(tmp_path / "one", 1)
        (one / "space" / "README.md").write_text(SPACE.replace("sdk:", "app_file: none.html\nsdk:"))
        (one / "space" / "index.html").unlink()
        there.knows(one)
        journal = there.journal(one)
        with pytest.raises(HubError, match=r"in stage \w+_\w+; .*everything was taken back"):
            there.publication(one, journal).carry_on()
        assert there.state() == {}


def test_a_space_that_answers_something_else_takes_everything_back(tmp_path: Path) -> None:
    def wrong(_: object) -> None:
        raise HubError("it answers 'bad' where 'good' was measured")

    with world(tmp_path) as there:
        one = assembled(tmp_path / "one", 1)
        there.knows(one)
        publication = replace(there.publication(one, there.journal(one)), ask=wrong)
        with pytest.raises(HubError, match=r"where 'good' was measured; everything was taken back"):
            publication.carry_on()
        assert there.state() == {}


def test_a_file_that_changed_since_the_plan_is_not_sent(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        one = assembled(tmp_path / "one", 1)
        journal = there.journal(one)
        (one / "model" / "config.json").write_text("[]\n")
        with pytest.raises(RunError, match=r"model/config\.json is not what it was"):
            there.publication(one, journal).carry_on()
        assert there.state() == {}


def test_a_file_that_changes_while_it_is_sent_is_found_by_reading_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path) as there:
        one = assembled(tmp_path / "one", 1)
        there.knows(one)
        commit = there.hub.commit

        def late(repo: Repo, *rest: Any) -> str:
            if repo.kind == "model":
                (one / "model" / "config.json").write_text("[]\n")
            return commit(repo, *rest)

        monkeypatch.setattr(there.hub, "commit", late)
        with pytest.raises(HubError, match=r"read back, config\.json is not what was planned"):
            there.publication(one, there.journal(one)).carry_on()
        assert there.state() == {}


def test_a_full_disk_is_one_line_and_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    with world(tmp_path) as there:
        one = assembled(tmp_path / "one", 1)
        journal = there.journal(one)
        monkeypatch.setattr(there.hub, "commit", full)
        with pytest.raises(InputError, match="No space left on device; everything was taken back"):
            there.publication(one, journal).carry_on()
        assert there.state() == {}


def test_a_token_that_expires_is_not_taken_for_an_empty_hub(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        one = assembled(tmp_path / "one", 1)
        there.publish(one)
        expired = there.server.faults
        expired.append(Fault(path="/api/models/ada/toy", times=0, status=401))
        with pytest.raises(HubError, match="not valid here"):
            there.plan(one)


@pytest.mark.parametrize("files", [[], ["theirs.txt"]], ids=["of one commit", "with a file"])
def test_a_name_that_is_taken_meanwhile_is_left_alone(tmp_path: Path, files: list[str]) -> None:
    with world(tmp_path) as there:
        one = assembled(tmp_path / "one", 1)
        there.knows(one)
        journal = there.journal(one)
        there.hub._api.create_repo("ada/toy", private=True)
        for path in files:
            theirs(there, path)
        with pytest.raises(TakenError, match=r"is there already.*everything was taken back"):
            there.publication(one, journal).carry_on()
        assert set(there.state()) == {"models"}
        assert set(there.state()["models"]["files"]) == set(files)
        again = read_journal(journal.path)
        assert again is not None
        assert ("create", Repo("model", NAME)) not in again.started


def test_a_name_taken_before_a_kill_is_left_alone_after_it(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        one = assembled(tmp_path / "one", 1)
        journal = there.journal(one)
        there.hub._api.create_repo("ada/toy", private=True)
        step = ("create", Repo("model", NAME))
        journal.start(step)
        journal.refuse(step)
        again = read_journal(journal.path)
        assert again is not None
        there.publication(one, again).take_back()
        assert set(there.state()) == {"models"}


def test_a_journal_cut_in_the_middle_of_a_line_is_read(tmp_path: Path) -> None:
    with world(tmp_path) as there:
        one = assembled(tmp_path / "one", 1)
        there.publish(one)
        path = tmp_path / "journal-0001.jsonl"
        whole = path.read_bytes()
        path.write_bytes(whole[:-9])
        journal = there.journal(one)
        assert journal.end is None
        there.publication(one, journal).carry_on()
        assert path.read_bytes() == whole
