"""The data stage for labelled texts: from a source to three Parquet files and their record.

``kit data NAME`` runs it. Of 55 short reviews, one of them written twice::

    >>> record = prepare(recipe, recipe.preset("starter"), seed=13, folder=run, progress=show)
    >>> record.splits["train"].rows, record.removed
    (43, {'exact_duplicate': 1})

The order is read, clean, audit, duplicates, split, leaks, write. Every row that was read is in a
split or counted in ``removed``. The same input gives the same bytes.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from kit.data.audit import KINDS
from kit.data.dividing import check_recipe, check_splits, divide
from kit.data.rows import (
    CONTRADICTORY_LABEL,
    EXACT_DUPLICATE,
    NEAR_DUPLICATE,
    REPORT_ROWS,
    SECRET,
    Row,
    Tally,
    usable,
    without_copies,
)
from kit.data.sources import fingerprint, read_hub, read_rows, resolve_revision
from kit.data.splits import SPLITS, TEST
from kit.data.tables import examples, field_values, length_histogram, write_split
from kit.hub.remote import Repo
from kit.recipe import (
    DataSource,
    GitHistories,
    HubData,
    LocalData,
    Preset,
    Recipe,
    TextClassification,
)
from kit.records import DatasetRecord, Source

OVER_MAX_ROWS = "over_max_rows"

Progress = Callable[[str, int, int | None], None]
MakeUsable = Callable[..., list[Row]]


def prepare(
    recipe: Recipe,
    preset: Preset,
    seed: int,
    folder: Path,
    progress: Progress,
    make_usable: MakeUsable = usable,
) -> DatasetRecord:
    """Run the data stage and return its record; ``inputs`` is left to the caller.

    With ``preset.test_data``, or a Hub source that has a test split, that is the test set:
    whole, but for copies and unusable rows. Then only validation is cut from the data.

    Args:
        recipe: its task has the labels; its folder is where relative paths start.
        preset: its data, test_data and cleaning.
        seed: of the split, of the order of rows and of the choice by ``max_rows``.
        folder: receives ``data/train.parquet``, ``validation.parquet`` and ``test.parquet``.
        progress: called with (step, rows done, rows in all or None where not known).
        make_usable: raw rows to usable ones, with the task's own rules; of texts if left out.

    Raises:
        InputError: no license, unusable files, no rows left, a split without one of the labels.
        SourceError: the Hub cannot be reached, or has no such data.
        RecipeError: settings that cannot work.
    """
    started = perf_counter()
    check_recipe(preset)
    stage = _Stage(recipe, preset, seed, progress, make_usable)
    pool = stage.rows_of(preset.data, preset.cleaning.max_rows)
    test_source = preset.test_data or preset.data
    given = stage.rows_of(test_source, None, test=True) if _has_test(preset) else None
    progress("splitting", 0, len(pool))
    splits, leaked = divide(pool, given, preset.cleaning, seed, stage.tally)
    # Of commits, a split may well lack a rare type; a classifier cannot be without a label.
    required = recipe.task.labels if isinstance(recipe.task, TextClassification) else ()
    check_splits(splits, required, stage.tally)
    return stage.written(splits, leaked, folder, started)


@dataclass(frozen=True)
class _Stage:
    """One run of the data stage: its settings, and what it has counted so far."""

    recipe: Recipe
    preset: Preset
    seed: int
    progress: Progress
    make_usable: MakeUsable
    tally: Tally = field(default_factory=Tally)
    sources: dict[Source, None] = field(default_factory=dict)

    def rows_of(self, data: DataSource, max_rows: int | None, test: bool = False) -> list[Row]:
        """Return the usable rows of a source without copies, and note the source."""
        sources, stream = self._opened(data, test)
        self.sources.update(dict.fromkeys(sources))
        raw = self._limited(self._counted(stream), max_rows)
        rows = self.make_usable(
            raw,
            self.recipe.task,
            self.preset.cleaning,
            self.tally,
            lambda done: self.progress("cleaning", done, len(raw)),
        )
        self.progress("duplicates", 0, len(rows))
        return without_copies(rows, self.preset.cleaning, self.tally)

    def _opened(
        self, data: DataSource, test: bool
    ) -> tuple[list[Source], Iterator[dict[str, Any]]]:
        if isinstance(data, GitHistories):
            from kit.data.commit_rows import mined_rows

            sources, rows = mined_rows(data, self.tally, self.progress)
            return sources, iter(rows)
        source, stream = self._opened_rows(data, test)
        return [source], stream

    def _opened_rows(
        self, data: LocalData | HubData, test: bool
    ) -> tuple[Source, Iterator[dict[str, Any]]]:
        license_id = str(data.license)
        if isinstance(data, HubData):
            pinned = replace(data, revision=resolve_revision(data))
            split = (data.test_split if test else None) or data.train_split
            source = Source(
                kind="hub",
                name=data.repo_id,
                revision=str(pinned.revision),
                license=license_id,
                url=Repo("dataset", data.repo_id).url(),
            )
            return source, read_hub(pinned, split)
        path = self.recipe.folder / data.path
        source = Source(
            kind="local",
            # A record is published: it names the file, not the folders of this machine.
            name=path.name if Path(data.path).is_absolute() else data.path,
            revision=fingerprint(path),
            license=license_id,
            url=data.homepage,
        )
        columns = {"text": data.text_column, "label": data.label_column}
        return source, read_rows(path, columns, self.tally.decoded)

    def _counted(self, stream: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for done, row in enumerate(stream):
            if done % REPORT_ROWS == 0:
                self.progress("reading", done, None)
            self.tally.rows_read += 1
            yield row

    def _limited(
        self, stream: Iterator[dict[str, Any]], max_rows: int | None
    ) -> list[dict[str, Any]]:
        """Return all rows, or ``max_rows`` of them drawn by a hash of their text and the seed.

        The first rows of a file would not do: many files are sorted by label.
        """
        if max_rows is None:
            return list(stream)
        before = self.tally.rows_read
        drawn = heapq.nsmallest(max_rows, enumerate(stream), key=self._draw)
        self.tally.removed[OVER_MAX_ROWS] += self.tally.rows_read - before - len(drawn)
        return [row for _, row in sorted(drawn, key=lambda pair: pair[0])]

    def _draw(self, numbered: tuple[int, Mapping[str, Any]]) -> bytes:
        text = f"{self.seed}:{numbered[1]['text']}"
        return hashlib.sha256(text.encode("utf-8", "replace")).digest()

    def written(
        self, splits: dict[str, list[Row]], leaked: dict[str, int], folder: Path, started: float
    ) -> DatasetRecord:
        """Write the splits and return the record of the stage."""
        kept = [row for name in SPLITS for row in splits[name]]
        self.progress("writing", 0, len(kept))
        fields = sorted({name for row in kept for name in row.fields})
        labels = self.recipe.task.labels
        cleaning, tally = self.preset.cleaning, self.tally
        written = {name: write_split(folder, name, splits[name], fields, labels) for name in SPLITS}
        self.progress("writing", len(kept), len(kept))
        seconds = perf_counter() - started
        return DatasetRecord(
            sources=tuple(self.sources),
            language_creators=self.preset.data.language_creators,
            splits=written,
            rows_read=tally.rows_read,
            removed={reason: n for reason, n in sorted(tally.removed.items()) if n},
            exact_duplicates=tally.removed[EXACT_DUPLICATE],
            near_duplicates=tally.removed[NEAR_DUPLICATE],
            near_duplicate_threshold=cleaning.near_duplicate,
            contradictory_labels=tally.removed[CONTRADICTORY_LABEL],
            leaked_from_train=leaked,
            repaired=tally.repaired + tally.decoded.total(),
            personal_data={kind: tally.personal_data[kind] for kind in KINDS},
            personal_data_action=cleaning.personal_data,
            secrets=tally.removed[SECRET],
            length_histogram=length_histogram(kept),
            fields=field_values(kept, fields),
            examples=examples(splits[TEST], labels),
            seconds=seconds,
            rows_per_second=tally.rows_read / seconds,
        )


def _has_test(preset: Preset) -> bool:
    data = preset.data
    return preset.test_data is not None or (isinstance(data, HubData) and bool(data.test_split))
