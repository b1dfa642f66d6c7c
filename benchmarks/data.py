"""The data stage at two sizes: rows per second, peak memory, and whether it is linear.

Each size is prepared in a process of its own, so that one peak does not hide the other. From the
repository's root, for SST-2 phrases at 67,349 rows, which is the file, and at 200,000::

    .venv/bin/python -m benchmarks.data --data ../shared/data/sentiment/sst2-phrases-train.jsonl.gz

Rows beyond the file's length are its rows again with each letter moved along the alphabet, by one
in the second pass, by two in the third. That keeps lengths, markup and the resemblance of rows of
one pass, and hardly a text of one pass resembles one of another: three times the rows are three
times the same work.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import median
from string import ascii_lowercase
from typing import Any

from kit.data.sources import read_rows
from kit.errors import InputError, KitError
from kit.recipe import Cleaning, LocalData, find_recipe

ROOT = Path(__file__).parents[1]
SIZES = (67_349, 200_000)
WARMUP_ROWS = 1000
# From 67 to 200 thousand rows sorting grows by 1.1 a row, comparing all pairs by 3.
LINEAR = 1.2
# Moved letters would turn tags, entities and addresses into text that cleaning takes longer for.
MARKUP = re.compile(r"(<[^<>]*>|&\w+;|\S+@\S+|\w+://\S+)")


@dataclass(frozen=True)
class Measurement:
    """One data stage in a fresh process."""

    rows: int
    kept: int
    seconds: float
    peak_bytes: int


def main() -> None:
    """Measure each size and print the table, or one JSON document."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(options.data, sorted(set(options.rows)), options.repeat, Path(folder))
    document = summary(found)
    print(json.dumps(document, indent=1) if options.json else table(document))


def measured(data: Path, sizes: list[int], repeat: int, folder: Path) -> list[Measurement]:
    """Return one measurement per size, the one of median seconds where it is repeated."""
    warmup = _written(data, min(WARMUP_ROWS, sizes[0]), folder)
    files = {rows: _written(data, rows, folder) for rows in sizes}
    found: dict[int, list[Measurement]] = {rows: [] for rows in sizes}
    # A spawned process starts small; a forked one would begin with this one's peak.
    pool = multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1)
    with pool:
        for _ in range(repeat):
            for rows, path in files.items():
                found[rows].append(pool.apply(prepared, (path, warmup)))
                _say(f"{rows} rows: {found[rows][-1].seconds:.1f} s")
    return [_middle(several) for several in found.values()]


def prepared(path: Path, warmup: Path) -> Measurement:
    """Run the data stage on a file, in this process, after a first run on ``warmup``."""
    from kit.data.preparing import prepare
    from kit.training.measuring import peak_memory

    recipe = find_recipe(ROOT, "sentiment")
    preset = recipe.preset("starter")
    # The first run loads libraries, which takes the same time at any size.
    for source in (warmup, path):
        data = LocalData(str(source), license="other")
        changed = replace(preset, data=data, cleaning=Cleaning())
        with tempfile.TemporaryDirectory() as folder:
            record = prepare(recipe, changed, preset.training.seed, Path(folder), _silent)
    kept = sum(split.rows for split in record.splits.values())
    return Measurement(record.rows_read, kept, record.seconds, peak_memory())


def varied(data: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file, then variations of them that hardly resemble a row before.

    Raises:
        InputError: the file cannot be used, or more rows are taken than there are variations.
    """
    for shift in range(len(ascii_lowercase)):
        for row in read_rows(data, {"text": "text", "label": "label"}):
            yield {**row, "text": _moved(str(row["text"]), shift)}
    raise InputError(
        f"expected --rows of at most {len(ascii_lowercase)} times the rows of {data}; "
        "lower --rows or give a longer file"
    )


def _moved(text: str, shift: int) -> str:
    moved = ascii_lowercase[shift:] + ascii_lowercase[:shift]
    letters = str.maketrans(ascii_lowercase + ascii_lowercase.upper(), moved + moved.upper())
    parts = MARKUP.split(text)
    parts[::2] = [part.translate(letters) for part in parts[::2]]
    return "".join(parts)


def _written(data: Path, rows: int, folder: Path) -> Path:
    path = folder / f"{rows}.jsonl.gz"
    with gzip.open(path, "wt", compresslevel=1, encoding="utf-8") as file:
        for row in islice(varied(data), rows):
            file.write(json.dumps(row) + "\n")
    return path


def _middle(several: list[Measurement]) -> Measurement:
    seconds = median(one.seconds for one in several)
    return min(several, key=lambda one: abs(one.seconds - seconds))


def summary(found: list[Measurement]) -> dict[str, Any]:
    """Return the measurements, and how seconds per row grow from the fewest rows to the most."""
    least, most = found[0], found[-1]
    ratio = (most.seconds / most.rows) / (least.seconds / least.rows)
    return {
        "sizes": [{**asdict(one), "rows_per_second": one.rows / one.seconds} for one in found],
        "growth": most.rows / least.rows,
        "seconds_per_row_ratio": ratio,
        "linear": ratio <= LINEAR,
    }


def table(document: dict[str, Any]) -> str:
    """Return the document as lines for a terminal."""
    lines = [f"{'rows':>8} {'kept':>8} {'seconds':>8} {'rows/s':>8} {'peak memory':>12}"]
    for one in document["sizes"]:
        lines.append(
            f"{one['rows']:8,} {one['kept']:8,} {one['seconds']:8.2f} "
            f"{one['rows_per_second']:8,.0f} {one['peak_bytes'] / 2**20:8,.0f} MiB"
        )
    if len(document["sizes"]) > 1:
        verdict = "linear" if document["linear"] else "NOT linear"
        lines.append(
            f"{verdict}: {document['growth']:.2f} times the rows take "
            f"{document['seconds_per_row_ratio']:.2f} times the seconds per row "
            f"(linear is up to {LINEAR}; comparing all pairs would take {document['growth']:.2f})"
        )
    return "\n".join(lines)


def _silent(step: str, done: int, total: int | None) -> None:
    """Take progress and say nothing."""


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.data", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="rows with text and label")
    parser.add_argument(
        "--rows", type=int, nargs="+", default=SIZES, metavar="N", help="sizes (67349 200000)"
    )
    parser.add_argument("--repeat", type=int, default=1, help="runs of each size (1)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except KitError as error:
        sys.exit(str(error))
