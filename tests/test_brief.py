"""The idea card: what is understood is typed, what is not is kept, and nothing is lost."""

from __future__ import annotations

import contextlib
import datetime
import random
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from kit.brief import Brief, read_brief
from kit.brief.card import Angle, Check, Kept, Link, OutlinePart, Score, Step
from kit.brief.editorial import x_length
from kit.brief.markdown import headings
from kit.errors import InputError
from tests.asking import ask

ROOT = Path(__file__).parent.parent
HEAD = "---\ntitle: A card\npubDate: 2026-11-21\n---\n"
CARDS = ("sentiment", "commit_messages")


def card(folder: Path, body: str, head: str = HEAD) -> Brief:
    path = folder / "brief.md"
    path.write_text(head + body, "utf-8")
    return read_brief(path)


def said(brief: Brief, part: str) -> str:
    """Return the one warning that holds a text."""
    (found,) = [warning for warning in brief.warnings if part in warning]
    return found


def own_card(name: str) -> Path:
    path = ROOT / "recipes" / name / "brief.md"
    if not path.is_file():
        pytest.skip(f"no card at {path}")
    return path


@pytest.mark.parametrize("name", CARDS)
def test_our_own_cards_are_understood_whole(name: str) -> None:
    brief = read_brief(own_card(name))
    assert (brief.warnings, brief.kept) == ((), ())
    assert brief.editorial.blog_outline.h1 == brief.title
    assert all(part.words for part in brief.editorial.blog_outline.parts)
    assert x_length(brief.editorial.social.x) <= len(brief.editorial.social.x) <= 280
    assert len(brief.editorial.meta_description) <= 155
    assert brief.scores.composite.value is not None
    assert "judgement" in brief.notes
    steps = brief.editorial.video_outline
    for before, after in pairwise(steps):
        assert before.start is not None
        assert before.minutes is not None
        assert before.start + before.minutes == after.start


@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize(
    "stray",
    ["zzq plain", "- zzq: item", "  zzq deep", "### zzq", "**zzq:** bold", "| zzq | 3 |", "> zzq"],
)
def test_a_stray_line_anywhere_is_typed_or_kept_never_lost(
    tmp_path: Path, name: str, stray: str
) -> None:
    lines = own_card(name).read_text("utf-8").split("\n")
    for at in range(5 + len(stray) % 5, len(lines), 9):
        brief = card(tmp_path, "\n".join([*lines[4:at], stray, *lines[at:]]))
        prose = [brief.sections.get(key, "") for key in ("Summary", "Why now", "Notes/assumptions")]
        typed = repr(replace(brief, sections={}, warnings=()))
        assert "zzq" in typed + repr(prose), at


def test_sections_may_stand_in_any_order_and_case(tmp_path: Path) -> None:
    text = own_card("sentiment").read_text("utf-8").split("\n---\n", 1)[1]
    parts = ["## " + part.rstrip() for part in text.split("\n## ")[1:]]
    straight = card(tmp_path, "\n\n".join(parts))
    turned = [
        part.replace(
            "## " + part[3:].split("\n")[0], "## " + part[3:].split("\n")[0].upper() + ":", 1
        )
        for part in reversed(parts)
    ]
    other = card(tmp_path, "\n\n".join(turned))
    assert list(other.sections) == list(reversed(straight.sections))
    assert replace(other, sections={}) == replace(straight, sections={})


@pytest.mark.parametrize("name", CARDS)
def test_any_section_may_be_missing_and_is_named(tmp_path: Path, name: str) -> None:
    text = own_card(name).read_text("utf-8").split("\n---\n", 1)[1]
    parts = text.split("\n## ")
    for at in range(1, len(parts)):
        brief = card(tmp_path, "\n## ".join(parts[:at] + parts[at + 1 :]))
        assert brief.warnings == (f"sections: no {parts[at].splitlines()[0]}",)


