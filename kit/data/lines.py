"""Lines of a text file of unknown origin: gzip or not, UTF-8, UTF-16 or Windows-1252, bounded.

One line at a time is in memory, and never more than ``MAX_LINE_BYTES`` of it::

    >>> for number, line in read_lines(Path("reviews.jsonl.gz"), Counter()): ...
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

from kit.errors import InputError

MAX_LINE_BYTES = 8 * 2**20
NOT_UTF8 = "not_utf8"

_GZIP_MAGIC = b"\x1f\x8b"
_BLOCK = 2**20
_HEAD = 4096
_COUNTED_BLOCKS = 1024


def read_lines(path: Path, counts: Counter[str]) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line with its line end) of a text file, gzipped or not.

    A UTF-8 line is decoded as UTF-8, a file with a UTF-16 byte order mark as UTF-16, any other
    line as Windows-1252, and ``counts["not_utf8"]`` grows by one.

    Raises:
        InputError: binary content, a line over ``MAX_LINE_BYTES``, damaged gzip or UTF-16.
    """
    try:
        with _open(path) as stream:
            if stream.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                yield from _utf16_lines(path, stream)
            else:
                yield from _byte_lines(path, stream, counts)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"cannot read {path}: {error}; expected a whole, readable file") from error


def _open(path: Path) -> io.BufferedReader:
    """Open a file for reading bytes; gzip is known by its first two bytes, not by the name."""
    with path.open("rb") as file:
        zipped = file.peek(2)[:2] == _GZIP_MAGIC
    return (
        io.BufferedReader(cast(io.RawIOBase, gzip.open(path)), _BLOCK)
        if zipped
        else path.open("rb")
    )


def _byte_lines(
    path: Path, stream: io.BufferedReader, counts: Counter[str]
) -> Iterator[tuple[int, str]]:
    head = stream.peek(_HEAD)[:_HEAD]
    if b"\0" in head:
        # A picture may begin with a line or two that hold no zero byte.
        raise _binary(path, head[: head.index(b"\0")].count(b"\n") + 1)
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise _too_long(path, number, len(line), stream.readline)
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if b"\0" in line:
            raise _binary(path, number)
        yield number, _decoded(line, counts)


def _decoded(line: bytes, counts: Counter[str]) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        # Strict cp1252 leaves five bytes undefined; ftfy's codec maps them as browsers do.
        import ftfy.bad_codecs  # noqa: F401

        counts[NOT_UTF8] += 1
        return line.decode("sloppy-windows-1252")


def _utf16_lines(path: Path, stream: io.BufferedReader) -> Iterator[tuple[int, str]]:
    limit = MAX_LINE_BYTES // 2
    number = 0
    try:
        with io.TextIOWrapper(stream, "utf-16", newline="\n") as text:
            while line := text.readline(limit + 1):
                number += 1
                if len(line) > limit:
                    raise _too_long(path, number, 2 * len(line), text.readline, width=2)
                if "\0" in line:
                    raise _binary(path, number)
                yield number, line
    except UnicodeError as error:
        raise InputError(
            f"{path}, after line {number}: its first bytes say UTF-16, but {error}; "
            "save the file as UTF-8"
        ) from error


def _too_long(
    path: Path,
    number: int,
    size: int,
    readline: Callable[[int], bytes | str],
    width: int = 1,
) -> InputError:
    """Measure the rest of a line block by block, up to 1 GB, and return the refusal."""
    last: bytes | str = ""
    for _ in range(_COUNTED_BLOCKS):
        last = readline(_BLOCK)
        size += width * len(last)
        if len(last) < _BLOCK:
            break
    more = "more than " if len(last) == _BLOCK else ""
    return InputError(
        f"{path}, line {number} has {more}{size / 2**20:.1f} MB; expected at most "
        f"{MAX_LINE_BYTES // 2**20} MB a line: is there a line end after each row?"
    )


def _binary(path: Path, number: int) -> InputError:
    return InputError(
        f"{path}, line {number} holds zero bytes: expected text, got a binary file; "
        "give JSON Lines, CSV or Parquet with its own file extension"
    )
