"""The plan of a publication: what the Hub has, what it would have, and what stands in the way.

    plan = make_plan(run, hub)          # reads only; not one request that writes
    plan.steps                          # (("create", dataset), ("commit", dataset), ...)

A publication is three repos: dataset, model, Space. Each links only to those before it, and the
steps that anybody can see come last, in that order; so at every moment each public repo is whole
and what it links to is public.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

from kit.files import git_id
from kit.hub.card import card_data
from kit.hub.client import Hub
from kit.hub.remote import ATTRIBUTES, Account, RemoteFile, RemoteRepo, Repo
from kit.publishing.gates import Verdict, check_run
from kit.records import AssemblyRecord, FileEntry
from kit.runs import Run

TAG = "kit-"
MESSAGE = "Publish"
SEED = "initial commit"
"""What the Hub itself calls the commit with which a repo begins."""
HARDWARE = {"static": None, "zerogpu": "zero-a10g", "cpu": "cpu-basic"}
LARGEST_FILE = 50 * 1000**3
LARGEST_BLOB = 10 * 1000**2
"""What is larger is in LFS, whatever its name."""
Step = tuple[str, Repo]


@dataclass(frozen=True)
class Change:
    """A file that the Hub does not have as it is here; a deletion has no bytes."""

    path: str
    action: Literal["add", "change", "delete"]
    bytes: int


@dataclass(frozen=True)
class RepoPlan:
    """One repo: how it stands on the Hub and what would change.

    ``head`` is its commit now, None where there is no repo; ``foreign`` are files there that are
    not as a publication of kit left them, and that stay; ``adopted`` says whether there was one;
    ``card`` says what changes in the card's data; ``blobs`` are git's ids of the files here
    that a repo may hold outside LFS.
    """

    repo: Repo
    folder: str
    head: str | None
    private: bool
    changes: tuple[Change, ...]
    unchanged: int
    foreign: tuple[str, ...]
    adopted: bool
    card: tuple[str, ...]
    sdk: str | None
    hardware: str | None
    files: tuple[FileEntry, ...]
    blobs: Mapping[str, str]

    def different(self, there: Mapping[str, RemoteFile]) -> str | None:
        """Return a path at which files on the Hub are not as planned, None where there is none."""
        for entry in self.files:
            if not _has(there, entry, self.blobs.get(entry.path)):
                return entry.path
        gone = (c.path for c in self.changes if c.action == "delete" and c.path in there)
        return next(gone, None)

    @property
    def state(self) -> Literal["absent", "private", "public"]:
        """How strangers find the repo now."""
        return "absent" if self.head is None else "private" if self.private else "public"


@dataclass(frozen=True)
class CollectionPlan:
    """The collection of ``owner`` that would list the repos; ``missing`` are not in it yet."""

    owner: str
    title: str
    exists: bool
    missing: tuple[Repo, ...]


@dataclass(frozen=True)
class Plan:
    """What a publication would do. ``problems`` keep it from being done."""

    endpoint: str
    account: str
    tag: str
    assembly: str
    repos: tuple[RepoPlan, ...]
    verdicts: tuple[Verdict, ...]
    problems: tuple[str, ...]
    collection: CollectionPlan | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is done, in this order; the last ones, which strangers see, in the repos' order."""
        hidden, seen = [], []
        for plan in self.repos:
            hidden += _hidden_steps(plan)
            seen += _seen_steps(plan)
        listed = self.collection.missing if self.collection else ()
        return (*hidden, *seen, *(("collect", repo) for repo in listed))

    def repo(self, repo: Repo) -> RepoPlan:
        """Return what is planned for a repo."""
        return next(plan for plan in self.repos if plan.repo == repo)

    def document(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        found = asdict(self)
        for repo, plan in zip(found["repos"], self.repos, strict=True):
            repo["files"] = [file.model_dump() for file in plan.files]
            repo["state"] = plan.state
        found["steps"] = [[verb, repo.kind, repo.id] for verb, repo in self.steps]
        return found


def read_plan(found: Mapping[str, Any]) -> Plan:
    """Return the plan of a document, as a journal keeps it."""
    repos = tuple(
        RepoPlan(
            repo=Repo(**repo["repo"]),
            folder=repo["folder"],
            head=repo["head"],
            private=repo["private"],
            changes=tuple(Change(**change) for change in repo["changes"]),
            unchanged=repo["unchanged"],
            foreign=tuple(repo["foreign"]),
            adopted=repo["adopted"],
            card=tuple(repo["card"]),
            sdk=repo["sdk"],
            hardware=repo["hardware"],
            files=tuple(FileEntry(**file) for file in repo["files"]),
            blobs=repo["blobs"],
        )
        for repo in found["repos"]
    )
    return Plan(
        endpoint=found["endpoint"],
        account=found["account"],
        tag=found["tag"],
        assembly=found["assembly"],
        repos=repos,
        verdicts=tuple(Verdict(**verdict) for verdict in found["verdicts"]),
        problems=tuple(found["problems"]),
        collection=_read_collection(found.get("collection")),
    )


def _read_collection(found: Mapping[str, Any] | None) -> CollectionPlan | None:
    if found is None:
        return None
    missing = tuple(Repo(**repo) for repo in found["missing"])
    return CollectionPlan(found["owner"], found["title"], found["exists"], missing)


def make_plan(run: Run, hub: Hub) -> Plan:
    """Ask every gate, and compare the run's assembled folders with the Hub; nothing is written."""
    assembly = AssemblyRecord.load(run.folder / "assembly.json")
    return plan_repos(
        hub,
        run.folder / "assembly",
        assembly,
        f"{run.project.owner}/{run.recipe.slug}",
        run.folder.name.rpartition("-")[2],
        tuple(check_run(run)),
        run.project.collection,
    )


def plan_repos(
    hub: Hub,
    folder: Path,
    assembly: AssemblyRecord,
    name: str,
    run_id: str,
    verdicts: tuple[Verdict, ...] = (),
    collection: str = "",
) -> Plan:
    """Compare assembled folders with the Hub.

    Args:
        hub: where to look.
        folder: holds the folders that ``assembly`` lists.
        assembly: the files.
        name: OWNER/NAME of model and Space; the dataset's ends in ``-data``.
        run_id: what the tag begins with, before a digest of all files.
        verdicts: what the gates said.
        collection: the title of the collection that lists the repos; none where empty.
    """
    account = hub.account()
    digest = assembly.digest
    space = "space" if assembly.space_sdk == "static" else "gradio"
    repos = tuple(
        _plan_repo(hub, repo, part, assembly, folder / part)
        for repo, part in (
            (Repo("dataset", f"{name}-data"), "dataset"),
            (Repo("model", name), "model"),
            (Repo("space", name), space),
        )
    )
    problems = [
        *(f"gate {v.gate}: {v.said}" for v in verdicts if not v.passed),
        *(problem for plan in repos for problem in _problems(folder, plan, account)),
    ]
    tag = _unused(hub, repos, f"{TAG}{run_id}-{digest[:8]}")
    listed = _plan_collection(hub, name.partition("/")[0], collection, repos)
    if listed is not None and listed.missing and not account.may_collect(listed.owner):
        problems.append(
            f"collection '{collection}': the token may not write collections of {listed.owner}; "
            "allow it that, or remove collection from kit.toml"
        )
    return Plan(hub.endpoint, account.name, tag, digest, repos, verdicts, tuple(problems), listed)


def _plan_collection(
    hub: Hub, owner: str, title: str, repos: Iterable[RepoPlan]
) -> CollectionPlan | None:
    if not title:
        return None
    there = hub.collection(owner, title)
    items = there.items if there else {}
    missing = tuple(p.repo for p in repos if (p.repo.kind, p.repo.id) not in items)
    return CollectionPlan(owner, title, there is not None, missing)


def _unused(hub: Hub, repos: Iterable[RepoPlan], tag: str) -> str:
    """Return a tag that no repo has: the same files may be published again after others."""
    used = {
        name
        for plan in repos
        if plan.head and (plan.changes or plan.state != "public")
        for name in hub.tags(plan.repo)
    }
    return next(
        name
        for number in count(1)
        if (name := f"{tag}-{number}" if number > 1 else tag) not in used
    )


def _hidden_steps(plan: RepoPlan) -> list[Step]:
    """Return the steps that strangers do not see: in a private repo, or on a branch."""
    steps = ["create"] if plan.state == "absent" else []
    if plan.changes:
        steps.append("stage" if plan.state == "public" else "commit")
    if plan.changes or plan.state != "public":
        steps.append("check")
    if plan.state != "public" and plan.repo.kind == "space":
        steps.append("wait")
    return [(verb, plan.repo) for verb in steps]


def _seen_steps(plan: RepoPlan) -> list[Step]:
    """Return the steps that strangers see."""
    steps = []
    if plan.changes and plan.state == "public":
        steps += ["merge", "tidy"]
        if plan.repo.kind == "space":
            steps.append("wait")
    if plan.changes or plan.state != "public":
        steps.append("tag")
    if plan.state != "public":
        steps.append("show")
    return [(verb, plan.repo) for verb in steps]


def _plan_repo(hub: Hub, repo: Repo, name: str, assembly: AssemblyRecord, folder: Path) -> RepoPlan:
    files = assembly.repos[name]
    blobs = {
        entry.path: git_id("blob", (folder / entry.path).read_bytes())
        for entry in files
        if entry.bytes <= LARGEST_BLOB
    }
    there = hub.look(repo)
    remote: Mapping[str, RemoteFile] = there.files if there else {}
    kept = {entry.path for entry in files if _has(remote, entry, blobs.get(entry.path))}
    changes = [
        Change(entry.path, "change" if entry.path in remote else "add", entry.bytes)
        for entry in files
        if entry.path not in kept
    ]
    ours = _ours(hub, repo, there) if there else {}
    wanted = {entry.path for entry in files}
    untouched = {path for path, file in remote.items() if ours.get(path) == file} - {ATTRIBUTES}
    # What is deleted comes first: a plan that is shown shortened must not hide it.
    changes[:0] = [Change(path, "delete", 0) for path in sorted(untouched - wanted)]
    sdk = None
    if repo.kind == "space":
        sdk = "static" if assembly.space_sdk == "static" else "gradio"
    return RepoPlan(
        repo=repo,
        folder=name,
        head=there.head if there else None,
        private=there.private if there else False,
        changes=tuple(changes),
        unchanged=len(kept),
        foreign=tuple(sorted(set(remote) - untouched - kept - {ATTRIBUTES})),
        adopted=bool(ours),
        card=tuple(_card_changes(hub, repo, there, folder)),
        sdk=sdk,
        hardware=HARDWARE[assembly.space_sdk] if repo.kind == "space" else None,
        files=files,
        blobs=blobs,
    )


def _has(there: Mapping[str, RemoteFile], entry: FileEntry, blob: str | None) -> bool:
    """Return whether files on the Hub hold this one as it is here."""
    found = there.get(entry.path)
    return found is not None and found.holds(entry.bytes, entry.sha256, blob)


def _ours(hub: Hub, repo: Repo, there: RemoteRepo) -> Mapping[str, RemoteFile]:
    """Return the files as the newest publication of kit left them, or as the Hub began the repo."""
    commits = hub.commits(repo)
    if [title for _, title in commits] == [SEED]:
        return there.files
    tagged = {commit for tag, commit in hub.tags(repo).items() if tag.startswith(TAG)}
    for commit, title in commits:
        if commit in tagged or title.startswith(f"{MESSAGE} {TAG}"):
            found = hub.look(repo, commit)
            return found.files if found else {}
    return {}


def _card_changes(hub: Hub, repo: Repo, there: RemoteRepo | None, folder: Path) -> Iterable[str]:
    """Yield what changes in the card's data, key by key."""
    new = card_data((folder / "README.md").read_bytes())
    old: dict[str, Any] = {}
    if there and "README.md" in there.files:
        old = card_data(hub.read(repo, "README.md", there.head))
    for key in sorted({*old, *new}):
        if key not in old:
            yield f"+ {key}: {_short(new[key])}"
        elif key not in new:
            yield f"- {key}: {_short(old[key])}"
        elif old[key] != new[key]:
            yield f"~ {key}: {_short(old[key])} -> {_short(new[key])}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _problems(assembly: Path, plan: RepoPlan, account: Account) -> Iterable[str]:
    """Yield what would fail, each as one line that says what to do."""
    repo = plan.repo
    if not account.may_write(repo):
        yield (
            f"{repo}: the token of '{account.name}' may not write there; "
            "set owner in kit.toml, or use a token with the right to write"
        )
    if plan.hardware == "cpu-basic" and plan.state == "absent" and not account.pro:
        yield (
            f"{repo}: the Hub answers 402 to a Gradio Space on CPU of a free account; "
            'set space_sdk="static" or "zerogpu" in the recipe'
        )
    changed = {change.path for change in plan.changes}
    for path in plan.foreign:
        if path in changed or path == "README.md" or not plan.adopted:
            yield (
                f"{repo}: {path} is there and is not as kit left it; take what you need from "
                "it and remove it there, or choose another slug in the recipe"
            )
            break
    folder = assembly / plan.folder
    for entry in plan.files:
        file = folder / entry.path
        if file.is_symlink():
            yield f"{repo}: {entry.path} is a link to {file.readlink()}; put the file itself there"
        elif entry.bytes > LARGEST_FILE:
            yield f"{repo}: {entry.path} has {entry.bytes:,} bytes, over the Hub's limit of a file"
