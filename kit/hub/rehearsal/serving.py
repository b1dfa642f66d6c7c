"""Runs the Hub: in a thread for a rehearsal or a test, or in the foreground for a person.

with Hub(folder, accounts=[Account("ada")]) as hub:
    api = HfApi(endpoint=hub.url, token=hub.token("ada"))
"""

from __future__ import annotations

import asyncio
import socket
import threading
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import uvicorn
from filelock import FileLock, Timeout
from uvicorn.protocols.http.h11_impl import H11Protocol

from kit.errors import InputError, RunError
from kit.hub.rehearsal import (  # noqa: F401  routes
    cards,
    cas,
    collections,
    commits,
    discussions,
    files,
    lfs,
    pages,
    repos,
    space_routes,
)
from kit.hub.rehearsal.accounts import Account, Role, Viewer
from kit.hub.rehearsal.application import Application, open_rehearsal
from kit.hub.rehearsal.faults import Entry, Fault

BACKLOG = 128
ADA = Account("ada", orgs=("lovelace-lab",))


class Hub:
    """A Hub on loopback, for as long as its ``with`` block."""

    def __init__(
        self,
        folder: Path,
        accounts: Iterable[Account] = (ADA,),
        faults: Iterable[Fault] = (),
        port: int = 0,
        xet: bool = True,
        part_bytes: int = 10_000_000,
    ) -> None:
        """Open the Hub's folder.

        Args:
            folder: where repos are kept; those of an earlier rehearsal are there again.
            accounts: who exists; the first owns the Hub's default token.
            faults: what goes wrong; ``hub.faults`` may be changed at any time.
            port: 0 takes a free one.
            xet: large files come in xet's chunks, as on the Hub; else through LFS.
            part_bytes: LFS contents over this size are sent in parts of it.

        Raises:
            RunError: another Hub uses the folder.
        """
        self._port, self.accounts = port, list(accounts)
        self._lock = _hold(folder)
        self.rehearsal = open_rehearsal(folder, self.accounts, list(faults), xet, part_bytes)
        self._thread: threading.Thread | None = None

    @property
    def faults(self) -> list[Fault]:
        """The faults, to add to and clear."""
        return self.rehearsal.faults

    @property
    def requests(self) -> list[Entry]:
        """Every request since the start, oldest first."""
        return self.rehearsal.requests

    def token(
        self, name: str | None = None, role: Role = "write", scopes: Iterable[str] = ()
    ) -> str:
        """Return a token; of the first account unless named, for all its repos unless scoped."""
        return self.rehearsal.registry.token(name or self.accounts[0].name, role, tuple(scopes))

    def bind(self) -> list[socket.socket]:
        """Take the port, and a second one for static Spaces.

        Raises:
            RunError: another program has it.
        """
        socks = [_listen(self._port), _listen(0)]
        port, static = (sock.getsockname()[1] for sock in socks)
        hub = self.rehearsal
        self.url = hub.spaces.url = f"http://127.0.0.1:{port}"
        hub.static_port, hub.spaces.static_url = static, f"http://127.0.0.1:{static}"
        names = ("127.0.0.1", "localhost")
        hub.hosts = frozenset(f"{name}:{number}" for name in names for number in (port, static))
        return socks

    def server(self) -> uvicorn.Server:
        """Return the server, not yet started."""
        config = uvicorn.Config(
            Application(self.rehearsal),
            http=_protocol(self.rehearsal.transports),
            ws="none",
            lifespan="on",
            log_level="error",
            timeout_graceful_shutdown=1,
            # The client's own keep-alive connections must not outlive ours.
            timeout_keep_alive=60,
        )
        return uvicorn.Server(config)

    def __enter__(self) -> Self:
        """Start, and return once requests are answered."""
        socks, self._server = self.bind(), self.server()
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": socks}, daemon=True
        )
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RunError(f"the Hub at {self.url} did not start")
            self._thread.join(0.01)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop; what was kept stays in the folder."""
        self._server.should_exit = True
        if self._thread:
            self._thread.join()
        self._lock.release()


def _hold(folder: Path) -> FileLock:
    """Keep other Hubs out of the folder: each holds what is in it in memory."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "hub.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise RunError(f"another Hub uses {folder}; stop it, or choose another folder") from error
    return lock


