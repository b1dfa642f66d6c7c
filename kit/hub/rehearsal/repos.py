"""Routes about repos: who am I, create, move, delete, settings, info, refs, history."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from starlette.responses import JSONResponse, Response

from kit.hub.rehearsal.accounts import BASIC_IS_PAID, RefusalError, whoami
from kit.hub.rehearsal.application import Call, route
from kit.hub.rehearsal.cards import WORDS
from kit.hub.rehearsal.contents import card_data
from kit.hub.rehearsal.storage import KINDS, Commit, Repo, Storage, lfs_pointer, now

NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]{0,94}[\w-])?")
ATTRIBUTES = "".join(
    f"{name} filter=lfs diff=lfs merge=lfs -text\n" for name in sorted(WORDS["lfs"])
)
SPACE_CARD = """---
title: {title}
emoji: 🚀
colorFrom: blue
colorTo: green
sdk: {sdk}
---
"""
FREE_ZERO_GPU = 2


@route("GET", "/api/whoami-v2")
async def who(call: Call) -> Response:
    """Say whose token it is."""
    return JSONResponse(whoami(call.viewer))


@route("POST", "/api/repos/create")
async def create(call: Call) -> Response:
    """Make a repo with the commit that the Hub begins every repo with."""
    asked = await call.json()
    kind, repo_id = _named(call, asked)
    call.may_write(repo_id)
    repo = Repo(kind=kind, id=repo_id, author=repo_id.split("/")[0], created=now())
    url = f"{call.base}/{repo.path}"
    if call.hub.storage.find(kind, repo_id):
        raise RefusalError(409, f"You already created this {KINDS[kind]} repo", url=url)
    repo.private = asked.get("visibility", "public") != "public"
    if kind == "spaces":
        _space(call, repo, asked)
    begin(call.hub.storage, repo, call.viewer.name)
    return JSONResponse({"url": url, "name": repo_id, "id": object_id(repo_id)})


STATIC_PAGE = "<!doctype html>\n<title>A new Space</title>\n<p>Nothing here yet.</p>\n"


def begin(storage: Storage, repo: Repo, author: str) -> None:
    """Make the first commit: .gitattributes, a card for a Space, a page for a static one."""
    files = {".gitattributes": ATTRIBUTES}
    if repo.kind == "spaces":
        files["README.md"] = SPACE_CARD.format(title=repo.id.split("/")[1], sdk=repo.sdk)
    if repo.sdk == "static":
        files |= {"index.html": STATIC_PAGE, "style.css": "body { font-family: sans-serif }\n"}
    tree = {path: storage.add_blob(repo, text.encode()) for path, text in files.items()}
    storage.add_commit(repo, "refs/heads/main", tree, "initial commit", "", author)
    storage.save(repo)


def _named(call: Call, asked: dict[str, Any]) -> tuple[str, str]:
    kind = f"{asked.get('type') or 'model'}s"
    name, namespace = str(asked.get("name")), asked.get("organization") or call.viewer.name
    if kind not in KINDS or not NAME.fullmatch(name) or ".." in name or "--" in name:
        raise RefusalError(400, f"Invalid repo type or name: {kind[:-1]} {name!r}")
    return kind, f"{namespace}/{name}"


def _space(call: Call, repo: Repo, asked: dict[str, Any]) -> None:
    repo.sdk = asked.get("sdk")
    if repo.sdk not in ("gradio", "docker", "static"):
        raise RefusalError(400, "sdk must be one of gradio, docker, static")
    repo.hardware = asked.get("hardware") or "cpu-basic"
    repo.sleep = asked.get("sleepTimeSeconds")
    for field in ("secrets", "variables"):
        for item in asked.get(field) or []:
            getattr(repo, field)[item["key"]] = {**item, "updatedAt": now()}
    check_hardware(call, repo)


def check_hardware(call: Call, repo: Repo) -> None:
    """Refuse with 402 what the owner's plan does not hold."""
    account = call.viewer.account
    if repo.sdk == "static" or account is None or account.is_pro or account.can_pay:
        return
    others = [
        other
        for other in call.hub.storage
        if other.hardware == "zero-a10g" and other.author == repo.author and other.id != repo.id
    ]
    if repo.hardware != "zero-a10g":
        raise RefusalError(402, BASIC_IS_PAID)
    if len(others) >= FREE_ZERO_GPU:
        raise RefusalError(
            402, f"Payment required: a free account hosts {FREE_ZERO_GPU} ZeroGPU Spaces"
        )


