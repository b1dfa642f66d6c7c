"""Who may do what on the loopback Hub, and what it refuses as the Hub does."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest

from kit.hub.rehearsal.cards import judge
from kit.hub.rehearsal.serving import Hub
from tests.hub.talking import Client, make, push

STRANGERS = """
tokens = json.loads(Path("tokens.json").read_text())
def look(name, act=None):
    held = HfApi(token=tokens[name])
    add = [CommitOperationAdd("x", b"x")]
    change = refusal(held.create_commit, "ada/p", add, commit_message="x")
    return [refusal(held.model_info, "ada/p"), change]
facts = {name: look(name) for name in tokens}
"""


def test_a_private_repo_is_there_for_its_owner_alone(
    hub: Hub, client: Client, http: httpx2.Client, tmp_path: Path
) -> None:
    make(http, "p", visibility="private")
    tokens = {
        "owner": hub.token("ada"),
        "reader": hub.token("ada", role="read"),
        "scoped": hub.token("ada", scopes=["ada/p"]),
        "elsewhere": hub.token("ada", scopes=["ada/other"]),
        "bob": hub.token("bob"),
        "nobody": False,
        "wrong": "hf_wrong",
    }
    (tmp_path / "tokens.json").write_text(json.dumps(tokens))
    missing, unknown = ["RepositoryNotFoundError", 404], ["RepositoryNotFoundError", 401]
    assert client(hub, STRANGERS) == {
        "owner": [None, None],
        "scoped": [None, None],
        "reader": [None, ["HfHubHTTPError", 403]],
        "elsewhere": [missing, missing],
        "bob": [missing, missing],
        "nobody": [unknown, unknown],
        "wrong": [["HfHubHTTPError", 401]] * 2,
    }


def test_a_public_repo_takes_a_pull_request_from_a_stranger_but_no_push(
    hub: Hub, http: httpx2.Client
) -> None:
    make(http, "toy")
    bob = httpx2.Client(base_url=hub.url, headers={"authorization": f"Bearer {hub.token('bob')}"})
    body = b'{"key":"header","value":{"summary":"x"}}'
    assert bob.post("/api/models/ada/toy/commit/main", content=body).status_code == 403
    pull = bob.post("/api/models/ada/toy/commit/main?create_pr=1", content=body)
    assert pull.json()["pullRequestUrl"].endswith("/discussions/1")
    assert bob.post("/api/models/ada/toy/discussions/1/merge").status_code == 403


def test_a_free_account_pays_for_gradio_and_has_two_zero_gpu_spaces(
    hub: Hub, http: httpx2.Client
) -> None:
    def status(name: str, sdk: str, **more: str) -> int:
        body = {"name": name, "type": "space", "sdk": sdk, **more}
        return http.post("/api/repos/create", json=body).status_code

    assert status("cpu", "gradio") == 402
    assert status("docker", "docker") == 402
    assert status("static", "static") == 200
    zero = [status(f"zero{n}", "gradio", hardware="zero-a10g") for n in range(3)]
    assert zero == [200, 200, 402]
    http.headers["authorization"] = f"Bearer {hub.token('pro')}"
    assert status("cpu", "gradio") == 200


def test_another_host_name_is_refused(hub: Hub, http: httpx2.Client) -> None:
    asked = http.get("/api/whoami-v2", headers={"host": "evil.example"})
    assert asked.status_code == 403
    assert "ada" not in asked.text


def test_paths_that_leave_the_repo_are_refused(http: httpx2.Client) -> None:
    make(http, "toy")
    for path in ("../x", "a/../../x", "/x", ".git/config", "a//b", ""):
        assert push(http, "ada/toy", {path: "x"}).status_code == 400
    assert http.get("/ada/toy/resolve/main/..%2F..%2Frepo.json").status_code == 404
    assert http.post("/api/repos/create", json={"name": "../x"}).status_code == 400


@pytest.mark.parametrize(
    ("kind", "yaml", "words"),
    [
        ("model", "license: my-license", "license"),
        ("model", "language: English", "language"),
        ("model", "language: no", "false"),
        ("model", "tags: one", "tags"),
        ("model", "model-index: {}", "array"),
        ("model", "model-index: [{name: a, results: [{task: {type: t}}]}]", "dataset.type"),
        ("model", "base_model: ./runs/model", "base_model"),
        ("space", "sdk: streamlite", "sdk"),
        ("space", "{sdk: static, colorTo: teal}", "colorTo"),
        ("space", f"{{sdk: static, short_description: {'x' * 61}}}", "60"),
        ("space", "{sdk: gradio, sdk_version: 6.31}", "sdk_version"),
        ("dataset", "a: [", "YAML"),
    ],
)
def test_metadata_that_the_hub_documents_as_wrong_is_refused(
    kind: str, yaml: str, words: str
) -> None:
    errors, _ = judge(kind, f"---\n{yaml}\n---\n# Card\n")
    assert any(words in error for error in errors), errors


def test_metadata_that_is_right_passes_and_an_unknown_task_is_a_warning() -> None:
    card = "---\nlicense: [mit, apache-2.0]\nlanguage: [en, zh-Hans]\npipeline_tag: sing\n---\n"
    assert judge("model", card) == ([], ['The pipeline tag "sing" is not in the list'])
    assert judge("model", "# No metadata")[1]


def test_a_commit_with_wrong_metadata_is_refused_whole(http: httpx2.Client) -> None:
    make(http, "toy")
    files = {"a.txt": "a", "README.md": "---\nlicense: my-license\n---\n"}
    sent = push(http, "ada/toy", files)
    assert sent.status_code == 400
    assert "YAML metadata verification" in sent.json()["error"]
    assert http.head("/ada/toy/resolve/main/a.txt").status_code == 404
