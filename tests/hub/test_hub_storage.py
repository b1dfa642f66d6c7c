"""What the loopback Hub keeps, and that it survives being killed."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
import pytest

from kit.errors import InputError, RunError
from kit.hub.rehearsal.faults import Fault
from kit.hub.rehearsal.serving import Hub
from kit.hub.rehearsal.storage import File, blob_id, lfs_pointer, tree_ids
from tests.hub.talking import make, push

SERVE = """
import sys, time
from pathlib import Path
from kit.hub.rehearsal.serving import Hub
with Hub(Path(sys.argv[1])) as hub:
    print(hub.url, hub.token(), flush=True)
    time.sleep(60)
"""


def test_ids_are_those_of_git(tmp_path: Path) -> None:
    files = {"a.txt": b"a", "a/b.txt": b"b", "a-b": b"c", "deep/er/x": b"", "deep.txt": b"d"}
    del files["a.txt"]
    git = ["git", "-c", "core.autocrlf=false"]
    subprocess.run([*git, "init", "-q", tmp_path / "g"], check=True)
    for path, content in files.items():
        (tmp_path / "g" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "g" / path).write_bytes(content)
    subprocess.run([*git, "add", "-A"], cwd=tmp_path / "g", check=True)
    wanted = subprocess.run(
        [*git, "write-tree"], cwd=tmp_path / "g", check=True, capture_output=True, text=True
    ).stdout.strip()
    tree = {path: File(oid=blob_id(content), size=len(content)) for path, content in files.items()}
    assert tree_ids(tree)[""] == wanted


def test_a_second_start_finds_repos_tokens_and_files(tmp_path: Path) -> None:
    seen = []
    for start in range(2):
        with Hub(tmp_path / "hub") as hub:
            headers = {"authorization": f"Bearer {hub.token()}"}
            with httpx2.Client(base_url=hub.url, headers=headers) as http:
                if not start:
                    make(http, "toy")
                    push(http, "ada/toy", {"a.txt": "kept"})
                seen.append((headers, http.get("/ada/toy/resolve/main/a.txt").text))
    assert seen[0] == seen[1]
    assert seen[0][1] == "kept"


def test_a_hub_killed_in_mid_commit_keeps_the_head_and_takes_the_commit_again(
    tmp_path: Path,
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path / "hub")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout
    url, token = process.stdout.readline().split()
    http = httpx2.Client(base_url=url, headers={"authorization": f"Bearer {token}"})
    make(http, "toy")
    push(http, "ada/toy", {"a.txt": "first"})
    many = {f"{n}.txt": "x" * 10_000 + str(n) for n in range(600)}
    sending = threading.Thread(target=_sent_or_not, args=(http, many))
    sending.start()
    blobs = tmp_path / "hub/repos/models/ada/toy/blobs"
    while len(list(blobs.iterdir())) < 20:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    sending.join()
    with Hub(tmp_path / "hub") as hub:
        again = httpx2.Client(base_url=hub.url, headers=http.headers)
        names = {row["rfilename"] for row in again.get("/api/models/ada/toy").json()["siblings"]}
        assert names == {".gitattributes", "a.txt"}
        assert push(again, "ada/toy", many).status_code == 200
        assert again.get("/ada/toy/resolve/main/599.txt").text == many["599.txt"]
        assert not list((tmp_path / "hub" / "incoming").iterdir())


def _sent_or_not(http: httpx2.Client, files: dict[str, str]) -> None:
    with pytest.raises(httpx2.TransportError):
        push(http, "ada/toy", files)


def test_contents_of_another_digest_are_refused(hub: Hub, http: httpx2.Client) -> None:
    make(http, "toy")
    oid = hashlib.sha256(b"right").hexdigest()
    body = {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": oid, "size": 5}]}
    batch = http.post("/ada/toy.git/info/lfs/objects/batch", json=body).json()
    place = batch["objects"][0]["actions"]["upload"]["href"]
    assert httpx2.put(place, content=b"wrong").status_code == 400
    assert httpx2.put(place, content=b"right").status_code == 200
    assert "actions" not in http.post("/ada/toy.git/info/lfs/objects/batch", json=body).text
    line = f'{{"key":"lfsFile","value":{{"path":"w.bin","oid":"{"0" * 64}","algo":"sha256"}}}}'
    header = '{"key":"header","value":{"summary":"x"}}\n'
    sent = http.post("/api/models/ada/toy/commit/main", content=(header + line).encode())
    assert sent.status_code == 400
    assert len(lfs_pointer(oid, 5)) == 125 + len("5")


def test_parts_of_files_are_sent_as_asked(hub: Hub, http: httpx2.Client) -> None:
    make(http, "toy")
    push(http, "ada/toy", {"a.txt": "0123456789"})
    place = "/ada/toy/resolve/main/a.txt"
    whole = http.get(place)
    assert whole.headers["etag"] == f'"{blob_id(b"0123456789")}"'
    asked = {"bytes=2-4": "234", "bytes=8-": "89", "bytes=-3": "789", "bytes=5-99": "56789"}
    for given, text in asked.items():
        part = http.get(place, headers={"range": given})
        assert (part.status_code, part.text) == (206, text)
    assert http.get(place, headers={"range": "bytes=10-"}).status_code == 416
    assert http.get(place, headers={"if-none-match": whole.headers["etag"]}).status_code == 304


def test_two_writers_of_one_head_leave_one_commit(hub: Hub, http: httpx2.Client) -> None:
    make(http, "toy")
    head = http.get("/api/models/ada/toy").json()["sha"]
    hub.faults.append(Fault(path="/commit/", rate=5000))
    statuses: list[int] = []

    def write(name: str) -> None:
        headers = {"authorization": http.headers["authorization"]}
        with httpx2.Client(base_url=hub.url, headers=headers) as mine:
            sent = push(mine, "ada/toy", {name: "x"}, parentCommit=head)
            statuses.append(sent.status_code)

    writers = [threading.Thread(target=write, args=(name,)) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(statuses) == [200, 412]


def test_pages_of_a_tree_follow_each_other_at_a_revision_with_slashes(http: httpx2.Client) -> None:
    make(http, "toy")
    push(http, "ada/toy", {f"d/{n}.txt": "x" for n in range(5)})
    http.post("/api/models/ada/toy/branch/exp%2Fa", json={})
    place, paths = "/api/models/ada/toy/tree/exp%2Fa?recursive=true&limit=3", []
    while place:
        page = http.get(place)
        paths += [row["path"] for row in page.json()]
        place = page.links.get("next", {}).get("url", "")
    assert paths == [".gitattributes", "d", *(f"d/{n}.txt" for n in range(5))]


def test_two_hubs_do_not_share_a_folder(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="another Hub"):
        Hub(tmp_path / "hub")
    with pytest.raises(InputError, match="ada"):
        hub.token("adda")
