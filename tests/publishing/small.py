"""A publication of kilobytes, and a watch that looks at the Hub after every request."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kit.hub.answers import Patience
from kit.hub.client import Hub
from kit.hub.rehearsal.accounts import Account
from kit.hub.rehearsal.contents import read
from kit.hub.rehearsal.faults import Entry, Fault
from kit.hub.rehearsal.serving import Hub as Server
from kit.publishing.applying import Publication
from kit.publishing.journal import Journal, last_journal, new_journal
from kit.publishing.planning import Plan, plan_repos
from kit.records import AssemblyRecord, file_entries

NAME = "ada/toy"
COLLECTION = "Toys"
LINKS = {"models": ["datasets"], "datasets": [], "spaces": ["datasets", "models"]}
IDS = {"models": NAME, "datasets": f"{NAME}-data", "spaces": NAME}
FOLDERS = {"models": "model", "datasets": "dataset", "spaces": "space"}
SPACE = "---\ntitle: Toy\nemoji: 🎬\ncolorFrom: indigo\ncolorTo: gray\nsdk: static\n---\n\n"
MODEL = f"---\nlicense: apache-2.0\ndatasets:\n- {NAME}-data\n---\n\n"
DATA = "---\nlicense: cc0-1.0\n---\n\n"


def assembled(folder: Path, version: int) -> Path:
    """Write an assembly; versions differ in weights, text, and one file that only one has."""
    texts: dict[str, bytes] = {
        "dataset/README.md": f"{DATA}# Rows {version}\n".encode(),
        "dataset/data/test.parquet": bytes(range(256)) * version,
        "model/README.md": f"{MODEL}# Model {version}\n".encode(),
        "model/config.json": b"{}\n",
        "model/model.safetensors": b"weights" * 400 * version,
        f"model/records/only-{version}.json": b"[]\n",
        "space/README.md": f"{SPACE}Version {version}.\n".encode(),
        "space/index.html": f"<p>{version}</p>\n".encode(),
        "space/demo.json": b"{}\n",
    }
    for name, content in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def record_of(folder: Path) -> AssemblyRecord:
    """Return the record of an assembly."""
    repos = {part.name: file_entries(part) for part in sorted(folder.iterdir())}
    return AssemblyRecord(repos=repos, space_sdk="static")


def patient(attempts: int = 3) -> Patience:
    """Return a patience that passes no time and soon tires of a silent Hub."""
    return Patience(attempts=attempts, timeout=0.4, sleep=lambda _: None)


@dataclass
class World:
    """A Hub, a client of it, and what was seen there after each request."""

    server: Server
    hub: Hub
    folder: Path
    halves: list[str] = field(default_factory=list)
    known: list[dict[str, dict[str, str]]] = field(default_factory=list)

    def plan(self, assembly: Path) -> Plan:
        """Return the plan of an assembly."""
        record = record_of(assembly)
        return plan_repos(self.hub, assembly, record, NAME, "5ee1dead", (), COLLECTION)

    def journal(self, assembly: Path) -> Journal:
        """Return the unfinished journal, or a new one."""
        found = last_journal(self.folder)
        if found and found.end is None:
            return found
        return new_journal(self.folder, self.plan(assembly))

    def publication(self, assembly: Path, journal: Journal) -> Publication:
        """Return a publication that asks the Space nothing."""
        return Publication(assembly, self.hub, journal, lambda *_: None, lambda _: None)

    def publish(self, assembly: Path) -> Journal:
        """Publish an assembly, or go on with it; return the journal."""
        self.knows(assembly)
        journal = self.journal(assembly)
        self.publication(assembly, journal).carry_on()
        return journal

    def knows(self, assembly: Path) -> None:
        """Let the watch take this assembly's files for whole."""
        version = {
            kind: {
                path.relative_to(assembly / part).as_posix(): path.read_bytes().hex()[:80]
                for path in (assembly / part).rglob("*")
                if path.is_file()
            }
            for kind, part in FOLDERS.items()
        }
        if version not in self.known:
            self.known.append(version)

    def state(self) -> dict[str, Any]:
        """Return what stands on the Hub: visibility, files, other branches and tags per repo."""
        return {
            repo.kind: {
                "private": repo.private,
                "files": self.files(repo),
                "refs": sorted(ref for ref in repo.refs if ref != "refs/heads/main"),
            }
            for repo in self.server.rehearsal.storage
        }

    def collections(self) -> dict[str, list[str]]:
        """Return the kinds of repo that each collection lists, by its title."""
        path = self.server.rehearsal.storage.root / "collections.json"
        held = json.loads(path.read_text()) if path.is_file() else {}
        return {row["title"]: [f"{i['type']}s" for i in row["items"]] for row in held.values()}

    def files(self, repo: Any) -> dict[str, str]:
        """Return path and the first bytes of each of our files on main."""
        storage = self.server.rehearsal.storage
        tree = storage.resolve(repo, "main").tree
        return {
            path: read(storage, repo, file).hex()[:80]
            for path, file in tree.items()
            if path != ".gitattributes"
        }

    def watch(self) -> None:
        """Note a public repo that is not whole, or a link or a list that leads nowhere public."""
        state = self.state()
        public = {kind for kind, repo in state.items() if not repo["private"]}
        for kind in public:
            if not any(version[kind] == state[kind]["files"] for version in self.known):
                self.halves.append(f"{kind}: {sorted(state[kind]['files'])}")
            missing = set(LINKS[kind]) - public
            if missing:
                self.halves.append(f"{kind} is public and links to {sorted(missing)}")
        for title, kinds in self.collections().items():
            if set(kinds) - public:
                self.halves.append(f"'{title}' lists {sorted(set(kinds) - public)}")


class Watched(list[Entry]):
    """The Hub's request log; as each request comes in, what the one before left is looked at."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def append(self, entry: Entry) -> None:
        """Look at the Hub, then note the request."""
        self.world.watch()
        super().append(entry)


@contextmanager
def world(folder: Path, attempts: int = 3, xet: bool = False) -> Iterator[World]:
    """Open a Hub of one account in a folder, a client of it, and the watch."""
    from huggingface_hub import close_session

    with Server(folder / "hub", accounts=[Account("ada")], xet=xet) as server:
        found = World(server, Hub(server.url, server.token(), patient(attempts)), folder)
        server.rehearsal.requests = Watched(found)
        try:
            yield found
        finally:
            # The server waits for open connections; the watch needs none.
            close_session()
            found.watch()


def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client's own retries pass no time, and allow it the network of this machine."""
    import os
    import time

    from huggingface_hub import constants
    from huggingface_hub.utils import _http

    quick = types.SimpleNamespace(sleep=lambda _: None, time=time.time, monotonic=time.monotonic)
    monkeypatch.setattr(_http, "time", quick)
    # Nothing here loses power: waiting for the disk would take most of a test's time.
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)


def requests_of(entries: list[Entry]) -> list[tuple[str, str]]:
    """Return method and path of each request."""
    return [(entry.method, entry.path) for entry in entries]


def fault_at(number: int, **what: Any) -> Fault:
    """Return a fault of the request of that number, counted from 1."""
    return Fault(nth=number, **what)


Faults = Mapping[str, Mapping[str, Any]]
FAULTS: Faults = {
    "401": {"status": 401},
    "403": {"status": 403},
    "409": {"status": 409},
    "412": {"status": 412},
    "429": {"status": 429},
    "500": {"status": 500},
    "503": {"status": 503},
    "dropped before": {"drop": "before"},
    "dropped after": {"drop": "after"},
    "stalled": {"stall": 1.0},
}
