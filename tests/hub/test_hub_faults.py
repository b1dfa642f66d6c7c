"""Faults that are rehearsed, and the log of what was asked."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx2
import pytest

from kit.errors import InputError
from kit.hub.rehearsal.faults import Fault
from kit.hub.rehearsal.serving import Hub, configured
from tests.hub.talking import Client, make, push

COMMITS = "/api/models/ada/toy/commits/main"


def test_the_nth_match_is_hit_and_no_other(hub: Hub, http: httpx2.Client) -> None:
    hub.faults.append(Fault(method="GET", path="whoami", nth=2, times=2, status=503))
    found = [http.get("/api/whoami-v2").status_code for _ in range(4)]
    assert found == [200, 503, 503, 200]
    assert [entry.fault for entry in hub.requests] == [False, True, True, False]


def test_a_connection_dropped_before_leaves_nothing_and_after_leaves_the_commit(
    hub: Hub, http: httpx2.Client
) -> None:
    make(http, "toy")
    for drop in ("before", "after"):
        hub.faults[:] = [Fault(path="/commit/", drop=drop)]
        with pytest.raises(httpx2.TransportError):
            push(http, "ada/toy", {f"{drop}.txt": "x"})
    assert [row["title"] for row in http.get(COMMITS).json()] == ["change", "initial commit"]
    assert http.head("/ada/toy/resolve/main/after.txt").status_code == 200
    assert [entry.status for entry in hub.requests if "/commit/" in entry.path] == [None, None]


def test_requests_are_stalled_and_slowed(hub: Hub, http: httpx2.Client) -> None:
    make(http, "toy")
    hub.faults[:] = [Fault(path="whoami", stall=5), Fault(path="/resolve/", rate=4000)]
    with pytest.raises(httpx2.TimeoutException):
        http.get("/api/whoami-v2", timeout=0.2)
    started = time.monotonic()
    assert http.get("/ada/toy/resolve/main/.gitattributes").status_code == 200
    assert time.monotonic() - started > 0.2


def test_the_client_tries_again_and_publishes_once(hub: Hub, client: Client) -> None:
    hub.faults[:] = [
        Fault(path="/preupload/", status=503),
        Fault(path="/xorbs/", drop="before"),
    ]
    script = """
api.create_repo("ada/toy")
Path("toy").mkdir(); Path("toy/w.bin").write_bytes(os.urandom(50_000))
api.upload_folder(repo_id="ada/toy", folder_path="toy")
copy = Path(hf_hub_download("ada/toy", "w.bin"))
facts["same"] = copy.read_bytes() == Path("toy/w.bin").read_bytes()
facts["commits"] = len(api.list_repo_commits("ada/toy"))
"""
    assert client(hub, script) == {"same": True, "commits": 2}


def test_the_log_is_kept_and_holds_no_token(hub: Hub, http: httpx2.Client, tmp_path: Path) -> None:
    make(http, "toy")
    push(http, "ada/toy", {"a.txt": "aaa"})
    path = tmp_path / "hub" / "requests.jsonl"
    for _ in range(500):
        # A line is written once its answer is on its way.
        log = path.read_text()
        if log.count("\n") == 2:
            break
        time.sleep(0.01)
    rows = [json.loads(line) for line in log.splitlines()]
    assert [(row["method"], row["path"], row["status"]) for row in rows] == [
        ("POST", "/api/repos/create", 200),
        ("POST", "/api/models/ada/toy/commit/main", 200),
    ]
    assert rows[1]["received"] > 100
    assert rows[1]["user"] == "ada"
    assert hub.token("ada") not in log
    assert (tmp_path / "hub" / "accounts.json").stat().st_mode & 0o077 == 0


def test_faults_and_accounts_come_from_a_file(tmp_path: Path) -> None:
    assert [account.name for account in configured(tmp_path, "you")["accounts"]] == ["you"]
    (tmp_path / "hub.toml").write_text(
        'xet = false\naccounts = [{name = "eve", orgs = ["lab"]}]\nfaults = [{status = 503}]\n'
        'tokens = [{name = "eve", scopes = ["eve/toy"]}]\n'
    )
    found = configured(tmp_path, "you")
    assert found["faults"] == [Fault(status=503)]
    assert found["xet"] is False
    assert found["tokens"] == [("eve", "write", ["eve/toy"])]
    (tmp_path / "hub.toml").write_text("colour = 1\n")
    with pytest.raises(InputError, match="colour"):
        configured(tmp_path, "you")


def test_a_refusal_is_heard_by_a_client_that_is_still_sending(
    hub: Hub, http: httpx2.Client
) -> None:
    make(http, "toy")
    hub.faults.append(Fault(path="/commit/", status=503))
    large = {f"{n}.txt": "x" * 1_000_000 for n in range(8)}
    assert push(http, "ada/toy", large).status_code == 503
    http.headers["authorization"] = f"Bearer {hub.token('ada', role='read')}"
    assert push(http, "ada/toy", large).status_code == 403
