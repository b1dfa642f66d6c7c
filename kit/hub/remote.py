"""What stands on a Hub: repos, their files, and whose token it is. Plain values, no request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["dataset", "model", "space"]
ENDPOINT = "https://huggingface.co"
"""The public Hub."""
MAIN = "main"
ATTRIBUTES = ".gitattributes"
"""What the Hub keeps in every repo; nobody's file."""


@dataclass(frozen=True, order=True)
class Repo:
    """A repo on the Hub: what kind, and OWNER/NAME."""

    kind: Kind
    id: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    def url(self, endpoint: str = ENDPOINT) -> str:
        """Return its page on a Hub."""
        prefix = "" if self.kind == "model" else f"{self.kind}s/"
        return f"{endpoint}/{prefix}{self.id}"


@dataclass(frozen=True)
class RemoteFile:
    """A file in a repo; ``oid`` is sha256 of its bytes where ``lfs``, else its git blob id."""

    oid: str
    bytes: int
    lfs: bool

    def holds(self, size: int, sha256: str, blob: str | None) -> bool:
        """Return whether it holds these bytes; ``blob`` is git's id of them, if they have one."""
        return self.bytes == size and self.oid == (sha256 if self.lfs else blob)


@dataclass(frozen=True)
class RemoteRepo:
    """A repo as it stands at a revision."""

    head: str
    private: bool
    files: Mapping[str, RemoteFile]
    sdk: str | None = None


@dataclass(frozen=True)
class RemoteCollection:
    """A collection, and the id of each item in it by its kind and name."""

    slug: str
    items: Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Account:
    """Who a token belongs to, and what it may do. ``scopes`` is None unless it is fine-grained."""

    name: str
    writes: bool
    pro: bool
    organizations: Mapping[str, str] = field(default_factory=dict)
    scopes: tuple[tuple[str, frozenset[str]], ...] | None = None

    def may_write(self, repo: Repo) -> bool:
        """Return whether the token may create or write the repo, as far as the Hub tells."""
        owner = repo.id.partition("/")[0]
        if owner != self.name and self.organizations.get(owner) not in {"admin", "write"}:
            return False
        if self.scopes is None:
            return self.writes
        return any(name in {owner, repo.id} and "repo.write" in may for name, may in self.scopes)

    def may_collect(self, owner: str) -> bool:
        """Return whether the token may make and fill that account's collections."""
        if self.scopes is None:
            return self.writes
        return any(name == owner and "collection.write" in may for name, may in self.scopes)


def remote_file(item: Any) -> RemoteFile:
    """Return a file of huggingface_hub's listing of a tree."""
    if item.lfs is not None:
        return RemoteFile(item.lfs.sha256, item.size, True)
    return RemoteFile(item.blob_id, item.size, False)


def scopes(fine: Mapping[str, Any]) -> tuple[tuple[str, frozenset[str]], ...]:
    """Return what a fine-grained token may do to which account, organization or repo."""
    return tuple(
        (str((scope.get("entity") or {}).get("name", "")), frozenset(scope.get("permissions", ())))
        for scope in fine.get("scoped") or []
    )
