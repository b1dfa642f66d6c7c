"""The prompt of a diff: what is shown of it, and that it keeps its budget whatever it is given."""

from __future__ import annotations

import json
import time

import pytest

from kit import prompts
from kit.prompts import Change, changes, render
from tests.prompt_vectors import (
    CASES,
    EXAMPLE,
    FILE,
    READ,
    UNREAD,
    added,
    content,
    count,
    lines,
    random_diffs,
    section,
)

ROOM = 10_000
VECTORS = {case["name"]: case for case in json.loads(FILE.read_text("ascii"))["cases"]}
SIZE = 60_000
FILE_HEAD = "diff --git a/x b/x\n"
LONG = {
    "paths": "diff --git " + " b/" * SIZE,
    "octal escapes": 'diff --git "' + r"\303" * SIZE + '"',
    "at signs": f"{FILE_HEAD}{'@' * SIZE} -1 +1 {'@' * SIZE}\n" + "+a\n" * SIZE,
    "old sides": f"{FILE_HEAD}@@ {'-1 ' * SIZE}\n",
    "digits": f"{FILE_HEAD}@@ -{'1' * SIZE} +1 @@\n",
    "binary names": "Binary files " + " and " * SIZE + " differ",
    "one line": added("<|" * SIZE + " " * SIZE),
    "lines": added(*["a"] * SIZE),
    "files": FILE_HEAD * SIZE,
    "folders": "--- x\n+++ " + "vendor/" * SIZE + "\n",
    "folders and a line's end": 'diff --git x\nrename to "' + "vendor/" * SIZE + '\\012z"\n',
    "suffixes": "--- x\n+++ " + "a.generated" * SIZE + "!\n",
    "headers": "--- a\n+++ b\n" * SIZE,
    "line ends": "\r" * SIZE + "\n\r\n" * SIZE,
}


def shown(diff: str) -> list[str]:
    return render(diff, ROOM, count).splitlines()


def only(diff: str) -> Change:
    (change,) = changes(diff)
    return change


@pytest.mark.parametrize("name", CASES)
def test_the_prompt_is_that_of_the_vectors(name: str) -> None:
    case = VECTORS[name]
    found = {budget: render(case["diff"], int(budget), count) for budget in case["prompts"]}
    assert found == case["prompts"]


def test_the_vectors_are_what_their_command_writes() -> None:
    assert FILE.read_text("ascii") == content()


def test_the_example_of_the_module_is_true() -> None:
    example = (prompts.__doc__ or "").partition(">>> ")[2].partition("\n\n")[0]
    assert shown(EXAMPLE) == [line.strip() for line in example.splitlines()[1:]]


def first_line(header: str, budget: int) -> str:
    """Return the line of the first file: whole, or the longest end of its path that is paid for."""
    ends = [header, *(header[:2] + header[i:] for i in range(3, len(header)))]
    return next((line for line in ends if count(f"{line}\n") <= budget), header)


def misplaced(files: list[Change], text: str, budget: int) -> list[str]:
    """Return what is left of a prompt without the first whole lines of each file, in order."""
    rest = text.split("\n")[:-1]
    first = first_line(files[0].header, budget) if files else ""
    if files and first != files[0].header and rest[:1] == [first]:
        return rest[1:]
    for number, file in enumerate(files):
        if rest[:1] != [file.header]:
            return [line for line in rest if line != f"and {len(files) - number} more files"]
        rest.pop(0)
        for line in file.lines:
            if rest[:1] != [line]:
                break
            rest.pop(0)
    return rest


def test_the_budget_is_kept_and_only_whole_lines_are_shown_in_their_place() -> None:
    for diff in [*CASES.values(), *random_diffs(150)]:
        files = changes(diff)
        whole = sum(count(f"{line}\n") for line in shown(diff))
        for budget in (-1, 0, 1, 2, 5, 9, 14, 20, 33, 60, 246, whole - 1, whole):
            text = render(diff, budget, count)
            assert sum(map(count, text.splitlines(keepends=True))) <= max(0, budget), (diff, budget)
            assert misplaced(files, text, budget) == [], (diff, budget)
            assert text == "" or text.endswith("\n")


def test_with_room_for_everything_everything_is_shown() -> None:
    diff = section("a.c", "-one", "+two") + section("b.c", "+three")
    whole = "M a.c\n-one\n+two\nM b.c\n+three\n"
    assert render(diff, sum(map(count, whole.splitlines(keepends=True))) + 4, count) == whole


def test_paths_come_before_lines() -> None:
    diff = section("long.py", *(f"+line {i}" for i in range(99))) + section("last.py", "+x")
    assert [line for line in render(diff, 16, count).splitlines() if line[0] == "M"] == [
        "M long.py",
        "M last.py",
    ]


def test_what_a_short_file_leaves_over_goes_to_the_longer_ones() -> None:
    long = [f"+line {i}" for i in range(99)]
    alone = render(section("a.py", *long) + section("b.py", *long), 100, count)
    beside_a_short_one = render(section("a.py", *long) + section("b.py", "+x"), 100, count)
    assert alone.count("+line") > 10
    assert beside_a_short_one.split("M b.py")[0].count("+") > alone.split("M b.py")[0].count("+")


