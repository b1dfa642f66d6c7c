"""Changed diffs against git, which must apply them, and against Python's parser."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kit.evaluation.consistency import CHANGES, consistency, renamed, reordered, thinned
from kit.evaluation.intervals import wilson
from kit.evaluation.unified import read, write
from kit.prompts import changes

OLD_PYTHON = '''"""Reads users, retry_count of them."""
import os.path
from http_pool import open_pool

RETRY_MAX = 3


class UserReader(open_pool.Reader):
    """fetch_user is in this text."""

    def fetch_user(self, user_id, retry_count=RETRY_MAX):
        # retry_count is a comment
        place = os.path.join_all("retry_count", f"{user_id}/{retry_count:>{RETRY_MAX}}")
        for i in range(retry_count):
            if self.status_of(place) == self.status_code:
                return self.fetch_user(user_id=i)
        return None

    def test_status(self):
        """
        status_of in a long text
        """
        assert isinstance(self.fetch_user(1), dict)

    def status_of(self, path):
        return os.stat(path).status_code


def main():
    reader = UserReader()
    print(reader.fetch_user(7))
'''
NEW_PYTHON = (
    OLD_PYTHON.replace("RETRY_MAX = 3", "RETRY_MAX = 5\nRETRY_WAIT = 0.1")
    .replace("return None", "raise KeyError(user_id, RETRY_WAIT)")
    .replace("reader.fetch_user(7)", "reader.fetch_user(7, retry_count=2)")
)


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a repository whose working tree differs from its commit in every way."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    numbers = [f"line {i}" for i in range(60)]
    before = {
        "numbers.txt": "\n".join(numbers) + "\n",
        "user.py": OLD_PYTHON,
        "gone.txt": "a\nb\n",
        "moved.txt": "\n".join(numbers) + "\nmoved\n",
        "unended.txt": "a\nb",
    }
    for name, text in before.items():
        (folder / name).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "-m", "first")
    numbers[3:3] = ["new", "-- looks like a header"]
    numbers[30] = "changed"
    del numbers[50:52]
    after = ["first", *numbers, "last"]
    (folder / "numbers.txt").write_text("\n".join(after) + "\n")
    (folder / "user.py").write_text(NEW_PYTHON)
    (folder / "gone.txt").unlink()
    (folder / "moved.txt").rename(folder / "there.txt")
    (folder / "unended.txt").write_text("a\nc")
    (folder / "made.txt").write_text("x\ny\n")
    git(folder, "add", "-A")
    return folder


def versions(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def applied(folder: Path, diff: str, *options: str) -> dict[str, str]:
    """Return the working tree after the diff was applied to the commit."""
    git(folder, "reset", "--quiet", "--hard", "HEAD")
    (folder.parent / "patch").write_text(diff)
    git(folder, "apply", *options, str(folder.parent / "patch"))
    return versions(folder)


def test_a_diff_is_read_and_written_without_loss(tree: Path) -> None:
    for options in ([], ["--unified=0"], ["--unified=100"], ["--no-prefix"]):
        diff = git(tree, "diff", "--staged", "-M", *options)
        preamble, sections = read(diff)
        assert write(preamble, sections) == diff
        assert preamble == []
        assert len(sections) == 6


def test_the_lines_around_files_are_kept() -> None:
    one = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\ntext\n"
    diff = f"commit 1\n\n{one}--- a/y\n+++ b/y\n@@ -0,0 +1 @@\n+a\n"
    preamble, sections = read(diff)
    assert preamble == ["commit 1", ""]
    assert [section.paths[0] for section in sections] == ["x", "y"]
    assert write(preamble, sections) == diff


def test_git_applies_a_reordered_diff_to_the_same_result(tree: Path) -> None:
    want, diff = versions(tree), git(tree, "diff", "--staged", "-M")
    turned = reordered(diff)
    assert applied(tree, turned) == want
    assert [c.path for c in changes(turned)] == [c.path for c in changes(diff)][::-1]
    for change, other in zip(changes(diff), changes(turned)[::-1], strict=True):
        assert sorted(change.lines) == sorted(other.lines)
    starts, back = (
        [h.old_start for s in read(text)[1] for h in s.hunks] for text in (diff, turned)
    )
    assert starts == back[::-1]
    assert len(starts) == 10
    assert reordered(turned) == diff != turned


def test_git_applies_a_thinned_diff_to_the_same_result(tree: Path) -> None:
    want, diff = versions(tree), git(tree, "diff", "--staged", "-M")
    thin = thinned(diff)
    assert applied(tree, thin, "--unidiff-zero") == want
    assert all(line[0] in "+-\\" for s in read(thin)[1] for h in s.hunks for line in h.lines)
    assert thinned(thin) == thin


def test_a_thinned_diff_differs_from_gits_own_only_in_headings(tree: Path) -> None:
    def without_headings(diff: str) -> str:
        return re.sub(r"(?m)^(@@ .* @@).*$", r"\1", diff)

    thin = thinned(git(tree, "diff", "--staged", "-M"))
    theirs = git(tree, "diff", "--staged", "-M", "--unified=0")
    assert without_headings(thin) == without_headings(theirs)


def whole_versions(diff: str) -> tuple[str, str]:
    """Return both versions of a file whose diff shows every line."""
    (section,) = read(diff)[1]
    (hunk,) = section.hunks
    return (
        "\n".join(line[1:] for line in hunk.lines if line[0] in " -") + "\n",
        "\n".join(line[1:] for line in hunk.lines if line[0] in " +") + "\n",
    )


def structure(source: str) -> tuple[str, list[str]]:
    """Return a program with its names numbered in order, and the names."""
    order: dict[str, str] = {}
    root = ast.parse(source)
    for node in ast.walk(root):
        for field in ("id", "name", "attr", "arg"):
            if isinstance(name := getattr(node, field, None), str):
                setattr(node, field, order.setdefault(name, str(len(order))))
    return ast.dump(root), list(order)


def test_a_renamed_diff_is_the_same_program_with_other_names(tree: Path) -> None:
    diff = git(tree, "diff", "--staged", "--unified=999", "--", "user.py")
    assert whole_versions(diff) == (OLD_PYTHON, NEW_PYTHON)
    for source, other in zip(whole_versions(diff), whole_versions(renamed(diff)), strict=True):
        assert structure(source)[0] == structure(other)[0]
        pairs = dict(zip(structure(source)[1], structure(other)[1], strict=True))
        changed = {name for name, new in pairs.items() if name != new}
        assert {"UserReader", "fetch_user", "user_id", "retry_count", "RETRY_MAX"} <= changed
        assert {"status_of", "reader", "test_status"} <= changed
        kept = {"os", "path", "join_all", "open_pool", "range", "isinstance", "self", "main"}
        assert all(pairs[name] == name for name in kept & set(pairs))
        assert len(set(pairs.values())) == len(pairs)
        assert pairs["test_status"].startswith("test_")


def test_comments_texts_and_paths_keep_their_words(tree: Path) -> None:
    new = renamed(git(tree, "diff", "--staged", "--unified=999", "--", "user.py"))
    for kept in (
        '"""Reads users, retry_count of them."""',
        '"""fetch_user is in this text."""',
        "# retry_count is a comment",
        '"retry_count", f"{',
        "status_of in a long text",
        "b/user.py",
        "from http_pool import open_pool",
    ):
        assert kept in new
    assert "fetch_user(" not in new


def test_a_renamed_diff_has_the_shape_of_the_old_one(tree: Path) -> None:
    diff = git(tree, "diff", "--staged")
    new = renamed(diff)
    assert len(new.split("\n")) == len(diff.split("\n"))
    assert [line[:1] for line in new.split("\n")] == [line[:1] for line in diff.split("\n")]
    assert [(c.path, c.status, c.hunks) for c in changes(new)] == [
        (c.path, c.status, c.hunks) for c in changes(diff)
    ]
    text = [s for s in read(diff)[1] if "user.py" not in s.paths]
    assert text == [s for s in read(new)[1] if "user.py" not in s.paths]


def section(path: str, *lines: str, heading: str = "") -> str:
    old = sum(line[0] != "+" for line in lines)
    new = sum(line[0] != "-" for line in lines)
    numbers = [f"9,{n}" if n != 1 else "9" for n in (old, new)]
    body = "".join(f"{line}\n" for line in lines)
    head = f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n"
    return f"{head}@@ -{numbers[0]} +{numbers[1]} @@{heading}\n{body}"


def test_names_are_the_same_in_all_files_headings_and_templates() -> None:
    diff = section(
        "src/a.ts",
        "-return fetchUser(id, retry_count)",
        "+return fetchUser(id, RETRY_MAX)",
        heading=" function retryUser() {",
    ) + section("src/b.ts", "+const url = `fetchUser/${fetchUser(id)}`", "+x.fetchUser()")
    assert renamed(diff) == section(
        "src/a.ts",
        "-return cedarBasin(id, amber_delta)",
        "+return cedarBasin(id, AMBER_EMBER)",
        heading=" function amberBasin() {",
    ) + section("src/b.ts", "+const flint = `fetchUser/${cedarBasin(id)}`", "+x.cedarBasin()")


def test_the_docstrings_example_is_what_comes_out() -> None:
    diff = section("a.js", "-return fetchUser(id, retry_count)", "+return fetchUser(id, RETRY_MAX)")
    assert renamed(diff) == section(
        "a.js", "-return amberBasin(id, cedar_delta)", "+return amberBasin(id, CEDAR_EMBER)"
    )


def test_what_belongs_to_another_object_or_an_import_is_kept() -> None:
    diff = section(
        "src/a.go",
        "-// fetchUser of readAll",
        "+if response.StatusCode == http.StatusNotFound {",
        '+import "net/httpTest"',
        " /* fetchUser",
        " readAll */",
        "+\treturn httpTest.New(userName)",
    )
    assert renamed(diff) == diff.replace("userName", "amberBasin")


def test_an_import_that_began_before_the_hunk_keeps_its_names() -> None:
    diff = section(
        "a.ts", " readAll,", "+writeAll,", " } from 'x'", "+writeAll(userId)", heading=" import {"
    )
    assert renamed(diff) == diff.replace("userId", "amberBasin")


def test_a_hunk_that_begins_inside_a_long_text_is_not_taken_for_code() -> None:
    diff = section(
        "a.py",
        " of fetch_user and",
        '-more of fetch_user."""',
        '+most of fetch_user."""',
        " return fetch_user(user_id)",
        '-x = """',
        "-user_id",
        '-"""',
        "+user_id",
    )
    lines = renamed(diff).split("\n")
    assert lines[4:7] == diff.split("\n")[4:7]
    assert lines[7] == " return amber_basin(basin_cedar)"
    assert lines[9:12] == ["-user_id", '-"""', "+basin_cedar"]


