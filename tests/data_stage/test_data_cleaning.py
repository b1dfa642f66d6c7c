"""Texts are repaired where they are broken, and left alone where they are not."""

from __future__ import annotations

import random
from time import perf_counter

import ftfy
import pytest

from kit.data.cleaning import clean, clean_text
from kit.recipe import Cleaning


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "{{ 7*7 }}",
        "{% raw %}",
        "---",
        "|",
        "`rm -rf /`",
        "</s> [MASK] <unk>",
        "a < b & c > d",
        "if a <b and c> d",
        "<brand> <person> <idea>",
        "AT&T and R&D &copy 2",
        "“curly” quotes, naïve ﬁne １２",
        "👍🏽 très bien",
        "=SUM(A1:A9)",
        "../../etc/passwd",
    ],
)
def test_hostile_and_odd_texts_come_out_unchanged(text: str) -> None:
    assert clean_text(text) == (text, False)


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("cafÃ© dâ€™or", "café d’or"),
        ("It&#39;s good &amp; cheap", "It's good & cheap"),
        ("one<br /><br />two", "one two"),
        ('<p class="x">one</p><p>two</p>', "one two"),
        ("<B>bold</B>ly <em>said</em> <strong>so</strong>, <i>he</i>", "boldly said so, he"),
        ("&lt;script&gt;", "<script>"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("zero\x00 width", "zero width"),
        ("\ud83d\ude00", "😀"),
    ],
)
def test_broken_encoding_and_html_remnants_are_repaired(broken: str, mended: str) -> None:
    assert clean_text(broken) == (mended, True)


def test_a_lone_surrogate_becomes_something_that_can_be_written() -> None:
    text, repaired = clean_text("a \ud800 b")
    assert repaired
    assert text.encode("utf-8")


def test_white_space_becomes_single_spaces_and_is_no_repair() -> None:
    assert clean_text("\t one \r\n\n two\u00a0\u2028three ") == ("one two three", False)


def test_printable_ascii_that_skips_ftfy_is_what_ftfy_would_return() -> None:
    generator = random.Random(7)
    alphabet = [chr(code) for code in range(32, 127) if chr(code) not in "<&"]
    for _ in range(300):
        text = "x" + "".join(generator.choices(alphabet, k=60)) + "x"
        expected = ftfy.fix_text(text, unescape_html=False, uncurl_quotes=False)
        assert clean_text(text)[0] == " ".join(expected.split())


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        ("", "empty"),
        (" \n\t", "empty"),
        ("<br />", "empty"),
        ("\u200b\u200e", "empty"),
        (3, "not_text"),
        (["a"], "not_text"),
        (b"bytes", "not_text"),
        ("one", "too_short"),
        ("one two three four", "too_long"),
        ("a" * 51, "too_long"),
        ("one two three", None),
    ],
)
def test_a_text_is_refused_by_name(value: object, reason: str | None) -> None:
    limits = Cleaning(min_words=2, max_words=3, max_characters=50)
    assert clean(value, limits).refused == reason


def test_ten_megabytes_are_refused_before_any_repair() -> None:
    started = perf_counter()
    assert clean("Ã©" * 5_000_000, Cleaning()).refused == "too_long"
    assert perf_counter() - started < 0.5


@pytest.mark.parametrize("piece", ["<p ", "<p a=", "<b a=b ", "&amp;", "Ã©", "\x1b[", "</"])
def test_a_hostile_text_at_the_limit_takes_no_more_than_seconds(piece: str) -> None:
    limits = Cleaning(max_words=10**6)
    text = (piece * limits.max_characters)[: limits.max_characters]
    started = perf_counter()
    clean(text, limits)
    assert perf_counter() - started < 5