def test_a_card_of_front_matter_alone_is_a_card(tmp_path: Path) -> None:
    brief = card(tmp_path, "")
    assert (brief.title, brief.date) == ("A card", datetime.date(2026, 11, 21))
    assert (brief.sections, brief.summary, brief.kept) == ({}, "", ())
    assert "no Summary, Why now, References" in said(brief, "sections:")


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("No head.", "front matter between two lines of ---"),
        ("---\ntitle: A\npubDate: 2026-11-21\n", "front matter between two lines of ---"),
        ("---\ntitle: [a\n---\n", "expected YAML"),
        ("---\ntitle: Commits: from the diff\npubDate: 2026-11-21\n---\n", "between quotes"),
        ("---\ntitle: A\npubDate: 2026-13-01\n---\n", "expected YAML"),
        ("---\n- a\n---\n", "expected 'title: …' and 'pubDate: …'"),
        ("---\npubDate: 2026-11-21\n---\n", "expected 'title: …'"),
        ("---\ntitle: '  '\npubDate: 2026-11-21\n---\n", "expected 'title: …'"),
        ("---\ntitle: 1984\npubDate: 2026-11-21\n---\n", "between quotes"),
        ("---\ntitle: A\n---\n", "expected 'pubDate: YYYY-MM-DD'"),
        ("---\ntitle: A\npubDate: soon\n---\n", "got 'soon'"),
        ("---\ntitle: " + "[" * 5000 + "\n---\n", "expected YAML"),
        ("---\ntitle: {a: " + "x" * 500 + "}\npubDate: 2026-11-21\n---\n", "…"),
    ],
)
def test_a_broken_head_is_refused_in_one_line(tmp_path: Path, head: str, expected: str) -> None:
    with pytest.raises(InputError) as refused:
        card(tmp_path, "## Summary\n", head)
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("day", ["2026-11-21", '"2026-11-21"', "2026-11-21 10:00:00"])
def test_a_day_may_be_quoted_or_carry_a_time(tmp_path: Path, day: str) -> None:
    brief = card(tmp_path, "", f"\ufeff\n---  \nTitle: A\npubdate: {day}\n--- \n")
    assert brief.date == datetime.date(2026, 11, 21)
    assert type(brief.date) is datetime.date


@pytest.mark.parametrize(
    "title", ["“Dull” film's <b>end</b> & more 🎬", "<script>alert(1)</script>", "a “b” — c’s"]
)
def test_a_title_stays_as_it_was_typed(tmp_path: Path, title: str) -> None:
    head = f'---\ntitle: "{title}"\npubDate: 2026-11-21\n---\n'
    brief = card(tmp_path, f"## Editorial brief\n### Video titles\n- {title}\n", head)
    assert brief.title == title
    assert brief.editorial.video_titles == (title,)


def test_what_a_terminal_would_obey_is_taken_out(tmp_path: Path) -> None:
    head = '---\ntitle: "A \\e[31mred\\x07 card"\npubDate: 2026-11-21\n---\n'
    brief = card(tmp_path, "## Odd\x1b[2J\nx\n", head)
    assert brief.title == "A [31mred card"
    assert not any("\x1b" in warning for warning in brief.warnings)


def test_mojibake_is_repaired_and_named_and_good_text_is_left(tmp_path: Path) -> None:
    body = "## Why now\n1â€“2 minutes â†’ done\n## Summary\nIt’s “fine” – 5 µm &amp; ﬁne ½ 日本\n"
    brief = card(tmp_path, body)
    assert brief.why_now == "1–2 minutes → done"
    assert brief.summary == "It’s “fine” – 5 µm &amp; ﬁne ½ 日本"
    assert said(brief, "encoding").endswith("read as repaired: 1")


@pytest.mark.parametrize(
    ("given", "value", "remark"),
    [
        ("9 (estimated)", 9.0, "estimated"),
        ("**9** – a guess", 9.0, "a guess"),
        ("8/10", 8.0, ""),
        ("80/100", 8.0, ""),
        ("8 out of 10, roughly", 8.0, "roughly"),
        ("~7.5", 7.5, ""),
        ("7,5", 7.5, ""),
        ("0", 0.0, ""),
        ("high", None, "high"),
        ("?", None, "?"),
        ("7-8", None, "7-8"),
        ("11", None, "11"),
        ("-3", None, "-3"),
        ("12/10", None, "12/10"),
        ("0/0", None, "0/0"),
        ("nan", None, "nan"),
        ("1e3", None, "1e3"),
        ("9.5.1", None, "9.5.1"),
    ],
)
def test_a_score_is_a_number_on_its_scale_or_unknown(
    tmp_path: Path, given: str, value: float | None, remark: str
) -> None:
    brief = card(tmp_path, f"## Scores\n- Novelty: {given}\n")
    assert brief.scores.novelty == Score(value, remark)
    assert any("Scores, novelty" in warning for warning in brief.warnings) is (value is None)


def test_an_unknown_score_is_kept_and_a_table_is_read(tmp_path: Path) -> None:
    brief = card(tmp_path, "## Scores\n- vibes: 11\n- composite: 72 / 100\n")
    assert brief.kept == (Kept("Scores", "- vibes: 11"),)
    assert brief.scores.composite == Score(72.0)
    assert "no novelty, search_demand" in said(brief, "Scores: no ")
    rows = "| score | value | why |\n|---|---:|---|\n| Search demand | 7 | a guess |\n"
    assert card(tmp_path, f"## Scores\n{rows}").scores.search_demand == Score(7.0, "a guess")


