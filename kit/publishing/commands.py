"""What ``kit publish`` does by its option: each returns a JSON value and lines for a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kit.errors import GateError
from kit.hub.client import open_hub
from kit.publishing.planning import make_plan
from kit.publishing.publishing import publish, undo
from kit.publishing.rehearsing import rehearse, report_lines
from kit.publishing.showing import plan_lines, publication_lines
from kit.publishing.verifying import verify
from kit.runs import Progress, Run

Said = tuple[Any, list[str]]


def show_plan(run: Run, progress: Progress) -> Said:
    """Compute and show the plan; nothing is sent."""
    progress("plan", 0, None)
    plan = make_plan(run, open_hub())
    return plan.document(), list(plan_lines(plan))


def apply(run: Run, progress: Progress) -> Said:
    """Publish to the Hub of HF_ENDPOINT."""
    record = publish(run, open_hub(), progress)
    return record.model_dump(mode="json"), list(publication_lines(record))


def take_back(run: Run, progress: Progress) -> Said:
    """Undo the last publication."""
    plan = undo(run, open_hub(), progress)
    repos = [str(repo.repo) for repo in plan.repos]
    return {"undone": plan.tag, "repos": repos}, [f"{repo} is as it was before" for repo in repos]


def try_here(run: Run, progress: Progress) -> Said:
    """Publish to a Hub on loopback and let strangers try it.

    Raises:
        GateError: what a stranger found was not as it should be.
    """
    report = rehearse(run, progress)
    if not report.held:
        wrong = next(finding for finding in report.findings if finding.held is False)
        raise GateError(f"the rehearsal failed: {wrong.what}: {wrong.said}")
    return report.document(), list(report_lines(report))


def check_claims(target: str, progress: Progress) -> Said:
    """Check what a published model's page claims.

    Raises:
        GateError: a claim does not hold.
    """
    claims = verify(target, progress, open_hub())
    wrong = [claim for claim in claims if not claim.held]
    if wrong:
        raise GateError(f"{target}: {wrong[0].what}: {wrong[0].said}")
    lines = [f"  holds  {claim.what}: {claim.said}" for claim in claims]
    return [claim.document() for claim in claims], lines


COMMANDS: dict[str, Callable[[Run, Progress], Said]] = {
    "plan": show_plan,
    "apply": apply,
    "undo": take_back,
    "rehearse": try_here,
}
