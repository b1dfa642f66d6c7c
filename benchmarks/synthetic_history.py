"""A git history made on the spot, of any length, for measuring what reads histories.

::

    >>> synthetic_history(Path("/tmp/made.git"), commits=5000)
    PosixPath('/tmp/made.git')

A project of short Python files. Most commits change a few functions of one to three files under a
Conventional Commit; some are merges, some a bot's, some change a lock file, some have another kind
of subject. The same number of commits is the same history.
"""

from __future__ import annotations

import random
import subprocess
from pathlib import Path
from typing import IO, cast

from kit.errors import InputError

FILES = 240
FUNCTIONS = 25
START = 1_600_000_000
WORDS = """
    account batch buffer cache channel client config cursor digest entry event field filter frame
    handle index item key layer limit lock message metric node offset order packet page parser path
    policy queue range record region request result retry route schema scope session shard signal
    slot source stage state stream table target task token topic trace value vector window worker
""".split()  # noqa: SIM905
SUBJECTS = (
    *("fix({}): keep the {} when {} fails (#{})", "feat({}): add {} to {} (#{})"),
    *("refactor({}): split {} from {}", "test: cover {} and {} of {}", "docs: explain {} of {}"),
    *("perf({}): read {} once per {}", "Update {} and {}", "chore({}): rename {} to {}"),
)


def synthetic_history(folder: Path, commits: int) -> Path:
    """Make a bare repository with a linear history and a merge now and then; return its folder."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    with subprocess.Popen(
        ["git", "-C", str(folder), "fast-import", "--quiet"], stdin=subprocess.PIPE
    ) as process:
        stream = cast(IO[bytes], process.stdin)
        _History(stream).write(commits)
        stream.close()
    if process.returncode:
        raise InputError("git fast-import failed; see what it said above")
    # As a clone of it would be packed.
    subprocess.run(["git", "-C", str(folder), "repack", "-adfq"], check=True)
    return folder


class _History:
    """A made-up project, its commits written as git fast-import reads them."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._random = random.Random(13)
        self._files = {self._path(number): self._functions() for number in range(FILES)}

    def write(self, commits: int) -> None:
        """Write the first commit, which adds every file, and the others, each changing some."""
        self._commit(1, "chore: start", self._files)
        for number in range(2, commits + 1):
            subject = self._random.choice(SUBJECTS).format(*self._words(3), number)
            author = "renovate[bot]" if number % 23 == 0 else "Ada"
            merged = number - 2 if number % 17 == 0 else None
            self._commit(number, subject, self._changed(number), author, merged)

    def _changed(self, number: int) -> dict[str, list[str]]:
        names = self._random.sample(sorted(self._files), self._random.choice((1, 1, 1, 2, 2, 3)))
        for name in names:
            lines = self._files[name]
            place = self._random.randrange(len(lines))
            lines[place : place + self._random.choice((1, 1, 2, 4))] = self._function()
            if len(lines) > 8 * FUNCTIONS:
                del lines[-len(self._function()) :]
        changed = {name: self._files[name] for name in names}
        if number % 11 == 0:
            changed["package-lock.json"] = [f'"{word}": "{number}",' for word in WORDS]
        return changed

    def _commit(
        self,
        number: int,
        subject: str,
        files: dict[str, list[str]],
        author: str = "Ada",
        merged: int | None = None,
    ) -> None:
        self._line(f"commit refs/heads/main\nmark :{number}")
        self._line(f"author {author} <{author}@example.org> {START + number * 3600} +0000")
        self._line(f"committer Ada <ada@example.org> {START + number * 3600} +0000")
        self._data(f"{subject}\n\nThe {self._words(1)[0]} was read twice.\n")
        if merged:
            self._line(f"merge :{merged}")
        for name, lines in files.items():
            self._line(f"M 100644 inline {name}")
            self._data("\n".join(lines) + "\n")

    def _line(self, text: str) -> None:
        self._stream.write(text.encode() + b"\n")

    def _data(self, text: str) -> None:
        content = text.encode()
        self._line(f"data {len(content)}")
        self._stream.write(content + b"\n")

    def _path(self, number: int) -> str:
        return f"src/{WORDS[number // 20]}/{WORDS[number % 20 + 20]}.py"

    def _functions(self) -> list[str]:
        return [line for _ in range(FUNCTIONS) for line in self._function()]

    def _function(self) -> list[str]:
        name, first, second, third = self._words(4)
        return [
            f"def {name}_{first}(self, {second}):",
            f'    """Return the {first} of a {second}."""',
            f"    {third} = self.{first}.get({second})",
            f"    if {third} is None:",
            f"        raise KeyError({second})",
            f"    return {third}.{name}",
            "",
        ]

    def _words(self, number: int) -> list[str]:
        return self._random.choices(WORDS, k=number)
