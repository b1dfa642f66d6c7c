"""`kit publish` and `kit verify` as a person types them, against the Hub on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.hub.rehearsal.accounts import Account
from kit.hub.rehearsal.serving import Hub as Server
from kit.records import Record
from kit.runs import Run
from tests.asking import ask, copied_project
from tests.publishing.small import requests_of, without_pauses

Finished = tuple[Run, dict[str, Record]]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    without_pauses(monkeypatch)


@pytest.fixture
def root(finished: Finished, tmp_path: Path) -> Path:
    """Return a copy of the finished run's project."""
    return copied_project(finished[0].project.root, tmp_path / "project")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Start a Hub and name it, and its owner's token, as a person would."""
    from huggingface_hub import close_session

    with Server(tmp_path / "hub", accounts=[Account("ann")], xet=False) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", server.token())
        yield server
        close_session()


def test_publish_alone_prints_the_plan_and_sends_nothing(root: Path, server: Server) -> None:
    answer = ask(root, "publish", "toy")
    assert answer.code == 0
    assert "model ann/toy  (new, public at the end)" in answer.out
    assert "order: create, private (dataset); push (dataset)" in answer.out
    document = ask(root, "publish", "toy", "--json").document
    assert [repo["state"] for repo in document["repos"]] == ["absent"] * 3
    assert document["steps"][0] == ["create", "dataset", "ann/toy-data"]
    assert {method for method, _ in requests_of(server.requests)} == {"GET"}


def test_undo_without_a_publication_is_one_line(root: Path, server: Server) -> None:
    answer = ask(root, "publish", "toy", "--undo", "-y")
    assert answer.code == 1
    assert "found none to undo" in answer.fault


def test_a_token_is_never_printed_or_kept(root: Path, server: Server) -> None:
    token = server.token()
    answers = [ask(root, "publish", "toy", *rest) for rest in ([], ["--apply"])]
    kept = "".join(
        path.read_text("utf-8", "replace")
        for path in (root / "runs").rglob("*")
        if path.is_file() and path.suffix in {".json", ".jsonl"}
    )
    assert token not in kept + "".join(answer.out + answer.err for answer in answers)


def test_verify_takes_an_assembled_folder(finished: Finished, root: Path, server: Server) -> None:
    folder = f"{finished[0].relative}/assembly"
    answer = ask(root, "verify", folder)
    assert answer.code == 0
    assert "holds  numbers of the card" in answer.out
    assert "measured again" in answer.out
    weights = root / folder / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    changed = ask(root, "verify", folder)
    assert (changed.code, changed.out) == (1, "")
    assert "model.safetensors has other bytes than recorded" in changed.err


def test_verify_of_nothing_is_one_line(root: Path, server: Server) -> None:
    assert "expected OWNER/NAME" in ask(root, "verify", "./here").fault
    assert "there is no model ann/none" in ask(root, "verify", "ann/none").fault
