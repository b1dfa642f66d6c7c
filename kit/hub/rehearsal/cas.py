"""Routes of xet: tokens from the Hub, chunks and shards in, the plan of a file out.

The client asks for newer routes first and falls back on 404, as it does elsewhere.
"""

from __future__ import annotations

import re
import time
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, JSONResponse, Response

from kit.hub.rehearsal.accounts import RefusalError
from kit.hub.rehearsal.application import Call, route
from kit.hub.rehearsal.commits import may_commit
from kit.hub.rehearsal.xorbs import Term, XetFile

TOKEN_SECONDS = 3600
XORB_BYTES = 72 << 20  # 64 MiB of chunks that do not compress, and their headers
CAS = "/xet/v1"


@route("GET", "/api/{kind}/{repo}/xet-(?P<what>read|write)-token/{rev}")
async def token(call: Call) -> Response:
    """Lend a token for the chunk store; the client reads it from body and headers."""
    if not call.hub.xet:
        raise RefusalError(404, "This Hub was started without xet")
    may_commit(call) if call.args["what"] == "write" else call.repo()
    lent, expires = call.hub.registry.lend(call.viewer), int(time.time()) + TOKEN_SECONDS
    body = {"casUrl": f"{call.base}/xet", "accessToken": lent, "exp": expires}
    headers = {
        "X-Xet-Cas-Url": f"{call.base}/xet",
        "X-Xet-Access-Token": lent,
        "X-Xet-Token-Expiration": str(expires),
    }
    return JSONResponse(body, headers=headers)


@route("POST", CAS + "/xorbs/default/{xorb}")
async def put_xorb(call: Call) -> Response:
    """Take a run of chunks."""
    _writer(call)
    target = call.hub.storage.xorbs.xorb(call.args["xorb"])
    if target.is_file():
        await call.request.body()
        return JSONResponse({"was_inserted": False})
    temporary = call.hub.storage.incoming()
    with temporary.open("wb") as file:
        async for block in call.request.stream():
            file.write(block)
    if temporary.stat().st_size > XORB_BYTES:
        raise RefusalError(400, f"A xorb holds at most {XORB_BYTES} bytes")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary.replace(target)
    return JSONResponse({"was_inserted": True})


@route("POST", CAS + "/shards")
async def put_shard(call: Call) -> Response:
    """Take the descriptions of files; from here on a commit may name them."""
    _writer(call)
    shard = await call.request.body()
    try:
        await run_in_threadpool(call.hub.storage.xorbs.add_shard, shard)
    except (ValueError, OSError) as error:
        raise RefusalError(400, f"Shard refused: {error}") from error
    return JSONResponse({"result": 1})


def _writer(call: Call) -> None:
    if call.viewer.role != "write":
        raise RefusalError(401, "A token for writing is needed")


@route("GET", CAS + "/reconstructions/{hash}")
async def reconstruction(call: Call) -> Response:
    """Say which chunks make a file, or the range of it that is asked, and where they lie."""
    file = call.hub.storage.xorbs.find(call.args["hash"])
    if file is None:
        raise RefusalError(404, "File not found")
    found = re.fullmatch(r"bytes=(\d+)-(\d+)", call.request.headers.get("range", ""))
    start, end = (int(found[1]), int(found[2]) + 1) if found else (0, file.size)
    if start >= file.size and found:
        return Response(status_code=416)
    terms, offset = _cut(call, file, start, end)
    fetch: dict[str, list[dict[str, Any]]] = {}
    for term in terms:
        chunks = call.hub.storage.xorbs.chunks(term.xorb)
        place = {
            "range": {"start": term.start, "end": term.end},
            "url": f"{call.base}/xet/blocks/{call.hub.secret}/{term.xorb}",
            "url_range": {"start": chunks[term.start].start, "end": chunks[term.end - 1].end - 1},
        }
        fetch.setdefault(term.xorb, []).append(place)
    shown = [
        {
            "hash": term.xorb,
            "unpacked_length": term.size,
            "range": {"start": term.start, "end": term.end},
        }
        for term in terms
    ]
    plan = {"offset_into_first_range": offset, "terms": shown, "fetch_info": fetch}
    return JSONResponse(plan)


def _cut(call: Call, file: XetFile, start: int, end: int) -> tuple[list[Term], int]:
    """Return the terms that cover ``[start, end)``, cut at chunks, and what to skip at first."""
    terms: list[Term] = []
    position = offset = 0
    for term in file.terms:
        kept: list[tuple[int, int]] = []
        chunks = call.hub.storage.xorbs.chunks(term.xorb)
        for index in range(term.start, term.end):
            size = chunks[index].size
            if position + size > start and position < end:
                if not terms and not kept:
                    offset = start - position
                kept.append((index, size))
            position += size
        if kept:
            size = sum(size for _, size in kept)
            terms.append(Term(xorb=term.xorb, start=kept[0][0], end=kept[-1][0] + 1, size=size))
    return terms, offset


@route("GET", "/xet/blocks/{secret}/{xorb}")
async def block(call: Call) -> Response:
    """Send a xorb's bytes, or a range; whoever was told the address may."""
    path = call.hub.storage.xorbs.xorb(call.args["xorb"])
    if call.args["secret"] != call.hub.secret or not path.is_file():
        raise RefusalError(403, "Request has expired")
    return FileResponse(path)
