"""The ASGI application: from a raw path to a handler, with faults, the log and the Host check.

Paths are matched while still percent-encoded: the client sends the revision ``refs/pr/1`` as
one segment, ``refs%2Fpr%2F1``, and frameworks decode before they route.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from kit.hub.rehearsal.accounts import NOBODY, Account, RefusalError, Registry, Viewer
from kit.hub.rehearsal.faults import Entry, Fault, counted
from kit.hub.rehearsal.spaces import Spaces
from kit.hub.rehearsal.storage import Repo, Storage

Handler = Callable[["Call"], Awaitable[Response]]
SESSION = "kit_hub"
ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []
PARTS = {
    "kind": "(?P<kind>models|datasets|spaces)",
    "repo": r"(?P<repo>[\w.-]+/[\w.-]+)",
    # A model's pages and files have no prefix.
    "place": r"(?:(?P<kind>datasets|spaces)/)?(?P<repo>(?!api/|v\d/)[\w.-]+/[\w.-]+?)",
    "path": "(?P<path>.+)",
    "xorb": "(?P<xorb>[0-9a-f]{64})",
    "hash": "(?P<hash>[0-9a-f]{64})",
}


def route(methods: str, pattern: str) -> Callable[[Handler], Handler]:
    """Answer requests like ``route("GET", "/api/{kind}/{repo}/refs")`` with a handler."""

    def part(found: re.Match[str]) -> str:
        return PARTS.get(found[1]) or f"(?P<{found[1]}>[^/]+)"

    expression = re.compile(re.sub(r"{(\w+)}", part, pattern))

    def register(handler: Handler) -> Handler:
        ROUTES.extend((method, expression, handler) for method in methods.split())
        return handler

    return register


@dataclass
class Rehearsal:
    """The state behind the routes."""

    storage: Storage
    registry: Registry
    faults: list[Fault]
    xet: bool
    part_bytes: int
    spaces: Spaces
    requests: list[Entry] = field(default_factory=list)
    uploads: dict[str, Any] = field(default_factory=dict)
    transports: dict[Any, asyncio.Transport] = field(default_factory=dict)
    hosts: frozenset[str] = frozenset()
    static_port: int = 0
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))


@dataclass
class Call:
    """One request, with the parts of its path and who asks."""

    hub: Rehearsal
    request: Request
    args: dict[str, str]
    viewer: Viewer

    @property
    def base(self) -> str:
        """The Hub's address as the client wrote it."""
        return f"http://{self.request.headers['host']}"

    def flag(self, name: str) -> bool:
        """Whether a query parameter says yes."""
        return self.request.query_params.get(name, "").lower() in ("1", "true")

    async def json(self) -> dict[str, Any]:
        """Return the body, a JSON object.

        Raises:
            RefusalError: 400, it is none.
        """
        try:
            body = json.loads(await self.request.body() or b"{}")
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise RefusalError(400, "Expected a JSON object")
        return body

    def repo(self, write: bool = False) -> Repo:
        """Return the repo of the path, if the viewer may see it, and change it.

        Raises:
            RefusalError: RepoNotFound as the Hub says it, 401 to nobody and 404 to others, or 403.
        """
        kind = self.args.get("kind") or "models"
        return self.known(kind, self.args["repo"], write)

    def known(self, kind: str, repo_id: str, write: bool = False) -> Repo:
        """Return a repo by name, under the rules of `repo`."""
        repo = self.hub.storage.find(kind, repo_id)
        if repo is None or (repo.private and not self.viewer.reads(repo_id)):
            if self.viewer is NOBODY:
                raise RefusalError(401, "Invalid username or password.", "RepoNotFound")
            raise RefusalError(404, "Repository not found", "RepoNotFound")
        if write:
            self.may_write(repo_id)
        return repo

    def may_write(self, repo_id: str) -> None:
        """Refuse with 401 or 403 unless the token may change the repo, or make it."""
        if self.viewer is NOBODY:
            raise RefusalError(401, "Invalid username or password.")
        if not self.viewer.writes(repo_id):
            raise RefusalError(
                403, f"Forbidden: this token may not write to {repo_id}", "Forbidden"
            )

    @property
    def revision(self) -> str:
        """The revision of the path, decoded; main if it names none."""
        return self.args.get("rev") or "main"


