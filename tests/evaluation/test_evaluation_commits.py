"""The parser of Conventional Commits against the examples and rules of the specification."""

from __future__ import annotations

import pytest

from kit.evaluation.commits import TYPES, ConventionalCommit, Footer, parse, valid


def read(message: str) -> ConventionalCommit:
    commit = parse(message)
    assert commit is not None
    return commit


@pytest.mark.parametrize(
    ("subject", "type_", "scope", "breaking", "description"),
    [
        (
            "docs: correct spelling of CHANGELOG",
            "docs",
            None,
            False,
            "correct spelling of CHANGELOG",
        ),
        ("feat(lang): add polish language", "feat", "lang", False, "add polish language"),
        ("refactor!: drop Node 6", "refactor", None, True, "drop Node 6"),
        ("refactor(run time)!: drop Node 6", "refactor", "run time", True, "drop Node 6"),
        ("fix(a, b/c-*): x", "fix", "a, b/c-*", False, "x"),
        ("fix: a: b", "fix", None, False, "a: b"),
        ("my-own_type2: x", "my-own_type2", None, False, "x"),
        ("fix: x \t", "fix", None, False, "x"),
        ("FIX(Core): Y", "fix", "Core", False, "Y"),
    ],
)
def test_a_subject_is_read_into_its_parts(
    subject: str, type_: str, scope: str | None, breaking: bool, description: str
) -> None:
    assert parse(subject) == ConventionalCommit(type_, scope, breaking, description)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "\n\nfix: x",
        " fix: x",
        "add a cache",
        "fix:x",
        "fix :x",
        "fix : x",
        "fix:  x",
        "fix: ",
        "fix:\tx",
        "fix",
        ": x",
        "fix(): x",
        "fix( core): x",
        "fix(core ): x",
        "fix(a(b)): x",
        "fix (core): x",
        "fix(core) : x",
        "fix(core: x",
        "fix!(core): x",
        "fix!!: x",
        "two words: x",
        "2fix: x",
        "fix: x\nbody without a blank line",
        "fix\n\n: x",
    ],
)
def test_what_breaks_a_rule_is_refused(message: str) -> None:
    assert parse(message) is None


def test_the_specifications_example_of_body_and_footers_is_read() -> None:
    commit = read(
        "fix: correct minor typos in code\n\nsee the issue for details\n\non typos fixed.\n\n"
        "Reviewed-by: Z\nRefs #133\n"
    )
    assert commit.body == "see the issue for details\n\non typos fixed."
    assert commit.footers == (Footer("Reviewed-by", "Z"), Footer("Refs", "133"))
    assert not commit.breaking


@pytest.mark.parametrize(
    ("rest", "breaking"),
    [
        ("BREAKING CHANGE: the key has another name", True),
        ("BREAKING-CHANGE: the key has another name", True),
        ("why\n\nBREAKING CHANGE: the key\n\nhas another name", True),
        ("Refs: #1\nBREAKING CHANGE: the key", True),
        ("breaking change: the key", False),
        ("Breaking-Change: the key", False),
        ("BREAKING CHANGE #12", False),
        ("BREAKING-CHANGE #12", False),
        ("BREAKING CHANGE:the key", False),
        ("this is no\nBREAKING CHANGE: of anything", False),
    ],
)
def test_a_breaking_change_is_told_by_its_footer_in_capitals(rest: str, breaking: bool) -> None:
    assert read(f"feat: x\n\n{rest}").breaking is breaking
    assert read(f"feat!: x\n\n{rest}").breaking


def test_a_footers_value_goes_on_until_the_next_footer() -> None:
    commit = read("feat: x\n\nBREAKING CHANGE: one\n  two\n\nthree\nRefs: 676104e, a215868\r\n")
    assert commit.body == ""
    assert commit.footers == (
        Footer("BREAKING CHANGE", "one\n  two\n\nthree"),
        Footer("Refs", "676104e, a215868"),
    )


def test_a_body_may_hold_a_line_that_looks_like_a_footer() -> None:
    commit = read("fix: x\n\nNote: this is prose.\n\nMore of it, https://a.example/b.")
    assert commit.body == "Note: this is prose.\n\nMore of it, https://a.example/b."
    assert commit.footers == ()
    assert read("fix: x\n\nbody\n\nNote: a\n\nRefs #1").body == "body"


def test_blank_lines_are_read_as_one() -> None:
    assert read("fix: x\n\n\n \nbody\n\n\n\nmore\n\n") == read("fix: x\n\nbody\n\nmore")


def test_only_an_allowed_type_is_valid() -> None:
    assert len(TYPES) == 11
    assert all(valid(f"{type_}(a)!: x") for type_ in TYPES)
    assert valid("Feat: x")
    assert not valid("feet: x")
    assert valid("feet: x", ["feet"])
    assert parse("fix: x", ["feat"]) is None
    assert parse("feet: x") is not None