def _listen(port: int) -> socket.socket:
    # asyncio sends small answers at once (TCP_NODELAY) only where the protocol is named.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
        sock.listen(BACKLOG)  # who asks before the server runs waits for it
    except OSError as error:
        raise RunError(
            f"port {port} cannot be had ({error.strerror}); choose another with --port"
        ) from error
    return sock


def _protocol(transports: dict[object, asyncio.Transport]) -> type[H11Protocol]:
    class Connection(H11Protocol):
        """uvicorn's connection, known by its peer so that a fault can cut it."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            transports[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            transports.pop(self.client, None)
            super().connection_lost(exc)

    return Connection


class TokenRow(NamedTuple):
    """A token that hub.toml asks for."""

    name: str
    role: Role = "write"
    scopes: tuple[str, ...] = ()


def configured(folder: Path, owner: str) -> dict[str, Any]:
    """Return what ``hub.toml`` in the Hub's folder says of accounts, tokens, faults and xet.

    ::

        xet = false
        accounts = [{name = "ada", orgs = ["lab"], is_pro = true}]
        tokens = [{name = "ada", role = "write", scopes = ["ada/toy"]}]
        faults = [{method = "POST", path = "/commit/", status = 503, times = 2}]

    Raises:
        InputError: it cannot be read, or names what is not known.
    """
    path = folder / "hub.toml"
    try:
        given = tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
        accounts = [Account(**row) for row in given.pop("accounts", [{"name": owner}])]
        faults = [Fault(**row) for row in given.pop("faults", [])]
        tokens = [TokenRow(**row) for row in given.pop("tokens", [])]
        if set(given) - {"xet"} or not accounts:
            known = "accounts, tokens, faults and xet"
            raise ValueError(f"expected {known}, got {', '.join(given) or 'nobody'}")
    except (ValueError, TypeError, OSError) as error:
        raise InputError(f"{path} cannot be used: {error}") from error
    xet = bool(given.get("xet", True))
    return {"accounts": accounts, "faults": faults, "xet": xet, "tokens": tokens}


def serve(
    folder: Path, port: int, owner: str, say: Callable[[dict[str, Any], list[str]], None]
) -> None:
    """Run a Hub in the foreground until it is stopped.

    ``say`` is told how to reach it, as values and as lines, once its port is taken.

    Raises:
        InputError: its hub.toml cannot be used.
        RunError: the port is taken.
    """
    chosen = configured(folder, owner)
    tokens: list[TokenRow] = chosen.pop("tokens")
    hub = Hub(folder, port=port, **chosen)
    socks, first = hub.bind(), hub.accounts[0]
    key = hub.rehearsal.registry.lend(Viewer(first, "read"))
    write, read = hub.token(), hub.token(role="read")
    lent = [{**row._asdict(), "token": hub.token(*row)} for row in tokens]
    values = {"url": hub.url, "pages": f"{hub.url}/?key={key}", "folder": str(folder)}
    said = [
        f"pages   {values['pages']}  (the key shows private repos; new at each start)",
        f"write   export HF_ENDPOINT={hub.url} HF_TOKEN={write}  (as {first.name})",
        f"read    export HF_ENDPOINT={hub.url} HF_TOKEN={read}",
        *(
            f"{row['role']:7} HF_TOKEN={row['token']}  ({', '.join(row['scopes']) or row['name']})"
            for row in lent
        ),
        f"folder  {folder}  (repos, requests.jsonl; "
        "hub.toml may set accounts, tokens, faults, xet)",
        "Set HF_ENDPOINT before Python starts: huggingface_hub reads it when it is imported.",
    ]
    say({**values, "write": write, "read": read, "tokens": lent}, said)
    hub.server().run(sockets=socks)
