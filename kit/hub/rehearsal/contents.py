"""The bytes of a committed file, wherever they lie: a regular blob, LFS, or chunks of xet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kit.hub.card import card_data as read_card
from kit.hub.rehearsal.accounts import RefusalError
from kit.hub.rehearsal.storage import Commit, File, Repo, Storage, blocks


def present(storage: Storage, repo: Repo, sha256: str) -> int | None:
    """Return the size of an LFS content that this repo can commit, None if it never came."""
    path, chunked = storage.lfs_path(repo, sha256), storage.xorbs.find(sha256)
    if path.is_file():
        return path.stat().st_size
    return chunked.size if chunked else None


def stream(storage: Storage, repo: Repo, file: File, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes ``[start, end)`` of a file."""
    if file.sha256 is None:
        return blocks(storage.folder(repo) / "blobs" / file.oid, start, end)
    chunked = storage.xorbs.find(file.sha256)
    if chunked:
        return storage.xorbs.stream(chunked, start, end)
    return blocks(storage.lfs_path(repo, file.sha256), start, end)


def xet_hash(storage: Storage, file: File) -> str | None:
    """Return xet's name for a content that came in chunks."""
    chunked = storage.xorbs.find(file.sha256) if file.sha256 else None
    return chunked.hash if chunked else None


def read(storage: Storage, repo: Repo, file: File) -> bytes:
    """Return a small file's content."""
    return b"".join(stream(storage, repo, file, 0, file.size))


def entry(commit: Commit, path: str) -> File:
    """Return a file of a commit.

    Raises:
        RefusalError: 404, EntryNotFound.
    """
    if path not in commit.tree:
        raise RefusalError(404, f"Entry not found: {path}", "EntryNotFound")
    return commit.tree[path]


def check_out(storage: Storage, repo: Repo, commit: Commit, folder: Path) -> None:
    """Write a commit's files below a folder."""
    for path, file in commit.tree.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as out:
            out.writelines(stream(storage, repo, file, 0, file.size))


def card_data(storage: Storage, repo: Repo, commit: Commit) -> dict[str, Any]:
    """Return the metadata of a repo's README; empty if there is none that can be read."""
    file = commit.tree.get("README.md")
    if file is None or file.sha256:
        return {}
    # A date in YAML is a string in JSON.
    card = json.loads(json.dumps(read_card(read(storage, repo, file)), default=str))
    return card if isinstance(card, dict) else {}
