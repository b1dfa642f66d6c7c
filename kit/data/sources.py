"""Rows of a data source, streamed: JSON Lines, CSV and Parquet files.

Every reader yields plain dictionaries whose keys are our fields; other columns are kept::

    >>> next(read_rows(Path("reviews.csv"), {"text": "review", "label": "stars"}))
    {'text': 'A kind, funny film.', 'label': '1', 'domain': 'films'}
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kit.data.columns import check_columns, rename
from kit.data.hub_rows import read_hub, resolve_revision
from kit.data.lines import MAX_LINE_BYTES, read_lines
from kit.errors import InputError
from kit.files import sha256

__all__ = ["EXTENSIONS", "fingerprint", "read_hub", "read_rows", "resolve_revision"]

EXTENSIONS = (".jsonl", ".jsonl.gz", ".json", ".json.gz", ".csv", ".csv.gz", ".parquet")
BATCH_ROWS = 1024


def read_rows(
    path: Path, columns: Mapping[str, str], counts: Counter[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Stream the rows of a file.

    Args:
        path: a file whose name ends with one of ``EXTENSIONS``.
        columns: our field ("text", "label") to the file's column.
        counts: grows by one under "not_utf8" for each line that had to be read as Windows-1252.

    Returns:
        One dictionary a row. Columns that are not mapped keep their name; one that is called
        like a field of ours, or "id", becomes ``source_<name>``.

    Raises:
        InputError: no such file, a folder, an empty file, an extension or a column that is not
            known, binary or broken content. A file is checked here, its content while it streams.
    """
    extension = _extension(path)
    tally = Counter[str]() if counts is None else counts
    if extension == ".parquet":
        return _renamed(path, _parquet_rows(path, columns), columns)
    rows = _csv_rows if extension.startswith(".csv") else _json_rows
    return _renamed(path, rows(path, columns, tally), columns)


def fingerprint(path: Path) -> str:
    """Return the sha256 of a file's bytes as 64 hex digits, read in blocks.

    Raises:
        InputError: the file is missing, a folder, empty or unreadable.
    """
    _check_file(path)
    try:
        return sha256(path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"expected a data file, got the folder {path}; name a file in it")
    if not path.is_file():
        raise InputError(f"there is no file {path}; check the name, or give --data FILE")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty; expected rows with a text and a label")


def _extension(path: Path) -> str:
    _check_file(path)
    name = path.name.lower()
    for extension in EXTENSIONS:
        if name.endswith(extension):
            return extension
    raise InputError(
        f"expected a data file that ends with {', '.join(EXTENSIONS)}, got '{path.name}'"
    )


def _renamed(
    path: Path, rows: Iterator[dict[str, Any]], columns: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    empty = True
    for row in rows:
        empty = False
        yield rename(row, columns)
    if empty:
        raise InputError(f"{path} has no rows; expected at least one with a text and a label")


def _json_rows(
    path: Path, columns: Mapping[str, str], counts: Counter[str]
) -> Iterator[dict[str, Any]]:
    checked = False
    for number, line in read_lines(path, counts):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
            raise InputError(
                f"{path}, line {number}: expected one JSON object per line, got broken JSON "
                f"({reason}); mend that line or delete it"
            ) from error
        if not isinstance(row, dict):
            raise InputError(
                f"{path}, line {number}: expected one JSON object per line, got a "
                f"{type(row).__name__}; write the rows as JSON Lines"
            )
        if not checked:
            check_columns(str(path), columns, row)
            checked = True
        yield row


def _csv_rows(
    path: Path, columns: Mapping[str, str], counts: Counter[str]
) -> Iterator[dict[str, Any]]:
    lines = (line for _, line in read_lines(path, counts))
    header_line = next(lines, "")
    delimiter = max(",;\t", key=header_line.count)
    # The module's own limit of 131,072 characters would end a run at one long text, which
    # cleaning refuses by name; this bound is there for a quote that is never closed.
    csv.field_size_limit(MAX_LINE_BYTES)
    header = next(csv.reader([header_line], delimiter=delimiter), [])
    check_columns(str(path), columns, header)
    if repeated := [name for name, n in Counter(header).items() if n > 1]:
        raise InputError(f"{path} has two columns named '{repeated[0]}'; rename one of them")
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if cells:
                yield _csv_row(path, reader.line_num + 1, header, cells)
    except csv.Error as error:
        raise InputError(
            f"{path}, line {reader.line_num + 1}: broken CSV ({error}); "
            "put fields with quotes or line ends in double quotes"
        ) from error


def _csv_row(path: Path, number: int, header: list[str], cells: list[str]) -> dict[str, Any]:
    if len(cells) != len(header):
        raise InputError(
            f"{path}, line {number}: expected {len(header)} fields as in the header, got "
            f"{len(cells)}; put fields that hold a delimiter in double quotes"
        )
    return dict(zip(header, cells, strict=True))


def _parquet_rows(path: Path, columns: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            check_columns(str(path), columns, file.schema_arrow.names)
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"cannot read {path} as Parquet: {str(error).splitlines()[0]}") from error
