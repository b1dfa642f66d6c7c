"""Spaces that run: a static one is served from its commit, a Gradio one is started here.

A Space follows the head of main. While a new revision is made ready the earlier one keeps
answering, and ``sha`` says which revision it is. Nothing is installed and no image is built: what
the requirements ask for beyond this environment is named in the build log, and Docker Spaces and
real hardware are out of reach.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import os
import shutil
import signal
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from kit.hub.rehearsal.contents import card_data, check_out
from kit.hub.rehearsal.storage import Commit, Repo, Storage, now

STARTUP_SECONDS = 180
STOP_SECONDS = 5
ENTRY = {"gradio": "app.py", "static": "index.html"}
PASSED_ON = ("PATH", "LANG", "VIRTUAL_ENV", "OMP_NUM_THREADS", "TMPDIR")
Log = list[dict[str, str]]


class StageError(Exception):
    """A stage at which a Space stops, and why."""

    def __init__(self, stage: str, cause: str) -> None:
        super().__init__(cause)
        self.stage, self.cause = stage, cause


@dataclass
class Space:
    """What runs for one repo: the stage of the wanted revision, and the revision that answers."""

    wanted: tuple[str, ...] = ()
    stage: str = "STOPPED"
    cause: str | None = None
    sha: str | None = None
    host: str | None = None
    build: Log = field(default_factory=list)
    run: Log = field(default_factory=list)
    process: asyncio.subprocess.Process | None = None
    task: asyncio.Task[None] | None = None

    @property
    def finished(self) -> bool:
        """Whether no more lines will come to the logs."""
        return self.process is None and (self.task is None or self.task.done())


class Spaces:
    """The Spaces of a Hub, brought up to their repos when someone looks or pushes."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._spaces: dict[str, Space] = {}
        self.url = self.static_url = ""

    def follow(self, repo: Repo, again: bool = False) -> Space:
        """Return a repo's Space, started anew if its code or settings are not those that run."""
        space = self._spaces.setdefault(repo.id, Space())
        settings = (repo.refs["refs/heads/main"], repo.hardware, repo.sdk or "")
        wanted = (*settings, str(repo.variables), str(repo.secrets))
        if repo.paused:
            self.stop(repo.id)
            space.wanted, space.stage = (), "PAUSED"
        elif again or space.wanted != wanted:
            space.wanted = wanted
            if space.task:
                space.task.cancel()
            space.task = asyncio.create_task(self._bring_up(repo, space))
            _stage(space, "BUILDING")
        return space

    def runtime(self, repo: Repo) -> dict[str, Any]:
        """Return what the Hub calls a Space's runtime."""
        space = self.follow(repo)
        return {
            "stage": space.stage,
            "sha": space.sha,
            "errorMessage": space.cause,
            "hardware": {
                "current": repo.hardware if space.sha else None,
                "requested": repo.hardware,
            },
            "gcTimeout": repo.sleep,
            "storage": None,
            "replicas": {"current": int(space.sha is not None), "requested": 1},
            "devMode": False,
        }

    def stop(self, repo_id: str) -> None:
        """End a Space's process."""
        space = self._spaces.get(repo_id)
        if space and space.task:
            space.task.cancel()
        if space and space.process:
            _end(space.process)
        if space:
            space.process, space.sha = None, None

    async def close(self) -> None:
        """End every process that was started here, and wait for it."""
        processes = [space.process for space in self._spaces.values() if space.process]
        tasks = [space.task for space in self._spaces.values() if space.task]
        for repo_id in self._spaces:
            self.stop(repo_id)
        waits = [process.wait() for process in processes]
        await asyncio.gather(*tasks, *waits, return_exceptions=True)

    async def _bring_up(self, repo: Repo, space: Space) -> None:
        commit = self._storage.resolve(repo, "main")
        space.build.clear()
        space.cause = None
        try:
            command = self._build(repo, commit, space)
            _stage(space, "APP_STARTING")
            process, host = None, f"{self.static_url}/{repo.id}"
            if command:
                process, host = await self._start(repo, commit, command, space)
            space.host = host
        except StageError as error:
            self._halt(space, error)
            return
        except (OSError, ValueError) as error:
            self._halt(space, StageError("BUILD_ERROR", str(error)))
            return
        earlier, space.process = space.process, process
        if earlier:
            _end(earlier)
        space.stage, space.sha = "RUNNING", commit.id
        if process:
            code = await process.wait()
            space.process = None
            self._halt(space, StageError("RUNTIME_ERROR", f"Exit code: {code}. {_tail(space.run)}"))

    def _halt(self, space: Space, error: StageError) -> None:
        if space.process:
            _end(space.process)
        space.stage, space.cause, space.sha, space.process = error.stage, error.cause, None, None
        _note(space.build, f"{error.stage}: {error.cause}")

    def _build(self, repo: Repo, commit: Commit, space: Space) -> str | None:
        """Return the file to run, of a folder that is laid out; None if there is none to run."""
        card = card_data(self._storage, repo, commit)
        if card.get("sdk") not in ENTRY:
            cause = f"sdk must be gradio or static to be rehearsed, got {card.get('sdk')!r}"
            raise StageError("CONFIG_ERROR", cause)
        entry = str(card.get("app_file") or ENTRY[card["sdk"]])
        if entry not in commit.tree:
            raise StageError("NO_APP_FILE", f"the card names {entry}, the repo has no such file")
        _note(space.build, f"Revision {commit.id}, {len(commit.tree)} files")
        if card["sdk"] == "static":
            return None
        folder = self._folder(repo, commit)
        shutil.rmtree(folder.parent, ignore_errors=True)
        check_out(self._storage, repo, commit, folder)
        path = folder / "requirements.txt"
        lines = path.read_text("utf-8").splitlines() if path.is_file() else []
        version = card.get("sdk_version")
        _requirements([*lines, f"gradio=={version}" if version else "gradio"], space.build)
        if repo.hardware == "zero-a10g" and "spaces.GPU" not in (folder / entry).read_text():
            raise StageError("RUNTIME_ERROR", "No @spaces.GPU function detected during startup")
        return entry

    def _folder(self, repo: Repo, commit: Commit) -> Path:
        return self._storage.root / "spaces" / repo.id / commit.id / "app"

    async def _start(
        self, repo: Repo, commit: Commit, entry: str, space: Space
    ) -> tuple[asyncio.subprocess.Process, str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        folder = self._folder(repo, commit)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-u",
            entry,
            cwd=folder,
            env=self._environment(repo, folder, port),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        space.run.clear()
        reading = asyncio.create_task(_read(process, space.run))
        try:
            await asyncio.wait_for(_answers(process, port), STARTUP_SECONDS)
        except (TimeoutError, ConnectionError) as error:
            _end(process)
            await reading
            cause = str(error) or f"the app did not answer within {STARTUP_SECONDS} s"
            raise StageError("RUNTIME_ERROR", f"{cause}. {_tail(space.run)}") from error
        except asyncio.CancelledError:
            _end(process)
            await process.wait()
            raise
        return process, f"http://127.0.0.1:{port}"

    def _environment(self, repo: Repo, folder: Path, port: int) -> dict[str, str]:
        owner, name = repo.id.split("/")
        given = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
        home = folder.with_name("home")
        home.mkdir()
        return {
            **given,
            "HOME": str(home),
            "HF_ENDPOINT": self.url,
            "SPACE_ID": repo.id,
            "SPACE_AUTHOR_NAME": owner,
            "SPACE_REPO_NAME": name,
            "GRADIO_SERVER_NAME": "127.0.0.1",
            "GRADIO_SERVER_PORT": str(port),
            "GRADIO_ANALYTICS_ENABLED": "False",
            "GRADIO_SSR_MODE": "false",
            "PYTHONDONTWRITEBYTECODE": "1",
            **{key: row["value"] for key, row in {**repo.variables, **repo.secrets}.items()},
        }


def _stage(space: Space, stage: str) -> None:
    """Set a stage on the way; an earlier revision that still answers is said with it."""
    space.stage = f"RUNNING_{stage}" if space.sha else stage


def _requirements(lines: list[str], log: Log) -> None:
    for line in lines:
        text = line.split("#")[0].strip()
        if not text or text.startswith("-"):
            continue
        try:
            wanted = Requirement(text)
        except InvalidRequirement as error:
            raise StageError("BUILD_ERROR", f"requirements.txt: {text!r}: {error}") from error
        try:
            found = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            found = ""
        if not found or not wanted.specifier.contains(found, prereleases=True):
            _note(log, f"{text}: here is {found or 'none'}; the Hub would install it")


async def _read(process: asyncio.subprocess.Process, log: Log) -> None:
    while process.stdout and (line := await process.stdout.readline()):
        _note(log, line.decode("utf-8", "replace").rstrip("\n"))


async def _answers(process: asyncio.subprocess.Process, port: int) -> None:
    """Return once the app accepts connections; raise ConnectionError if it ended instead."""
    while process.returncode is None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.1)
    raise ConnectionError(f"Exit code: {process.returncode}")


def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _note(log: Log, text: str) -> None:
    log.append({"data": f"{text}\n", "timestamp": now()})


def _tail(log: Log) -> str:
    return "".join(row["data"] for row in log[-3:]).strip()
