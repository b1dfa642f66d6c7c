"""Pages for a person: what is in the Hub, each repo with its card, files, commits and Space.

What a repo holds is shown, never run: Markdown without HTML, strict headers, and a Space in a
frame of another origin. Whoever opens the address that `kit hub serve` prints sees private repos.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.responses import FileResponse, HTMLResponse, Response

from kit.hub.rehearsal.application import SESSION, Call, route
from kit.hub.rehearsal.collections import load
from kit.hub.rehearsal.contents import card_data, entry, read
from kit.hub.rehearsal.storage import KINDS, Commit, Repo

FOLDER = Path(__file__).with_name("templates")
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "frame-src http://127.0.0.1:* http://localhost:*; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
CHIPS = ("pipeline_tag", "library_name", "language", "license", "base_model", "datasets", "tags")
TABS = (("Card", ""), ("Files", "/tree/main"), ("Commits", "/commits/main"))
WAITING = ("BUILDING", "APP_STARTING", "RUNNING_BUILDING", "RUNNING_APP_STARTING")
SHOWN_BYTES = 200_000
HISTORY = 100


@cache
def _templates() -> jinja2.Environment:
    found = jinja2.Environment(loader=jinja2.FileSystemLoader(FOLDER), autoescape=True)
    found.filters["bytes"] = _bytes
    return found


def _bytes(size: int) -> str:
    amount = float(size)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} GB"


def _page(name: str, **values: Any) -> Response:
    headers = {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return HTMLResponse(_templates().get_template(name).render(**values), headers=headers)


@route("GET", "/")
async def index(call: Call) -> Response:
    """List what the viewer may see; a key in the address becomes a cookie."""
    key = call.request.query_params.get("key")
    if key:
        response = Response(status_code=303, headers={"Location": "/"})
        response.set_cookie(SESSION, key, httponly=True, samesite="strict")
        return response
    groups: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for repo in call.hub.storage:
        if not repo.private or call.viewer.reads(repo.id):
            commit = call.hub.storage.resolve(repo, "main")
            card = card_data(call.hub.storage, repo, commit)
            row = {"id": repo.id, "path": repo.path, "private": repo.private}
            groups[repo.kind].append({**row, "card": card, "date": commit.date})
    lists = [
        row
        for row in load(call).values()
        if not row["private"] or call.viewer.reads(row["owner"]["name"])
    ]
    return _page("index.html", title="All repos", groups=groups.items(), collections=lists)


@route("GET", "/assets/hub.css")
async def style(call: Call) -> Response:
    """Send the style sheet."""
    return FileResponse(FOLDER / "hub.css")


@route("GET", "/{place}/?")
async def card(call: Call) -> Response:
    """Show a repo's card; a Space in its frame."""
    repo, storage = call.repo(), call.hub.storage
    commit = storage.resolve(repo, "main")
    values: dict[str, Any] = {"view": "Card", "markdown": _card(call, repo, commit)}
    if repo.kind == "spaces":
        values["runtime"] = call.hub.spaces.runtime(repo)
        values["host"] = call.hub.spaces.follow(repo).host
    return _repo_page(call, repo, commit, **values)


@route("GET", "/{place}/(?P<sort>tree|blob)/{rev}(?:/{path})?")
async def files(call: Call) -> Response:
    """Show a folder, or a file that is small text."""
    repo, storage, below = call.repo(), call.hub.storage, call.args["path"]
    commit = storage.resolve(repo, call.revision)
    values: dict[str, Any] = {"view": "Files", "rev": call.revision, "text": None, "below": below}
    if call.args["sort"] == "blob":
        file = entry(commit, below)
        shown = file.sha256 is None and file.size <= SHOWN_BYTES
        text = read(storage, repo, file).decode("utf-8", "replace") if shown else ""
        return _repo_page(call, repo, commit, **{**values, "text": text or _bytes(file.size)})
    prefix = below.strip("/") + "/" if below.strip("/") else ""
    entries: dict[str, Any] = {}
    for path, file in sorted(commit.tree.items()):
        if path.startswith(prefix):
            name, deeper, _ = path.removeprefix(prefix).partition("/")
            entries.setdefault(name, None if deeper else file)
    ordered = sorted(entries.items(), key=lambda row: (row[1] is not None, row[0]))
    return _repo_page(call, repo, commit, **{**values, "below": prefix, "entries": ordered})


@route("GET", "/{place}/(?P<sort>commits|commit|discussions)(?:/{path})?")
async def events(call: Call) -> Response:
    """Show the history of a revision, or the discussions."""
    repo, sort = call.repo(), call.args["sort"]
    if sort == "discussions":
        commit = call.hub.storage.resolve(repo, "main")
        return _repo_page(call, repo, commit, view="Community")
    commit = call.hub.storage.resolve(repo, call.args["path"] or "main")
    history = list(islice(call.hub.storage.history(repo, commit), HISTORY))
    return _repo_page(call, repo, commit, view="Commits", history=history)


def _repo_page(call: Call, repo: Repo, commit: Commit, **values: Any) -> Response:
    data = card_data(call.hub.storage, repo, commit)
    chips = [f"{word}" for key in CHIPS for word in _many(data.get(key))]
    hidden = {*CHIPS, "model-index", "title", "emoji", "short_description"}
    shared = {
        "title": repo.id,
        "repo": repo,
        "commit": commit,
        "card": data,
        "chips": chips,
        "fields": [(key, value) for key, value in data.items() if key not in hidden],
        "results": list(_results(data)),
        "tabs": (*TABS, ("Community", "/discussions")),
        "waiting": WAITING,
    }
    return _page("repo.html", **shared, **values)


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _results(card: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a model-index; a shape that is none gives no rows."""
    rows = []
    try:
        for model in _many(card.get("model-index")):
            for result in model["results"]:
                task, data = result["task"], result["dataset"]
                for metric in result["metrics"]:
                    named = task.get("name") or task["type"], data.get("name") or data["type"]
                    rows.append((*named, metric.get("name") or metric["type"], metric["value"]))
    except (KeyError, TypeError, AttributeError):
        return []
    return rows


def _card(call: Call, repo: Repo, commit: Commit) -> Markup:
    """Return a README as HTML that holds nothing but what Markdown makes; HTML in it is text."""
    file = commit.tree.get("README.md")
    if file is None or file.sha256:
        return Markup("<p class='none'>No card yet.</p>")
    text = read(call.hub.storage, repo, file).decode("utf-8", "replace")
    text = re.sub(r"\A---\r?\n.*?\r?\n---", "", text, flags=re.DOTALL)
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    tokens = parser.parse(text)
    for token in tokens:
        # Columns are aligned by a class: the policy allows no style in the page.
        if "right" in str(token.attrs.pop("style", "")):
            token.attrs["class"] = "number"
    for token in (child for block in tokens for child in block.children or []):
        for name, place in (("src", "resolve"), ("href", "blob")):
            link = str(token.attrs.get(name, ""))
            if link and not re.match(r"[a-zA-Z][\w+.-]*:|[/#]", link):
                target = link.removeprefix("./")
                token.attrs[name] = f"/{repo.path}/{place}/{commit.id}/{quote(target, safe='/#%')}"
    return Markup(parser.renderer.render(tokens, parser.options, {}))
