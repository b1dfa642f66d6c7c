"""Commits of a file: every column is looked through before any of it is published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pytest

from kit.data.commit_rows import usable_commits
from kit.data.rows import Tally
from kit.errors import InputError
from kit.recipe import Cleaning, TextGeneration

DIFF = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-return 1\n+return 2\n"
SHA = "4111111111111111411111111111111141111111"
ROW = {"text": DIFF, "label": "fix: return two", "sha": SHA, "date": "2026-01-02T10:11:12+01:00"}
KEY = f"ghp_{'a1B2c3D4e5F6' * 3}"


def used(
    *rows: Mapping[str, str], tally: Tally, personal_data: Literal["mask", "drop", "keep"] = "mask"
) -> list[dict[str, str]]:
    cleaning = Cleaning(personal_data=personal_data)
    return [dict(row.fields) for row in usable_commits(rows, TextGeneration(), cleaning, tally)]


@pytest.mark.parametrize("column", ["author", "body", "repo", "ticket"])
def test_an_address_in_any_column_is_masked(column: str) -> None:
    tally = Tally()
    (fields,) = used({**ROW, column: "Ada <ada@example.org>"}, tally=tally)
    assert fields[column] == "Ada <[EMAIL]>"
    assert tally.personal_data == {"email": 1}


@pytest.mark.parametrize("column", ["author", "body"])
def test_a_secret_in_any_column_removes_the_row(column: str) -> None:
    tally = Tally()
    assert used(ROW, {**ROW, column: f"token {KEY}"}, tally=tally) == [
        {"sha": SHA, "date": ROW["date"], "message": "fix: return two"}
    ]
    assert tally.removed == {"secret": 1}


def test_hash_and_date_are_nobodys_number() -> None:
    (fields,) = used(ROW, tally=Tally())
    assert (fields["sha"], fields["date"]) == (ROW["sha"], ROW["date"])


def test_personal_data_is_kept_or_dropped_where_that_is_asked() -> None:
    row = {**ROW, "author": "ada@example.org"}
    (fields,) = used(row, tally=Tally(), personal_data="keep")
    assert fields["author"] == "ada@example.org"
    tally = Tally()
    assert used(row, tally=tally, personal_data="drop") == []
    assert tally.removed == {"personal_data": 1}


def test_commits_that_another_source_left_out_do_not_count_against_this_one() -> None:
    tally = Tally()
    tally.removed["not_conventional"] = 1
    assert len(used(ROW, tally=tally)) == 1
    with pytest.raises(InputError, match="expected messages such as"):
        used({**ROW, "label": "return two"}, tally=Tally())
