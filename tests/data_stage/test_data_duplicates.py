"""Copies are found, texts that only look alike are not, and the work stays linear."""

from __future__ import annotations

import random
import zlib
from itertools import pairwise
from time import process_time

import pytest
from datasketch import MinHash

from kit.data.near_duplicates import (
    PERMUTATIONS,
    RECALL,
    bands,
    duplicates,
    minhash_signatures,
    normalized,
    overlaps,
)

WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "lmnrst"]


def sentence(generator: random.Random, words: int) -> str:
    return " ".join(generator.choices(WORDS, k=words))


def test_exact_copies_differ_in_case_and_punctuation_only() -> None:
    found = duplicates(["Dull.", "A kind, funny film!", "a KIND funny film", "dull"], 0.8)
    assert found.exact == (2, 3)
    assert found.near == ()
    assert found.groups == ((0, 3), (1, 2))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("great film 👍", "great film 👎"),
        (":)", ":("),
        ("notable", "no table"),
        ("का", "की"),
        ("2 stars", "3 stars"),
        ("---", "|"),
    ],
)
def test_texts_that_say_something_else_are_no_exact_copies(a: str, b: str) -> None:
    assert duplicates([a, b], 0.8).groups == ()


def test_a_full_width_copy_is_an_exact_copy() -> None:
    assert normalized("ＡＢＣ！") == normalized("abc")


def test_a_near_copy_of_a_long_text_is_found_and_the_first_is_kept() -> None:
    text = sentence(random.Random(1), 60)
    changed = text + " indeed"
    found = duplicates([text, "something else entirely, of some length", changed], 0.8)
    assert found.near == (2,)
    assert found.groups == ((0, 2),)


def test_texts_under_six_words_are_compared_exactly() -> None:
    assert duplicates(["one two three four five", "one two three four"], 0.5).groups == ()


def test_near_copies_are_found_in_a_script_without_spaces() -> None:
    text = "这家餐厅的菜非常好吃服务也很周到下次还会再来推荐给大家"
    assert duplicates([text, text + "吧"], 0.8).near == (1,)


def test_a_group_holds_the_copies_of_a_near_copy() -> None:
    text = sentence(random.Random(2), 60)
    found = duplicates([text, text + " so", text + " SO!", text.upper()], 0.8)
    assert found.groups == ((0, 1, 2, 3),)
    assert found.exact == (2, 3)
    assert found.near == (1,)


def test_similarity_is_not_passed_on_from_copy_to_copy() -> None:
    """Each text resembles the one before it; those far apart are both kept."""
    words = sentence(random.Random(3), 60).split()
    chain = [" ".join(words[start : start + 40]) for start in range(0, 20, 3)]
    found = duplicates(chain, 0.8)
    kept = [i for i in range(len(chain)) if i not in found.near]
    assert len(kept) > 1
    for a, b in pairwise(kept):
        assert jaccard(chain[a], chain[b]) < 0.8
    for first, *copies in found.groups:
        assert all(jaccard(chain[first], chain[copy]) >= 0.8 for copy in copies)


def test_near_copies_are_those_of_a_search_over_all_pairs() -> None:
    generator = random.Random(4)
    texts = []
    for _ in range(60):
        words = sentence(generator, 40).split()
        texts.append(" ".join(words))
        for changes in range(3):
            for _ in range(changes):
                words[generator.randrange(40)] = generator.choice(WORDS)
            texts.append(" ".join(words) + " end")
    expected: list[int] = []
    for i in range(len(texts)):
        if any(jaccard(texts[i], texts[j]) >= 0.8 for j in range(i) if j not in expected):
            expected.append(i)
    found = duplicates(texts, 0.8)
    assert len(expected) > 60
    missed = set(expected) ^ {*found.near, *found.exact}
    assert len(missed) <= (1 - RECALL) * len(expected) + 1


def test_signatures_are_those_of_datasketch() -> None:
    sets = [{"a b c", "d e f"}, {"x"}, {str(i) for i in range(500)}]
    for one, signature in zip(sets, minhash_signatures(sets), strict=True):
        expected = MinHash(PERMUTATIONS, hashfunc=zlib.crc32)
        expected.update_batch([shingle.encode() for shingle in one])
        assert (expected.hashvalues == signature).all()


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_bands_find_a_pair_at_the_threshold(threshold: float) -> None:
    count, rows = bands(threshold)
    assert count * rows <= PERMUTATIONS
    assert 1 - (1 - threshold**rows) ** count >= RECALL


def test_the_work_grows_with_the_number_of_texts_from_one_template() -> None:
    """They share bands and are no copies: six times as many pairs by six would be 36 times."""

    def seconds(count: int) -> float:
        texts = [
            f"the order number {i} arrived late and the box was damaged so I want my money back "
            "today please"
            for i in range(count)
        ]
        started = process_time()
        assert duplicates(texts, 0.8).groups == ()
        return process_time() - started

    seconds(100)
    assert seconds(12_000) < 15 * seconds(2000)


def test_overlaps_are_found_with_the_reference_only() -> None:
    text = sentence(random.Random(5), 60)
    texts = ["Dull!", text, text + " so", "new"]
    assert overlaps(texts, [text.upper() + " indeed", "dull"], 0.8) == [0, 1, 2]
    assert overlaps(texts, ["nothing of the kind"], 0.8) == []


def test_nothing_overlaps_with_an_empty_reference() -> None:
    text = sentence(random.Random(6), 60)
    assert overlaps([text, text, text + " so"], [], 0.8) == []


@pytest.mark.parametrize("texts", [[], ["one"], ["", ""], ["a b c d e f"]])
def test_few_texts_are_no_special_case(texts: list[str]) -> None:
    assert len(duplicates(texts, 0.8).exact) == len(texts) - len(set(texts))


def jaccard(a: str, b: str) -> float:
    """The index by its definition, on lists of triples."""
    left, right = (
        {tuple(words[i : i + 3]) for i in range(len(words) - 2)}
        for words in (a.lower().split(), b.lower().split())
    )
    return len(left & right) / len(left | right)
