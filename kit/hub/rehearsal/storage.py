"""What the Hub keeps: one folder for each repo, and ids as git computes them.

    repos/models/ada/toy/
      repo.json              settings, refs, discussions: replaced by rename, and always last
      commits/<sha>.json     a commit and the files it holds
      blobs/<git sha1>       contents of regular files
      lfs/<sha256>           contents that came through LFS
    xet/                     contents that came in xet's chunks, for all repos

A kill at any moment leaves contents that nothing names yet, never a ref to what is not there.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from kit.files import git_id, write_atomically
from kit.hub.rehearsal.accounts import RefusalError
from kit.hub.rehearsal.xorbs import BLOCK, Xorbs

KINDS = {"models": "model", "datasets": "dataset", "spaces": "space"}


class File(BaseModel):
    """A file in a commit: git's id (of the pointer, if LFS), bytes, and the sha256 if LFS."""

    oid: str
    size: int
    sha256: str | None = None

    @property
    def etag(self) -> str:
        """What names the content: the client caches and compares by it."""
        return self.sha256 or self.oid


Tree = dict[str, File]


class Commit(BaseModel):
    """One commit, with every file that it holds."""

    id: str
    parent: str | None
    title: str
    message: str
    author: str
    date: str
    tree: Tree


class Discussion(BaseModel):
    """A discussion, or a pull request with the ref refs/pr/<num>."""

    num: int
    title: str
    author: str
    created: str
    pull: bool
    status: str = "open"
    merged: str | None = None
    events: list[dict[str, Any]] = []


class Repo(BaseModel):
    """Everything about a repo that is not a file; ``refs`` maps full names to commits.

    Nobody counts here: ``downloads`` and ``likes`` are what a test or a person put there.
    """

    kind: str
    id: str
    author: str
    created: str
    private: bool = False
    gated: str | bool = False
    sdk: str | None = None
    hardware: str = "cpu-basic"
    sleep: int | None = None
    paused: bool = False
    secrets: dict[str, dict[str, Any]] = {}
    variables: dict[str, dict[str, Any]] = {}
    downloads: int = 0
    likes: int = 0
    refs: dict[str, str] = {}
    discussions: list[Discussion] = []

    @property
    def path(self) -> str:
        """The repo's path on the Hub: models have no prefix."""
        return self.id if self.kind == "models" else f"{self.kind}/{self.id}"


