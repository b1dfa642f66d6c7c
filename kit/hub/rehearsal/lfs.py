"""LFS: the batch that says where to put contents, and the places to put them.

Uploads carry no token; a place's address holds a number that nobody guesses.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from kit.files import sha256
from kit.hub.rehearsal.accounts import RefusalError
from kit.hub.rehearsal.application import Call, route
from kit.hub.rehearsal.contents import present
from kit.hub.rehearsal.storage import Repo


@dataclass
class Upload:
    """A content on its way into a repo; parts lie in one file, each at its offset."""

    repo: Repo
    oid: str
    size: int
    temporary: Path


@route("POST", r"/{place}\.git/info/lfs/objects/batch")
async def batch(call: Call) -> Response:
    """Say for each content where it goes; nothing, if it is there."""
    repo, asked = call.repo(), await call.json()
    if call.viewer.role != "write":
        raise RefusalError(403, "Forbidden: a write token is needed", "Forbidden")
    multipart = "multipart" in asked.get("transfers", [])
    objects = [_object(call, repo, item, multipart) for item in asked["objects"]]
    transfer = "multipart" if any("chunk_size" in str(item) for item in objects) else "basic"
    answer = {"transfer": transfer, "objects": objects}
    return JSONResponse(answer, media_type="application/vnd.git-lfs+json")


def _object(call: Call, repo: Repo, item: dict[str, Any], multipart: bool) -> dict[str, Any]:
    oid, size = item["oid"], item["size"]
    if not re.fullmatch("[0-9a-f]{64}", oid):
        return {**item, "error": {"code": 422, "message": "oid must be a sha256"}}
    if present(call.hub.storage, repo, oid) is not None:
        return {"oid": oid, "size": size}
    ticket = secrets.token_urlsafe(24)
    call.hub.uploads[ticket] = Upload(repo, oid, size, call.hub.storage.incoming())
    href, header, length = f"{call.base}/lfs/{ticket}", {}, call.hub.part_bytes
    if multipart and size > length:
        header = {str(n): f"{href}/{n}" for n in range(1, ceil(size / length) + 1)}
        header["chunk_size"] = str(length)
    actions = {
        "upload": {"href": href, "header": header},
        "verify": {"href": f"{href}/verify"},
    }
    return {"oid": oid, "size": size, "actions": actions}


def _upload(call: Call) -> Upload:
    if call.args["ticket"] not in call.hub.uploads:
        raise RefusalError(403, "Request has expired")
    upload: Upload = call.hub.uploads[call.args["ticket"]]
    return upload


@route("PUT", "/lfs/{ticket}")
async def put(call: Call) -> Response:
    """Take a whole content, hashed while it is written."""
    upload, digest = _upload(call), hashlib.sha256()
    with upload.temporary.open("wb") as file:
        async for block in call.request.stream():
            digest.update(block)
            file.write(block)
    return _keep(call, upload, digest.hexdigest())


@route("PUT", r"/lfs/{ticket}/(?P<part>\d+)")
async def put_part(call: Call) -> Response:
    """Take one part, into its place."""
    upload, digest = _upload(call), hashlib.sha256()
    upload.temporary.touch()
    with upload.temporary.open("r+b") as file:
        file.seek((int(call.args["part"]) - 1) * call.hub.part_bytes)
        async for block in call.request.stream():
            digest.update(block)
            file.write(block)
    return Response(headers={"ETag": f'"{digest.hexdigest()}"'})


@route("POST", "/lfs/{ticket}")
async def complete(call: Call) -> Response:
    """Check the parts as one content."""
    upload = _upload(call)
    await call.request.body()
    if not upload.temporary.is_file():
        return Response()
    return _keep(call, upload, await run_in_threadpool(sha256, upload.temporary))


def _keep(call: Call, upload: Upload, found: str) -> Response:
    if found != upload.oid or upload.temporary.stat().st_size != upload.size:
        raise RefusalError(400, f"Expected content {upload.oid}, got {found}")
    call.hub.storage.add_lfs(upload.repo, upload.temporary, upload.oid)
    return Response()


@route("POST", "/lfs/{ticket}/verify")
async def verify(call: Call) -> Response:
    """Say whether a content came whole."""
    upload, asked = _upload(call), await call.json()
    if present(call.hub.storage, upload.repo, upload.oid) != asked.get("size"):
        raise RefusalError(404, "Object does not exist")
    del call.hub.uploads[call.args["ticket"]]
    return JSONResponse({})