def test_headings_in_code_and_dividers_are_no_sections(tmp_path: Path) -> None:
    brief = card(tmp_path, "## Summary\ntext\n---\n```sh\n## no section\n```\n## Why now\nx\n")
    assert list(brief.sections) == ["Summary", "Why now"]
    assert "## no section" in brief.sections["Summary"]
    assert [heading.words for heading in headings("# a\n- ## b\n\n    # c\n")] == ["a"]


def test_a_misspelt_section_is_kept_with_a_hint(tmp_path: Path) -> None:
    brief = card(tmp_path, "## Sumary\nA toy.\n## Reader\nYou.\n")
    assert brief.kept == (Kept("Sumary", "A toy."), Kept("Reader", "You."))
    assert "did you mean 'Summary'?" in said(brief, "Sumary")
    assert brief.sections["Reader"] == "You."


def test_an_experiment_has_its_fields_and_keeps_a_strange_one(tmp_path: Path) -> None:
    body = (
        "## Experiments\n### Experiment 2 â€“ The rule\n- Objective: know\n- Budget: 5 EUR\n"
        "- Stack: torch, onnx\n- Steps:\n  1. do\n     this\n  2. that\n- **Time est.:** 2 h\n"
        "- Safety/privacy/licensing: CC0\n### One more\nStack: numpy\n"
    )
    brief = card(tmp_path, body)
    first, second = brief.experiments
    assert (first.number, first.name, first.objective) == (2, "The rule", "know")
    assert (first.stack, first.steps) == (("torch", "onnx"), ("do this", "that"))
    assert (first.time, first.safety) == ("2 h", "CC0")
    assert (second.number, second.name, second.stack) == (2, "One more", ("numpy",))
    assert brief.kept == (Kept("Experiment 2", "- Budget: 5 EUR"),)


OUTLINES = {
    "list": "- H1: Top\n- H2: Why – 200 words: say it\n  - twice\n- **H2**: Data (1,200 words)\n",
    "headings": "#### H1: Top\n#### H2: Why (200 words): say it twice\n#### Data (1,200 words)\n",
    "code": "```\n# Top\n## Why (~200 words) – say it twice\n## Data [1200 words]\n```\n",
    "table": "H1: Top\n\n| H2 | words | what |\n|---|---:|---|\n| Why | 200 | say it twice |\n"
    "| Data | 1,200 | |\n",
}


@pytest.mark.parametrize("form", OUTLINES)
def test_a_blog_outline_may_be_written_in_four_ways(tmp_path: Path, form: str) -> None:
    brief = card(tmp_path, f"## Editorial brief\n### Blog outline\n{OUTLINES[form]}")
    outline = brief.editorial.blog_outline
    assert outline.h1 == "Top"
    assert outline.parts == (
        OutlinePart(2, "Why", 200, "say it twice"),
        OutlinePart(2, "Data", 1200, ""),
    )
    assert brief.kept == ()


def test_an_outline_without_h2_or_words_is_named(tmp_path: Path) -> None:
    none = card(tmp_path, "## Editorial brief\n### Blog outline\n- H1: Top\n- Why\n")
    assert "no H2" in said(none, "no H2")
    assert none.kept == (Kept("Editorial brief, Blog outline", "- Why"),)
    wordless = card(tmp_path, "## Editorial brief\n### Blog outline\n- H1: A\n- H2: Why\n")
    assert "no number of words for 'Why'" in said(wordless, "number of words")


@pytest.mark.parametrize(
    ("given", "step"),
    [
        ("0:30–2:00 Show it", Step("Show it", 1.5, 0.5)),
        ("Show it (2 min)", Step("Show it", 2.0)),
        ("1â€“3 min: Show it", Step("Show it", 2.0, 1.0)),
        ("0:30 → Show it", Step("Show it", None, 0.5)),
        ("Show it, 30 seconds", Step("Show it", 0.5)),
        ("2:00–1:00 Show it", Step("2:00–1:00 Show it")),
        ("Show it", Step("Show it")),
    ],
)
def test_a_step_of_the_video_has_its_minutes(tmp_path: Path, given: str, step: Step) -> None:
    brief = card(tmp_path, f"## Editorial brief\n### Outline\n- {given}\n")
    assert brief.editorial.video_outline == (step,)
    timeless = step.minutes is None and step.start is None
    assert any("no minutes" in warning for warning in brief.warnings) is timeless


def test_a_copy_for_x_that_is_too_long_is_kept_whole_and_named(tmp_path: Path) -> None:
    brief = card(
        tmp_path, f"## Editorial brief\n### Social copies\n- X: {'a' * 300}\n- tiktok: b\n"
    )
    assert brief.editorial.social.x == "a" * 300
    assert "at most 280 characters for x, got 300; take 20 away" in said(brief, "280")
    assert any("tiktok" in text.text for text in brief.kept)


