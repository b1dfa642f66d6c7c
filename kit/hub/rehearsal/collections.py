"""Collections: lists of repos with notes, kept in one file of the storage folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse, Response

from kit.files import write_atomically
from kit.hub.rehearsal.accounts import RefusalError
from kit.hub.rehearsal.application import Call, route
from kit.hub.rehearsal.repos import object_id
from kit.hub.rehearsal.storage import now

Collections = dict[str, dict[str, Any]]
CHANGEABLE = ("title", "description", "private", "theme", "position")
SLUG = "/api/collections/(?P<slug>[^/]+/[^/]+)"


def load(call: Call) -> Collections:
    """Return every collection by its slug."""
    path = _path(call)
    held: Collections = json.loads(path.read_text()) if path.is_file() else {}
    return held


def _path(call: Call) -> Path:
    return call.hub.storage.root / "collections.json"


def _save(call: Call, held: Collections, slug: str | None = None) -> None:
    if slug:
        held[slug]["lastUpdated"] = now()
    write_atomically(_path(call), json.dumps(held, indent=1).encode())


def _find(call: Call, write: bool = True) -> tuple[Collections, str]:
    held, slug = load(call), call.args["slug"]
    owner = slug.partition("/")[0]
    if slug not in held or (held[slug]["private"] and not call.viewer.reads(owner)):
        raise RefusalError(404, "Collection not found")
    if write:
        call.may_write(owner)
    return held, slug


@route("GET", "/api/collections")
async def listing(call: Call) -> Response:
    """List the collections that the viewer may see, of one owner if asked."""
    owner = call.request.query_params.get("owner")
    found = [
        # The client counts positions in a list by itself.
        {key: value for key, value in row.items() if key != "position"}
        for row in load(call).values()
        if owner in (None, row["owner"]["name"])
        and (not row["private"] or call.viewer.reads(row["owner"]["name"]))
    ]
    return JSONResponse(found)


@route("POST", "/api/collections")
async def create(call: Call) -> Response:
    """Make a collection; 409 with its slug if the owner has one of this title."""
    asked, held = await call.json(), load(call)
    owner, title = asked["namespace"], asked["title"]
    call.may_write(owner)
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    slug = f"{owner}/{words}-{object_id(f'{owner}/{title}')}"
    if slug in held:
        raise RefusalError(409, "You already have a collection of this title", slug=slug)
    held[slug] = {
        "slug": slug,
        "title": title,
        "description": asked.get("description"),
        "owner": {"type": "user", "name": owner},
        "items": [],
        "position": len(held),
        "private": bool(asked.get("private")),
        "theme": "blue",
        "upvotes": 0,
    }
    _save(call, held, slug)
    return JSONResponse(held[slug])


@route("GET", SLUG)
async def show(call: Call) -> Response:
    """Return a collection with its items."""
    held, slug = _find(call, write=False)
    return JSONResponse(held[slug])


@route("PATCH", SLUG)
async def change(call: Call) -> Response:
    """Change title, description, theme, position or visibility; the answer lies under data."""
    (held, slug), asked = _find(call), await call.json()
    held[slug] |= {key: asked[key] for key in CHANGEABLE if key in asked}
    _save(call, held, slug)
    return JSONResponse({"success": True, "data": held[slug]})


@route("DELETE", SLUG)
async def delete(call: Call) -> Response:
    """Remove a collection; the repos in it stay."""
    held, slug = _find(call)
    del held[slug]
    _save(call, held)
    return JSONResponse({})


@route("POST", SLUG + "/items")
async def add(call: Call) -> Response:
    """Add an item: a repo must be there, and is in a collection once."""
    (held, slug), asked = _find(call), await call.json()
    item, items = asked["item"], held[slug]["items"]
    if item["type"] in ("model", "dataset", "space"):
        call.known(f"{item['type']}s", item["id"])
    if any((row["id"], row["type"]) == (item["id"], item["type"]) for row in items):
        raise RefusalError(409, "This item is already in the collection")
    row = {**item, "_id": object_id(f"{slug} {item}"), "position": len(items)}
    if asked.get("note"):
        row["note"] = {"text": asked["note"], "html": ""}
    items.append(row)
    _save(call, held, slug)
    return JSONResponse(held[slug])


@route("PATCH DELETE", SLUG + "/items/{item}")
async def edit_item(call: Call) -> Response:
    """Change an item's note or place, or take it out."""
    held, slug = _find(call)
    items, asked = held[slug]["items"], await call.json()
    row = next((row for row in items if row["_id"] == call.args["item"]), None)
    if row is None:
        raise RefusalError(404, "Collection item not found")
    items.remove(row)
    if call.request.method == "PATCH":
        if "note" in asked:
            row["note"] = {"text": asked["note"], "html": ""}
        items.insert(asked.get("position", row["position"]), row)
    for position, left in enumerate(items):
        left["position"] = position
    _save(call, held, slug)
    return JSONResponse(held[slug])
