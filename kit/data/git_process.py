"""git, run on a repository that nobody vouches for: nothing it says is executed or fetched.

::

    >>> with opened(Path("src/app")) as git:
    ...     git.run(["rev-parse", "HEAD"])
    b'4f1c0d5e...'

A repository can name programs to run (drivers, hooks, pagers, signature checkers) and remotes to
ask, and its attributes say what is text. None of that is honored here, nor is the configuration of
the user or the machine, but for ``safe.directory``: git's word on whether to read it at all.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, NoReturn, cast

from kit.errors import InputError, SourceError

OLDEST_GIT = (2, 32)  # the first that knows GIT_CONFIG_GLOBAL
_SAID_CHARACTERS = 300
_SETTINGS = {
    "core.attributesFile": os.devnull,
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.quotePath": "false",
    "diff.suppressBlankEmpty": "false",
    "log.showSignature": "false",
    "protocol.allow": "never",
}
_ISOLATED = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_FLUSH": "0",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


@dataclass(frozen=True, slots=True)
class Git:
    """git on one repository.

    ``path`` is what the user gave, ``folder`` the git directory, ``cut_off`` the commits at which
    a shallow clone ends. ``work_tree`` is an empty folder: in the real one, ``.gitattributes``
    would say what is text and what is binary.
    """

    program: str
    path: Path
    folder: Path
    work_tree: Path
    cut_off: frozenset[str]

    def run(self, arguments: Sequence[str]) -> bytes:
        """Return what git prints.

        Raises:
            InputError: git fails.
        """
        done = self.tried(arguments)
        if done.returncode:
            self._refuse(done.stderr)
        return done.stdout

    def tried(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
        """Return what git prints, and its exit status."""
        return subprocess.run(
            self._command(arguments),
            env=self._environment(),
            cwd=self.work_tree,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )

    @contextmanager
    def streamed(
        self, arguments: Sequence[str], stdin: IO[bytes] | None = None
    ) -> Iterator[IO[bytes]]:
        """Yield a stream of what git prints; git is ended where the reader leaves.

        Raises:
            InputError: git fails, or the reader meets an end that it did not expect (EOFError).
        """
        with (
            TemporaryFile() as said,
            subprocess.Popen(
                self._command(arguments),
                env=self._environment(),
                cwd=self.work_tree,
                stdin=stdin or subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                bufsize=0,
            ) as process,
        ):
            early = False
            try:
                yield cast(IO[bytes], process.stdout)
            except EOFError:
                early = True
            except BaseException:
                process.kill()
                raise
            if process.wait() or early:
                said.seek(0)
                self._refuse(said.read())

    def _command(self, arguments: Sequence[str]) -> list[str]:
        settings = [part for item in _SETTINGS.items() for part in ("-c", "=".join(item))]
        return [self.program, "--no-pager", f"--git-dir={self.folder}", *settings, *arguments]

    def _environment(self) -> dict[str, str]:
        return {**_environment(), **_ISOLATED, "GIT_WORK_TREE": str(self.work_tree)}

    def _refuse(self, said: bytes) -> NoReturn:
        reason = _reason(said) or "it stopped early"
        if "promisor" in reason:
            raise InputError(
                f"{self.path} is a partial clone: objects are missing and none are fetched here; "
                "clone it without --filter, and mine the new clone"
            )
        raise InputError(
            f"git cannot read {self.path}: {reason}; check it with git fsck, or clone it again"
        )


@contextmanager
def opened(path: Path) -> Iterator[Git]:
    """Open the repository that ``path`` is, or is in: bare or not, a folder of a work tree too.

    Raises:
        InputError: no such folder, no repository, or one that git does not trust.
        SourceError: git is not installed, or is older than ``OLDEST_GIT``.
    """
    if not path.is_dir():
        given = "a file" if path.exists() else "nothing"
        raise InputError(
            f"expected the folder of a git repository, found {given} at {path}; check the name"
        )
    program = _program()
    folder, cut_off = _discovered(program, path)
    with TemporaryDirectory(prefix="kit-no-work-tree-") as empty:
        yield Git(program, path, folder, Path(empty), cut_off)


def _program() -> str:
    program = shutil.which("git")
    if program is None:
        raise SourceError("git is not installed, or not on PATH; install it and try again")
    said = subprocess.run([program, "version"], capture_output=True, check=False).stdout
    found = re.search(rb"(\d+)\.(\d+)", said)
    if found and (int(found[1]), int(found[2])) < OLDEST_GIT:
        needed = ".".join(map(str, OLDEST_GIT))
        raise SourceError(f"expected git {needed} or newer, found {found[0].decode()}; update it")
    # The processes run in another folder.
    return str(Path(program).absolute())


def _discovered(program: str, path: Path) -> tuple[Path, frozenset[str]]:
    """Return the git directory, and the commits at which a shallow clone ends.

    This one call sees the user's configuration: ``safe.directory`` stands there.
    """
    asked = ["rev-parse", "--is-shallow-repository", "--git-path", "shallow", "--absolute-git-dir"]
    done = subprocess.run(
        [program, "-C", str(path), *asked],
        env=_environment(keep=("GIT_CONFIG", "GIT_CEILING_DIRECTORIES")),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        _refuse_folder(path, _reason(done.stderr))
    shallow, boundary, folder = os.fsdecode(done.stdout).rstrip("\n").split("\n", 2)
    cut_off = (path / boundary).read_text().split() if shallow == "true" else []
    return Path(folder), frozenset(cut_off)


def _refuse_folder(path: Path, reason: str) -> NoReturn:
    if "dubious ownership" in reason or "unsafe repository" in reason:
        raise InputError(
            f"git does not trust {path}, which belongs to another user; if you do, run: "
            f"git config --global --add safe.directory {path.resolve()}"
        )
    if "not a git repository" in reason:
        raise InputError(f"{path} is not a git repository; name the folder of a clone")
    raise InputError(f"git cannot open {path}: {reason}")


def _environment(keep: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the environment without git's own variables: a hook, for one, sets GIT_DIR."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(keep)
    }
    return {**kept, "LC_ALL": "C", "TZ": "UTC0"}


def _reason(said: bytes) -> str:
    """Return what git called an error, on one line."""
    errors = re.findall(r"^(?:error|fatal): (.+)$", said.decode(errors="replace"), re.MULTILINE)
    return "; ".join(dict.fromkeys(errors))[:_SAID_CHARACTERS]