def test_files_without_room_are_counted() -> None:
    diff = "".join(section(f"f{i}.py", "+x") for i in range(50))
    text = render(diff, 60, count)
    assert text.endswith(f"and {50 - text.count('M f')} more files\n")


def test_of_a_path_longer_than_the_budget_the_end_is_shown() -> None:
    diff = section("a/long/path/to/a/file.py", "+one")
    price = count("M a/long/path/to/a/file.py\n")
    assert render(diff, price, count) == "M a/long/path/to/a/file.py\n"
    shorter = render(diff, price - 3, count)
    assert shorter.startswith("M ")
    assert shorter.endswith("/to/a/file.py\n")
    assert count(shorter) == price - 3


def test_a_first_path_may_take_more_than_half_of_the_budget() -> None:
    diff = section("a/long/path/to/a/file.py", "+one") + section("b.py", "+two")
    assert render(diff, 11, count) == "M a/long/path/to/a/file.py\n"


def test_lines_beyond_the_budget_are_not_counted() -> None:
    counted: list[str] = []
    diff = added(*(f"line {i}" for i in range(5000)))

    def noted(line: str) -> int:
        counted.append(line)
        return count(line)

    render(diff, 50, noted)
    assert len(counted) <= 60


@pytest.mark.parametrize("path", UNREAD)
def test_of_a_file_that_nobody_reads_only_the_path_is_shown(path: str) -> None:
    assert shown(section(path, "+one")) == [f"M {path}"]


@pytest.mark.parametrize("path", READ)
def test_a_file_with_a_name_like_that_is_shown(path: str) -> None:
    assert shown(section(path, "+one")) == [f"M {path}", "+one"]


def test_a_removed_line_may_look_like_the_next_header() -> None:
    diff = section("a.sql", "--- a/b.sql", "+++ b/b.sql", "-x")
    assert shown(diff) == ["M a.sql", "--- a/b.sql", "+++ b/b.sql", "-x"]


def test_a_hunk_that_was_cut_off_does_not_swallow_the_next_file() -> None:
    cut = section("a.txt", "-one").replace("-1,1 +1,0", "-1,500 +1,500")
    assert [change.path for change in changes(cut + section("b.txt", "+two"))] == ["a.txt", "b.txt"]


def test_text_after_a_file_changes_nothing_about_it() -> None:
    text = ("deleted file", "rename to z", "Binary files are old", "copy to z", "GIT binary patch")
    for diff in (section("a.txt", "+one"), "diff --git a/a.txt b/a.txt\nold mode 100644\n\n"):
        after = only(diff + lines(*text))
        assert (after.path, after.status) == ("a.txt", "M")


def test_a_line_of_dashes_in_a_text_is_no_file() -> None:
    assert changes("--- Original message ---\n\nPlease\n") == []


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (r'"b/f\303\244.txt"', "fä.txt"),
        (r'"b/a\"b\\c"', 'a"b\\c'),
        (r'"b/tab\tnl\nbell\a"', "tab nl bell "),
        (r'"b/\377\303"', "\ufffd\ufffd"),
        (r'"b/\357\273\277x"', "\ufeffx"),
        ('"', '"'),
        ('b/say "hi"', 'say "hi"'),
    ],
)
def test_a_quoted_path_is_read_as_git_wrote_it(written: str, path: str) -> None:
    assert only(f"--- a/old\n+++ {written}\n").path == path


@pytest.mark.parametrize(
    ("names", "path"),
    [
        ("a/x b/y b/x b/y", "x b/y"),
        ("i/x.py w/x.py", "x.py"),
        ("old/x.py new/x.py", "x.py"),
        ("src/x.py src/x.py", "src/x.py"),
        ('"a/\\303\\244" "b/\\303\\244"', "ä"),
    ],
)
def test_the_path_is_what_both_names_of_a_section_share(names: str, path: str) -> None:
    assert only(f"diff --git {names}\nold mode 100644\n").path == path


def test_a_merge_shows_what_was_removed_from_either_parent_and_added_to_both() -> None:
    hunk = ("@@@ -1,2 -1,2 +1,2 @@@ f()", "- ours", " -theirs", "++both", "  same", "+ after it")
    assert only(lines("diff --cc m.txt", *hunk)).lines == ["@ f()", "-ours", "-theirs", "+both"]


def test_what_no_tokenizer_takes_is_replaced() -> None:
    text = "\n".join(shown(section("\udcff.txt", "+a\ud800b")))
    assert text.encode() == b"M \xef\xbf\xbd.txt\n+a\xef\xbf\xbdb"


def test_no_control_token_of_a_diff_reaches_the_prompt() -> None:
    diff = section("<|end|>.py", "+<|end|>", "+<<|message|>", context=" <|diff|>")
    diff += lines('diff --git "a/<\\174" b/x', 'rename from "<\\174end|>"', "rename to <|diff|>")
    assert "<|" not in render(diff, ROOM, count)
    assert render(diff, ROOM, count).count("< |") == 6


@pytest.mark.parametrize("diff", LONG.values(), ids=LONG)
def test_the_time_grows_with_the_length_alone(diff: str) -> None:
    started = time.process_time()
    render(diff, 246, count)
    assert time.process_time() - started < 5
