"""The baselines on small diffs: neighbours by a plain calculation, rules by what they promise."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU

from kit.errors import InputError
from kit.evaluation.commit_baselines import nearest_neighbour, rule_message
from kit.evaluation.commits import valid

WORDS = ["cache", "retry", "pool", "parser", "line", "read", "write", "user", "x", "token"]


def file_diff(path: str, *lines: str, status: str = "M", heading: str = "") -> str:
    """Return one file's section with one hunk."""
    old = sum(not line.startswith("+") for line in lines)
    new = sum(not line.startswith("-") for line in lines)
    extra = {"A": "new file mode 100644\n", "D": "deleted file mode 100644\n"}.get(status, "")
    before = "/dev/null" if status == "A" else f"a/{path}"
    after = "/dev/null" if status == "D" else f"b/{path}"
    body = "".join(f"{line}\n" for line in lines)
    return (
        f"diff --git a/{path} b/{path}\n{extra}index 1234567..89abcde 100644\n"
        f"--- {before}\n+++ {after}\n@@ -1,{old} +1,{new} @@{heading}\n{body}"
    )


def plain_neighbour(train: Sequence[str], test: str) -> int:
    """Return the row of the neighbour by loops over words and sacreBLEU."""
    scorer = BLEU(tokenize="none", smooth_method="none")

    def cosine(a: str, b: str) -> float:
        one, other = (Counter(re.findall(r"\b\w\w+\b", text.lower())) for text in (a, b))
        dot = sum(one[word] * other[word] for word in one)
        return dot / math.sqrt(
            sum(n * n for n in one.values()) * sum(n * n for n in other.values())
        )

    nearest = sorted(range(len(train)), key=lambda row: (-round(cosine(test, train[row]), 9), row))
    spaced = " ".join(test.split())
    bleu = [
        scorer.corpus_score([spaced], [[" ".join(train[r].split())]]).score for r in nearest[:5]
    ]
    return nearest[int(np.argmax(np.round(bleu, 9)))]


def test_the_neighbour_is_the_one_of_a_plain_calculation() -> None:
    rng = np.random.default_rng(4)
    diffs = ["+" + " ".join(rng.choice(WORDS, rng.integers(5, 60))) for _ in range(200)]
    train, test = diffs[:120], diffs[120:]
    found = nearest_neighbour(train, [str(i) for i in range(120)], test)
    assert found == [str(plain_neighbour(train, diff)) for diff in test]
    assert len(set(found)) > 15


def test_bleu_decides_between_the_nearest_by_cosine() -> None:
    train = ["one two three four five six", "six five four three two one", "seven eight"]
    assert nearest_neighbour(train, ["a", "b", "c"], ["six five four three two one zero"]) == ["b"]
    test = ["five six one two three four"]
    assert nearest_neighbour(train, ["a", "b", "c"], test) == ["a"]
    assert nearest_neighbour(train, ["a", "b", "c"], test, candidates=1) == ["a"]


def test_a_diff_like_no_other_still_gets_the_message_of_the_larger_cosine() -> None:
    train = ["one two three", "four five", "four six seven"]
    assert nearest_neighbour(train, ["a", "b", "c"], ["six nine", "nine"]) == ["c", "a"]


def test_the_hashes_of_index_lines_make_no_neighbours() -> None:
    train = ["index abc1234..def5678 100644\n+alpha beta", "index 1111111..2222222\n+gamma delta"]
    test = ["index abc1234..def5678 100644\n+gamma"]
    assert nearest_neighbour(train, ["a", "b"], test) == ["b"]


def test_without_words_to_learn_from_there_is_no_neighbour() -> None:
    for train in ([], ["+ ("]):
        with pytest.raises(InputError, match="expected words in the training diffs"):
            nearest_neighbour(train, ["x"] * len(train), ["+a"])
    with pytest.raises(ValueError, match="expected pairs"):
        nearest_neighbour(["one"], [], ["one"])
    assert nearest_neighbour(["one"], ["x"], []) == []


@pytest.mark.parametrize(
    ("diff", "message"),
    [
        (file_diff("README.md", "-old", "+new"), "docs: update README.md"),
        (file_diff("docs/a/guide.html", "+new", status="A"), "docs: add guide.html"),
        (file_diff(".github/workflows/ci.yml", "-old", "+new"), "ci: update ci.yml"),
        (file_diff("src/__tests__/a.ts", "+new", heading=" it("), "test: cover a.ts"),
        (file_diff("tests/test_a.py", "+def test_reads():"), "test: cover test_reads"),
        (file_diff("Makefile", "-old", "+new"), "build: update Makefile"),
        (file_diff("go.mod", "-\tx/y v1.2.3", "+\tx/y v1.2.4"), "chore(deps): bump x/y"),
        (file_diff("package.json", '+  "scripts": {'), "build(deps): update package.json"),
        (file_diff(".gitignore", "+*.log"), "chore: update .gitignore"),
        (file_diff("src/a.py", "+def read_all(path):", "+    pass"), "feat: add read_all"),
        (file_diff("src/a.go", "+func (r *R) Close() error {"), "feat: add Close"),
        (file_diff("src/a.py", "+x", status="A"), "feat: add a.py"),
        (file_diff("src/a.py", "-x", status="D"), "refactor: remove a.py"),
        (file_diff("src/a.py", "-def old():", "-    pass"), "refactor: remove old"),
        (file_diff("src/a.py", "-  x = 1", "+    x = 1"), "style: format a.py"),
        (
            file_diff("src/a.py", "-a = 1", "+a = 2", heading=" def load(self):"),
            "fix: correct load",
        ),
        (
            file_diff("src/a.py", "+    if not a:", "+        return", heading=" def load(self):"),
            "fix: check the input of load",
        ),
        (
            file_diff("src/a.js", "+  try {", "+  } catch (e) {}", heading=" function load() {"),
            "fix: handle errors in load",
        ),
        (file_diff("packages/core/src/a.ts", "-a = 1", "+a = 2"), "fix(core): correct a.ts"),
        (
            file_diff("README.md", *["+text"] * 9) + file_diff("src/a.py", "-a = 1", "+a = 2"),
            "fix: correct a.py",
        ),
        (
            "diff --git a/src/old.py b/src/new.py\nsimilarity index 100%\nrename from src/old.py\n"
            "rename to src/new.py\n",
            "refactor: rename old.py to new.py",
        ),
        (
            "diff --git a/a.png b/a.png\nindex 1..2\nBinary files a/a.png and b/a.png differ\n",
            "refactor: replace a.png",
        ),
    ],
)
def test_the_rule_reads_type_verb_and_name_from_the_diff(diff: str, message: str) -> None:
    assert rule_message(diff) == message


@pytest.mark.parametrize(
    "diff",
    [
        "",
        "no diff at all",
        "diff --git a/ b/\n",
        "--- a/x\n+++ b/x\n",
        "diff --git a/x b/x\nold mode 100644\nnew mode 100755\n",
        file_diff("weird \t name (x).py", "-a", "+b"),
        file_diff("a/\x07.py", "-a", "+b"),
    ],
)
def test_the_rules_message_is_always_valid(diff: str) -> None:
    assert valid(rule_message(diff))