@route("DELETE", "/api/repos/delete")
async def delete(call: Call) -> Response:
    """Remove a repo; there is no way back."""
    kind, repo_id = _named(call, await call.json())
    call.hub.storage.delete(call.known(kind, repo_id, write=True))
    call.hub.spaces.stop(repo_id)
    return JSONResponse({})


@route("POST", "/api/repos/move")
async def move(call: Call) -> Response:
    """Rename a repo."""
    asked = await call.json()
    kind = f"{asked.get('type') or 'model'}s"
    repo = call.known(kind, asked["fromRepo"], write=True)
    call.may_write(asked["toRepo"])
    if call.hub.storage.find(kind, asked["toRepo"]):
        raise RefusalError(409, "This repository already exists")
    call.hub.storage.move(repo, asked["toRepo"])
    call.hub.spaces.stop(repo.id)
    return JSONResponse({})


@route("PUT", "/api/{kind}/{repo}/settings")
async def settings(call: Call) -> Response:
    """Change who sees a repo, and whether they must ask first."""
    repo, asked = call.repo(write=True), await call.json()
    if "visibility" in asked:
        repo.private = asked["visibility"] != "public"
    repo.gated = asked.get("gated", repo.gated)
    call.hub.storage.save(repo)
    return JSONResponse({"private": repo.private, "gated": repo.gated})


@route("GET", "/api/{kind}/{repo}/auth-check(?P<write>/write)?")
async def auth_check(call: Call) -> Response:
    """Say by the status whether the token may read, or write."""
    call.repo(write=bool(call.args["write"]))
    return JSONResponse({})


@route("GET", "/api/{kind}")
async def listing(call: Call) -> Response:
    """List repos, by author and words of the name."""
    query, storage = call.request.query_params, call.hub.storage
    found = [
        described(storage, repo, storage.resolve(repo, "main"))
        for repo in storage
        if repo.kind == call.args["kind"]
        and (not repo.private or call.viewer.reads(repo.id))
        and query.get("author") in (None, repo.author)
        and query.get("search", "").lower() in repo.id.lower()
    ]
    return JSONResponse(found[: int(query.get("limit", len(found)))])


@route("GET", "/api/{kind}/{repo}(?:/revision/{rev})?")
async def info(call: Call) -> Response:
    """Describe a repo at a revision; ``expand`` chooses properties, ``blobs`` adds sizes."""
    repo = call.repo()
    commit = call.hub.storage.resolve(repo, call.revision)
    described_repo = described(call.hub.storage, repo, commit)
    if repo.kind == "spaces":
        runtime = call.hub.spaces.runtime(repo)
        described_repo |= {
            "sdk": described_repo["cardData"].get("sdk") or repo.sdk,
            "runtime": runtime,
            "host": call.hub.spaces.follow(repo).host,
            "subdomain": repo.id.replace("/", "-").lower(),
            **{key: described_repo["cardData"].get(key) for key in ("models", "datasets")},
        }
    described_repo["siblings"] = [_sibling(commit, path, call) for path in sorted(commit.tree)]
    wanted = call.request.query_params.getlist("expand")
    if wanted:
        keep = {*wanted, "_id", "id"}
        described_repo = {key: value for key, value in described_repo.items() if key in keep}
    return JSONResponse(described_repo)


def _sibling(commit: Commit, path: str, call: Call) -> dict[str, Any]:
    file, sibling = commit.tree[path], {"rfilename": path}
    if not call.flag("blobs"):
        return sibling
    lfs = file.sha256 and {
        "sha256": file.sha256,
        "size": file.size,
        "pointerSize": len(lfs_pointer(file.sha256, file.size)),
    }
    return {**sibling, "size": file.size, "blobId": file.oid, **({"lfs": lfs} if lfs else {})}