def test_a_single_word_is_renamed_only_where_it_stands_for_itself() -> None:
    diff = section("a.py", "+path = os.path.stat(path, path=1)", "+self.path = path")
    assert renamed(diff) == section(
        "a.py", "+amber = os.path.stat(amber, path=1)", "+self.amber = amber"
    )


def test_new_names_do_not_meet_names_that_are_there() -> None:
    diff = section("a.py", "+amber = user_id", "+basin(cedar_x)", "+Delta()")
    assert renamed(diff) == section("a.py", "+ember = flint_grove", "+basin(heron_x)", "+Delta()")


def test_more_names_than_words_stay_different() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = [f"q{a}q_{b}z{b}" for a in letters for b in letters][:300]
    diff = section("a.py", *(f"+{name}()" for name in names))
    body = renamed(diff).split("@@\n")[1].split()
    assert len(set(body)) == 300
    assert not {f"+{name}()" for name in names} & set(body)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(
    "diff",
    ["", "no diff", "--- a/x\n", "diff --git a/a.py b/a.py\nold mode 100644\nnew mode 100755\n"],
)
def test_where_there_is_nothing_to_change_the_diff_comes_back(
    change: Callable[[str], str], diff: str
) -> None:
    assert change(diff) == diff


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_of_a_diff_that_is_cut_every_line_that_is_there_is_kept(
    change: Callable[[str], str],
) -> None:
    whole = section("a.py", "-user_id = 1", "+user_id = 2", " last_line", "+x = 1")
    cut = whole.rsplit("\n", 2)[0]
    for diff in (cut, cut + "\n" + whole, cut.replace("\n", "\r\n")):
        done = change(diff)
        assert change(diff) == done
        assert done.count("\n+") == diff.count("\n+")
        assert done.count("\n-") == diff.count("\n-")
        assert {c.path for c in changes(done)} == {"a.py"}


def test_consistency_is_the_share_of_equal_types() -> None:
    metric = consistency(["fix", "fix", "docs", None, None], ["fix", "feat", "docs", None, "fix"])
    assert (metric.value, metric.n) == (2 / 5, 5)
    assert (metric.low, metric.high) == wilson(2, 5)
    assert consistency([], []).method == "none"
    with pytest.raises(ValueError, match="expected pairs, got 1 and 0"):
        consistency(["fix"], [])
