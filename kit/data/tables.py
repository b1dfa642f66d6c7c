"""The Parquet files of the data stage, and what a record says of them.

::

    >>> written = write_split(Path("run"), "test", rows, ["domain"], ("negative", "positive"))
    >>> written.rows, written.file.path
    (6, 'data/test.parquet')

Same rows, same bytes: the order of rows is theirs, nothing of the clock or the machine goes in.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from statistics import median

from kit.data.rows import Row
from kit.files import write_atomically
from kit.records import Example, FileEntry, Split

FEWEST_EXAMPLES = 5
MOST_EXAMPLES = 8
EXAMPLE_CHARACTERS = 400
COUNTED_VALUES = 30
PLAIN = "plain"

_LENGTHS = (4, 8, 16, 32, 64, 128, 256, 512, 1024)


def write_split(
    folder: Path, name: str, rows: Sequence[Row], fields: Sequence[str], labels: Sequence[str]
) -> Split:
    """Write ``folder/data/<name>.parquet`` by rename, and describe it.

    The columns are id, text, label and ``fields``, all strings; a row without a field has "".

    Raises:
        InputError: the file cannot be written.
    """
    content = _parquet_bytes(rows, fields)
    path = f"data/{name}.parquet"
    write_atomically(folder / path, content)
    words = [word_count(row.text) for row in rows]
    counts = Counter(row.label for row in rows)
    return Split(
        rows=len(rows),
        labels={label: counts[label] for label in labels},
        words_median=float(median(words)) if words else 0.0,
        words_longest=max(words, default=0),
        file=FileEntry(path=path, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content)),
    )


def word_count(text: str) -> int:
    """Return how many words stand between the white space of a text."""
    return len(text.split())


def length_histogram(rows: Iterable[Row]) -> dict[str, int]:
    """Return the number of rows per range of words: "1-4", "5-8", ... "1025+", zeros left out."""
    counts: Counter[int] = Counter()
    for row in rows:
        words = word_count(row.text)
        counts[sum(words > limit for limit in _LENGTHS)] += 1
    lows = [1, *(limit + 1 for limit in _LENGTHS)]
    names = [f"{low}-{high}" for low, high in zip(lows, _LENGTHS, strict=False)]
    names.append(f"{lows[-1]}+")
    return {names[place]: counts[place] for place in sorted(counts)}


def field_values(rows: Sequence[Row], fields: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return how often each value of a field occurs, the most common first.

    Fields with more than ``COUNTED_VALUES`` different values, such as an id, are left out.
    """
    counted: dict[str, dict[str, int]] = {}
    for name in fields:
        counts = Counter(row.fields.get(name, "") for row in rows)
        if len(counts) <= COUNTED_VALUES:
            counted[name] = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    return counted


def examples(rows: Sequence[Row], labels: Sequence[str]) -> tuple[Example, ...]:
    """Return ``FEWEST_EXAMPLES`` to ``MOST_EXAMPLES`` rows for a page, or all if there are fewer.

    One row of each kind other than "plain" comes first, where rows have the field "kind"; then
    plain ones, the labels in turn. Texts that fill a page are taken only if there is nothing
    else. The choice follows the order of ``rows``.
    """
    short = sorted(rows, key=lambda row: len(row.text) > EXAMPLE_CHARACTERS)
    hard: dict[str, Row] = {}
    for row in short:
        if _is_hard(row):
            hard.setdefault(row.fields["kind"], row)
    chosen = list(hard.values())[: max(2, MOST_EXAMPLES - len(labels))]
    taken = {row.id for row in chosen}
    rest = sorted((row for row in short if row.id not in taken), key=_is_hard)
    queues = [[row for row in rest if row.label == label] for label in labels]
    in_turn = [row for turn in zip_longest(*queues) for row in turn if row is not None]
    wanted = min(MOST_EXAMPLES, max(FEWEST_EXAMPLES + 1, len(chosen) + len(labels)))
    chosen += in_turn[: wanted - len(chosen)]
    return tuple(Example(text=row.text, label=row.label, fields=dict(row.fields)) for row in chosen)


def _is_hard(row: Row) -> bool:
    return (row.fields.get("kind") or PLAIN) != PLAIN


def _parquet_bytes(rows: Sequence[Row], fields: Sequence[str]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    columns = {
        "id": [row.id for row in rows],
        "text": [row.text for row in rows],
        "label": [row.label for row in rows],
    }
    columns |= {name: [row.fields.get(name, "") for row in rows] for name in fields}
    schema = pyarrow.schema([(name, pyarrow.string()) for name in columns])
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table(columns, schema=schema), sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())
