"""The bytes of a committed file, wherever they lie: a regular blob, LFS, or chunks of xet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kit.hub.rehearsal.accounts import RefusalError
from kit.hub.rehearsal.storage import BLOCK, Commit, File, Repo, Storage, blocks


def present(storage: Storage, repo: Repo, sha256: str) -> int | None:
    """Return the size of an LFS content that this repo can commit, None if it never came."""
    path = storage.lfs_path(repo, sha256)
    return path.stat().st_size if path.is_file() else None


def stream(storage: Storage, repo: Repo, file: File, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes ``[start, end)`` of a file."""
    return blocks(_path(storage, repo, file), start, end)


def _path(storage: Storage, repo: Repo, file: File) -> Path:
    if file.sha256:
        return storage.lfs_path(repo, file.sha256)
    return storage.folder(repo) / "blobs" / file.oid


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
        with target.open("wb", buffering=BLOCK) as out:
            out.writelines(stream(storage, repo, file, 0, file.size))