def described(storage: Storage, repo: Repo, commit: Commit) -> dict[str, Any]:
    """Return a repo's properties, those of its card among them."""
    card = card_data(storage, repo, commit)
    tags = [str(tag) for tag in card.get("tags") or []]
    if license_id := card.get("license"):
        tags.append(f"license:{license_id}")
    found: dict[str, Any] = {
        "_id": object_id(repo.path),
        "id": repo.id,
        "author": repo.author,
        "sha": commit.id,
        "createdAt": repo.created,
        "lastModified": commit.date,
        "private": repo.private,
        "gated": repo.gated,
        "disabled": False,
        "likes": repo.likes,
        "tags": tags,
        "cardData": card,
        "usedStorage": sum(file.size for file in commit.tree.values()),
    }
    if repo.kind != "spaces":
        found["downloads"] = repo.downloads
    if repo.kind == "models":
        named = ("pipeline_tag", "library_name", "model-index")
        found |= {"modelId": repo.id, **{key: card[key] for key in named if key in card}}
    return found


def object_id(name: str) -> str:
    """Return an id of 24 hex digits, the same for the same name."""
    return hashlib.sha256(name.encode()).hexdigest()[:24]


@route("GET", "/api/{kind}/{repo}/refs")
async def refs(call: Call) -> Response:
    """List branches and tags, and pull requests if asked."""
    repo = call.repo()
    found: dict[str, list[dict[str, str]]] = {"branches": [], "tags": [], "converts": []}
    places = {"refs/heads/": "branches", "refs/tags/": "tags"}
    if call.flag("include_prs"):
        found["pullRequests"] = []
        places["refs/pr/"] = "pullRequests"
    for prefix, place in places.items():
        for ref, commit in repo.refs.items():
            if ref.startswith(prefix):
                name = ref.removeprefix(prefix)
                found[place].append({"name": name, "ref": ref, "targetCommit": commit})
    return JSONResponse(found)


@route("POST", "/api/{kind}/{repo}/tag/{rev}")
async def tag(call: Call) -> Response:
    """Name a commit for good."""
    repo, asked = call.repo(write=True), await call.json()
    return _point(call, repo, f"refs/tags/{asked['tag']}", call.revision)


@route("POST", "/api/{kind}/{repo}/branch/{name}")
async def branch(call: Call) -> Response:
    """Start a branch, at main if nothing else is said."""
    repo, asked = call.repo(write=True), await call.json()
    start = asked.get("startingPoint") or "main"
    return _point(call, repo, f"refs/heads/{call.args['name']}", start)


def _point(call: Call, repo: Repo, ref: str, revision: str) -> Response:
    if ref in repo.refs:
        raise RefusalError(409, f"Reference already exists: {ref}")
    repo.refs[ref] = call.hub.storage.resolve(repo, revision).id
    call.hub.storage.save(repo)
    return JSONResponse({})


@route("DELETE", "/api/{kind}/{repo}/(?P<sort>tag|branch)/{name}")
async def forget(call: Call) -> Response:
    """Remove a tag or a branch; main stays."""
    repo, folder = call.repo(write=True), "tags" if call.args["sort"] == "tag" else "heads"
    ref = f"refs/{folder}/{call.args['name']}"
    if ref == "refs/heads/main":
        raise RefusalError(403, "The default branch cannot be deleted")
    if repo.refs.pop(ref, None) is None:
        raise RefusalError(404, f"Reference does not exist: {ref}", "RevisionNotFound")
    call.hub.storage.save(repo)
    return JSONResponse({})


@route("GET", "/api/{kind}/{repo}/commits/{rev}")
async def commits(call: Call) -> Response:
    """List the history of a revision, newest first."""
    repo, storage = call.repo(), call.hub.storage
    return JSONResponse(
        [
            {
                "id": commit.id,
                "title": commit.title,
                "message": commit.message,
                "authors": [{"user": commit.author}],
                "date": commit.date,
            }
            for commit in storage.history(repo, storage.resolve(repo, call.revision))
        ]
    )
