"""Routes that change files: preupload says how each is to come, commit makes them one change."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pathspec
from starlette.responses import JSONResponse, Response

from kit.hub.rehearsal.accounts import RefusalError
from kit.hub.rehearsal.application import Call, route
from kit.hub.rehearsal.cards import judge
from kit.hub.rehearsal.contents import present, read
from kit.hub.rehearsal.discussions import add_commit_event, open_discussion
from kit.hub.rehearsal.storage import KINDS, Repo, Storage, Tree, lfs_file

REGULAR_BYTES = 10 << 20
STALE = (
    "The branch was updated since you opened this page. Please refresh and try again: "
    "the parent commit is no longer the head."
)


def may_commit(call: Call) -> Repo:
    """Return the repo of a change; a pull request asks for less than a push."""
    repo = call.repo(write=not call.flag("create_pr"))
    if call.viewer.role != "write":
        raise RefusalError(403, "Forbidden: this token may only read", "Forbidden")
    return repo


@route("POST", "/api/{kind}/{repo}/preupload/{rev}")
async def preupload(call: Call) -> Response:
    """Say for every file: regular or LFS, ignored or not, and the id of what is there."""
    repo, asked = may_commit(call), await call.json()
    tree = call.hub.storage.resolve(repo, call.revision).tree
    ignore = asked.get("gitIgnore") or _text(call.hub.storage, repo, tree, ".gitignore")
    ignored = pathspec.GitIgnoreSpec.from_lines(ignore.splitlines())
    large = _lfs_patterns(_text(call.hub.storage, repo, tree, ".gitattributes"))
    answers = []
    for file in asked["files"]:
        path, sample = file["path"], base64.b64decode(file.get("sample", ""))
        lfs = large.match_file(path) or file["size"] > REGULAR_BYTES or b"\0" in sample
        answer = {"path": path, "uploadMode": "lfs" if lfs else "regular"}
        answer |= {"shouldIgnore": ignored.match_file(path)}
        if path in tree:
            answer["oid"] = tree[path].etag
        answers.append(answer)
    return JSONResponse({"files": answers})


def _text(storage: Storage, repo: Repo, tree: Tree, path: str) -> str:
    return read(storage, repo, tree[path]).decode("utf-8", "replace") if path in tree else ""


def _lfs_patterns(attributes: str) -> pathspec.GitIgnoreSpec:
    lines = [line.split() for line in attributes.splitlines()]
    return pathspec.GitIgnoreSpec.from_lines([w[0] for w in lines if "filter=lfs" in w])


@route("POST", "/api/{kind}/{repo}/commit/{rev}")
async def commit(call: Call) -> Response:
    """Apply the lines of a commit, all or none; the ref moves last."""
    repo, storage = may_commit(call), call.hub.storage
    base = storage.resolve(repo, call.revision)
    tree, header = dict(base.tree), {}
    async for line in _lines(call):
        if line["key"] == "header":
            header = line["value"]
        else:
            _apply(storage, repo, tree, line["key"], line["value"])
    # The body took its time: the repo may have moved on, or away.
    repo = may_commit(call)
    ref = _target(call, repo, header.get("parentCommit"))
    if call.flag("create_pr"):
        discussion = open_discussion(repo, header["summary"], call.viewer.name, pull=True)
        ref = f"refs/pr/{discussion.num}"
        repo.refs[ref] = base.id
    title, text = header["summary"], header.get("description", "")
    made = storage.add_commit(repo, ref, tree, title, text, call.viewer.name)
    add_commit_event(repo, ref, made)
    storage.save(repo)
    url = f"{call.base}/{repo.path}"
    answer = {"success": True, "commitOid": made.id, "commitUrl": f"{url}/commit/{made.id}"}
    if call.flag("create_pr"):
        answer["pullRequestUrl"] = f"{url}/discussions/{ref.rsplit('/', 1)[1]}"
    return JSONResponse(answer)


def _target(call: Call, repo: Repo, parent: str | None) -> str:
    """Return the ref to move; the head is looked up again, after the body has come."""
    names = (call.revision, f"refs/heads/{call.revision}")
    ref = next((name for name in names if name in repo.refs), None)
    if ref is None:
        raise RefusalError(404, f"Invalid rev id: {call.revision}", "RevisionNotFound")
    if parent and parent != repo.refs[ref]:
        raise RefusalError(412, STALE)
    return ref


async def _lines(call: Call) -> AsyncIterator[dict[str, Any]]:
    """Yield the body's JSON lines as they arrive: no more than one is held."""
    rest = b""
    async for block in call.request.stream():
        *lines, rest = (rest + block).split(b"\n")
        for line in filter(None, lines):
            yield json.loads(line)
    if rest:
        yield json.loads(rest)


def _apply(storage: Storage, repo: Repo, tree: Tree, key: str, value: dict[str, Any]) -> None:
    path = value["path"].strip("/") if key == "deletedFolder" else value["path"]
    parts = path.split("/")
    if not path or {"", ".", "..", ".git"} & set(parts):
        raise RefusalError(400, f"Invalid path: {path!r}")
    if key == "file":
        content = _content(path, value)
        if path == "README.md":
            _check_card(repo, content)
        tree[path] = storage.add_blob(repo, content)
    elif key == "lfsFile":
        size = present(storage, repo, value["oid"])
        if size is None or size != value.get("size", size):
            raise RefusalError(400, f"LFS pointer pointed to a file that does not exist: {path}")
        tree[path] = lfs_file(value["oid"], size)
    elif key in ("deletedFile", "deletedFolder"):
        gone = [p for p in tree if p == path or (p.startswith(f"{path}/") and "Folder" in key)]
        if not gone:
            raise RefusalError(404, f"A file to delete does not exist: {path}", "EntryNotFound")
        for name in gone:
            del tree[name]
    else:
        raise RefusalError(400, f"Unknown operation: {key}")


def _check_card(repo: Repo, content: bytes) -> None:
    errors, _ = judge(KINDS[repo.kind], content.decode("utf-8", "replace"))
    if errors:
        said = "\n".join(f"- Error: {error}" for error in errors)
        raise RefusalError(400, f"Push rejected during YAML metadata verification:\n{said}")


def _content(path: str, value: dict[str, Any]) -> bytes:
    content = value["content"]
    raw = base64.b64decode(content) if value.get("encoding") == "base64" else content.encode()
    if len(raw) > REGULAR_BYTES:
        raise RefusalError(400, f"Files over 10 MiB must come through LFS or xet: {path}")
    return bytes(raw)
