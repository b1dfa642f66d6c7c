"""Files put under their names whole: by rename, never half-written. And their digests."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from kit.errors import InputError

LINKED_FROM = 1_000_000
"""Bytes."""
FULL = {errno.ENOSPC, errno.EDQUOT}


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file by rename: a reader sees the old one or the new one.

    Raises:
        InputError: the disk is full or the folder cannot be written; the old file stands.
    """
    write_file(path, lambda file: file.write(content))


def write_file(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let ``write`` fill a file that has no name yet, then put it in place by rename.

    Raises:
        InputError: the disk is full or the folder cannot be written; the old file stands.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        if temporary:
            temporary.unlink(missing_ok=True)
        raise InputError(f"cannot write {path}: {error.strerror}; nothing was replaced") from error


def put_in_place(folder: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary folder, then make it ``folder`` by rename.

    What stood at ``folder`` is moved aside for that moment and removed after it; where a kill came
    between, the next call moves it back first.

    Raises:
        InputError: it cannot be written; what stood at ``folder`` before is still there.
    """
    temporary = folder.with_name(f".{folder.name}.partial")
    before = folder.with_name(f".{folder.name}.before")
    try:
        if before.exists() and not folder.exists():
            before.rename(folder)
        for path in (temporary, before):
            shutil.rmtree(path, ignore_errors=True)
        temporary.mkdir(parents=True)
        write(temporary)
        if folder.exists():
            folder.rename(before)
        temporary.rename(folder)
    except OSError as error:
        if before.exists() and not folder.exists():
            before.rename(folder)
        if error.errno is None:
            # Libraries raise bare OSErrors for much that no room on a disk mends.
            raise
        what = "make room" if error.errno in FULL else f"mend {error.filename or folder}"
        raise InputError(
            f"cannot write {folder}: {error.strerror}; {what} and run again"
        ) from error
    finally:
        for path in (temporary, before):
            shutil.rmtree(path, ignore_errors=True)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file; a large one, weights or rows, as a hard link where the file system allows.

    A small one is what people write and edit in place: a link would change the copy with it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if source.stat().st_size >= LINKED_FROM:
        with suppress(OSError):
            os.link(source, target)
            return
    shutil.copyfile(source, target)


def sha256(path: Path) -> str:
    """Return the hex digest of a file's bytes, read as a stream."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_id(kind: str, content: bytes) -> str:
    """Return git's name for an object (blob, tree, commit): the SHA-1 of a header and its bytes."""
    head = f"{kind} {len(content)}\0".encode()
    return hashlib.sha1(head + content, usedforsecurity=False).hexdigest()


def tree(folder: Path) -> list[Path]:
    """Return every file below a folder, sorted by its relative path."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