def test_x_counts_a_link_as_23_and_an_emoji_as_two() -> None:
    assert x_length("a" * 280) == 280
    assert x_length("see https://example.org/" + "a" * 400) == 4 + 23
    assert x_length("🎬") == x_length("日") == 2
    assert x_length("🏳️‍🌈") == x_length("👩🏽‍🚒") == x_length("🇨🇭") == 2
    assert x_length("(see https://example.org/a).") == 5 + 23 + 2
    assert x_length("“é–”") == x_length("“e\u0301–”") == 4


def test_only_addresses_that_a_page_may_link_to_are_links(tmp_path: Path) -> None:
    body = (
        "## References\n- [A](https://a.org/x_(y)), a paper\n- <https://b.org>\n- docs/c.md\n"
        "- [bad](javascript:alert(1))\n- data://x/y\n- by hand, 1999\n"
    )
    brief = card(tmp_path, body)
    assert brief.references == (
        Link("A, a paper", "https://a.org/x_(y)"),
        Link("https://b.org", "https://b.org"),
        Link("docs/c.md", "docs/c.md"),
        Link("bad"),
        Link("data://x/y"),
        Link("by hand, 1999"),
    )
    assert [kept.text for kept in brief.kept] == ["[bad](javascript:alert(1))", "data://x/y"]


def test_angles_keywords_and_checks_are_typed(tmp_path: Path) -> None:
    body = (
        "## Content angles\n- Deep dive: how far\n- Just this\n"
        '## SEO keywords\n**Primary:** "a b", c\n**Related:** d; e\n'
        "## Validation checklist\n### SEO quick tests\n- [x] one h1\n- [ ] short\n- plain\n"
    )
    brief = card(tmp_path, body)
    assert brief.angles == (Angle("deep dive", "how far"), Angle("", "Just this"))
    assert (brief.keywords.primary, brief.keywords.related) == (("a b", "c"), ("d", "e"))
    assert brief.checklist.seo == (Check("one h1", True), Check("short", False), Check("plain"))


def test_noise_never_raises_anything_but_a_refusal(tmp_path: Path) -> None:
    text = own_card("sentiment").read_text("utf-8")
    rng = random.Random(5)
    path = tmp_path / "brief.md"
    for _ in range(150):
        letters = list(text)
        for at in rng.sample(range(len(letters)), 80):
            letters[at] = rng.choice("#-|:*`\n [](){}\t0\u2028\ud7ff🎬>")
        path.write_text("".join(letters), "utf-8")
        with contextlib.suppress(InputError):
            assert isinstance(read_brief(path), Brief)


@pytest.mark.parametrize(
    "body",
    [
        "## References\n- " + "[" * 50_000,
        "## References\n- " + "[a](" * 20_000,
        "## Editorial brief\n### Outline\n- " + "1" * 50_000,
        "## Editorial brief\n### Blog outline\n- H2: a" + " " * 50_000 + "b (3 words)",
    ],
)
def test_a_card_made_to_be_slow_is_read_at_once(tmp_path: Path, body: str) -> None:
    start = time.process_time()
    card(tmp_path, body)
    assert time.process_time() - start < 5


def test_a_card_of_megabytes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at most 200 kB"):
        card(tmp_path, "## Summary\n" + "a" * 300_000)


def project(folder: Path, **cards: str) -> Path:
    (folder / "kit.toml").write_text("owner = 'ann'\n")
    for name, text in cards.items():
        (folder / "recipes" / name).mkdir(parents=True)
        (folder / "recipes" / name / "brief.md").write_text(text, "utf-8")
    return folder


def test_briefs_orders_by_composite_and_unknown_comes_last(tmp_path: Path) -> None:
    scored = {name: f"{HEAD}## Scores\n- composite: {n}\n" for name, n in (("b", 40), ("c", 72))}
    root = project(tmp_path, a=HEAD, **scored, d="no head")
    made = ask(root, "briefs")
    assert made.code == 0
    assert [line.split()[:2] for line in made.out.splitlines()[1:]] == [
        *(["72", "c"], ["40", "b"], ["-", "a"])
    ]
    assert all(line.startswith("kit: ") for line in made.err.splitlines())
    assert "kit: d: expected" in made.err
    rows: list[dict[str, Any]] = ask(root, "briefs", "--json").document
    assert [(row["name"], row["composite"]) for row in rows] == [("c", 72), ("b", 40), ("a", None)]
    assert rows[2]["warnings"]


def test_a_recipe_without_a_card_is_named(tmp_path: Path) -> None:
    root = project(tmp_path, a=HEAD)
    (root / "recipes" / "a" / "brief.md").rename(root / "recipes" / "a" / "recipe.py")
    made = ask(root, "briefs")
    assert made.out == "no idea cards yet; write recipes/NAME/brief.md\n"
    assert "kit: a: expected the idea card at" in made.err
