"""Commits become rows, or are counted under the reason why not."""

from __future__ import annotations

import json
import re
import tracemalloc
from dataclasses import asdict
from pathlib import Path

import pytest

from kit.data.git_history import Commit, MiningRules, mine
from tests.histories import CHANGED, CODE, Repo, mined, only_reason, only_row, silent, started


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Return a repository with a license and one file, both in its root commit."""
    return started(tmp_path / "engine")


def test_a_commit_becomes_a_row_with_its_attribution(repo: Repo) -> None:
    repo.git("remote", "add", "origin", "https://ada:ghp_token@github.com/ada/engine.git")
    sha = repo.commit(
        "fix(cache): keep the value (#12)\n\nIt was read, never written.\n",
        {"src/cache.py": CHANGED},
    )
    assert only_row(repo) == Commit(
        repo="ada/engine",
        sha=sha,
        license="mit",
        date="2024-05-06",
        type="fix",
        message="fix(cache): keep the value",
        body="It was read, never written.",
        diff=(
            "diff --git a/src/cache.py b/src/cache.py\n"
            "--- a/src/cache.py\n"
            "+++ b/src/cache.py\n"
            "@@ -1,2 +1,2 @@\n"
            " def store(self, key, value):\n"
            "-    return self.cache.get(key)\n"
            "+    return self.cache.put(key, value)\n"
        ),
    )


def test_a_row_is_json_and_its_diff_applies(repo: Repo, tmp_path: Path) -> None:
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED, "src/né w.py": CODE * 2})
    row = only_row(repo)
    patch = tmp_path / "row.patch"
    patch.write_text(json.loads(json.dumps(asdict(row)))["diff"])
    repo.git("apply", "--check", "-R", str(patch))


def test_every_commit_is_a_row_or_counted(repo: Repo) -> None:
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED})
    repo.commit("More of the same", {"src/cache.py": CODE})
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("feat: count the hits of a cache", {"src/hits.py": CODE})
    repo.git("checkout", "-q", "main")
    repo.commit("docs: explain", {"README.md": "The cache keeps what was read once.\n"})
    repo.git("merge", "-q", "--no-ff", "-m", "feat: merge side", "side")
    rows, left_out = mined(repo.folder)
    assert left_out == {"root": 1, "not_conventional": 1, "merge": 1}
    assert {row.type for row in rows} == {"fix", "feat", "docs"}
    assert len(rows) + left_out.total() == int(repo.git("rev-list", "--count", "HEAD"))


def test_rows_come_newest_first_and_twice_the_same(repo: Repo) -> None:
    shas = [
        repo.commit(f"fix: keep value {n}", {"src/cache.py": CHANGED + f"KEPT_VALUES = {n}\n"})
        for n in range(3)
    ]
    rows, _ = mined(repo.folder)
    assert {row.sha for row in rows} == set(shas)
    assert (rows, _) == mined(repo.folder)


@pytest.mark.parametrize(
    "subject",
    [
        "feat: count hits",
        "fix(cache)!: count hits",
        "docs(a b, c): count hits",
        "revert: count hits",
        "style: count hits",
        "refactor: count hits",
        "perf: count hits",
        "test: count hits",
        "build: count hits",
        "ci: count hits",
        "chore: count hits",
    ],
)
def test_conventional_subjects_are_rows(repo: Repo, subject: str) -> None:
    repo.commit(subject, {"src/cache.py": CHANGED})
    row = only_row(repo)
    assert row.message == subject
    assert row.type == re.split(r"\W", subject)[0]


@pytest.mark.parametrize(
    "subject",
    [
        "Count hits",
        "Fix: count hits",
        "fix:count hits",
        "fix :count",
        "wip: x",
        "fix():x",
        "fix:  ",
    ],
)
def test_other_subjects_are_counted(repo: Repo, subject: str) -> None:
    repo.commit(subject, {"src/cache.py": CHANGED})
    assert only_reason(repo) == "not_conventional"


def test_the_subject_pattern_can_be_chosen(repo: Repo) -> None:
    repo.commit("[cache] keep the value", {"src/cache.py": CHANGED})
    row = only_row(repo, subject=r"\[(?P<type>\w+)\] .+")
    assert (row.type, row.message) == ("cache", "[cache] keep the value")
    assert only_row(repo, subject=".+").type == ""


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("fix: keep it (#12)", "fix: keep it"),
        ("fix: keep it (#12) (#13)", "fix: keep it"),
        ("fix: keep it (closes #12, #13)", "fix: keep it"),
        ("fix: keep it (ada/engine#12)", "fix: keep it"),
        ("fix: keep it (GH-12)", "fix: keep it"),
        ("fix: keep #12 (see below)", "fix: keep #12 (see below)"),
    ],
)
def test_trailing_issue_numbers_are_removed(repo: Repo, given: str, kept: str) -> None:
    repo.commit(given, {"src/cache.py": CHANGED})
    assert only_row(repo).message == kept


@pytest.mark.parametrize("subject", ["fix: " + "a" * 96, "fix: " + "a" * 500])
def test_a_long_subject_is_counted(repo: Repo, subject: str) -> None:
    repo.commit(subject, {"src/cache.py": CHANGED})
    assert only_reason(repo) == "subject_too_long"


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com"),
        ("renovate", "bot@renovateapp.com"),
        ("semantic-release-bot", "semantic-release-bot@martynus.net"),
        ("Crowdin Bot", "support@crowdin.com"),
        ("engine", "engine-bot@example.org"),
    ],
)
def test_a_bot_is_left_out(repo: Repo, name: str, email: str) -> None:
    person = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email}
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED}, **person)
    assert only_reason(repo) == "bot"


@pytest.mark.parametrize("name", ["Anna Abbott", "Botond Kiss", "Rob Otten"])
def test_a_person_is_no_bot(repo: Repo, name: str) -> None:
    person = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": "abbot@example.org"}
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED}, **person)
    assert only_row(repo)


@pytest.mark.parametrize(
    "subject",
    [
        "chore(release): 1.2.3",
        "chore: release v2.0.0-beta.1",
        "chore: bump version to 1.2.3",
        "build: bump version",
        "chore(release): publish",
        "build(deps): bump lodash from 4.17.20 to 4.17.21",
        "chore(deps): update dependency eslint to v8",
        "chore: prepare for next development iteration 1.3.0-SNAPSHOT",
        "chore: v1.2.3 [skip ci]",
    ],
)
def test_a_version_bump_is_left_out(repo: Repo, subject: str) -> None:
    repo.commit(subject, {"src/cache.py": CHANGED})
    assert only_reason(repo) == "version_bump"


@pytest.mark.parametrize(
    "subject",
    [
        "fix: bump the retry limit to 5 while the queue is cold",
        "docs: describe the 1.2.3 release",
        "ci: publish wheels for Python 3.13",
        "feat: update the cache when a version changes",
    ],
)
def test_a_commit_about_versions_is_no_version_bump(repo: Repo, subject: str) -> None:
    repo.commit(subject, {"src/cache.py": CHANGED})
    assert only_row(repo).message == subject


CUT: dict[str, str | bytes] = {
    "package-lock.json": '{"lockfileVersion": 3}\n',
    "web/yarn.lock": "# yarn lockfile\n",
    "vendor/lib/a.go": "package lib\n",
    "web/node_modules/a/index.js": "module.exports = 1\n",
    "api/rows_pb2.py": "DESCRIPTOR = 1\n",
    "web/app.min.js": "var a=1\n",
    "web/bundle.js": "var a=1;" * 300 + "\n",
    "api/client.ts": "// @generated by a tool\nexport const a = 1\n",
    "api/model.go": "// Code generated by sqlc. DO NOT EDIT.\npackage model\n",
    "logo.png": b"\x89PNG\r\n\0\0\0\rIHDR",
    "COPYING": "Permission is hereby granted to read this text.\n",
    "docs/LICENSE.txt": "Permission is hereby granted to read this text.\n",
}


@pytest.mark.parametrize("name", CUT)
def test_what_nobody_reads_is_cut_from_the_diff(repo: Repo, name: str) -> None:
    repo.commit("feat: count hits", {"src/cache.py": CHANGED, name: CUT[name]})
    (row,), left_out = (
        mine(repo.folder, MiningRules(), silent, "mit") if name == "COPYING" else mined(repo.folder)
    )
    assert left_out == {"root": 1}
    assert row.diff.count("diff --git") == 1
    assert "src/cache.py" in row.diff


def test_a_diff_of_only_such_files_is_counted(repo: Repo) -> None:
    repo.commit("feat: count hits", {name: CUT[name] for name in CUT if name != "COPYING"})
    assert only_reason(repo) == "no_readable_change"


def test_code_that_speaks_of_generated_files_is_kept(repo: Repo) -> None:
    lines = "\n".join(f"line_{n} = {n}" for n in range(30))
    repo.commit("feat: add", {"src/writer.py": lines + "\nHEADER = 'do not edit'\n"})
    repo.commit("fix: say it", {"src/writer.py": lines + "\nHEADER = 'Code generated by kit'\n"})
    rows, left_out = mined(repo.folder)
    assert len(rows) == 2
    assert left_out == {"root": 1}


def test_a_rename_with_a_change_is_kept_whole(repo: Repo) -> None:
    repo.commit("feat: more", {"src/cache.py": CODE * 20})
    repo.git("mv", "src/cache.py", "src/store.py")
    repo.commit("refactor: rename", {"src/store.py": CODE * 19 + CHANGED})
    (row, _), _ = mined(repo.folder)
    assert row.diff.startswith(
        "diff --git a/src/cache.py b/src/store.py\n"
        "rename from src/cache.py\nrename to src/store.py\n--- a/src/cache.py\n"
    )


def test_a_rename_only_is_counted(repo: Repo) -> None:
    repo.git("mv", "src/cache.py", "src/store.py")
    repo.commit("refactor: rename the cache", {})
    assert only_reason(repo) == "no_readable_change"


def test_a_mode_change_only_is_counted(repo: Repo) -> None:
    repo.git("update-index", "--chmod=+x", "src/cache.py")
    repo.git("commit", "-q", "-m", "fix: make the script executable")
    assert only_reason(repo) == "no_readable_change"


def test_an_empty_commit_is_counted(repo: Repo) -> None:
    repo.commit("ci: run again", {})
    assert only_reason(repo) == "no_readable_change"


def test_a_submodule_is_counted_and_not_entered(repo: Repo, tmp_path: Path) -> None:
    other = Repo(tmp_path / "other")
    sha = other.git("rev-parse", "HEAD")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{sha},lib")
    repo.git("commit", "-q", "-m", "feat: add the library")
    assert only_reason(repo) == "no_readable_change"


def test_short_and_long_diffs_are_counted(repo: Repo) -> None:
    repo.commit("fix: more", {"src/cache.py": CODE + "x = 1\n"})
    assert only_reason(repo) == "diff_too_short"
    repo.commit("feat: all", {"src/big.py": "a_long_enough_line = 1\n" * 300})
    assert mined(repo.folder)[1]["diff_too_long"] == 1
    rows, _ = mined(repo.folder, max_diff_characters=10_000, min_diff_characters=1)
    assert len(rows) == 2


def test_zero_bytes_and_invalid_utf8_are_counted(repo: Repo) -> None:
    # git looks for zero bytes in the first 8,000 only.
    start = b"a line of text\n" * 600
    repo.commit("fix: one", {"a.txt": start + b"more\n", "b.txt": "gut\n"})
    repo.commit("fix: two", {"a.txt": start + b"zero \0 byte and more\n"})
    repo.commit("fix: three", {"b.txt": b"sch\xf6n, auf Latein-1 gesagt\n"})
    repo.commit(b"fix: vier, sch\xf6n", {"b.txt": "und wieder als UTF-8 gesagt\n"})
    repo.commit("fix: five", {"b.txt": "a terminal \x1b[31mescape, not text\n"})
    rows, left_out = mined(repo.folder)
    assert rows == []
    assert left_out == {"root": 1, "diff_too_long": 1, "not_text": 4}


def test_a_message_in_another_encoding_is_read(repo: Repo) -> None:
    repo.git("config", "i18n.commitEncoding", "ISO-8859-1")
    repo.commit("fix: schöner Wert".encode("latin-1"), {"src/cache.py": CHANGED})
    assert only_row(repo).message == "fix: schöner Wert"


def test_a_large_commit_passes_by_in_little_memory(repo: Repo) -> None:
    # Several files, because a single one over the limit is never compared at all.
    block = b"x = 1234567890123456789012345678901234567890123456789012345678\n" * 50_000
    large = {f"data/{n}.txt": b"%d\n" % n + block for n in range(12)}
    repo.commit("feat: a lot, read last", large)
    repo.commit("feat: a lot, read on the way", dict.fromkeys(large, b"more\n"))
    sha = repo.commit("fix: keep the value", {"src/cache.py": CHANGED})
    limit = 4 * 2**20
    mined(repo.folder, max_commit_bytes=limit)  # loads what is loaded once
    tracemalloc.start()
    rows, left_out = mined(repo.folder, max_commit_bytes=limit)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [row.sha for row in rows] == [sha]
    assert left_out == {"root": 1, "commit_too_large": 2}
    assert peak < 3 * limit


def test_a_large_file_is_never_compared(repo: Repo) -> None:
    repo.commit("feat: a lot", {"data/rows.txt": b"x = 1234567890\n" * 100_000})
    assert only_reason(repo, max_commit_bytes=2**20) == "no_readable_change"


def test_a_large_message_is_counted(repo: Repo) -> None:
    repo.commit("fix: keep the value\n\n" + "because " * 10_000, {"src/cache.py": CHANGED})
    assert only_reason(repo) == "message_too_large"


def test_only_commits_since_a_day_are_read(repo: Repo) -> None:
    repo.commit("fix: one", {"src/cache.py": CHANGED}, GIT_COMMITTER_DATE="2024-06-30T23:59:59Z")
    sha = repo.commit("fix: two", {"src/cache.py": CODE}, GIT_COMMITTER_DATE="2024-07-01T00:00:01Z")
    rows, left_out = mined(repo.folder, since="2024-07-01")
    assert [(row.sha, row.date) for row in rows] == [(sha, "2024-07-01")]
    assert left_out.total() == 0


@pytest.mark.parametrize(
    ("at", "day"),
    [("2024-07-01T23:30:00-0500", "2024-07-02"), ("2024-07-01T21:00:00-0200", "2024-07-01")],
)
def test_the_date_is_the_day_in_utc(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, at: str, day: str
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    repo.commit("fix: one", {"src/cache.py": CHANGED}, GIT_COMMITTER_DATE=at)
    assert only_row(repo).date == day


def test_progress_says_how_far_it_is(repo: Repo) -> None:
    repo.commit("fix: keep the value", {"src/cache.py": CHANGED})
    seen: list[tuple[str, int, int | None]] = []
    mine(repo.folder, MiningRules(), lambda *step: seen.append(step))
    assert seen[0] == ("reading messages", 0, None)
    assert seen[-1] == ("reading diffs", 1, 1)
