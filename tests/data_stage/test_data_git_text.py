"""No row names a person or holds a secret, and code that only looks like it stays."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kit.data.git_text import body_of, without_people
from tests.histories import CHANGED, Repo, only_reason, only_row, started


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Return a repository with a license and one file, both in its root commit."""
    return started(tmp_path / "engine")


SECRETS = {
    "a key": f"TOKEN = 'ghp_{'a1B2c3D4e5F6' * 3}'\n",
    "a password": "URL = 'https://ada:hunter22@db.example.org/rows'\n",
    "a private key": "-----BEGIN RSA PRIVATE KEY-----\nabc\n",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_commit_with_a_secret_is_refused(repo: Repo, kind: str) -> None:
    repo.commit("fix: sign in", {"src/cache.py": CHANGED + SECRETS[kind]})
    assert only_reason(repo) == "secret"


def test_a_secret_in_the_body_is_refused(repo: Repo) -> None:
    repo.commit("fix: sign in\n\n" + SECRETS["a key"], {"src/cache.py": CHANGED})
    assert only_reason(repo) == "secret"


def test_nobody_is_named_in_a_row(repo: Repo) -> None:
    message = (
        "fix: keep the value for @grace\n\n"
        "Ada Lovelace saw it; ask ada@example.org or call +44 20 7946 0958.\n"
        "Thanks @alan-t and [@joan](https://github.com/joan).\n\n"
        "BREAKING CHANGE: values stay.\n"
        "Signed-off-by: Ada Lovelace <ada@example.org>\n"
        "Co-authored-by: Grace Hopper <grace@example.org>\n"
        "Reviewed-by: Alan\n"
    )
    files = {
        "src/cache.py": CHANGED + "# by @grace, see ada@example.org (Ada Lovelace)\n",
        "CHANGELOG.md": "- keep the value, @grace\n",
        "CODEOWNERS": "* @ada-l @grace\n",
        "src/Cache.java": " * @author Ada King <ada@example.org>\n",
    }
    repo.commit(message, files)
    row = only_row(repo)
    assert row.message == "fix: keep the value for [USER]"
    assert row.body == (
        "[NAME] saw it; ask [EMAIL] or call [PHONE].\nThanks [USER] and [USER].\n\n"
        "BREAKING CHANGE: values stay."
    )
    assert not re.search(r"(?i)ada\b|lovelace|grace|hopper|joan|\bking|example\.org", str(row))
    assert "+# by [USER], see [EMAIL] ([NAME])\n" in row.diff
    assert "+* [USER] [USER]\n" in row.diff


AT_CODE = (
    "@dataclass\nclass Row:\n    @app.route('/x')\n    def a(self): ...\n    @memoized\n"
    "    def b(self): return '@types/node', 'git@github.com:ada/engine.git', x @ y\n"
    "# todo\n@cached\nPATCH = 'patches/sirv@3.0.0.patch'\n"
)


def test_code_with_an_at_sign_stays(repo: Repo) -> None:
    message = "refactor: use @memoized, `@property`, @types/node and @media"
    repo.commit(message, {"src/rows.py": AT_CODE, "pages.css": "@media print { a: b }\n"})
    row = only_row(repo)
    assert row.message == message
    assert row.diff.count("[") == 0
    assert "\n+" + AT_CODE.replace("\n", "\n+").rstrip("+") in row.diff


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Thanks @ada.", "Thanks [USER]."),
        ("cc @ada, @bob-2 and @c", "cc [USER], [USER] and [USER]"),
        ("@ada: see", "[USER]: see"),
        ("engine@1.2.3, @2x and @4", "engine@1.2.3, @2x and @4"),
        ("@scope/name and @scope-a/name-b", "@scope/name and @scope-a/name-b"),
        ("@Input() and @click=go", "@Input() and @click=go"),
        ("path/@ada and `@ada`", "path/@ada and `@ada`"),
    ],
)
def test_handles_are_told_from_code(given: str, kept: str) -> None:
    assert without_people(given) == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("s\n\nWhy.\n\nSigned-off-by: A <a@b.org>", "Why."),
        ("s\n\nCo-Authored-By: A <a@b.org>\n\nWhy.", "Why."),
        ("s\n\nWhy.\n(cherry picked from commit 1234567)", "Why."),
        ("s\n\nWhy.\n\n\n\n\nMore.\n\n---------\n\nCo-authored-by: A <a@b>", "Why.\n\nMore."),
        ("s\n\nRefs: #12\nChange-Id: I1234", "Refs: #12"),
        ("s", ""),
    ],
)
def test_trailers_are_stripped_from_the_body(given: str, kept: str) -> None:
    assert body_of(given) == kept
