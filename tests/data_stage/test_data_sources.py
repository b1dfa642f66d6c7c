"""Files of every accepted kind read the same, and every bad one is refused in one line."""

from __future__ import annotations

import codecs
import csv
import gzip
import json
import os
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from kit.data.lines import MAX_LINE_BYTES, NOT_UTF8
from kit.data.sources import EXTENSIONS, fingerprint, read_rows
from kit.errors import InputError

COLUMNS = {"text": "text", "label": "label"}
ROWS = [
    {"text": 'He said "hi", twice', "label": "positive", "domain": "films"},
    {"text": "ein schönes Buch\nmit zwei Zeilen", "label": "negative", "domain": "books"},
    {"text": "<script>alert(1)</script> {{ 7*7 }} --- |", "label": "positive", "domain": ""},
]


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    """Write rows in the format that the file's name asks for."""
    name = path.name.removesuffix(".gz")
    plain = path.with_name(name)
    if name.endswith(".parquet"):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), plain)
    elif name.endswith(".csv"):
        with plain.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        plain.write_text("".join(lines), encoding="utf-8")
    if path != plain:
        path.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    return path


def refusal(path: Path, columns: dict[str, str] | None = None) -> str:
    """Return the message with which a file is refused, checking that it is one line."""
    with pytest.raises(InputError) as caught:
        list(read_rows(path, columns or COLUMNS))
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_every_format_reads_the_same(tmp_path: Path, extension: str) -> None:
    path = write(tmp_path / f"rows{extension}", ROWS)
    assert list(read_rows(path, COLUMNS)) == ROWS


def test_a_gzipped_file_is_known_by_its_bytes_not_its_name(tmp_path: Path) -> None:
    gzipped = write(tmp_path / "rows.jsonl.gz", ROWS)
    renamed = gzipped.rename(tmp_path / "rows.jsonl")
    assert list(read_rows(renamed, COLUMNS)) == ROWS


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_csv_with_another_delimiter_is_read(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f'text{delimiter}label\n"a, b{delimiter} c"{delimiter}positive\n')
    assert list(read_rows(path, COLUMNS)) == [{"text": f"a, b{delimiter} c", "label": "positive"}]


def test_columns_are_mapped_and_the_others_kept(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"review": "Kind.", "stars": 1, "text": "a title", "id": 7, "domain": "x"}\n')
    assert list(read_rows(path, {"text": "review", "label": "stars"})) == [
        {"text": "Kind.", "label": 1, "source_text": "a title", "source_id": 7, "domain": "x"}
    ]


def test_a_row_without_a_column_has_none_there(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a", "label": "b"}\n\n{"text": "c"}\n')
    assert [row["label"] for row in read_rows(path, COLUMNS)] == ["b", None]


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "there is no file" in refusal(tmp_path / "no.csv")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "got the folder" in refusal(tmp_path)


def test_a_missing_file_is_refused_before_any_row_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_rows(tmp_path / "no.csv", COLUMNS)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_an_empty_file_is_refused(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"rows{extension}"
    path.touch()
    assert "is empty" in refusal(path)


def test_a_csv_with_a_header_only_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text,label\n")
    assert "has no rows" in refusal(path)


def test_an_unknown_extension_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "rows.xlsx"
    path.write_bytes(b"PK")
    message = refusal(path)
    assert "rows.xlsx" in message
    assert all(extension in message for extension in EXTENSIONS)


@pytest.mark.parametrize("extension", [".jsonl", ".csv", ".parquet"])
def test_a_wrong_column_is_refused_with_those_that_are_there(
    tmp_path: Path, extension: str
) -> None:
    path = write(tmp_path / f"rows{extension}", ROWS)
    message = refusal(path, {"text": "texts", "label": "label"})
    assert "'texts'" in message
    assert "did you mean 'text'?" in message
    assert "domain, label, text" in message
    assert "text_column" in message


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b'{"text": "a\0b"}\n'])
@pytest.mark.parametrize("extension", [".jsonl", ".csv"])
def test_binary_content_is_refused(tmp_path: Path, content: bytes, extension: str) -> None:
    path = tmp_path / f"rows{extension}"
    path.write_bytes(b"text,label\n" * (extension == ".csv") + content)
    assert "binary file" in refusal(path)


