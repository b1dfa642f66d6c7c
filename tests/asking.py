"""Ask the command line as a person does: words in, exit code, stdout and stderr out."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kit.__main__ import main
from kit.files import copy_file


@dataclass(frozen=True)
class Said:
    """What a command left: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def fault(self) -> str:
        """The last line of stderr, which must be kit's; nothing of a traceback may stand above."""
        assert "Traceback" not in self.err
        assert self.out == ""
        *progress, last = self.err.splitlines()
        assert last.startswith("kit: ")
        assert all(line.startswith(("  … ", "  ", "kit: toy, preset ")) for line in progress)
        return last


def ask(folder: Path, *words: str, stdin: bytes = b"") -> Said:
    """Run ``kit`` with the words in a folder, in this process."""
    code: Any = None
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", ["kit", *words])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        try:
            main()
        except SystemExit as ended:
            code = ended.code
    assert isinstance(code, int)
    return Said(code, out.getvalue(), err.getvalue())


def copied_project(root: Path, target: Path) -> Path:
    """Copy a project; its large files, which no test changes in place, as hard links."""
    return shutil.copytree(root, target, copy_function=_copied_or_linked)


def _copied_or_linked(source: str, target: str) -> None:
    large = Path(source).stat().st_size > 2**20
    (copy_file if large else shutil.copy2)(Path(source), Path(target))
