"""Routes about files: trees, paths, download."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response, StreamingResponse

from kit.hub.rehearsal.accounts import RefusalError
from kit.hub.rehearsal.application import Call, route
from kit.hub.rehearsal.contents import entry, stream, xet_hash
from kit.hub.rehearsal.storage import Commit, File, Repo, Storage, lfs_pointer, tree_ids

PAGE = 1000


@route("GET", "/api/{kind}/{repo}/tree/{rev}(?:/{path})?")
async def tree(call: Call) -> Response:
    """List a folder, a page at a time; ``Link`` leads to the next one."""
    repo, query = call.repo(), call.request.query_params
    commit = call.hub.storage.resolve(repo, call.revision)
    folders, below = tree_ids(commit.tree), call.args["path"].strip("/")
    if below and below not in folders:
        raise RefusalError(404, f"Entry not found: {below}", "EntryNotFound")
    prefix = f"{below}/" if below else ""
    paths = sorted(
        path
        for path in [*commit.tree, *filter(None, folders)]
        if path.startswith(prefix)
        and path != below
        and (call.flag("recursive") or "/" not in path.removeprefix(prefix))
    )
    start, limit = int(query.get("cursor", 0)), min(int(query.get("limit", PAGE)), PAGE)
    page = paths[start : start + limit]
    headers = {}
    if start + limit < len(paths):
        # The path as it came: decoded, a revision with slashes would be another one.
        url = call.base + call.request.scope["raw_path"].decode()
        following = urlencode({**query, "cursor": start + limit})
        headers["Link"] = f'<{url}?{following}>; rel="next"'
    items = _items(call, repo, commit, page, folders, call.flag("expand"))
    return JSONResponse(items, headers=headers)


@route("POST", "/api/{kind}/{repo}/paths-info/{rev}")
async def paths_info(call: Call) -> Response:
    """Describe the asked paths that exist; the client sends a form."""
    repo, form = call.repo(), await call.request.form()
    commit = call.hub.storage.resolve(repo, call.revision)
    folders = tree_ids(commit.tree)
    paths = [str(path).strip("/") for path in form.getlist("paths")]
    known = [path for path in paths if path in commit.tree or (path and path in folders)]
    expand = str(form.get("expand", "")).lower() == "true"
    return JSONResponse(_items(call, repo, commit, known, folders, expand))


def _items(
    call: Call,
    repo: Repo,
    commit: Commit,
    paths: Iterable[str],
    folders: dict[str, str],
    expand: bool,
) -> list[dict[str, Any]]:
    found, storage = [], call.hub.storage
    for path in paths:
        item: dict[str, Any] = {"type": "directory", "path": path, "size": 0}
        if path in commit.tree:
            file = commit.tree[path]
            item |= {"type": "file", "oid": file.oid, "size": file.size}
            if file.sha256:
                size = len(lfs_pointer(file.sha256, file.size))
                item["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": size}
                if call.hub.xet and (name := xet_hash(storage, file)):
                    item["xetHash"] = name
        else:
            item["oid"] = folders[path]
        if expand:
            last = _last_to_touch(storage, repo, commit, path)
            item["lastCommit"] = {"id": last.id, "title": last.title, "date": last.date}
        found.append(item)
    return found


def _last_to_touch(storage: Storage, repo: Repo, commit: Commit, path: str) -> Commit:
    def state(of: Commit) -> object:
        file = of.tree.get(path)
        return (
            file.oid if file else {p: f.oid for p, f in of.tree.items() if p.startswith(f"{path}/")}
        )

    last = commit
    for earlier in storage.history(repo, commit):
        if state(earlier) != state(commit):
            break
        last = earlier
    return last


@route("GET HEAD", "/{place}/(?:resolve|raw)/{rev}/{path}")
async def resolve(call: Call) -> Response:
    """Send a file, or the part of it that a Range asks for."""
    repo, storage = call.repo(), call.hub.storage
    if repo.gated and not call.viewer.reads(repo.id):
        raise RefusalError(403, f"Access to {repo.id} is restricted", "GatedRepo")
    commit = storage.resolve(repo, call.revision)
    try:
        file = entry(commit, call.args["path"])
    except RefusalError as refusal:
        refusal.headers["X-Repo-Commit"] = commit.id
        raise
    headers = {
        "X-Repo-Commit": commit.id,
        "ETag": f'"{file.etag}"',
        "Accept-Ranges": "bytes",
        # A committed page must not run on the Hub's own origin.
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    if file.sha256:
        headers |= {"X-Linked-Size": str(file.size), "X-Linked-Etag": f'"{file.etag}"'}
        if call.hub.xet and (name := xet_hash(storage, file)):
            route_to = f"{call.base}/api/{repo.kind}/{repo.id}/xet-read-token/{commit.id}"
            headers |= {"X-Xet-Hash": name, "Link": f'<{route_to}>; rel="xet-auth"'}
    return ranged(call, repo, file, call.args["path"], headers)


def ranged(call: Call, repo: Repo, file: File, path: str, headers: dict[str, str]) -> Response:
    """Answer with a file's bytes: all, one range (206), none (HEAD, 304), or 416."""
    asked = call.request.headers.get("range", "")
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", asked)
    start, end, status = 0, file.size, 200
    if found and (found[1] or found[2]):
        status = 206
        if found[1]:
            start, end = int(found[1]), min(int(found[2] or file.size) + 1, file.size)
        else:
            start = max(0, file.size - int(found[2]))
        if start >= end:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{file.size}"})
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    if call.request.headers.get("if-none-match") == headers.get("ETag"):
        return Response(status_code=304, headers=headers)
    headers["Content-Length"] = str(end - start)
    media = mimetypes.guess_type(path)[0] or "application/octet-stream"
    if call.request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media)
    body = stream(call.hub.storage, repo, file, start, end)
    return StreamingResponse(body, status, headers, media)
