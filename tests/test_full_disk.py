"""A disk that fills up: one line, and what stood there before still stands.

A small file system of its own needs root to be mounted. So the last step of a write, ``fsync``, is
made to fail as a full disk makes it fail; all above it is what runs every day.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from kit.errors import InputError
from kit.files import put_in_place, write_atomically
from kit.records import Record
from kit.runs import Run
from tests.asking import ask, copied_project

Finished = tuple[Run, dict[str, Record]]
FULL = "No space left on device"


def fill_after(monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    """Let that many writes through; the next ones find the disk full."""
    left = [writes]
    fsync = os.fsync

    def full(descriptor: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr("kit.files.os.fsync", full)


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "record.json"
    write_atomically(file, b"old")
    fill_after(monkeypatch, 0)
    with pytest.raises(InputError, match=f"{FULL}; nothing was replaced"):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_cannot_be_filled_leaves_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    put_in_place(folder, lambda new: write_atomically(new / "weights", b"old"))

    def save(new: Path) -> None:
        (new / "weights").write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(InputError, match=f"{FULL}; make room and run again"):
        put_in_place(folder, save)
    assert (folder / "weights").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [folder]


def test_an_error_of_a_library_is_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    def load(new: Path) -> None:
        raise OSError("no such model")

    with pytest.raises(OSError, match="no such model"):
        put_in_place(tmp_path / "export", load)


@pytest.mark.parametrize("writes", [0, 1, 3])
def test_a_run_on_a_full_disk_keeps_the_pages_and_goes_on_when_there_is_room(
    finished: Finished, tmp_path: Path, writes: int
) -> None:
    root = copied_project(finished[0].project.root, tmp_path / "project")
    pages = root / finished[0].relative / "pages"
    before = {path.name: path.read_bytes() for path in pages.rglob("*.md")}
    with pytest.MonkeyPatch.context() as patch:
        fill_after(patch, writes)
        said = ask(root, "run", "toy", "--from", "write")
    assert said.code == 1
    assert FULL in said.fault
    assert {path.name: path.read_bytes() for path in pages.rglob("*.md")} == before
    assert not list(pages.parent.glob(".pages.partial"))
    assert ask(root, "run", "toy").code == 0
    assert {path.name: path.read_bytes() for path in pages.rglob("*.md")} == before
