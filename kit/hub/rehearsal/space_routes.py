"""Routes of Spaces: secrets, variables, hardware, runtime, logs; and a static Space's files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse

from kit.hub.rehearsal.accounts import RefusalError
from kit.hub.rehearsal.application import Call, route
from kit.hub.rehearsal.contents import card_data
from kit.hub.rehearsal.files import ranged
from kit.hub.rehearsal.repos import check_hardware
from kit.hub.rehearsal.spaces import Log, Space
from kit.hub.rehearsal.storage import Repo, now

ISOLATION = ("cross-origin-embedder-policy", "cross-origin-opener-policy")
SPACE = "/api/(?P<kind>spaces)/{repo}"


@route("GET POST DELETE", SPACE + "/(?P<sort>secrets|variables)")
async def environment(call: Call) -> Response:
    """Show, set or remove a variable or a secret; a secret's value is never shown."""
    repo, sort = call.repo(write=True), call.args["sort"]
    held: dict[str, dict[str, Any]] = getattr(repo, sort)
    if call.request.method != "GET":
        asked = await call.json()
        if call.request.method == "POST":
            held[asked["key"]] = {**asked, "updatedAt": now()}
        else:
            held.pop(asked["key"], None)
        call.hub.storage.save(repo)
    hidden = {"key", "value"} if sort == "secrets" else {"key"}
    shown = {k: {n: v for n, v in row.items() if n not in hidden} for k, row in held.items()}
    return JSONResponse(shown)


@route("GET", SPACE + "/runtime")
async def runtime(call: Call) -> Response:
    """Say the stage, and which revision answers."""
    return _runtime(call, call.repo())


def _runtime(call: Call, repo: Repo) -> Response:
    return JSONResponse(call.hub.spaces.runtime(repo))


@route("POST", SPACE + "/(?P<what>hardware|sleeptime|restart|pause)")
async def change(call: Call) -> Response:
    """Ask for other hardware or sleep, start anew, or pause."""
    repo, asked, what = call.repo(write=True), await call.json(), call.args["what"]
    if what == "hardware":
        check_hardware(call, repo.model_copy(update={"hardware": asked["flavor"]}))
        repo.hardware = asked["flavor"]
        repo.sleep = asked.get("sleepTimeSeconds", repo.sleep)
    elif what == "sleeptime":
        repo.sleep = asked["seconds"]
    else:
        repo.paused = what == "pause"
    call.hub.storage.save(repo)
    call.hub.spaces.follow(repo, again=what == "restart")
    return _runtime(call, repo)


@route("GET", SPACE + "/logs/(?P<sort>run|build)")
async def logs(call: Call) -> Response:
    """Send a log as events, to its end, for as long as there may be more."""
    space = call.hub.spaces.follow(call.repo(write=True))
    log = space.run if call.args["sort"] == "run" else space.build
    return StreamingResponse(_events(call, space, log), media_type="text/event-stream")


async def _events(call: Call, space: Space, log: Log) -> AsyncIterator[str]:
    sent = 0
    while True:
        for row in log[sent:]:
            yield f"data: {json.dumps(row)}\n\n"
            sent += 1
        if (space.finished and sent >= len(log)) or await call.request.is_disconnected():
            return
        await asyncio.sleep(0.1)


@route("GET HEAD", "/static/{repo}(?:/{path}|/)?")
async def static(call: Call) -> Response:
    """Send a static Space's file, from the commit that runs."""
    repo = call.known("spaces", call.args["repo"])
    space = call.hub.spaces.follow(repo)
    if space.process or space.sha is None:
        raise RefusalError(404, f"This Space is {space.stage}")
    commit = call.hub.storage.resolve(repo, space.sha)
    card = card_data(call.hub.storage, repo, commit)
    path = call.args["path"] or str(card.get("app_file") or "index.html")
    if not call.request.scope["raw_path"].endswith(b"/") and not call.args["path"]:
        return Response(status_code=307, headers={"Location": f"{call.base}/{repo.id}/"})
    path = f"{path}index.html" if path.endswith("/") else path
    if path not in commit.tree:
        raise RefusalError(404, f"Entry not found: {path}")
    headers = {"ETag": f'"{commit.tree[path].etag}"', "Cache-Control": "no-cache"}
    custom = card.get("custom_headers")
    for name, value in custom.items() if isinstance(custom, dict) else []:
        if name in (*ISOLATION, "cross-origin-resource-policy"):
            headers[name] = str(value)
    return ranged(call, repo, commit.tree[path], path, headers)
