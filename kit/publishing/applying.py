"""A publication, step by step: carried on after whatever cut it off, or taken back.

    publication = Publication(run.folder / "assembly", hub, journal, progress, ask)
    publication.carry_on()             # from the first step that is not done
    publication.take_back()            # everything that was started, last first

A step may be sent twice: each looks at what is there before it writes. Steps that strangers see
come last (``planning``), and are taken back first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from kit.errors import ConflictError, HubError, KitError, PassingHubError, TakenError
from kit.hub.client import MAIN, SEEDED, Hub, RemoteRepo, Repo, back_to
from kit.publishing.journal import Journal
from kit.publishing.planning import RepoPlan, Step, same
from kit.runs import Progress

RUNNING = "RUNNING"
BROKEN = {"NO_APP_FILE", "CONFIG_ERROR", "BUILD_ERROR", "RUNTIME_ERROR", "DELETING"}
ASLEEP = {"PAUSED", "STOPPED"}


@dataclass
class Publication:
    """One publication on one Hub.

    ``ask`` is called with a Space that runs: it asks it something, and raises HubError where the
    answer is not the one that is given here.
    """

    assembly: Path
    hub: Hub
    journal: Journal
    progress: Progress
    ask: Callable[[Repo], None]
    longest_build: float = 900.0
    pause: float = 2.0

    def carry_on(self) -> None:
        """Do every step that is not done; where one is refused, take everything back.

        Raises:
            HubError: it was refused, and everything is as it was before; or the Hub could not be
                reached even to take it back, and the line says what to do.
        """
        steps = self.journal.plan.steps
        try:
            for number, step in enumerate(steps):
                self.progress(f"publish: {step[0]} {step[1]}", number, len(steps))
                if step not in self.journal.done:
                    before = step in self.journal.started
                    self.journal.start(step)
                    self.journal.finish(step, self._try(step, before))
        except KitError as error:
            self._take_back_after(error)
        self.journal.close("finished")

    def take_back(self) -> None:
        """Take back what was started, last first; ends with everything as it was before."""
        self.journal.go_back()
        started = list(dict.fromkeys(self.journal.started))
        for number, step in enumerate(reversed(started)):
            self.progress(f"take back: {step[0]} {step[1]}", number, len(started))
            if step not in self.journal.undone:
                self._undo(step)
                self.journal.undo(step)
        self.journal.close("rolled back")

    def _try(self, step: Step, before: bool) -> str:
        try:
            return self._do(step, before)
        except TakenError:
            # What is there is not this publication's: taking back must not touch it.
            self.journal.undo(step)
            raise

    def _take_back_after(self, error: KitError) -> None:
        try:
            self.take_back()
        except KitError as second:
            raise HubError(
                f"{error}; taking it back failed too ({second}); no half of it is public: "
                "the same command goes on with taking it back"
            ) from error
        raise type(error)(f"{error}; everything was taken back") from error

    # -- steps

    def _do(self, step: Step, before: bool) -> str:
        """Do a step and return the commit it made; ``before`` says that it was started before."""
        verb, repo = step
        plan = self.journal.plan.repo(repo)
        if verb == "create":
            return self.hub.create(repo, plan.sdk, plan.hardware, before)
        if verb == "stage":
            self.hub.branch(repo, self._branch, str(plan.head))
            return self._commit(plan, self._branch, str(plan.head))
        if verb == "commit":
            return self._commit(plan, MAIN, self._first(plan))
        if verb == "merge":
            return self._commit(plan, MAIN, str(plan.head))
        if verb == "check":
            self._check(plan, self._made(repo))
        elif verb == "wait":
            self._wait(repo, self._made(repo))
        elif verb == "tag":
            self.hub.tag(repo, self.journal.plan.tag, self._made(repo))
        elif verb == "tidy":
            self._check(plan, self._made(repo))
            self.hub.delete_branch(repo, self._branch)
        elif verb == "show":
            self.hub.show(repo, private=False)
        return ""

    def _undo(self, step: Step) -> None:
        verb, repo = step
        plan = self.journal.plan.repo(repo)
        if verb == "show":
            self._hide(plan)
        elif verb == "tag" and plan.state != "absent":
            self.hub.delete_tag(repo, self.journal.plan.tag)
        elif verb == "merge" or (verb == "commit" and plan.state == "private"):
            self._restore(plan)
        elif verb == "stage":
            self.hub.delete_branch(repo, self._branch)
        elif verb == "create":
            self._delete(repo, created=step in self.journal.done)

    @property
    def _branch(self) -> str:
        return f"{self.journal.plan.tag}-staging"

    @property
    def _message(self) -> str:
        return f"Publish {self.journal.plan.tag}"

    def _first(self, plan: RepoPlan) -> str:
        """Return the commit that a private repo stands at before anything is pushed."""
        return plan.head or self.journal.done[("create", plan.repo)]

    def _made(self, repo: Repo) -> str:
        """Return the last commit that this publication made in a repo."""
        done = self.journal.done
        return next(done[(v, repo)] for v in ("merge", "commit", "stage") if (v, repo) in done)

    def _commit(self, plan: RepoPlan, branch: str, parent: str) -> str:
        folder = self.assembly / plan.folder
        return self.hub.commit(
            plan.repo,
            branch,
            parent,
            {c.path: folder / c.path for c in plan.changes if c.action != "delete"},
            [change.path for change in plan.changes if change.action == "delete"],
            self._message,
            lambda found: self._different(plan, found) is None,
        )

    def _check(self, plan: RepoPlan, commit: str) -> None:
        found = self.hub.look(plan.repo, commit)
        path = "the commit" if found is None else self._different(plan, found)
        if path is not None:
            raise HubError(
                f"{plan.repo}: read back, {path} is not what was sent; did it change meanwhile?"
            )

    def _different(self, plan: RepoPlan, found: RemoteRepo) -> str | None:
        """Return a path at which a repo is not as planned, None where there is none."""
        folder = self.assembly / plan.folder
        for entry in plan.files:
            if not same(folder / entry.path, entry, found.files.get(entry.path)):
                return entry.path
        gone = (c.path for c in plan.changes if c.action == "delete" and c.path in found.files)
        return next(gone, None)

    def _wait(self, space: Repo, commit: str) -> None:
        """Wait until the Space runs the commit, then ask it something."""
        waited = 0.0
        while True:
            stage, runs = self.hub.stage(space)
            if stage == RUNNING and runs in {commit, None}:
                self.ask(space)
                return
            if stage in BROKEN and runs in {commit, None}:
                raise HubError(f"{space} is in stage {stage}; {self._log(space)}")
            if stage in ASLEEP:
                raise HubError(f"{space} is in stage {stage}; restart it on its page")
            if waited >= self.longest_build:
                raise PassingHubError(
                    f"{space} is in stage {stage} after {waited:.0f} seconds; look at its page"
                )
            self.progress(f"publish: {space} is in stage {stage}", int(waited), None)
            self.hub.patience.sleep(self.pause)
            waited += self.pause

    def _log(self, space: Repo) -> str:
        said = self.hub.log(space)
        return f"its log ends with: {said}" if said else "look at its log"

    # -- taking back

    def _hide(self, plan: RepoPlan) -> None:
        if self.hub.look(plan.repo) is not None:
            self.hub.show(plan.repo, private=True)

    def _restore(self, plan: RepoPlan) -> None:
        """Put the files of before back, if the newest commit is this publication's."""
        repo, before = plan.repo, str(plan.head)
        made = {self.journal.done.get((verb, repo)) for verb in ("merge", "commit")}
        since = list(takewhile(lambda commit: commit[0] != before, self.hub.commits(repo)))
        titles = [title for _, title in since]
        if self._message not in titles and not made & {commit for commit, _ in since}:
            return
        if titles[0] == back_to(before):
            return
        if since[0][0] not in made and titles[0] != self._message:
            raise ConflictError(
                f"{repo} was changed by someone else after it was published ('{titles[0]}'); "
                "nothing was overwritten, mend it by hand"
            )
        self.hub.restore(repo, since[0][0], before)

    def _delete(self, repo: Repo, created: bool) -> None:
        """Delete a repo that this publication created."""
        found = self.hub.look(repo)
        if found is None:
            return
        if not created and (not found.private or set(found.files) - SEEDED):
            raise ConflictError(
                f"{repo} is there, and it is not certain that this publication created it; "
                "look at it, and delete it by hand if it is yours"
            )
        self.hub.delete(repo)
