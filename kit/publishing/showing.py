"""A plan and a publication as lines for a person."""

from __future__ import annotations

from collections.abc import Iterator

from kit.publishing.planning import CollectionPlan, Plan, RepoPlan
from kit.records import PublicationRecord

SIGNS = {"add": "+", "change": "~", "delete": "-"}
MOST_FILES = 12
SAID = {
    "create": "create, private",
    "commit": "push",
    "stage": "push to a branch",
    "check": "read back",
    "wait": "wait until it runs, ask it",
    "merge": "commit to main",
    "tidy": "remove the branch",
    "tag": "tag",
    "show": "make public",
    "collect": "list in the collection",
}


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield the plan: repos, files, card data, gates, order of work, what stands in the way."""
    yield f"plan for {plan.endpoint}, as {plan.account}, tag {plan.tag}"
    for repo in plan.repos:
        yield ""
        yield from _repo_lines(repo)
    yield ""
    if plan.collection:
        yield _collection_line(plan.collection)
        yield ""
    for verdict in plan.verdicts:
        yield f"  {'ok  ' if verdict.passed else 'FAIL'} {verdict.gate:12} {verdict.said}"
    yield ""
    if not plan.steps:
        yield "nothing to do: the Hub has it all, in public"
        return
    order = [f"{SAID[verb]} ({repo.kind})" for verb, repo in plan.steps]
    yield f"order: {'; '.join(order)}"
    for problem in plan.problems:
        yield f"in the way: {problem}"
    if not plan.problems:
        yield "nothing was sent; --rehearse does it on a Hub on this machine, --apply on this one"


def _repo_lines(plan: RepoPlan) -> Iterator[str]:
    sends = sum(change.bytes for change in plan.changes)
    becomes = {"absent": "new, public at the end", "private": "private, public at the end"}
    yield f"{plan.repo}  ({becomes.get(plan.state, 'public')}){_space(plan)}"
    for change in plan.changes[:MOST_FILES]:
        size = f"{change.bytes:>12,}" if change.action != "delete" else f"{'':>12}"
        yield f"  {SIGNS[change.action]} {size}  {change.path}"
    if len(plan.changes) > MOST_FILES:
        yield f"  and {len(plan.changes) - MOST_FILES} more files"
    yield f"  {len(plan.changes)} to change, {sends:,} bytes; {plan.unchanged} unchanged"
    if plan.foreign:
        yield f"  {len(plan.foreign)} files of others stay: {', '.join(plan.foreign[:3])}"
    for line in plan.card if plan.state != "absent" else ():
        yield f"  card  {line}"


def _collection_line(plan: CollectionPlan) -> str:
    becomes = "" if plan.exists else "  (new)"
    kinds = ", ".join(repo.kind for repo in plan.missing)
    lists = f"adds {kinds}" if kinds else "lists all"
    return f"collection {plan.owner}/{plan.title}{becomes}  {lists}"


def _space(plan: RepoPlan) -> str:
    if plan.sdk is None:
        return ""
    cost = {None: "free", "zero-a10g": "ZeroGPU: free within a quota", "cpu-basic": "paid plan"}
    return f"  [{plan.sdk}, {cost[plan.hardware]}]"


def publication_lines(record: PublicationRecord) -> Iterator[str]:
    """Yield where everything stands."""
    for repo in record.repos:
        yield f"{repo.repo_type:8} {repo.visibility:8} {repo.commit[:12]}  {repo.url}"
    yield f"tag {record.tag}; journal {record.journal}"
