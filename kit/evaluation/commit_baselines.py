"""What a fine-tuned commit-message model has to beat: the message of a similar diff, and a rule.

Neither trains a model, both are deterministic, and what they give are whole messages::

    nearest_neighbour(train_diffs, train_messages, test_diffs)    # ["fix: close the pool", ...]
    rule_message(diff)                                            # "docs: update README.md"
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from kit.errors import InputError
from kit.evaluation.overlap import bleu_4
from kit.prompts import Change, changes

CANDIDATES = 5
# Bounds the memory of the similarities: 100 rows of 20,000 training diffs are 16 MB.
ROWS_AT_ONCE = 100

_HASHES = re.compile(r"^index [0-9a-f]+\.\.[0-9a-f]+.*\n?", re.MULTILINE)

# The first kind that fits a path is its kind; a path of none is source code.
_KINDS = {
    "ci": r"""(^|/)\.(github|circleci|gitlab|buildkite)/
        |(^|/)\.(gitlab-ci|travis|appveyor|drone)\.yml
        |(^|/)(Jenkinsfile|azure-pipelines\.ya?ml|\.?codecov\.ya?ml|renovate\.json5?)$""",
    "test": r"""(^|/)(tests?|__tests__|spec|specs|e2e|testing|testdata|fixtures|__snapshots__)/
        |(^|/)(test_[^/]+|conftest\.py)$|[._-](test|tests|spec)\.\w+$|(Test|Tests|Spec)\.\w+$""",
    "docs": r"""\.(md|mdx|rst|adoc|qmd|txt\.in)$|(^|/)(docs?|documentation|website)/
        |(^|/)(README|CHANGELOG|CONTRIBUTING|AUTHORS|LICENSE|LICENCE|NOTICE)[^/]*$""",
    "deps": r"""(^|/)(package(-lock)?\.json|pnpm-(lock|workspace)\.yaml|yarn\.lock|go\.(mod|sum)
        |(poetry|uv|pdm|Cargo|Gemfile|composer|flake|conda)\.lock|Cargo\.toml|Gemfile|composer\.json
        |pyproject\.toml|Pipfile(\.lock)?|requirements[^/]*\.txt|environment[^/]*\.ya?ml
        |gradle\.properties|libs\.versions\.toml|pom\.xml)$""",
    "build": r"""(^|/)(Makefile|CMakeLists\.txt|Dockerfile[^/]*|docker-compose[^/]*|setup\.(py|cfg)
        |(build|settings)\.gradle(\.kts)?|meson\.build|BUILD(\.bazel)?|WORKSPACE|tsconfig[^/]*\.json)$
        |\.(cmake|nix|mk|bzl)$|(^|/)(rollup|webpack|esbuild|tsup|vite|babel)\.config\.""",
    "chore": r"(^|/)\.[^/]+$|(^|/)scripts?/|\.(toml|cfg|ini|lock)$",
}
_KIND_OF = {kind: re.compile(pattern, re.VERBOSE) for kind, pattern in _KINDS.items()}
_DEFINITION = re.compile(
    r"""^[+-]\s*(?:(?:export|default|public|private|protected|internal|static|final|abstract|async
        |override|pub(?:\([a-z]+\))?|open|data|suspend|declare)\s+)*
    (?:def|class|function\*?|func(?:\s*\([^)]*\))?|fn|interface|struct|enum|trait|type|fun|module|macro)
    \s+([A-Za-z_]\w{2,})""",
    re.VERBOSE,
)
_HEADING = re.compile(r"([A-Za-z_]\w{2,})\s*(?:\(|:|\{|=|<|$)")
_VERSION = re.compile(r"\d+\.\d+|\"[\^~]?\d|[0-9a-f]{12,}")
_GUARD = re.compile(r"^\+(if|elif|else if|unless|guard|assert|raise|throw|return if)\b")
_CAUGHT = re.compile(r"^\+\W*(try|except|catch|rescue|finally)\b|err != nil")


def nearest_neighbour(
    train_diffs: Sequence[str],
    train_messages: Sequence[str],
    test_diffs: Sequence[str],
    candidates: int = CANDIDATES,
) -> list[str]:
    """Answer each diff with the message of the most similar training diff (NNGen).

    Source: Z. Liu et al., Neural-machine-translation-based commit message generation: how far are
    we?, ASE 2018, section 5. Taken from it: diffs as bags of words with raw counts, the five
    training diffs of the largest cosine, of these the one with the highest BLEU-4 (its diff the
    reference, the new diff the text, tokens divided by blanks, unsmoothed), its message unchanged.
    As in the authors' script words are lower-cased and have two characters or more.

    Unlike there, diffs are not cut at 100 tokens, git's ``index`` lines are dropped, and equal
    scores go to the larger cosine, then to the earlier row; the script gives the first training
    row where every BLEU is 0.

    Args:
        train_diffs: shape [rows].
        train_messages: shape [rows].
        test_diffs: shape [n].
        candidates: how many of the nearest are compared by BLEU.

    Returns:
        Messages, shape [n].

    Raises:
        InputError: the training diffs are none, or without a word.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import normalize

    if len(train_diffs) != len(train_messages):
        raise ValueError(f"expected pairs, got {len(train_diffs)} and {len(train_messages)}")
    train = [_HASHES.sub("", diff) for diff in train_diffs]
    test = [_HASHES.sub("", diff) for diff in test_diffs]
    if not any(re.search(r"\w\w", diff) for diff in train):
        raise InputError("expected words in the training diffs, got none; give a train split")
    vectorizer = CountVectorizer()
    of_train = normalize(vectorizer.fit_transform(train).astype(np.float64))
    answers = []
    for start in range(0, len(test), ROWS_AT_ONCE):
        part = test[start : start + ROWS_AT_ONCE]
        of_test = normalize(vectorizer.transform(part).astype(np.float64))
        for diff, near in zip(part, _nearest(of_test, of_train, candidates), strict=True):
            best = max(near, key=lambda row: bleu_4(diff, train[row]))
            answers.append(train_messages[best])
    return answers


