"""A rehearsal: publish to a Hub on this machine, and let strangers try what came of it.

    report = rehearse(run, progress)
    report.held          # everything that could be looked at is as it should be

The same code publishes here and there; only the address differs. What a rehearsal cannot prove is
said in ``NOT_PROVED``.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.hub.client import Hub
from kit.publishing.planning import Plan, RepoPlan, make_plan
from kit.publishing.publishing import publish
from kit.publishing.strangers import (
    Finding,
    download,
    found_by,
    open_gradio,
    open_page,
    paste_snippets,
)
from kit.records import Answer, ExportRecord, PublicationRecord
from kit.runs import Progress, Run, publications

if TYPE_CHECKING:
    from kit.hub.rehearsal.serving import Hub as Server

NOT_PROVED = (
    "Not proved by a rehearsal: your token's rights and quotas on the real Hub, its build of a "
    "Gradio Space, ZeroGPU, moderation."
)


@dataclass(frozen=True)
class Report:
    """What was published to the Hub on loopback and what strangers found there."""

    publication: PublicationRecord
    findings: tuple[Finding, ...]
    folder: str
    seconds: float

    @property
    def held(self) -> bool:
        """Whether nothing that was looked at was wrong."""
        return all(finding.held is not False for finding in self.findings)

    def document(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        found = asdict(self) | {"publication": self.publication.model_dump(mode="json")}
        return {**found, "held": self.held}


def rehearse(run: Run, progress: Progress) -> Report:
    """Publish a run to a fresh Hub on loopback, let strangers try it, and take the Hub down.

    Raises:
        GateError, HubError: the publication was refused, as it would be on the Hub.
    """
    from kit.hub.rehearsal.accounts import Account
    from kit.hub.rehearsal.serving import Hub as Server

    start = time.perf_counter()
    folder = run.project.build / "rehearsal" / run.recipe.name
    shutil.rmtree(folder, ignore_errors=True)
    with Server(folder, accounts=[Account(run.project.owner, is_pro=True)]) as server:
        report = _rehearse(run, server, folder, progress)
    return Report(report[0], report[1], folder.as_posix(), time.perf_counter() - start)


def _rehearse(
    run: Run, server: Server, folder: Path, progress: Progress
) -> tuple[PublicationRecord, tuple[Finding, ...]]:
    hub = Hub(server.url, server.token())
    plan = make_plan(run, hub)
    try:
        record = publish(run, hub, progress)
        return record, tuple(_strangers(run, hub, plan, progress))
    finally:
        # The journal of a Hub that is gone would be one that nobody can carry on.
        shutil.rmtree(publications(run.project, run.recipe.name, hub.endpoint), ignore_errors=True)


def _strangers(run: Run, hub: Hub, plan: Plan, progress: Progress) -> Iterator[Finding]:
    anyone = Hub(hub.endpoint, None)
    assembly = run.folder / "assembly"
    for repo in plan.repos:
        progress(f"rehearse: download {repo.repo}", 0, None)
        yield found_by(f"download {repo.repo}", partial(download, anyone, repo))
    for repo in plan.repos[:2]:
        progress(f"rehearse: the snippets of {repo.repo}", 0, None)
        card = assembly / repo.folder / "README.md"
        yield found_by(f"snippets of {repo.repo}", partial(paste_snippets, anyone, card))
    space = plan.repos[-1]
    samples = ExportRecord.load(run.folder / "export.json").samples
    if not samples:
        yield Finding(f"open {space.repo}", None, "the recipe has no sample to ask")
        return
    progress(f"rehearse: open {space.repo}", 0, None)
    yield _opened(anyone, space, samples[0])


def _opened(anyone: Hub, space: RepoPlan, sample: Answer) -> Finding:
    what = f"open {space.repo}"
    if space.sdk == "gradio":
        return found_by(what, lambda: open_gradio(anyone, space, sample))
    finding = found_by(what, lambda: open_page(anyone, space, sample) or "")
    if finding.held and not finding.said:
        return Finding(what, None, "no chromium, or no playwright: not looked at")
    return finding


def report_lines(report: Report) -> Iterator[str]:
    """Yield what was found, and how to look at it again."""
    signs = {True: "ok  ", False: "FAIL", None: "    "}
    for finding in report.findings:
        yield f"  {signs[finding.held]} {finding.what}: {finding.said}"
    verdict = "it holds" if report.held else "it does not hold"
    yield f"rehearsed in {report.seconds:.0f} s: {verdict}"
    yield f"look at the pages: kit hub serve --folder {report.folder}"
    yield NOT_PROVED
