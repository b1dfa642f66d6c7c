"""The commits of a repository and their diffs, streamed by two git processes for all of them.

``git log`` without diffs comes first, then ``git diff-tree`` for the commits of which the diff is
wanted; git compares files only for those::

    with opened(Path("src/app")) as git:
        entries = list(read_entries(git, "HEAD", since=None, limit=2**23))
        diffs = list(read_diffs(git, [entry.sha for entry in entries], limit=2**23))
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from secrets import token_hex
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import urlsplit

from kit.data.git_process import Git
from kit.errors import InputError

_BLOCK = 2**18
_LOG = (
    *("log", "--no-patch", "--no-color", "--no-decorate", "--no-notes", "--encoding=UTF-8"),
    *("--no-show-signature", "--no-mailmap", "--date=format-local:%Y-%m-%d"),
)
_DIFF = (
    *("diff-tree", "--stdin", "--always", "-r", "-p", "-U3", "-M", "-l1000", "--full-index"),
    *("--no-color", "--no-ext-diff", "--no-textconv", "--no-relative", "--submodule=short"),
    *("--diff-algorithm=myers", "--indent-heuristic", "--inter-hunk-context=0"),
    *("--src-prefix=a/", "--dst-prefix=b/", f"-O{os.devnull}"),
)
_WITHOUT_SCHEME = re.compile(r"(?:[^/\\:]+@)?[^/\\:@]{2,}:(?P<path>[^\\]+)")
_NAME_PART = re.compile(r"[\w.~-]+")


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A commit without its diff.

    ``date`` is the day in UTC on which it was committed, as YYYY-MM-DD.
    """

    sha: str
    parents: tuple[str, ...]
    date: str
    author: str
    email: str
    message: bytes


def head_of(git: Git) -> str:
    """Return the full name of the commit that HEAD is at.

    Raises:
        InputError: there is none yet.
    """
    done = git.tried(["rev-parse", "--verify", "--quiet", "HEAD"])
    if done.returncode:
        raise InputError(f"{git.path} has no commit on its current branch; commit something first")
    return done.stdout.decode().strip()


def read_entries(git: Git, head: str, since: str | None, limit: int) -> Iterator[LogEntry | None]:
    """Yield every commit that ``head`` reaches, merges too, newest first.

    Args:
        since: a day as YYYY-MM-DD, where git stops.
        limit: bytes of a message; a commit with a longer one is None.

    Raises:
        InputError: git cannot read on.
    """
    only = [f"--since={since}T00:00:00Z"] if since else []
    # Fields but the message hold no line end, and no message holds a number drawn only now.
    end = token_hex(16)
    form = f"--format=%H%n%P%n%cd%n%an%n%ae%n%B{end}"
    with git.streamed([*_LOG, form, *only, head, "--"]) as stream:
        reader = Reader(stream)
        while not reader.at_end():
            entry = reader.until(f"{end}\n".encode(), limit)
            yield None if entry is None else _entry(*entry.split(b"\n", 5))


def _entry(
    sha: bytes, parents: bytes, date: bytes, author: bytes, email: bytes, message: bytes
) -> LogEntry:
    above = tuple(parents.decode().split())
    return LogEntry(sha.decode(), above, date.decode(), _text(author), _text(email), message)


def read_diffs(git: Git, shas: Sequence[str], limit: int) -> Iterator[bytes | None]:
    """Yield the diff of each commit to its one parent, in the order given.

    A file of more than ``limit`` bytes is binary here: to compare it, git would need memory for
    many times its size.

    Args:
        shas: full names of commits.
        limit: bytes of a diff; a longer one is dropped while it streams by and yields None.

    Raises:
        InputError: git cannot read on.
    """
    if not shas:
        return
    with TemporaryFile() as asked:
        asked.write("".join(f"{sha}\n" for sha in shas).encode())
        asked.seek(0)
        with git.streamed(["-c", f"core.bigFileThreshold={limit}", *_DIFF], asked) as stream:
            reader = Reader(stream)
            reader.until(shas[0].encode(), limit)
            for following in shas[1:]:
                # No line of a diff begins with the name of a commit: what is in a file follows
                # a mark, and git quotes names that hold a line end.
                yield reader.until(b"\n" + following.encode(), limit)
            yield reader.rest(limit)


def root_files(git: Git, head: str, names: re.Pattern[str], limit: int) -> dict[str, bytes]:
    """Return the files at the top of a commit's tree that match by name, up to ``limit`` bytes."""
    found = {}
    for entry in filter(None, git.run(["ls-tree", "-z", "-l", head]).split(b"\0")):
        described, _, name = entry.partition(b"\t")
        mode, _, blob, size = described.decode().split()
        # 10xxxx are files; the others are folders, symbolic links and submodules.
        if names.fullmatch(_text(name)) and mode.startswith("10") and int(size) <= limit:
            found[_text(name)] = git.run(["cat-file", "blob", blob])
    return found


def name_of(git: Git) -> str:
    """Return owner/name from the origin's URL, else the name of the repository's folder."""
    url = git.tried(["config", "--get", "remote.origin.url"]).stdout.decode(errors="replace")
    folder = git.folder.parent if git.folder.name == ".git" else git.folder
    return origin_name(url.strip()) or folder.name.removesuffix(".git")


def origin_name(url: str) -> str | None:
    """Return owner/name from a remote's URL: no host, user, password, port or query.

    >>> origin_name("https://user:token@github.com/ada/engine.git")
    'ada/engine'

    None for a path on this machine, which would tell the names of its folders.
    """
    if "://" in url:
        path = _path_of(url)
    else:
        match = _WITHOUT_SCHEME.fullmatch(url)
        path = match["path"] if match else ""
    parts = [part for part in path.rstrip("/").removesuffix(".git").split("/") if part]
    named = [part for part in parts if part != "_git"][-2:]
    return "/".join(named) if named and all(map(_NAME_PART.fullmatch, named)) else None


def _path_of(url: str) -> str:
    try:
        split = urlsplit(url)
    except ValueError:
        return ""
    return "" if split.scheme == "file" else split.path


def _text(field: bytes) -> str:
    return field.decode(errors="replace")


class Reader:
    """A stream cut at marks, holding at most one block more than a limit."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._held = bytearray()

    def at_end(self) -> bool:
        """Return whether there is nothing more."""
        return not self._held and not self._more()

    def until(self, mark: bytes, limit: int) -> bytes | None:
        """Return what comes before the mark and pass over both, None where it is over the limit.

        Raises:
            EOFError: the stream ends first.
        """
        searched = 0
        dropped = False
        while (place := self._held.find(mark, searched)) < 0:
            # The mark may have begun at the end of what is held.
            searched = max(0, len(self._held) - len(mark) + 1)
            if dropped or searched > limit:
                dropped = True
                del self._held[:searched]
                searched = 0
            if not self._more():
                raise EOFError
        found = None if dropped or place > limit else bytes(self._held[:place])
        del self._held[: place + len(mark)]
        return found

    def rest(self, limit: int) -> bytes | None:
        """Return what is left of the stream, None where it is over the limit."""
        while len(self._held) <= limit:
            if not self._more():
                found = bytes(self._held)
                self._held.clear()
                return found
        while self._more():
            self._held.clear()
        return None

    def _more(self) -> bool:
        block = self._stream.read(_BLOCK)
        self._held += block
        return bool(block)
