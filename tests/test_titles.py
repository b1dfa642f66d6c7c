"""``kit titles``: which title wins, how surely, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kit.brief import read_brief
from kit.brief.titles import Counts, title_variants
from kit.evaluation.titles import compare_titles
from tests.asking import Said, ask

HEAD = "---\ntitle: A card\npubDate: 2026-11-21\n---\n"
BODY = """
## Editorial brief
### Video titles
- “Dull” — a film’s <b>end</b> 🎬
- Third, with a comma
- a CARD
### Blog outline
- H1: A card
- H2: Why (100 words)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "kit.toml").write_text("owner = 'ann'\n")
    (tmp_path / "recipes" / "toy").mkdir(parents=True)
    (tmp_path / "recipes" / "toy" / "brief.md").write_text(HEAD + BODY, "utf-8")
    return tmp_path


def asked(root: Path, counts: str, *words: str, name: str = "counts.csv") -> Said:
    (root / name).write_text(counts, "utf-8")
    return ask(root, "titles", "toy", "--counts", name, *words)


def test_variants_are_the_cards_titles_each_once(root: Path) -> None:
    brief = read_brief(root / "recipes" / "toy" / "brief.md")
    expected = ("A card", "“Dull” — a film’s <b>end</b> 🎬", "Third, with a comma")
    assert title_variants(brief) == expected


def test_a_clear_winner_is_named_with_its_certainty(root: Path) -> None:
    said = asked(root, 'title,views,clicks\nA card,2000,120\n"Third, with a comma",2000,60\n')
    assert said.code == 0
    last = said.out.splitlines()[-1]
    assert last == "Decided: “A card” is the best with a probability of 100.0%."
    assert "+3.00 points (95 % interval +" in said.out
    assert "not shown" in said.out


def test_rows_of_a_title_are_added_and_typing_may_differ(root: Path) -> None:
    rows = [
        {"title": "  a  card ", "views": 100, "clicks": 5},
        {"title": '"dull" - A film\'s <b>end</b> 🎬', "views": "300", "clicks": "9"},
        {"title": "A card", "views": 200, "clicks": 5},
    ]
    text = "\n".join(json.dumps(row) for row in rows)
    document = asked(root, text, "--json", name="counts.jsonl").document
    found = [(row["title"], row["views"], row["clicks"]) for row in document["titles"]]
    assert found == [("A card", 300, 10), ("“Dull” — a film’s <b>end</b> 🎬", 300, 9)]
    assert (document["decided"], document["winner"]) == (False, None)
    assert document["not_shown"] == ["Third, with a comma"]
    assert all(row["more_views"] > 1000 for row in document["titles"])


def test_more_power_takes_more_views(root: Path) -> None:
    counts = 'title,views,clicks\nA card,200,12\n"Third, with a comma",200,10\n'
    less, more = (asked(root, counts, "--power", p, "--json").document for p in ("0.8", "0.95"))
    assert less["titles"][0]["more_views"] < more["titles"][0]["more_views"]


def test_equal_rates_are_never_told_apart(root: Path) -> None:
    said = asked(root, 'title,views,clicks\nA card,50,0\n"Third, with a comma",80,0\n')
    assert "no number of views tells equal rates apart" in said.out


def test_what_is_missing_is_counted_from_what_is_there() -> None:
    counts = [Counts("a", 1000, 60), Counts("b", 400, 20), Counts("c", 3000, 30)]
    document = compare_titles(counts, power=0.8)
    more = {row["title"]: row["more_views"] for row in document["titles"]}
    # At 0.06 and 0.05 each title needs 8,158 views; c is told from a already.
    assert more == {"a": 7158, "b": 7758, "c": 0}


def test_a_doubt_that_only_many_titles_raise_together_still_asks_for_views() -> None:
    others = [Counts(str(n), 2000, 92) for n in range(8)]
    document = compare_titles([Counts("first", 2000, 120), *others], power=0.8)
    assert document["comparison"]["p_value"] < 0.05
    if not document["decided"]:
        assert document["titles"][0]["more_views"] > 0


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ("title,views,clicks\nA card,10,11\n", "line 2: expected at most 10 clicks"),
        ("title,views,clicks\nA cart,10,1\n", "no title 'A cart'; did you mean 'A card'?"),
        ("title,views,clicks\nZ,10,1\n", "the brief has no title 'Z'"),
        ("title,views,clicks\nA card,10,1\n", "expected views of two titles or more"),
        ('title,views,clicks\nA card,10,1\n"Third, with a comma",0,0\n', "found 1"),
        ("title,views,clicks\n", "expected counts in counts.csv, found none"),
        ("", "found none"),
        ("title,views\nA card,10\n", "found no clicks"),
        ("title,views,clicks\nA card,10\n", "found no clicks"),
        ("title,views,clicks\nA card,-1,0\n", "expected views as a whole number"),
        ("title,views,clicks\nA card,1.5,0\n", "expected views as a whole number"),
        ("title,views,clicks\nA card,nan,0\n", "expected views as a whole number"),
        ("title,views,clicks\nA card," + "9" * 5000 + ",0\n", "expected views as a whole number"),
        ("title,views,clicks\nA card,٣,1\n", "expected views as a whole number"),
    ],
)
def test_counts_that_cannot_be_right_are_refused(root: Path, counts: str, expected: str) -> None:
    said = asked(root, counts)
    assert said.code == 1
    assert expected in said.fault


@pytest.mark.parametrize("line", ["{", "[]", '{"title": "A card", "views": true, "clicks": 0}'])
def test_jsonl_that_is_none_is_refused(root: Path, line: str) -> None:
    assert "line 1: expected" in asked(root, line, name="counts.jsonl").fault


def test_a_card_of_one_title_and_an_unknown_card_are_refused(root: Path) -> None:
    (root / "recipes" / "toy" / "brief.md").write_text(HEAD)
    said = asked(root, "title,views,clicks\nA card,10,1\n")
    assert "expected two titles or more in the brief of 'toy', found one" in said.fault
    other = ask(root, "titles", "tay", "--counts", "counts.csv")
    assert "there is no brief of 'tay'; did you mean 'toy'?" in other.fault


def test_counts_that_are_not_there_are_refused(root: Path) -> None:
    said = ask(root, "titles", "toy", "--counts", "none.csv")
    assert "expected counts in UTF-8 at none.csv" in said.fault
