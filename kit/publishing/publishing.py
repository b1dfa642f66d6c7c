"""Publish a run's repos as one unit, or take them back.

    hub = open_hub()
    make_plan(run, hub)                # what would be done; sends no write
    publish(run, hub, progress)        # does it; writes publication.json
    undo(run, hub, progress)           # back to what was there before

The journal lies in ``runs/<recipe>/publication/<host>/``, so that a run made anew in between still
finds what an earlier one left unfinished.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kit.errors import GateError, HubError, RunError
from kit.hub.client import Hub
from kit.hub.remote import Repo
from kit.publishing.applying import Publication
from kit.publishing.asking import ask_space
from kit.publishing.journal import Journal, last_journal, new_journal
from kit.publishing.planning import Plan, make_plan
from kit.records import PUBLICATION, AssemblyRecord, PublicationRecord, PublishedRepo
from kit.runs import Progress, Run, publications


def publish(run: Run, hub: Hub, progress: Progress) -> PublicationRecord:
    """Do what the plan says, or go on with what was cut off; return what stands on the Hub.

    Raises:
        GateError: a gate or a right is missing; nothing was sent.
        HubError: it failed; the line says whether everything was taken back.
    """
    with _locked(run, hub) as folder:
        journal = last_journal(folder)
        if journal is not None and journal.end == "finished":
            # Killed between the last step and its record: that is made up for first.
            record = _record(run, journal)
            record.save(folder / PUBLICATION)
        if journal is None or journal.end == "finished":
            plan = make_plan(run, hub)
            _refuse(plan)
            if journal is not None and not plan.steps:
                return PublicationRecord.load(folder / PUBLICATION)
            journal = new_journal(folder, plan)
        publication = _publication(run, hub, journal, progress)
        if journal.going_back:
            publication.take_back()
            raise HubError("an earlier publication was being taken back; that is done, run again")
        _same_assembly(run, journal)
        publication.carry_on()
        record = _record(run, journal)
        record.save(folder / PUBLICATION)
        return record


def undo(run: Run, hub: Hub, progress: Progress) -> Plan:
    """Take the last publication back, finished or not; return its plan.

    Raises:
        RunError: there is none.
        HubError: the Hub refused; what was not taken back stays in the journal.
    """
    with _locked(run, hub) as folder:
        journal = last_journal(folder)
        if journal is None:
            raise RunError(
                f"expected a publication of {run.recipe.name} on {hub.endpoint}, found none to undo"
            )
        accepted = _accepted(run, journal.plan)
        _publication(run, hub, journal, progress).take_back()
        before = last_journal(folder)
        if before is None:
            (folder / PUBLICATION).unlink(missing_ok=True)
        else:
            _record(run, before).save(folder / PUBLICATION)
        if accepted is not None:
            accepted.unlink()
        return journal.plan


def _accepted(run: Run, plan: Plan) -> Path | None:
    """Return the accepted record of what a plan published: from it the site links what is there."""
    path = run.recipe.folder / "results" / PUBLICATION
    record = PublicationRecord.load(path) if path.is_file() else None
    same = record is not None and (record.endpoint, record.tag) == (plan.endpoint, plan.tag)
    return path if same else None


def _publication(run: Run, hub: Hub, journal: Journal, progress: Progress) -> Publication:
    def ask(space: Repo) -> None:
        ask_space(run, hub, space)

    return Publication(run.folder / "assembly", hub, journal, progress, ask)


def _refuse(plan: Plan) -> None:
    if plan.problems:
        others = len(plan.problems) - 1
        more = f" (and {others} more; `kit publish` shows all)" if others else ""
        raise GateError(f"nothing was sent: {plan.problems[0]}{more}")


def _same_assembly(run: Run, journal: Journal) -> None:
    found = AssemblyRecord.load(run.folder / "assembly.json").digest
    if found != journal.plan.assembly:
        raise RunError(
            f"an unfinished publication ({journal.plan.tag}) holds other files than this run; "
            f"`kit publish {run.recipe.name} --undo` takes it back"
        )


def _record(run: Run, journal: Journal) -> PublicationRecord:
    """Return what a finished journal says was made."""
    plan = journal.plan
    assembly = AssemblyRecord.load(run.folder / "assembly.json")
    return PublicationRecord(
        inputs=plan.assembly,
        endpoint=plan.endpoint,
        tag=plan.tag,
        assembly=plan.assembly,
        model_id=assembly.model_id if assembly.digest == plan.assembly else "",
        repos=tuple(
            PublishedRepo(
                repo_type=each.repo.kind,
                repo_id=each.repo.id,
                url=each.repo.url(plan.endpoint),
                commit=journal.made(each.repo),
                before=each.head,
                visibility="public",
            )
            for each in plan.repos
        ),
        journal=journal.path.relative_to(run.project.root).as_posix(),
    )


@contextmanager
def _locked(run: Run, hub: Hub) -> Iterator[Path]:
    """Hold the publication's folder against other processes."""
    import filelock

    folder = publications(run.project, run.recipe.name, hub.endpoint)
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise RunError(
            f"another process publishes {run.recipe.name} to {hub.endpoint}; wait for it"
        ) from error
    try:
        yield folder
    finally:
        lock.release()
