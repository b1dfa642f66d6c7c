"""What the data stage refuses: each in one line, and before anything is written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kit.data.preparing import prepare
from kit.errors import InputError, RecipeError
from kit.recipe import Cleaning, HubModel, LocalData, Preset, Recipe, Sample, TextClassification

TASK = TextClassification(
    labels=("negative", "positive"), label_aliases={"neg": "negative"}, samples=(Sample("fine"),)
)

RowList = list[dict[str, Any]]

REVIEWS: RowList = [
    {"text": f"The {subject} was {verdict}", "label": label, "domain": "films"}
    for label, verdict in (("negative", "dull"), ("positive", "lovely"))
    for subject in [
        "ferry",
        "kettle",
        "novel",
        "hotel",
        "lamp",
        "bakery",
        "course",
        "phone",
        "tent",
    ]
]


def run(
    folder: Path,
    rows: RowList | None = None,
    *,
    test: RowList | None = None,
    data: LocalData | None = None,
    cleaning: Cleaning | None = None,
) -> None:
    """Prepare rows given in memory; None writes no file."""
    for name, content in (("rows.jsonl", rows), ("test.jsonl", test)):
        if content is not None:
            (folder / name).write_text("".join(json.dumps(row) + "\n" for row in content))
    preset = Preset(
        data=data or LocalData("rows.jsonl", license="cc0-1.0"),
        base=HubModel("someone/model"),
        cleaning=cleaning or Cleaning(),
        test_data=None if test is None else LocalData("test.jsonl", license="cc0-1.0"),
    )
    recipe = Recipe(
        name="reviews",
        title="Reviews",
        language="en",
        task=TASK,
        presets={},
        slug="reviews",
        folder=folder,
    )
    prepare(recipe, preset, 13, folder, lambda step, done, total: None)


@pytest.mark.parametrize(
    ("license_id", "said"),
    [
        (None, "got none; set license= in its data=...(...) or give --license ID"),
        ("", "got none"),
        ("apache2", "did you mean 'apache-2.0'"),
    ],
)
def test_a_license_is_required(tmp_path: Path, license_id: str | None, said: str) -> None:
    with pytest.raises(InputError) as caught:
        run(tmp_path, REVIEWS, data=LocalData("rows.jsonl", license=license_id))
    assert said in str(caught.value)


def test_a_missing_license_is_told_before_the_file_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--license ID"):
        run(tmp_path, data=LocalData("no-such-file.jsonl"))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row for row in REVIEWS if row["label"] == "positive"], "got only 'positive'"),
        ([{"text": "", "label": "neg"}, {"text": " ", "label": "positive"}], "empty 2"),
        ([row | {"label": "5"} for row in REVIEWS], "got '5'"),
        ([row | {"label": None} for row in REVIEWS], "no_label 18"),
        (REVIEWS[:2] + REVIEWS[-2:], "validation split"),
    ],
)
def test_rows_that_cannot_be_trained_on_are_refused(
    tmp_path: Path, rows: RowList, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        run(tmp_path, rows)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "data").exists()


def test_a_test_set_without_one_of_the_classes_is_refused(tmp_path: Path) -> None:
    test = [{"text": "Fresh bread", "label": "positive"}]
    with pytest.raises(InputError, match=r"test split of 1 rows, got none of 'negative'"):
        run(tmp_path, REVIEWS, test=test)


def test_a_stratum_that_is_no_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'domain'"):
        run(tmp_path, REVIEWS, cleaning=Cleaning(stratify_by=("domains",)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"near_duplicate": 0.2}, "near_duplicate"),
        ({"near_duplicate": 1.5}, "near_duplicate"),
        ({"personal_data": "hide"}, "personal_data"),
        ({"max_rows": 0}, "max_rows"),
        ({"test_share": 0.95}, "sum under 1"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(RecipeError, match=said):
        run(tmp_path, REVIEWS, cleaning=replace(Cleaning(), **change))
