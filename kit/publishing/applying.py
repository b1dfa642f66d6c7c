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
from pathlib import Path

from kit.errors import HubError, InputError, KitError, PassingHubError, RunError, TakenError
from kit.files import sha256
from kit.hub.client import Hub
from kit.hub.remote import ATTRIBUTES, MAIN, Repo
from kit.publishing.journal import Journal
from kit.publishing.planning import MESSAGE, RepoPlan, Step
from kit.publishing.reverting import Reverting
from kit.runs import Progress

RUNNING = "RUNNING"
BROKEN = {"NO_APP_FILE", "CONFIG_ERROR", "BUILD_ERROR", "RUNTIME_ERROR", "DELETING"}
ASLEEP = {"PAUSED", "STOPPED", "SLEEPING"}


@dataclass
class Publication:
    """One publication on one Hub.

    ``ask`` is called with a Space that runs: it asks it something, and raises HubError where the
    answer is not the one that is given here. It is asked again for ``settling`` seconds.
    """

    assembly: Path
    hub: Hub
    journal: Journal
    progress: Progress
    ask: Callable[[Repo], None]
    longest_build: float = 900.0
    settling: float = 60.0
    pause: float = 2.0

    def carry_on(self) -> None:
        """Do every step that is not done; where one is refused, take everything back.

        Raises:
            RunError: a file is not what it was when this was planned; nothing was sent.
            HubError: it was refused, and everything is as it was before; or the Hub could not be
                reached even to take it back, and the line says what to do.
        """
        self._same_files()
        steps = self.journal.plan.steps
        try:
            for number, step in enumerate(steps):
                self.progress(f"publish: {step[0]} {step[1]}", number, len(steps))
                if step not in self.journal.done:
                    self._send(step)
        except KitError as error:
            self._take_back_after(error)
        except OSError as error:
            self._take_back_after(InputError(f"a file could not be read or written: {error}"))
        self.journal.close("finished")

    def _send(self, step: Step) -> None:
        before = step in self.journal.started
        self.journal.start(step)
        try:
            self.journal.finish(step, self._do(step, before))
        except TakenError:
            self.journal.refuse(step)
            raise

    def take_back(self) -> None:
        """Take back what was started, last first; ends with everything as it was before.

        Raises:
            ConflictError: someone else changed a repo since, so that nothing was taken back.
        """
        Reverting(self.hub, self.journal, self.progress).run()

    def _take_back_after(self, error: KitError) -> None:
        try:
            self.take_back()
        except (KitError, OSError) as second:
            raise HubError(
                f"{error}; taking it back failed too ({second}); the same command goes on with it"
            ) from error
        raise type(error)(f"{error}; everything was taken back") from error

    def _same_files(self) -> None:
        """Hash every file again: what is sent after a pause must be what was planned before it."""
        for plan in self.journal.plan.repos:
            for entry in plan.files:
                path = self.assembly / plan.folder / entry.path
                if not path.is_file() or sha256(path) != entry.sha256:
                    raise RunError(
                        f"{plan.folder}/{entry.path} is not what it was when this was planned; "
                        "`kit assemble` makes it again, or take the publication back with --undo"
                    )

    # -- steps

    def _do(self, step: Step, before: bool) -> str:
        """Do a step and return the commit it made; ``before`` says that it was started before."""
        verb, repo = step
        plan = self.journal.plan.repo(repo)
        if verb == "create":
            return self.hub.create(repo, plan.sdk, plan.hardware, before)
        if verb == "stage":
            self.hub.branch(repo, self.journal.branch, str(plan.head))
            return self._commit(plan, self.journal.branch, str(plan.head))
        if verb == "commit":
            return self._commit(plan, MAIN, self._first(plan))
        if verb == "merge":
            return self._commit(plan, MAIN, str(plan.head))
        if verb == "check":
            self._check(plan)
        elif verb == "wait":
            self._wait(repo, self.journal.made(repo))
        elif verb == "tag":
            self.hub.tag(repo, self.journal.plan.tag, self.journal.made(repo))
        elif verb == "tidy":
            self._check(plan)
            self.hub.delete_branch(repo, self.journal.branch)
        elif verb == "show":
            self.hub.show(repo, private=False)
        elif verb == "collect" and self.journal.plan.collection:
            listed = self.journal.plan.collection
            self.hub.collect(listed.owner, listed.title, repo)
        return ""

    def _first(self, plan: RepoPlan) -> str:
        """Return the commit that a private repo stands at before anything is pushed."""
        return plan.head or self.journal.done[("create", plan.repo)]

    def _commit(self, plan: RepoPlan, branch: str, parent: str) -> str:
        folder = self.assembly / plan.folder
        return self.hub.commit(
            plan.repo,
            branch,
            parent,
            {c.path: folder / c.path for c in plan.changes if c.action != "delete"},
            self._gone(plan, parent),
            f"{MESSAGE} {self.journal.plan.tag}",
        )

    def _gone(self, plan: RepoPlan, parent: str) -> list[str]:
        """Return what the commit removes; from a new repo all that the Hub put there."""
        if plan.state != "absent":
            return [change.path for change in plan.changes if change.action == "delete"]
        found = self.hub.look(plan.repo, parent)
        seeds = set(found.files) if found else set()
        return sorted(seeds - {entry.path for entry in plan.files} - {ATTRIBUTES})

    def _check(self, plan: RepoPlan) -> None:
        found = self.hub.look(plan.repo, self.journal.made(plan.repo))
        path = "the commit" if found is None else plan.different(found.files)
        if path is not None:
            raise HubError(
                f"{plan.repo}: read back, {path} is not what was planned; did the file change, "
                "or does a .gitignore there leave it out?"
            )

    def _wait(self, space: Repo, commit: str) -> None:
        """Wait until the Space runs the commit and answers as measured."""
        waited = asked = 0.0
        while waited < self.longest_build:
            stage, runs = self.hub.stage(space)
            if stage == RUNNING and runs in {commit, None}:
                try:
                    return self.ask(space)
                except HubError:
                    # The app that ran before may answer for a moment still.
                    if asked >= self.settling:
                        raise
                    asked += self.pause
            elif stage in BROKEN and runs in {commit, None}:
                raise HubError(f"{space} is in stage {stage}; {self._log(space, stage)}")
            elif stage in ASLEEP:
                raise HubError(f"{space} is in stage {stage}; restart it on its page")
            self.progress(f"publish: {space} is in stage {stage}", int(waited), None)
            self.hub.patience.sleep(self.pause)
            waited += self.pause
        raise PassingHubError(f"{space} did not come up in {waited:.0f} seconds; look at its page")

    def _log(self, space: Repo, stage: str) -> str:
        said = self.hub.log(space, build=stage == "BUILD_ERROR")
        return f"its log ends with: {said}" if said else "look at its log"
