"""Taking a publication back: what was started, last first, and nothing of anybody else.

    Reverting(hub, journal, progress).run()

Before anything is touched, every repo is asked one question: is what stands on top there this
publication's? Where somebody else's commit, branch or pull request came after it, nothing at all
is taken back: half of a publication is worse than either whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kit.errors import ConflictError
from kit.hub.client import Hub, back_to
from kit.hub.remote import RemoteRepo, Repo
from kit.publishing.journal import Journal
from kit.publishing.planning import MESSAGE, RepoPlan, Step
from kit.runs import Progress


@dataclass
class Reverting:
    """One publication on its way back."""

    hub: Hub
    journal: Journal
    progress: Progress
    left: set[Repo] = field(default_factory=set)
    """Repos that this publication cannot be sure to have made: not touched."""

    def run(self) -> None:
        """Take back every step that was started.

        Raises:
            ConflictError: someone else changed a repo since; nothing was taken back.
        """
        started = self.journal.started
        for plan in self.journal.plan.repos:
            verbs = {verb for verb, repo in started if repo == plan.repo}
            if verbs - {verb for verb, repo in self.journal.undone if repo == plan.repo}:
                self._may_be_taken_back(plan, "create" in verbs)
        self.journal.go_back()
        for number, step in enumerate(reversed(started)):
            self.progress(f"take back: {step[0]} {step[1]}", number, len(started))
            if step not in self.journal.undone:
                if step[1] not in self.left:
                    self._undo(step)
                self.journal.undo(step)
        self.journal.close("rolled back")

    def _may_be_taken_back(self, plan: RepoPlan, created: bool) -> None:
        """Refuse where taking back would take somebody else's work."""
        repo, found = plan.repo, self.hub.look(plan.repo)
        if found is None:
            return
        since = self._since(plan)
        made = {commit for (_, where), commit in self.journal.done.items() if where == repo}
        if created and ("create", repo) not in self.journal.done:
            if not found.private or len(since) > 1:
                self.left.add(repo)
                return
            made.add(since[-1][0])
        own = {back_to(str(plan.head)), self._message}
        ours = [title for commit, title in since if commit in made or title in own]
        strange = [title for commit, title in since if commit not in made and title not in own]
        if strange and self._as_published(plan, found):
            strange = []
        if created:
            strange += self.hub.others(repo)
        # Without a commit of ours on main there is nothing there to take back.
        if strange and ours:
            self._refuse(repo, strange[0])

    def _refuse(self, repo: Repo, what: str) -> None:
        raise ConflictError(
            f"nothing was taken back: {repo} was changed by someone else after it was published "
            f"('{what}'); keep what is theirs, remove it there, then --undo again"
        )

    def _since(self, plan: RepoPlan) -> list[tuple[str, str]]:
        """Return the commits after the one that the plan was made on, all for a new repo."""
        found = []
        for commit, title in self.hub.commits(plan.repo):
            if commit == plan.head:
                break
            found.append((commit, title))
        return found

    def _undo(self, step: Step) -> None:
        verb, repo = step
        plan = self.journal.plan.repo(repo)
        if self.hub.look(repo) is None:
            return
        if verb == "show":
            self.hub.show(repo, private=True)
        elif verb == "collect" and self.journal.plan.collection:
            listed = self.journal.plan.collection
            self.hub.uncollect(listed.owner, listed.title, repo, made=not listed.exists)
        elif verb == "tag" and plan.state != "absent":
            self._untag(repo)
        elif verb == "merge" or (verb == "commit" and plan.state == "private"):
            self._restore(plan)
        elif verb == "stage":
            self.hub.delete_branch(repo, self.journal.branch)
        elif verb == "create":
            self.hub.delete(repo)

    def _untag(self, repo: Repo) -> None:
        tag = self.journal.plan.tag
        if self.hub.tags(repo).get(tag) == self.journal.made(repo):
            self.hub.delete_tag(repo, tag)

    def _restore(self, plan: RepoPlan) -> None:
        """Put the files of before back, where a commit of this publication is on top."""
        since, found = self._since(plan), self.hub.look(plan.repo)
        if found is None or self._message not in {title for _, title in since}:
            return
        if since[0][1] == self._message or self._as_published(plan, found):
            self.hub.restore(plan.repo, since[0][0], str(plan.head))

    @property
    def _message(self) -> str:
        return f"{MESSAGE} {self.journal.plan.tag}"

    def _as_published(self, plan: RepoPlan, found: RemoteRepo) -> bool:
        """Return whether a repo's files are again those of this publication's last commit.

        A later publication that was itself taken back leaves them so, with commits on top.
        """
        made = self.journal.made(plan.repo)
        mine = self.hub.look(plan.repo, made) if made != str(plan.head) else None
        return mine is not None and mine.files == found.files
