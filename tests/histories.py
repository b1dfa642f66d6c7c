"""Histories made on the spot with git, for the tests of mining."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kit.data.git_history import REASONS, Commit, MiningRules, mine
from kit.errors import KitError

MIT = (
    "MIT License\n\nCopyright (c) 2024 Ada Lovelace\n\nPermission is hereby granted, free of "
    "charge, to any person obtaining a copy of this software, to deal in the software without "
    "restriction. The above copyright notice and this permission notice shall be included.\n"
)
CODE = "def store(self, key, value):\n    return self.cache.get(key)\n"
CHANGED = "def store(self, key, value):\n    return self.cache.put(key, value)\n"


class Repo:
    """A repository in a folder, committed to one file tree at a time."""

    def __init__(self, folder: Path, license_text: str | None = MIT, *options: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main", *options)
        if license_text is not None:
            self.commit("chore: start", {"LICENSE": license_text})

    def git(self, *arguments: str, **environment: str) -> str:
        """Run git as Ada, at a fixed time, with none of the machine's configuration."""
        person = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (
                ("NAME", "Ada Lovelace"),
                ("EMAIL", "ada@example.org"),
                ("DATE", "2024-05-06T12:00:00Z"),
            )
        }
        outside = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**os.environ, **outside, **person, **environment},
            capture_output=True,
            check=True,
        )
        return done.stdout.decode(errors="replace").strip()

    def commit(
        self,
        message: str | bytes,
        files: Mapping[str, str | bytes | None],
        *options: str,
        **environment: str,
    ) -> str:
        """Write files (None: remove), commit them and return the commit's name."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.git("add", "-A", "-f")
        text = self.folder / ".git" / "message"
        text.write_bytes(message if isinstance(message, bytes) else message.encode())
        self.git("commit", "-q", "--allow-empty", "-F", str(text), *options, **environment)
        return self.git("rev-parse", "HEAD")


def started(folder: Path) -> Repo:
    """Return a repository with a license and one file, both in its root commit."""
    made = Repo(folder, None)
    made.commit("chore: start", {"LICENSE": MIT, "src/cache.py": CODE})
    return made


def silent(step: str, done: int, total: int | None) -> None:
    """Take progress and say nothing."""


def mined(path: Path, **rules: Any) -> tuple[list[Commit], Counter[str]]:
    rows, left_out = mine(path, MiningRules(**rules), silent)
    assert set(left_out) <= set(REASONS)
    return rows, left_out


def only_row(repo: Repo, **rules: Any) -> Commit:
    """Return the one row, checking that all else is the root."""
    rows, left_out = mined(repo.folder, **rules)
    assert left_out == {"root": 1}
    (row,) = rows
    return row


def only_reason(repo: Repo, **rules: Any) -> str:
    """Return why the one commit after the root is left out."""
    rows, left_out = mined(repo.folder, **rules)
    assert rows == []
    (reason,) = left_out - Counter({"root": 1})
    assert left_out.total() == 2
    return reason


def refusal(path: Path, license_id: str | None = None, **rules: Any) -> str:
    """Return the message with which a repository is refused, checking that it is one line."""
    with pytest.raises(KitError) as caught:
        mine(path, MiningRules(**rules), silent, license_id)
    message = str(caught.value)
    assert "\n" not in message
    return message
