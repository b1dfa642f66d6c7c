"""Spaces on the loopback Hub: stages, settings, logs, and the app itself."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kit.hub.rehearsal.serving import Hub
from tests.hub.talking import Client, make, push

CARD = "---\nsdk: {sdk}\ntitle: T\n{more}---\n"
APP = """
import os, http.server
print("starting with", os.environ["GREETING"], os.environ["SECRET"], flush=True)
print("home token:", os.environ.get("HF_TOKEN"), flush=True)
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"hello from %d")
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["GRADIO_SERVER_PORT"])), Page).serve_forever()
"""


def space(http: httpx2.Client, name: str, files: dict[str, str], sdk: str, more: str = "") -> str:
    """Make a Space with a card and files; return its id."""
    owner = "ada" if sdk == "static" else "pro"
    make(http, name, type="space", sdk=sdk)
    push(http, f"{owner}/{name}", {"README.md": CARD.format(sdk=sdk, more=more), **files}, "spaces")
    return f"{owner}/{name}"


def settled(http: httpx2.Client, repo: str) -> dict[str, Any]:
    """Wait until a Space is at a stage that stays."""
    for _ in range(200):
        runtime: dict[str, Any] = http.get(f"/api/spaces/{repo}/runtime").json()
        if not runtime["stage"].endswith(("BUILDING", "STARTING")):
            return runtime
        time.sleep(0.05)
    raise AssertionError(runtime)


def test_a_static_space_is_served_from_its_commit_on_an_origin_of_its_own(
    hub: Hub, http: httpx2.Client
) -> None:
    headers = "custom_headers:\n  cross-origin-opener-policy: same-origin\n"
    files = {"index.html": "<script>1</script>", "js/a.js": "let a"}
    repo = space(http, "s", files, "static", headers)
    assert settled(http, repo)["stage"] == "RUNNING"
    info = http.get(f"/api/spaces/{repo}").json()
    assert info["runtime"]["sha"] == info["sha"]
    assert not info["host"].startswith(hub.url)
    page = httpx2.get(f"{info['host']}/")
    assert page.text == files["index.html"]
    assert page.headers["cross-origin-opener-policy"] == "same-origin"
    assert httpx2.get(f"{info['host']}/js/a.js").headers["content-type"].startswith("text/java")
    assert httpx2.get(info["host"], follow_redirects=True).text == files["index.html"]
    assert httpx2.get(f"{info['host']}/none.js").status_code == 404
    assert httpx2.get(f"{hub.url}/static/{repo}/js/a.js").text != files["js/a.js"]
    http.put(f"/api/spaces/{repo}/settings", json={"visibility": "private"})
    assert httpx2.get(f"{info['host']}/js/a.js").status_code == 401
    assert http.get(f"{info['host']}/js/a.js").status_code == 200


def test_an_app_is_started_with_its_settings_and_replaced_by_the_next_commit(
    hub: Hub, http: httpx2.Client, client: Client
) -> None:
    http.headers["authorization"] = f"Bearer {hub.token('pro')}"
    repo = space(http, "g", {"requirements.txt": "no-such-thing>=1\n"}, "gradio")
    assert settled(http, repo)["stage"] == "NO_APP_FILE"
    script = """
api.add_space_variable("pro/g", "GREETING", "hi"); api.add_space_secret("pro/g", "SECRET", "s3")
app = Path("app.txt").read_text()
add = CommitOperationAdd("app.py", (app % 1).encode())
first = api.create_commit("pro/g", [add], repo_type="space", commit_message="app")
runtime = api.wait_for_space("pro/g", poll_interval=0.05)
facts["first"] = [runtime.stage, runtime.raw["sha"] == first.oid]
facts["secrets"] = list(api.get_space_secrets("pro/g"))
facts["variables"] = {k: v.value for k, v in api.get_space_variables("pro/g").items()}
"""
    Path("app.txt").write_text(APP)
    facts = client(hub, script, token=hub.token("pro"))
    assert facts == {
        "first": ["RUNNING", True],
        "secrets": ["SECRET"],
        "variables": {"GREETING": "hi"},
    }
    host = http.get(f"/api/spaces/{repo}").json()["host"]
    assert httpx2.get(host).text == "hello from 1"
    push(http, repo, {"app.py": APP % 2}, "spaces")
    assert http.get(f"/api/spaces/{repo}/runtime").json()["stage"].startswith("RUNNING_")
    assert settled(http, repo)["stage"] == "RUNNING"
    host = http.get(f"/api/spaces/{repo}").json()["host"]
    assert httpx2.get(host).text == "hello from 2"
    push(http, repo, {"app.py": "import nowhere_at_all"}, "spaces")
    runtime = settled(http, repo)
    assert runtime["stage"] == "RUNTIME_ERROR"
    assert "nowhere_at_all" in runtime["errorMessage"]
    build = http.get(f"/api/spaces/{repo}/logs/build").text
    assert "no-such-thing>=1: here is none" in build
    assert "nowhere_at_all" in http.get(f"/api/spaces/{repo}/logs/run").text
    stage = http.post(f"/api/spaces/{repo}/pause").json()["stage"]
    assert stage == "PAUSED"


def test_an_app_stops_with_its_hub(hub: Hub, http: httpx2.Client) -> None:
    http.headers["authorization"] = f"Bearer {hub.token('pro')}"
    more = {"GREETING": "a", "SECRET": "b"}
    variables = [{"key": key, "value": value} for key, value in more.items()]
    make(http, "g", type="space", sdk="gradio", variables=variables)
    push(
        http,
        "pro/g",
        {"README.md": CARD.format(sdk="gradio", more=""), "app.py": APP % 1},
        "spaces",
    )
    assert settled(http, "pro/g")["stage"] == "RUNNING"
    host = http.get("/api/spaces/pro/g").json()["host"]
    hub.__exit__(None, None, None)
    time.sleep(0.2)
    with pytest.raises(httpx2.TransportError):
        httpx2.get(host)


def test_cards_and_requirements_that_cannot_be_used_say_why(hub: Hub, http: httpx2.Client) -> None:
    http.headers["authorization"] = f"Bearer {hub.token('pro')}"
    cases = {
        "CONFIG_ERROR": ({"README.md": "# no card"}, "sdk must be"),
        "BUILD_ERROR": (
            {"app.py": "1", "requirements.txt": "no such!"},
            "requirements.txt",
        ),
    }
    for number, (stage, (files, cause)) in enumerate(cases.items()):
        repo = space(http, f"c{number}", files, "gradio")
        runtime = settled(http, repo)
        assert runtime["stage"] == stage
        assert cause in runtime["errorMessage"]