def _nearest(of_test: Any, of_train: Any, candidates: int) -> list[list[int]]:
    """Return per test row the training rows of the largest cosine, the largest first."""
    cosines = (of_test @ of_train.T).toarray()
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :candidates]
    return [[int(row) for row in rows] for rows in order]


def rule_message(diff: str) -> str:
    """Write a Conventional Commit by rule: the type from paths, the verb from files and hunks.

    A diff of only tests is ``test``, of only documents ``docs``, and so on for workflows, build
    files and the files in which dependencies are listed. Source code counts before all these. It is
    ``feat`` where a file or a definition is added, ``refactor`` where files move or more is deleted
    than written, ``style`` where only blanks change, and else ``fix``. The message names the first
    definition that is added or deleted, else the function that most hunks stand in, else the file
    with most changed lines; a scope is given only where all files lie in one package of a
    ``packages/`` folder. Always a valid message, of an empty diff too.
    """
    files = changes(diff)
    if not files:
        return "chore: change nothing"
    kind = _kind(files)
    main = [file for file in files if _path_kind(file.path) == kind] or files
    type_, what = _written(kind, main)
    return f"{type_}{_scope(files, kind)}: {what}"


def _path_kind(path: str) -> str:
    return next((kind for kind, pattern in _KIND_OF.items() if pattern.search(path)), "source")


def _kind(files: Sequence[Change]) -> str:
    """Source code wins, then what has most changed lines; a file without lines counts as one."""
    sizes: Counter[str] = Counter()
    for file in files:
        sizes[_path_kind(file.path)] += max(1, len(_changed(file)))
    return "source" if "source" in sizes else sizes.most_common(1)[0][0]