class Application:
    """What uvicorn calls."""

    def __init__(self, hub: Rehearsal) -> None:
        self.hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or close its connection."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        query = b"?" + scope["query_string"] if scope["query_string"] else b""
        entry = Entry(scope["method"], (scope["raw_path"] + query).decode("latin-1"))
        fault = next((f for f in self.hub.faults if f.hits(entry.method, entry.path)), None)
        entry.fault = fault is not None
        self.hub.requests.append(entry)
        started = time.monotonic()
        receive, send = counted(entry, fault, receive, send)
        try:
            await self._answer(scope, receive, send, entry, fault)
        finally:
            entry.seconds = round(time.monotonic() - started, 4)
            self.hub.storage.append("requests.jsonl", asdict(entry))

    async def _live(self, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await self.hub.spaces.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, entry: Entry, fault: Fault | None
    ) -> None:
        if fault:
            await asyncio.sleep(fault.stall)
        if fault and fault.drop == "before":
            await self._close(scope)
        elif fault and fault.status:
            await _drain(Request(scope, receive))
            response = _refused(RefusalError(fault.status, fault.message))
            await response(scope, receive, send)
        else:
            response = await self._handle(Request(scope, receive), entry)
            if fault and fault.drop == "after":
                await self._close(scope)
            else:
                await response(scope, receive, send)

    async def _close(self, scope: Scope) -> None:
        transport = self.hub.transports.get(scope["client"])
        if transport:
            transport.abort()
        # uvicorn learns of it in the loop's next turn, and then expects no answer from us.
        await asyncio.sleep(0.01)

    async def _handle(self, request: Request, entry: Entry) -> Response:
        if request.headers.get("host") not in self.hub.hosts:
            return PlainTextResponse("This Hub answers on loopback only.", 403)
        try:
            authorization = request.headers.get("authorization")
            entry.authorized = authorization is not None
            viewer = self.hub.registry.viewer(authorization)
            path = request.scope["path"]
            if not authorization and not path.startswith("/api/") and request.method == "GET":
                viewer = self.hub.registry.session(request.cookies.get(SESSION))
            entry.user = viewer.name or None
            return await self._route(request, viewer)
        except RefusalError as refusal:
            await _drain(request)
            return _refused(refusal)
        except ClientDisconnect:
            return Response(status_code=499)

    async def _route(self, request: Request, viewer: Viewer) -> Response:
        path = request.scope["raw_path"].decode("latin-1")
        # Static Spaces have a port, and so an origin, of their own.
        if request.url.port == self.hub.static_port:
            path = f"/static{path}"
        elif path.startswith("/static/"):
            path = "/"
        for method, pattern, handler in ROUTES:
            if method == request.method and (found := pattern.fullmatch(path)):
                args = {key: unquote(value) for key, value in found.groupdict("").items()}
                if "json" in request.headers.get("content-type", "").removesuffix("ndjson"):
                    # Kept by the request: a handler then runs without a pause, and so alone.
                    await request.body()
                response = await handler(Call(self.hub, request, args, viewer))
                pushed = self.hub.storage.find(args.get("kind", ""), args.get("repo", ""))
                if method != "GET" and pushed and pushed.kind == "spaces":
                    self.hub.spaces.follow(pushed)
                return response
        raise RefusalError(404, "Sorry, we can't find the page you are looking for.")


async def _drain(request: Request) -> None:
    """Read what is left of a body: a client that is still sending might not hear the answer."""
    with contextlib.suppress(ClientDisconnect, RuntimeError):
        async for _ in request.stream():
            pass


def _refused(refusal: RefusalError) -> Response:
    headers = {"X-Error-Message": refusal.message.split("\n")[0], **refusal.headers}
    if refusal.code:
        headers["X-Error-Code"] = refusal.code
    body = {"error": refusal.message, **refusal.extra}
    return JSONResponse(body, refusal.status, headers=headers)


def open_rehearsal(
    folder: Path, accounts: list[Account], faults: list[Fault], xet: bool, part_bytes: int
) -> Rehearsal:
    """Open the Hub's folder, with what earlier rehearsals left in it."""
    storage = Storage(folder)
    registry = Registry(folder / "accounts.json", accounts)
    return Rehearsal(storage, registry, faults, xet, part_bytes, Spaces(storage))
