"""Pages of the loopback Hub: what a repo holds is shown and never run."""

from __future__ import annotations

import re

import httpx2

from kit.hub.rehearsal.accounts import Viewer
from kit.hub.rehearsal.serving import Hub
from tests.hub.talking import make, push

HOSTILE = """---
license: mit
tags: ["<img src=x onerror=alert(1)>"]
pipeline_tag: "<script>alert(1)</script>"
model-index: [{name: "</title><script>alert(1)</script>", results: []}]
---
# <script>alert(1)</script>

<iframe src="javascript:alert(1)"></iframe> <a onclick="alert(1)">x</a>

[link](javascript:alert(1)) [data](data:text/html,<script>alert(1)</script>) ![p](figures/a.svg)

| a | b |
|---|--:|
| `<b>` | 1 |
"""
PLACES = (
    "",
    "/tree/main",
    "/blob/main/README.md",
    "/blob/main/x.html",
    "/commits/main",
    "/discussions",
)


def test_hostile_content_is_text_and_no_page_holds_a_script(hub: Hub, http: httpx2.Client) -> None:
    make(http, "toy")
    html = "<script>alert(1)</script>"
    pushed = push(http, "ada/toy", {"README.md": HOSTILE, "x.html": html, f"{html[:8]}.txt": "x"})
    assert pushed.status_code == 200
    http.post("/api/models/ada/toy/discussions", json={"title": html, "description": html})
    for place in ("/", *(f"/ada/toy{place}" for place in PLACES)):
        page = http.get(place)
        assert page.status_code == 200, place
        body = page.text.lower()
        # The only tags are ours and Markdown's; attributes hold neither handlers nor scripts.
        assert not re.search(r"<(script|iframe|object|embed|form|svg|style)\b", body), place
        for tag in re.findall(r"<[a-z][^>]*>", body):
            assert not re.search(r"\son\w+\s*=|javascript:|data:text", tag), tag
        assert "script-src" not in page.headers["content-security-policy"]
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
    card = http.get("/ada/toy").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in card
    assert '<td class="number">1</td>' in card
    sha = http.get("/api/models/ada/toy").json()["sha"]
    assert f"/ada/toy/resolve/{sha}/figures/a.svg" in card
    raw = http.get("/ada/toy/resolve/main/x.html")
    assert "sandbox" in raw.headers["content-security-policy"]


def test_private_repos_show_to_whoever_has_the_key(hub: Hub, http: httpx2.Client) -> None:
    make(http, "hidden", visibility="private")
    make(http, "open")
    key = hub.rehearsal.registry.lend(Viewer(hub.accounts[0], "read"))
    with httpx2.Client(base_url=hub.url, follow_redirects=True) as browser:
        assert "ada/hidden" not in browser.get("/").text
        assert browser.get("/ada/hidden").status_code == 401
        assert "ada/hidden" in browser.get("/", params={"key": key}).text
        assert browser.get("/ada/hidden").status_code == 200
        # A cookie is for looking: the API, which can change things, takes none.
        assert browser.get("/api/models/ada/hidden").status_code == 401
        assert browser.post("/api/repos/create", json={"name": "x"}).status_code == 401
    with httpx2.Client(base_url=hub.url, follow_redirects=True) as other:
        assert "ada/hidden" not in other.get("/", params={"key": "guess"}).text


def test_a_space_is_framed_from_another_origin(hub: Hub, http: httpx2.Client) -> None:
    make(http, "s", type="space", sdk="static")
    push(http, "ada/s", {"index.html": "<p>hi</p>"}, "spaces")
    page = http.get("/spaces/ada/s").text
    frame = re.search(r'<iframe src="(http://[^/]+)/ada/s/"', page)
    assert frame
    assert frame[1] != hub.url
    assert http.get("/assets/hub.css").headers["content-type"].startswith("text/css")
