"""Names that are made up and messages that say nothing, told by their rules."""

from __future__ import annotations

import pytest

from kit.evaluation.wording import filler, invented, names


@pytest.mark.parametrize(
    ("word", "is_name"),
    [
        ("retry_count", True),
        ("_private", True),
        ("__init__", True),
        ("readFile", True),
        ("RegExp", True),
        ("os.path", True),
        ("README.md", True),
        (".gitignore", True),
        ("3.11", True),
        ("utf8", True),
        ("v2", True),
        ("#123", True),
        ("--dry-run", True),
        ("src/http/pool", True),
        ("src/http.py", True),
        ("cache", False),
        ("Cache", False),
        ("API", False),
        ("and/or", False),
        ("pre-commit", False),
        ("e.g.", False),
        ("12", False),
    ],
)
def test_a_name_is_told_from_a_word(word: str, is_name: bool) -> None:
    assert bool(names(f"fix: change `{word}`, at last")) is is_name
    assert names(f"fix({word}): done\n\nRefs: {word}") == []


def test_a_name_is_made_up_where_the_diff_does_not_hold_its_parts() -> None:
    diff = (
        "diff --git a/src/http.py b/src/http.py\nindex abc123f..def4567 100644\n+def Read_All(p):"
    )
    assert invented("fix: read_all of src/http.py, py.http", diff) == (0, 3)
    assert invented("fix: write_all of src/pool.py", diff) == (2, 2)
    assert invented("fix: abc123f", diff) == (1, 1)
    assert invented("fix: 4.5", diff + "4 5") == (1, 1)
    assert invented("not valid, readAll\n\nbody_name", diff) == (2, 2)


@pytest.mark.parametrize(
    ("message", "is_filler"),
    [
        ("fix: update", True),
        ("chore: some minor changes and improvements", True),
        ("fix: fixed the bug", True),
        ("refactor(core): make code better", True),
        ("Update files", True),
        ("", True),
        ("docs: update README.md", False),
        ("fix: fix typo", False),
        ("chore: bump go to 1.22", False),
        ("feat: add a cache", False),
        ("fix: #12", False),
    ],
)
def test_filler_has_no_word_of_content(message: str, is_filler: bool) -> None:
    assert filler(message) is is_filler