def now() -> str:
    """Return the time as the Hub writes it: 2026-01-31T12:00:00.000Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def blob_id(content: bytes) -> str:
    """Return git's id of a file's content."""
    return git_id("blob", content)


def lfs_file(sha256: str, size: int) -> File:
    """Return an LFS file; git sees its pointer."""
    return File(oid=blob_id(lfs_pointer(sha256, size)), size=size, sha256=sha256)


def lfs_pointer(sha256: str, size: int) -> bytes:
    """Return what git holds in place of an LFS file."""
    version = "version https://git-lfs.github.com/spec/v1"
    return f"{version}\noid sha256:{sha256}\nsize {size}\n".encode()


def tree_ids(tree: Tree) -> dict[str, str]:
    """Return git's id of every folder, the root's under an empty path."""
    folders: dict[str, dict[str, tuple[str, str]]] = {"": {}}
    for path, file in tree.items():
        *parents, name = path.split("/")
        for depth in range(len(parents)):
            folders.setdefault("/".join(parents[: depth + 1]), {})
        folders["/".join(parents)][name] = ("100644", file.oid)
    ids: dict[str, str] = {}
    for folder in sorted(folders, key=lambda path: -(path.count("/") + 1) if path else 0):
        entries = folders[folder]
        # git sorts folders as though their names ended with a slash.
        ordered = sorted(entries.items(), key=lambda e: e[0] + "/" * (e[1][0] == "40000"))
        raw = b"".join(f"{m} {n}".encode() + b"\0" + bytes.fromhex(i) for n, (m, i) in ordered)
        ids[folder] = git_id("tree", raw)
        if folder:
            parent, _, name = folder.rpartition("/")
            folders[parent][name] = ("40000", ids[folder])
    return ids


class Storage:
    """The repos below one folder, all of them known from the start."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for passing in ("incoming", "spaces"):
            shutil.rmtree(root / passing, ignore_errors=True)
        (root / "incoming").mkdir(parents=True)
        self.xorbs = Xorbs(root / "xet")
        self._repos: dict[tuple[str, str], Repo] = {}
        for path in sorted((root / "repos").glob("*/*/*/repo.json")):
            repo = Repo.model_validate_json(path.read_bytes())
            self._repos[repo.kind, repo.id] = repo
        self.commit = lru_cache(maxsize=256)(self._read_commit)

    def __iter__(self) -> Iterator[Repo]:
        return iter(sorted(self._repos.values(), key=lambda repo: (repo.kind, repo.id)))

    def find(self, kind: str, repo_id: str) -> Repo | None:
        """Return a repo, if it is there."""
        return self._repos.get((kind, repo_id))

    def folder(self, repo: Repo) -> Path:
        """Return where a repo lies."""
        return self.root / "repos" / repo.kind / repo.id

    def save(self, repo: Repo) -> None:
        """Put the repo's state in place: the step that makes a change count."""
        write_atomically(self.folder(repo) / "repo.json", repo.model_dump_json(indent=1).encode())
        self._repos[repo.kind, repo.id] = repo

    def delete(self, repo: Repo) -> None:
        """Remove a repo: its state first, so that half a removal leaves no broken repo."""
        del self._repos[repo.kind, repo.id]
        (self.folder(repo) / "repo.json").unlink()
        shutil.rmtree(self.folder(repo))

    def move(self, repo: Repo, repo_id: str) -> None:
        """Give a repo another name."""
        source, moved = self.folder(repo), repo.model_copy(update={"id": repo_id})
        self.folder(moved).parent.mkdir(parents=True, exist_ok=True)
        source.rename(self.folder(moved))
        del self._repos[repo.kind, repo.id]
        self.save(moved)

    def incoming(self) -> Path:
        """Return a fresh path for bytes that are still arriving."""
        return self.root / "incoming" / secrets.token_hex(12)

    def add_blob(self, repo: Repo, content: bytes) -> File:
        """Keep a regular file's content."""
        file = File(oid=blob_id(content), size=len(content))
        target = self.folder(repo) / "blobs" / file.oid
        if not target.is_file():
            temporary = self.incoming()
            temporary.write_bytes(content)
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
        return file

    def lfs_path(self, repo: Repo, sha256: str) -> Path:
        """Return where an LFS content lies, or would."""
        return self.folder(repo) / "lfs" / sha256

    def add_lfs(self, repo: Repo, temporary: Path, sha256: str) -> None:
        """Keep an LFS content whose digest was checked."""
        target = self.lfs_path(repo, sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(target)

    def add_commit(
        self, repo: Repo, ref: str, tree: Tree, title: str, message: str, author: str
    ) -> Commit:
        """Write a commit on a ref's head; the ref moves when the repo is saved, by the caller."""
        parent, seconds = repo.refs.get(ref), int(time.time())
        raw = (
            f"tree {tree_ids(tree)['']}\n"
            + (f"parent {parent}\n" if parent else "")
            + "".join(f"{who} {author} <{author}> {seconds} +0000\n" for who in _SIGNERS)
            + f"\n{title}\n\n{message}"
        )
        commit = Commit(
            id=git_id("commit", raw.encode()),
            parent=parent,
            title=title,
            message=message,
            author=author,
            date=now(),
            tree=tree,
        )
        path = self.folder(repo) / "commits" / f"{commit.id}.json"
        write_atomically(path, commit.model_dump_json().encode())
        repo.refs[ref] = commit.id
        return commit

    def resolve(self, repo: Repo, revision: str) -> Commit:
        """Return the commit that a branch, tag, full ref or 40-hex id names.

        Raises:
            RefusalError: 404, RevisionNotFound.
        """
        for name in (revision, f"refs/heads/{revision}", f"refs/tags/{revision}"):
            if name in repo.refs:
                return self.commit(repo.kind, repo.id, repo.refs[name])
        hexadecimal = len(revision) == 40 and set(revision) <= set("0123456789abcdef")
        if hexadecimal and (self.folder(repo) / "commits" / f"{revision}.json").is_file():
            return self.commit(repo.kind, repo.id, revision)
        raise RefusalError(404, f"Invalid rev id: {revision}", "RevisionNotFound")

    def history(self, repo: Repo, commit: Commit) -> Iterator[Commit]:
        """Yield a commit and its ancestors, newest first."""
        following: Commit | None = commit
        while following:
            yield following
            parent = following.parent
            following = self.commit(repo.kind, repo.id, parent) if parent else None

    def _read_commit(self, kind: str, repo_id: str, commit_id: str) -> Commit:
        path = self.root / "repos" / kind / repo_id / "commits" / f"{commit_id}.json"
        return Commit.model_validate_json(path.read_bytes())

    def append(self, name: str, row: dict[str, Any]) -> None:
        """Add a line of JSON to a file of the storage folder."""
        with (self.root / name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + os.linesep)


_SIGNERS = ("author", "committer")


def blocks(path: Path, start: int, end: int) -> Iterator[bytes]:
    """Yield the bytes ``[start, end)`` of a file, a block at a time."""
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (block := file.read(min(BLOCK, end - start))):
            start += len(block)
            yield block