def _written(kind: str, files: Sequence[Change]) -> tuple[str, str]:
    """Return the type and the description."""
    if kind == "source":
        return _of_source(files)
    if kind == "deps" and all(map(_VERSION.search, _lines(files, "+-"))) and _lines(files, "+"):
        return "chore", f"bump {_dependency(files)}"
    type_ = {"deps": "build"}.get(kind, kind)
    name = _file_name(_largest(files))
    if whole := _whole_files(files):
        return type_, whole
    if kind == "test":
        return type_, f"cover {_definition(files, '+') or _heading(files) or name}"
    return type_, f"update {name}"


def _of_source(files: Sequence[Change]) -> tuple[str, str]:
    added, removed = _lines(files, "+"), _lines(files, "-")
    new, gone = _definition(files, "+"), _definition(files, "-")
    place = _heading(files) or _file_name(_largest(files))
    if whole := _whole_files(files):
        return ("feat" if whole.startswith("add ") else "refactor"), whole
    if _bare(added) == _bare(removed):
        return "style", f"format {_file_name(_largest(files))}"
    if new and not gone:
        return "feat", f"add {new}"
    if gone and not new:
        return "refactor", f"remove {gone}"
    if len(removed) > 2 * len(added):
        return "refactor", f"simplify {place}"
    if any(_CAUGHT.search(line) for line in added):
        return "fix", f"handle errors in {place}"
    if any(_GUARD.search(line) for line in added):
        return "fix", f"check the input of {place}"
    return "fix", f"correct {new or place}"


def _whole_files(files: Sequence[Change]) -> str:
    """Return the description where files are added, deleted or renamed and none is modified."""
    statuses = {file.status for file in files}
    largest = _largest(files)
    if statuses == {"R"}:
        return f"rename {_file_name(largest, old=True)} to {_file_name(largest)}"
    verbs = {frozenset("A"): "add", frozenset("D"): "remove", frozenset("B"): "replace"}
    verb = verbs.get(frozenset(statuses), "add" if statuses == {"A", "B"} else "")
    return f"{verb} {_file_name(largest)}" if verb else ""


def _changed(file: Change) -> list[str]:
    return [line for line in file.lines if line[0] in "+-"]


def _lines(files: Sequence[Change], signs: str) -> list[str]:
    return [line for file in files for line in file.lines if line[0] in signs]


def _bare(lines: Sequence[str]) -> str:
    return re.sub(r"\s", "", "".join(line[1:] for line in lines))


def _definition(files: Sequence[Change], sign: str) -> str:
    """Return the first name that is defined on added lines only, or on removed lines only."""
    others = {
        found[1]
        for line in _lines(files, "+-".replace(sign, ""))
        if (found := _DEFINITION.match(line))
    }
    named = (found[1] for line in _lines(files, sign) if (found := _DEFINITION.match(line)))
    return next((name for name in named if name not in others), "")


def _heading(files: Sequence[Change]) -> str:
    """Return the function that most hunks stand in, by what git writes behind their numbers."""
    names = Counter(
        found[1]
        for file in files
        for line in file.lines
        if line[0] == "@" and (found := _HEADING.search(line))
    )
    return names.most_common(1)[0][0] if names else ""


def _dependency(files: Sequence[Change]) -> str:
    """Return what the added line names before its version, else the file."""
    for line in _lines(files, "+"):
        if found := re.search(r"[A-Za-z@][\w@/.-]*[A-Za-z]", line):
            return found[0]
    return _file_name(_largest(files))


def _largest(files: Sequence[Change]) -> Change:
    return max(files, key=lambda file: len(_changed(file)))


def _file_name(file: Change, old: bool = False) -> str:
    path = file.old_path if old else file.path
    return " ".join(path.rpartition("/")[2].split()) or "a file"


def _scope(files: Sequence[Change], kind: str) -> str:
    if kind == "deps":
        return "(deps)"
    packages = {
        found[1] if (found := re.match(r"packages/([\w-]+)/", f.path)) else "" for f in files
    }
    package = packages.pop() if len(packages) == 1 else ""
    return f"({package})" if package else ""
