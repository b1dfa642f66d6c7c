"""Pairs of answers to prefer by: what the data stage makes of a file where the objective is dpo.

A row of the file is a diff and two subjects for it, the better one first::

    {"prompt": "diff --git a/src/io.py ...", "chosen": "fix(io): close it", "rejected": "update"}

A pair whose diff stands in the run's test split, whole or nearly, is left out: the model would be
measured on what it was shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kit.data.audit import has_secret, mask
from kit.data.cleaning import EMPTY, NOT_TEXT, TOO_LONG
from kit.data.commit_rows import NO_CHANGED_LINE
from kit.data.licenses import known_license
from kit.data.rows import EXACT_DUPLICATE, LEAKED, PERSONAL_DATA, SECRET, Row, Tally, row_id
from kit.data.sources import fingerprint, read_rows
from kit.data.splits import TEST, TRAIN, VALIDATION, remove_leaks, seeded_order
from kit.data.tables import write_split
from kit.errors import InputError, RecipeError
from kit.prompts import changes
from kit.recipe import Cleaning, PreferenceData
from kit.records import Preferences, Source
from kit.runs import Progress, Run
from kit.tasks.text_generation.loading import MOST_UNUSABLE, read_split

KEYS = ("prompt", "chosen", "rejected")
FOLDER = "preferences"
EQUAL = "equal_answers"


def wanted_pairs(run: Run) -> PreferenceData | None:
    """Return where the run's pairs are, None where its objective needs none.

    Raises:
        RecipeError: the objective needs pairs and none are named.
        InputError: they have no license, or one that the Hub does not know.
    """
    if run.preset.training.objective != "dpo":
        return None
    data = run.preset.preferences
    if data is None:
        raise RecipeError(
            "training.objective=dpo needs pairs of answers, the preset names none; give "
            "--preferences FILE, JSONL with prompt, chosen and rejected, or Preset(preferences=...)"
        )
    if not known_license(data.license or ""):
        raise InputError(
            f"expected the license of preferences as the Hub names it, got '{data.license}'; "
            "name it in PreferenceData(license=...)"
        )
    return data


def prepare_pairs(run: Run, data: PreferenceData, progress: Progress) -> Preferences:
    """Write ``data/preferences/{train,validation}.parquet`` and return what was kept of the file.

    Raises:
        InputError: the file cannot be read, too many of its rows cannot be used, or too few are
            left to train and to choose the epoch on.
    """
    path, tally = run.recipe.folder / data.path, Tally()
    progress("preferences", 0, None)
    rows = _usable_pairs(path, run.preset.cleaning, tally)
    _refuse_unusable(path, tally)
    rows = _without_copies(rows, tally)
    leaks = remove_leaks(
        [row.text for row in rows],
        {TEST: read_split(run, TEST).diffs},
        run.preset.cleaning.near_duplicate,
    )
    tally.removed[LEAKED] += leaks.removed[TEST]
    splits = _divided([rows[i] for i in leaks.kept], run, path)
    return Preferences(
        source=Source(
            kind="local",
            name=path.name if Path(data.path).is_absolute() else data.path,
            revision=fingerprint(path),
            license=str(data.license),
        ),
        splits={
            name: write_split(run.folder, f"{FOLDER}/{name}", chosen, KEYS[1:], ())
            for name, chosen in splits.items()
        },
        rows_read=tally.rows_read,
        removed={reason: n for reason, n in sorted(tally.removed.items()) if n},
        personal_data=dict(sorted(tally.personal_data.items())),
    )


def read_pairs(run: Run, split: str) -> list[dict[str, str]]:
    """Read a split of the prepared pairs: the diff as "text", "chosen" and "rejected"."""
    import pyarrow.parquet as pq

    rows: list[dict[str, str]] = pq.read_table(
        run.folder / "data" / FOLDER / f"{split}.parquet"
    ).to_pylist()
    return rows


def _usable_pairs(path: Path, cleaning: Cleaning, tally: Tally) -> list[Row]:
    """Return the pairs that can be used; the others are tallied by reason."""
    rows: list[Row] = []
    for raw in read_rows(path, {}, tally.decoded):
        tally.rows_read += 1
        row = _usable_pair(raw, cleaning, tally)
        if isinstance(row, Row):
            rows.append(row)
        else:
            tally.removed[row] += 1
    return rows


def _usable_pair(raw: Mapping[str, Any], cleaning: Cleaning, tally: Tally) -> Row | str:
    """Return the row, or the reason to drop it."""
    missing = [key for key in KEYS if raw.get(key) is None]
    if missing:
        return f"no_{missing[0]}"
    if not all(isinstance(raw[key], str) for key in KEYS):
        return NOT_TEXT
    prompt, chosen, rejected = raw["prompt"], *(_subject(raw[key]) for key in KEYS[1:])
    if not (prompt.strip() and chosen and rejected):
        return EMPTY
    if chosen == rejected:
        return EQUAL
    if len(prompt) > cleaning.max_characters:
        return TOO_LONG
    if not any(change.lines for change in changes(prompt)):
        return NO_CHANGED_LINE
    return _audited((prompt, chosen, rejected), cleaning, tally)


def _subject(message: str) -> str:
    """Return the subject line: the one line that a model of this task writes."""
    return message.strip().split("\n")[0].strip()


def _audited(texts: Sequence[str], cleaning: Cleaning, tally: Tally) -> Row | str:
    if any(map(has_secret, texts)):
        return SECRET
    found = [mask(text) for text in texts]
    for _, kinds in found:
        tally.personal_data.update(kinds)
    if cleaning.personal_data == "drop" and any(kinds for _, kinds in found):
        return PERSONAL_DATA
    kept = texts if cleaning.personal_data == "keep" else [masked for masked, _ in found]
    prompt, chosen, rejected = kept
    answers = {"chosen": chosen, "rejected": rejected}
    return Row(row_id(f"{chosen}\n{rejected}", prompt), prompt, "", answers)


def _refuse_unusable(path: Path, tally: Tally) -> None:
    unusable = sum(tally.removed.values())
    if unusable > MOST_UNUSABLE * tally.rows_read:
        reasons = ", ".join(f"{reason} {n}" for reason, n in tally.removed.most_common())
        raise InputError(
            f"expected rows with a diff as prompt and two different answers, chosen and rejected, "
            f"in {path}; {unusable} of {tally.rows_read} are not ({reasons}); mend or remove them"
        )


def _without_copies(rows: Sequence[Row], tally: Tally) -> list[Row]:
    kept = {row.id: row for row in rows}
    tally.removed[EXACT_DUPLICATE] += len(rows) - len(kept)
    return list(kept.values())


def _divided(rows: Sequence[Row], run: Run, path: Path) -> dict[str, list[Row]]:
    """Return the pairs of train and validation; all pairs of a diff go to one of them."""
    diffs = sorted({row.text for row in rows})
    if len(diffs) < 2:
        raise InputError(
            f"expected pairs of two diffs or more in {path}, to train and to choose the epoch, "
            f"got {len(diffs)} that can be used and stand in no test split; add pairs"
        )
    order = seeded_order(diffs, run.preset.training.seed)
    count = max(1, round(len(diffs) * run.preset.cleaning.validation_share))
    held = {diffs[i] for i in order[:count]}
    return {
        TRAIN: [row for row in rows if row.text not in held],
        VALIDATION: [row for row in rows if row.text in held],
    }