def test_a_text_file_named_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_text("text,label\na,b\n" * 100)
    assert "as Parquet" in refusal(path)


def test_broken_json_is_refused_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a", "label": "b"}\n\n{"text": "c", \n')
    message = refusal(path)
    assert "line 3" in message
    assert "broken JSON" in message


@pytest.mark.parametrize("line", ['["a", "b"]', '"a"', "3"])
def test_json_that_is_no_object_is_refused_by_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.json"
    path.write_text('{"text": "a", "label": "b"}\n' + line + "\n")
    assert "line 2: expected one JSON object per line" in refusal(path)


def test_json_nested_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("[" * 200_000 + "\n")
    assert "line 1" in refusal(path)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a,positive,more\n", "line 2: expected 2 fields as in the header, got 3"),
        ("a,b\nc\n", "line 3: expected 2 fields as in the header, got 1"),
        ('"never closed,positive\n', "line 2: broken CSV"),
        ('"a "quoted" word",positive\n', "line 2: broken CSV"),
    ],
)
def test_broken_csv_is_refused_by_its_line(tmp_path: Path, rows: str, said: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text,label\n" + rows)
    assert said in refusal(path)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text,label,text\na,b,c\n")
    assert "two columns named 'text'" in refusal(path)


def test_a_csv_field_longer_than_the_csv_module_allows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text,label\n" + "a" * 200_000 + ",positive\n")
    (row,) = read_rows(path, COLUMNS)
    assert len(row["text"]) == 200_000


def test_a_line_over_the_limit_is_refused_by_number_and_size_in_little_memory(
    tmp_path: Path,
) -> None:
    path = tmp_path / "rows.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b'{"text": "a", "label": "b"}\n')
        for _ in range(64):
            file.write(b"a" * 2**20)
    tracemalloc.start()
    message = refusal(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "line 2 has 64.0 MB" in message
    assert peak < 4 * MAX_LINE_BYTES


def test_utf8_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(codecs.BOM_UTF8 + "text,label\nschön,positive\n".encode())
    assert list(read_rows(path, COLUMNS)) == [{"text": "schön", "label": "positive"}]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_known_by_its_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "rows.jsonl"
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\r\n" for row in ROWS)
    path.write_bytes(("\ufeff" + lines).encode(encoding))
    assert list(read_rows(path, COLUMNS)) == ROWS


def test_utf16_that_ends_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(codecs.BOM_UTF16_LE + '{"text": "a"}'.encode("utf-16-le")[:-1])
    assert "UTF-16" in refusal(path)


def test_lines_that_are_not_utf8_are_read_as_windows_1252_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"text,label\ncaf\xe9 \x80 5 \x81,positive\n" + "café,negative\n".encode())
    counts = Counter[str]()
    texts = [row["text"] for row in read_rows(path, COLUMNS, counts)]
    assert texts == ["café € 5 \x81", "café"]
    assert counts == {NOT_UTF8: 1}


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl.gz", ROWS * 1000)
    path.write_bytes(path.read_bytes()[:-200])
    assert "expected a whole, readable file" in refusal(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rows.csv")
    assert "there is no file" in refusal(tmp_path / "rows.csv")


def test_parquet_cells_that_are_no_strings_keep_their_type(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    rows: list[dict[str, Any]] = [{"text": "a", "label": 1, "tags": ["x"]}]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    assert list(read_rows(path, COLUMNS)) == rows


def test_the_fingerprint_is_the_sha256_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert fingerprint(path) == expected


def test_the_fingerprint_of_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        fingerprint(tmp_path / "no.csv")
