"""Discussions and pull requests: opened, changed, merged."""

from __future__ import annotations

import secrets
from typing import Any

from starlette.responses import JSONResponse, Response

from kit.hub.rehearsal.accounts import NOBODY, RefusalError
from kit.hub.rehearsal.application import Call, route
from kit.hub.rehearsal.storage import KINDS, Commit, Discussion, Repo, Storage, Tree, now


def open_discussion(
    repo: Repo, title: str, author: str, pull: bool, status: str = "open"
) -> Discussion:
    """Add a discussion, or a pull request, to a repo that the caller saves."""
    num = len(repo.discussions) + 1
    discussion = Discussion(
        num=num, title=title, author=author, created=now(), pull=pull, status=status
    )
    repo.discussions.append(discussion)
    return discussion


def add_commit_event(repo: Repo, ref: str, commit: Commit) -> None:
    """Note a commit in the pull request whose ref it moved."""
    if ref.startswith("refs/pr/"):
        data = {"subject": commit.title, "oid": commit.id}
        _add(repo.discussions[int(ref.rsplit("/", 1)[1]) - 1], commit.author, "commit", data)


def _add(discussion: Discussion, author: str, sort: str, data: dict[str, Any]) -> dict[str, Any]:
    event = {
        "id": secrets.token_hex(12),
        "type": sort,
        "createdAt": now(),
        "author": {"name": author},
        "data": data,
    }
    discussion.events.append(event)
    return event


def _comment(discussion: Discussion, author: str, text: str) -> dict[str, Any]:
    data = {"edited": False, "hidden": False, "latest": {"raw": text}, "history": []}
    return _add(discussion, author, "comment", data)


@route("GET", "/api/{kind}/{repo}/discussions")
async def listing(call: Call) -> Response:
    """List discussions, newest first."""
    repo, query = call.repo(), call.request.query_params
    found = [
        _described(repo, discussion)
        for discussion in reversed(repo.discussions)
        if query.get("author") in (None, discussion.author)
        and query.get("status", "all") in ("all", discussion.status)
        and query.get("type", "all") in ("all", "pull_request" if discussion.pull else "discussion")
    ]
    return JSONResponse({"discussions": found, "count": len(found), "start": 0})


@route("POST", "/api/{kind}/{repo}/discussions")
async def create(call: Call) -> Response:
    """Open a discussion; a pull request opened so is a draft, as on the Hub."""
    repo, asked = call.repo(), await call.json()
    if call.viewer is NOBODY or call.viewer.role != "write":
        raise RefusalError(403, "Forbidden: a write token is needed", "Forbidden")
    pull = bool(asked.get("pullRequest"))
    status = "draft" if pull else "open"
    discussion = open_discussion(repo, asked["title"], call.viewer.name, pull, status)
    if asked.get("description"):
        _comment(discussion, call.viewer.name, asked["description"])
    if pull:
        repo.refs[f"refs/pr/{discussion.num}"] = repo.refs["refs/heads/main"]
    call.hub.storage.save(repo)
    url = f"{call.base}/{repo.path}/discussions/{discussion.num}"
    return JSONResponse({"num": discussion.num, "url": url, "pullRequest": pull})


@route("GET", "/api/{kind}/{repo}/discussions/{num}")
async def details(call: Call) -> Response:
    """Describe a discussion with its events and conflicts."""
    repo = call.repo()
    discussion = _find(call, repo)
    found = {**_described(repo, discussion), "events": discussion.events}
    if discussion.pull:
        storage, ref = call.hub.storage, f"refs/pr/{discussion.num}"
        ours, theirs, base = _sides(storage, repo, ref)
        found["changes"] = {"base": "refs/heads/main", "mergeCommitId": discussion.merged}
        found["filesWithConflicts"] = _conflicts(ours.tree, theirs.tree, base.tree)
    return JSONResponse(found)


def _find(call: Call, repo: Repo) -> Discussion:
    num = call.args["num"]
    if not num.isdigit() or not 0 < int(num) <= len(repo.discussions):
        raise RefusalError(404, "Discussion not found")
    return repo.discussions[int(num) - 1]


def _described(repo: Repo, discussion: Discussion) -> dict[str, Any]:
    return {
        "num": discussion.num,
        "title": discussion.title,
        "author": {"name": discussion.author},
        "createdAt": discussion.created,
        "status": discussion.status,
        "isPullRequest": discussion.pull,
        "repo": {"name": repo.id, "type": KINDS[repo.kind]},
    }


def _sides(storage: Storage, repo: Repo, ref: str) -> tuple[Commit, Commit, Commit]:
    """Return main, the pull request's head, and their nearest common ancestor."""
    ours, theirs = storage.resolve(repo, "main"), storage.resolve(repo, ref)
    known = {commit.id for commit in storage.history(repo, ours)}
    base = next((c for c in storage.history(repo, theirs) if c.id in known), ours)
    return ours, theirs, base


def _conflicts(ours: Tree, theirs: Tree, base: Tree) -> list[str]:
    return [
        path
        for path in sorted({*ours, *theirs, *base})
        if ours.get(path) != theirs.get(path)
        and base.get(path) not in (ours.get(path), theirs.get(path))
    ]


@route("POST", "/api/{kind}/{repo}/discussions/{num}/(?P<change>comment|status|title)")
async def change(call: Call) -> Response:
    """Comment, open or close, or give another title."""
    repo, asked, name = call.repo(), await call.json(), call.viewer.name
    discussion = _find(call, repo)
    if call.args["change"] == "comment":
        answer = {"newMessage": _comment(discussion, name, asked["comment"])}
    elif call.args["change"] == "status":
        discussion.status = asked["status"]
        event = _add(discussion, name, "status-change", {"status": asked["status"]})
        answer = {"newStatus": event}
    else:
        titles = {"from": discussion.title, "to": asked["title"]}
        discussion.title = asked["title"]
        answer = {"newTitle": _add(discussion, name, "title-change", titles)}
    call.hub.storage.save(repo)
    return JSONResponse(answer)


@route("POST", "/api/{kind}/{repo}/discussions/{num}/merge")
async def merge(call: Call) -> Response:
    """Squash a pull request onto main, unless it is a draft, closed, or in conflict."""
    repo, storage = call.repo(write=True), call.hub.storage
    discussion = _find(call, repo)
    if not discussion.pull or discussion.status != "open":
        raise RefusalError(409, f"This pull request is {discussion.status}, and cannot be merged")
    ours, theirs, base = _sides(storage, repo, f"refs/pr/{discussion.num}")
    if conflicts := _conflicts(ours.tree, theirs.tree, base.tree):
        raise RefusalError(409, f"Conflicts in {', '.join(conflicts)}")
    tree = dict(ours.tree)
    for path in {*base.tree, *theirs.tree}:
        if base.tree.get(path) != theirs.tree.get(path):
            tree.pop(path, None)
            tree |= {path: theirs.tree[path]} if path in theirs.tree else {}
    title = f"{discussion.title} (#{discussion.num})"
    text = f"- {discussion.title} ({theirs.id})"
    made = storage.add_commit(repo, "refs/heads/main", tree, title, text, discussion.author)
    discussion.status, discussion.merged = "merged", made.id
    _add(discussion, call.viewer.name, "status-change", {"status": "merged"})
    storage.save(repo)
    return JSONResponse({"success": True, "mergeCommitId": made.id})
