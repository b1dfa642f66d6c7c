"""The Hub as a publication needs it: the only module that writes there.

    hub = Hub("https://huggingface.co", token)
    found = hub.look(Repo("model", "you/sentiment-minilm"))       # None, or head, files, visibility

It is huggingface_hub underneath. Three things are added. A request that was refused for a passing
reason (429, 5xx, a broken or silent connection) is sent again after a pause. A write that may have
landed before its connection broke is looked for before it is sent again. And every failure becomes
one line that says which repo, what the Hub said and what to do; a token is never part of it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kit.errors import ConflictError, HubError, TakenError
from kit.hub.answers import Patience, refusal, translated
from kit.hub.remote import (
    ENDPOINT,
    MAIN,
    Account,
    RemoteCollection,
    RemoteRepo,
    Repo,
    remote_file,
    scopes,
)
from kit.records import RepoStats


class Hub:
    """A Hub and an account on it.

    Every method raises HubError in one line; ConflictError where somebody else changed the repo;
    PassingHubError when the Hub did not answer well for as long as ``patience`` lasts.
    """

    def __init__(self, endpoint: str, token: str | None, patience: Patience | None = None) -> None:
        from huggingface_hub import HfApi, set_client_factory
        from huggingface_hub.utils._http import default_client_factory
        from huggingface_hub.utils.tqdm import disable_progress_bars

        if "@" in endpoint:
            raise HubError("expected an address of a Hub without a name or password in it")
        self.endpoint = endpoint.rstrip("/")
        self.patience = patience or Patience()
        self._api = HfApi(endpoint=self.endpoint, token=token or False)
        self.token = token
        disable_progress_bars()
        # Its warnings print addresses that are signed.
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)

        # The library's own client waits for ever.
        def client() -> Any:
            made = default_client_factory()
            made.timeout = self.patience.timeout
            return made

        set_client_factory(client)

    # -- reading

    def account(self) -> Account:
        """Return whose token this is."""
        if not self.token:
            raise HubError(
                f"expected a token with the right to write at {self.endpoint}, found none; "
                "`hf auth login`, or set HF_TOKEN"
            )
        said = self.patience.send("who the token belongs to", lambda: self._api.whoami(self.token))
        token = (said.get("auth") or {}).get("accessToken") or {}
        fine = token.get("fineGrained")
        return Account(
            name=said["name"],
            writes=token.get("role") in {"write", "fineGrained"},
            pro=bool(said.get("isPro")),
            organizations={
                org["name"]: org.get("roleInOrg", "read") for org in said.get("orgs") or []
            },
            scopes=None if token.get("role") != "fineGrained" else scopes(fine or {}),
        )

    def look(self, repo: Repo, revision: str | None = None) -> RemoteRepo | None:
        """Return the repo at a revision, ``main`` if None; None where there is no such thing."""
        from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

        def ask() -> RemoteRepo | None:
            try:
                info = self._api.repo_info(repo.id, repo_type=repo.kind, revision=revision)
                found = self._api.list_repo_tree(
                    repo.id, repo_type=repo.kind, revision=info.sha, recursive=True
                )
                files = {item.path: remote_file(item) for item in found if hasattr(item, "blob_id")}
            except (RepositoryNotFoundError, RevisionNotFoundError) as error:
                self._absent(error, f"{repo} was read")
                return None
            sdk = getattr(info, "sdk", None)
            return RemoteRepo(str(info.sha), bool(info.private), files, sdk)

        return self.patience.send(f"{repo} was read", ask)

    def stats(self, repo: Repo) -> RepoStats | None:
        """Return how a repo is received; None where there is none that the token may see."""
        from huggingface_hub.errors import RepositoryNotFoundError

        def ask() -> RepoStats | None:
            try:
                info: Any = self._api.repo_info(repo.id, repo_type=repo.kind)
            except RepositoryNotFoundError as error:
                self._absent(error, f"{repo} was read")
                return None
            return RepoStats(
                repo_type=repo.kind,
                repo_id=repo.id,
                downloads=None if repo.kind == "space" else info.downloads or 0,
                likes=info.likes or 0,
                stage=info.runtime.stage if repo.kind == "space" and info.runtime else None,
            )

        return self.patience.send(f"{repo} was read", ask)

    def read(self, repo: Repo, path: str, revision: str) -> bytes:
        """Return a file's bytes; for small ones."""
        from huggingface_hub import hf_hub_url

        url = hf_hub_url(
            repo.id, path, repo_type=repo.kind, revision=revision, endpoint=self.endpoint
        )
        found = self.patience.send(f"{path} of {repo} was read", lambda: self._get(url, self.token))
        return bytes(found.content)

    def get(self, url: str, private: bool) -> bytes | None:
        """Return what a Space serves at an address; None where it shows itself to nobody yet.

        Only a private one is sent the token: a public one need not see anybody's.
        """
        from huggingface_hub.errors import HfHubHTTPError

        def ask() -> bytes | None:
            try:
                return bytes(self._get(url, self.token if private else None).content)
            except HfHubHTTPError as error:
                if error.response.status_code in {401, 403, 404}:
                    return None
                raise

        return self.patience.send(f"{url} was read", ask)

    def _get(self, url: str, token: str | None) -> Any:
        from huggingface_hub import get_session
        from huggingface_hub.utils._http import hf_raise_for_status

        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = get_session().get(url, headers=headers)
        hf_raise_for_status(answer)
        return answer

    def download(self, repo: Repo, revision: str, folder: Path) -> Path:
        """Download a repo at a revision into a folder; return it."""
        from huggingface_hub import snapshot_download

        def ask() -> Path:
            place = snapshot_download(
                repo.id,
                repo_type=repo.kind,
                revision=revision,
                endpoint=self.endpoint,
                token=self.token or False,
                local_dir=folder,
            )
            return Path(place)

        return self.patience.send(f"{repo} was downloaded", ask)

    def tags(self, repo: Repo) -> dict[str, str]:
        """Return the commit that each tag names."""
        return {tag.name: tag.target_commit for tag in self._refs(repo).tags}

    def others(self, repo: Repo) -> list[str]:
        """Return the branches besides ``main``, and the pull requests."""
        refs = self._refs(repo)
        found = [*refs.branches, *(refs.pull_requests or [])]
        return [ref.name for ref in found if ref.name != MAIN]

    def _refs(self, repo: Repo) -> Any:
        return self.patience.send(
            f"the tags of {repo} were read",
            lambda: self._api.list_repo_refs(
                repo.id, repo_type=repo.kind, include_pull_requests=True
            ),
        )

    def commits(self, repo: Repo, branch: str = MAIN) -> list[tuple[str, str]]:
        """Return id and title of each commit of a branch, newest first."""
        found = self.patience.send(
            f"the commits of {repo} were read",
            lambda: self._api.list_repo_commits(repo.id, repo_type=repo.kind, revision=branch),
        )
        return [(commit.commit_id, commit.title) for commit in found]

    def collection(self, owner: str, title: str) -> RemoteCollection | None:
        """Return an account's collection of that title; None where there is none."""

        def ask() -> RemoteCollection | None:
            for found in self._api.list_collections(owner=owner):
                if found.title == title:
                    # A list shows the first few items only.
                    items = self._api.get_collection(found.slug).items
                    ids = {(item.item_type, item.item_id): item.item_object_id for item in items}
                    return RemoteCollection(found.slug, ids)
            return None

        return self.patience.send(f"the collections of {owner} were read", ask)

    def address(self, space: Repo) -> str | None:
        """Return where a Space's app is served, None where the Hub does not say."""
        info = self.patience.send(f"{space} was read", lambda: self._api.space_info(space.id))
        return getattr(info, "host", None)

    def stage(self, repo: Repo) -> tuple[str, str | None]:
        """Return a Space's stage, and the commit that runs where the Hub says it."""
        runtime = self.patience.send(
            f"the stage of {repo} was read", lambda: self._api.get_space_runtime(repo.id)
        )
        return str(runtime.stage), runtime.raw.get("sha")

    def log(self, space: Repo, build: bool, lines: int = 3) -> str:
        """Return the last lines of a Space's log in one line, empty where there is none to read.

        ``build`` asks for the log of its build, not of its run.
        """
        try:
            found = translated(
                f"the log of {space} was read",
                lambda: list(self._api.fetch_space_logs(space.id, build=build))[-lines:],
            )
        except HubError:
            return ""
        return " ".join(" ".join(found).split())[-300:]

    # -- writing

    def create(self, repo: Repo, sdk: str | None, hardware: Any, started: bool) -> str:
        """Create a private repo; return its first commit.

        ``started`` says that this publication asked for it before and may have been heard: a
        private repo of one commit, the Hub's own, is then the one that was asked for.
        """
        from huggingface_hub.errors import HfHubHTTPError

        asked = started

        def ask() -> str:
            nonlocal asked
            found = self.look(repo) if asked else None
            if found is not None:
                if not found.private or len(self.commits(repo)) > 1:
                    raise TakenError(
                        f"{repo} appeared while it was published; look at it, then plan again"
                    )
                return found.head
            first, asked = not asked, True
            try:
                self._create(repo, sdk, hardware)
            except HfHubHTTPError as error:
                if first and error.response.status_code == 409:
                    raise TakenError(
                        f"{repo} is there already, and was not when this was planned; "
                        "look at it, then plan again"
                    ) from error
                raise
            made = self.look(repo)
            if made is None:
                raise HubError(f"{repo} was created and is not there; look at the Hub")
            return made.head

        return self.patience.send(f"{repo} was created", ask)

    def _create(self, repo: Repo, sdk: str | None, hardware: Any) -> None:
        self._api.create_repo(
            repo.id,
            repo_type=repo.kind,
            visibility="private",
            space_sdk=sdk if repo.kind == "space" else None,
            space_hardware=hardware if repo.kind == "space" else None,
        )

    def commit(
        self,
        repo: Repo,
        branch: str,
        parent: str,
        put: Mapping[str, Path],
        deleted: Sequence[str],
        message: str,
    ) -> str:
        """Commit files as one commit on a known parent; return its id.

        Where the branch stands one commit further and that commit has this message, it landed
        before its answer was lost.

        Args:
            repo: the repo.
            branch: the branch, which must stand at ``parent``.
            parent: 40 hex digits.
            put: the files to write, path in the repo to path here.
            deleted: paths to remove.
            message: one line, which no other commit has.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        def send() -> Any:
            operations: list[Any] = [
                CommitOperationAdd(path_in_repo=path, path_or_fileobj=str(file))
                for path, file in sorted(put.items())
            ]
            operations += [CommitOperationDelete(path_in_repo=path) for path in deleted]
            return self._api.create_commit(
                repo.id,
                operations,
                repo_type=repo.kind,
                revision=branch,
                parent_commit=parent,
                commit_message=message,
            )

        return self._commit(repo, branch, parent, send, message)

    def restore(self, repo: Repo, parent: str, previous: str) -> str:
        """Commit the files of an earlier commit on top of ``parent``; return the new commit."""
        from huggingface_hub import CommitOperationCopy, CommitOperationDelete

        before, now = self.look(repo, previous), self.look(repo, parent)
        if before is None or now is None:
            raise HubError(f"{repo} has no commit {previous[:12]} any more; mend it by hand")
        files = before.files

        def send() -> Any:
            operations: list[Any] = [
                CommitOperationCopy(path, path, src_revision=previous)
                for path, file in sorted(files.items())
                if now.files.get(path) != file
            ]
            operations += [
                CommitOperationDelete(path_in_repo=path)
                for path in sorted(now.files)
                if path not in files
            ]
            return self._api.create_commit(
                repo.id,
                operations,
                repo_type=repo.kind,
                revision=MAIN,
                parent_commit=parent,
                commit_message=back_to(previous),
            )

        if before.files == now.files:
            return now.head
        return self._commit(repo, MAIN, parent, send, back_to(previous))

    def branch(self, repo: Repo, name: str, start: str) -> None:
        """Create a branch at a commit; one of that name is taken as it stands."""
        self.patience.send(
            f"branch {name} of {repo} was made",
            lambda: self._api.create_branch(
                repo.id, branch=name, revision=start, repo_type=repo.kind, exist_ok=True
            ),
        )

    def delete_branch(self, repo: Repo, name: str) -> None:
        """Remove a branch, if it is there."""
        self._without(
            f"branch {name} of {repo} was removed",
            lambda: self._api.delete_branch(repo.id, branch=name, repo_type=repo.kind),
        )

    def tag(self, repo: Repo, name: str, commit: str) -> None:
        """Tag a commit; a tag that already names it is fine."""

        def ask() -> None:
            self._api.create_tag(
                repo.id, tag=name, revision=commit, repo_type=repo.kind, exist_ok=True
            )
            found = self.tags(repo).get(name)
            if found != commit:
                raise ConflictError(
                    f"tag {name} of {repo} names {str(found)[:12]}, not {commit[:12]}; remove it"
                )

        self.patience.send(f"{repo} was tagged", ask)

    def delete_tag(self, repo: Repo, name: str) -> None:
        """Remove a tag, if it is there."""
        self._without(
            f"tag {name} of {repo} was removed",
            lambda: self._api.delete_tag(repo.id, tag=name, repo_type=repo.kind),
        )

    def show(self, repo: Repo, private: bool) -> None:
        """Make a repo private or public."""
        self.patience.send(
            f"{repo} was made {'private' if private else 'public'}",
            lambda: self._api.update_repo_settings(
                repo.id,
                repo_type=repo.kind,
                visibility="private" if private else "public",
            ),
        )

    def delete(self, repo: Repo) -> None:
        """Delete a repo, if it is there."""
        self.patience.send(
            f"{repo} was deleted",
            lambda: self._api.delete_repo(repo.id, repo_type=repo.kind, missing_ok=True),
        )

    def collect(self, owner: str, title: str, repo: Repo) -> None:
        """Put a repo into an account's collection of that title, made if there is none."""

        def ask() -> None:
            found = self.collection(owner, title)
            # Where somebody made it in between, the Hub refuses, and so does this.
            slug = found.slug if found else self._api.create_collection(title, namespace=owner).slug
            made = self._api.add_collection_item(slug, repo.id, repo.kind, exists_ok=True)
            # The library takes any 409 for "it is in there already".
            if (repo.kind, repo.id) not in {(i.item_type, i.item_id) for i in made.items}:
                raise ConflictError(f"the Hub refused to list {repo} in '{title}'; plan again")

        self.patience.send(f"{repo} was put into the collection '{title}'", ask)

    def uncollect(self, owner: str, title: str, repo: Repo, made: bool) -> None:
        """Take a repo out of a collection; where ``made`` and nothing is left, delete that."""

        def ask() -> None:
            found = self.collection(owner, title)
            if found is None:
                return
            item = (repo.kind, repo.id)
            if item in found.items:
                self._api.delete_collection_item(found.slug, found.items[item], missing_ok=True)
            if made and not set(found.items) - {item}:
                self._api.delete_collection(found.slug, missing_ok=True)

        self.patience.send(f"{repo} was taken out of the collection '{title}'", ask)

    # -- how a request is sent

    def _absent(self, error: Any, what: str) -> None:
        """Take only 404 for absent: to the library a token that expired means the same."""
        if self.token and error.response.status_code != 404:
            raise refusal(what, error) from error

    def _commit(
        self, repo: Repo, branch: str, parent: str, send: Callable[[], Any], message: str
    ) -> str:
        def ask() -> str:
            newest = self.commits(repo, branch)[:2]
            if newest[0][0] == parent:
                return str(send().oid)
            if newest[0][1] == message and newest[1:] and newest[1][0] == parent:
                return newest[0][0]
            raise ConflictError(
                f"{repo} was changed by someone else: expected {branch} at {parent[:12]}, found "
                f"{newest[0][0][:12]} ('{newest[0][1]}'); nothing was overwritten, plan again"
            )

        return self.patience.send(f"{repo} was committed to", ask)

    def _without(self, what: str, call: Callable[[], object]) -> None:
        """Send a removal; that there is nothing to remove is fine."""
        from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

        def ask() -> None:
            try:
                call()
            except (RepositoryNotFoundError, RevisionNotFoundError) as error:
                self._absent(error, what)

        self.patience.send(what, ask)


def open_hub(patience: Patience | None = None) -> Hub:
    """Return the Hub of ``HF_ENDPOINT``, with the token of ``HF_TOKEN`` or ``hf auth login``."""
    from huggingface_hub import get_token

    return Hub(os.environ.get("HF_ENDPOINT") or ENDPOINT, get_token(), patience)


def back_to(commit: str) -> str:
    """Return the title of the commit that puts an earlier one's files back."""
    return f"Back to {commit[:12]}"
