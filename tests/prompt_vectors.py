r"""Diffs, ordinary and hostile, and the prompts that both renderers must make of them.

::

    python -m tests.prompt_vectors       # rewrites tests/prompt_vectors.json from kit.prompts

A case of the file is a diff and its prompt at each of ``BUDGETS``, in tokens of ``count``::

    {"name": "a rename", "diff": "diff --git ...", "prompts": {"9": "R a -> b\n", ...}}

Rewrite it only when the prompt is meant to change: a trained model has read the old one.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from kit.prompts import render

FILE = Path(__file__).with_suffix(".json")
BUDGETS = (9, 33, 246)
SPACES = "\t\x0b\x0c\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2005\u200a\u2028\u2029\u202f\u205f\u3000"
NO_SPACES = "\x00\x07\x08\x1b\x7f\u180e\u200b\u200d\u2060\ufeff\ufffd"
WORDS = ["x", "é", "一", "ⅷ", "²", "½", "٣", "𝒜", "ª", "ﬁ", "a\u0301", "\U00020000"]
NO_WORDS = [
    "_",
    "}",
    "😀",
    "👩\u200d🚀",
    "\u0301",
    "─┼─",
    "…",
    "€",
    "\ue000",
    "®",
    "🌕🌖",
    "\u200b",
]
UNREAD = (
    *("package-lock.json", "web/npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lockb"),
    *("bun.lock", "deno.lock", "a/poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "go.sum"),
    *("conda-lock.yml", "Cargo.lock", "composer.lock", "Gemfile.lock", "mix.lock", "Podfile.lock"),
    *("Package.resolved", "flake.lock", "pubspec.lock", "packages.lock.json", "gradle.lockfile"),
    *(".terraform.lock.hcl", "vendor/a.go", "x/node_modules/y/z.js", "third_party/a.c"),
    *("t/__snapshots__/a.txt", "LICENSE", "LICENSE-MIT.txt", "x/LICENCE", "COPYING.LESSER"),
    *("a.min.js", "a.min.css", "a.js.map", "a.snap", "a.pb.go", "a.svg", "a_pb2.py"),
    *("a_pb2_grpc.pyi", "x/a.generated.ts"),
)
READ = (
    *("package.json", "lock", "locks.py", "x.lock.py", "vendors/a.go", "LICENSES.md", "unlicense"),
    *("go.summary", "map.c", "svg.py", "min.js", "pb2.py", "a.generated", "my-vendor.c", ".lock"),
)


def count(line: str) -> int:
    """Return what a line costs: a number that JavaScript finds as well."""
    return 1 + len(line) // 3


def lines(*texts: str) -> str:
    """Return the texts as lines."""
    return "".join(f"{text}\n" for text in texts)


def section(path: str, *changed: str, context: str = "") -> str:
    """Return one file's part of a git diff, its changed lines in one hunk."""
    old, new = (sum(text[:1] != sign for text in changed) for sign in "+-")
    return lines(
        f"diff --git a/{path} b/{path}",
        "index 1111111..2222222 100644",
        f"--- a/{path}",
        f"+++ b/{path}",
        f"@@ -1,{old} +1,{new} @@{context}",
        *changed,
    )


def added(*texts: str) -> str:
    """Return the diff of one file to which lines were added."""
    return section("a.txt", *(f"+{text}" for text in texts))


EXAMPLE = section(
    *("src/cache.py", " ", "-        return None", "+        self._retry(key,  value)", "+    )"),
    context=" def store(self, key, value):",
) + section("package-lock.json", '-  "version": "1.0.0"', '+  "version": "1.0.1"')
RENAME = ("similarity index 100%", "rename from src/a.py", "rename to lib/b.py")
MERGE = lines(
    *("diff --cc m.txt", "index 74675d2,4440f80..df92a53", "--- a/m.txt", "+++ b/m.txt"),
    *("@@@ -1,2 -1,3 +1,2 @@@ def f():", "- ours", " -theirs", " -and more", "++both"),
    *("  second", "text with new file"),
)
OCTOPUS = lines(
    *("diff --combined m.txt", "index 1,2,3..4", "--- a/m.txt", "+++ b/m.txt"),
    *("@@@@ -1 -1,2 -1,0 +1,2 @@@@", "-  one", " --two", "++ three", "+++four", "--- five"),
)
PLAIN = lines(
    *("Only in old: gone.c", "diff -ruN old/a.c new/a.c", "--- old/a.c\t2020-01-01 00:00:00 +0000"),
    *("+++ new/a.c\t2020-01-02 00:00:00 +0000", "@@ -1,2 +1,2 @@", " int a;", "-int b;", "+int c;"),
    *("Binary files old/x.png and new/x.png differ", "diff -ruN old/b.c new/b.c", "--- old/b.c"),
    *("+++ new/b.c", "@@ -1 +1 @@", "-one", "+two", "--- b/c.c", "+++ /dev/null", "@@ -1 +0,0 @@"),
    *("-three", "--- /dev/null\tThu Jan 1", "+++ b/d.c\tnow", "@@ -0,0 +1 @@", "+four"),
)
MAILS = lines(
    *("From 4b1c0ffee Mon Sep 17 00:00:00 2001", "Subject: [PATCH 1/2] new file format", ""),
    *("deleted file handling", "--- old style heading", "---", " a.txt | 2 +-", ""),
) + (
    section("a.txt", "-one", "+two")
    + lines(
        "-- ", "2.40.1", "", "Subject: [PATCH 2/2]", "", "new file format", "rename to none", ""
    )
    + lines("diff --git a/r.py b/s.py", *RENAME[:1], "rename from r.py", "rename to s.py", "-- ")
    + lines("2.40.1", "", "deleted file handling", "", "Binary files are not shown")
)
QUOTED = lines(
    *(r'diff --git "a/\303\244 f.txt" "b/\303\244 f.txt"', "index 1..2 100644"),
    *('--- "a/\\303\\244 f.txt"\t', '+++ "b/\\303\\244 f.txt"\t', "@@ -1 +1 @@", "-one", "+two"),
    *(r'diff --git "a/a\"b\\c.txt" "b/a\"b\\c.txt"', "old mode 100644", "new mode 100755"),
    *(r'diff --git "a/nl\nx\033[1m" "b/nl\nx\033[1m"', "new file mode 100644", "--- /dev/null"),
    *(r'+++ "b/nl\nx\033[1m"', "@@ -0,0 +1 @@", "+n"),
    *(r'diff --git "a/r \303\274.txt" b/new b/x.txt', r'rename from "r \303\274.txt"'),
    *(
        "rename to new b/x.txt",
        r'diff --git "a/\357\273\277" "b/\357\273\277"',
        r'diff --git "a/\303(\377\400\8.txt" "b/\303(\377\400\8.txt"',
    ),
)
PREFIXES = (
    lines("diff --git c/bin.dat i/bin.dat", "Binary files c/bin.dat and i/bin.dat differ")
    + lines("diff --git i/p b/q w/p b/q", "--- i/p b/q\t", "+++ w/p b/q\t", "@@ -1 +1 @@", "-one")
    + lines("+two", "diff --git src/x.py src/x.py", "--- src/x.py", "+++ src/x.py", "@@ -1 +1 @@")
    + lines("-one", "+two", "diff --git old/y new/y", "deleted file mode 100644", "--- old/y")
    + lines("+++ /dev/null", "diff --git before/z after/z", "--- before/z", "+++ after/z")
    + lines("diff --git a/p b/q a/p b/q", "old mode 100644", "new mode 100755")
    + lines("diff --git a/one b/two", "--- a/one", "+++ b/two", "diff --git x", "diff --git ")
    + lines("diff --git a/one b/two b/three", "old mode 100644", "diff --git 😀😀/four nn/four")
)
CASES: dict[str, str] = {
    "the example of the module": EXAMPLE,
    "one changed line": section("README.md", "-Hello", "+Hello, world"),
    "several hunks": section("a.c", " int a;", "-int b;", context=" int f(void)")
    + lines("@@ -9 +8,2 @@ int g(void)", "+int c;", " }", "@@ -20,0 +21 @@ {", "+int d;"),
    "an added file": lines("diff --git a/n.py b/n.py", "new file mode 100644", "index 0000000..1")
    + lines("--- /dev/null", "+++ b/n.py", "@@ -0,0 +1,3 @@", "+import os", "+", "+print(os.sep)"),
    "an empty added file": lines("diff --git a/n b/n", "new file mode 100644", "index 0..e69de29"),
    "a deleted file": lines("diff --git a/n.py b/n.py", "deleted file mode 100644", "index 1..0")
    + lines("--- a/n.py", "+++ /dev/null", "@@ -1,2 +0,0 @@", "-import os", "-print(os.sep)"),
    "a rename": lines("diff --git a/src/a.py b/lib/b.py", *RENAME),
    "a rename with a change": lines("diff --git a/src/a.py b/lib/b.py", *RENAME, "index 1..2")
    + lines("--- a/src/a.py", "+++ b/lib/b.py", "@@ -1 +1 @@", "-import a", "+import b"),
    "a copy": lines("diff --git a/src/a.py b/lib/b.py", "similarity index 90%")
    + lines("copy from src/a.py", "copy to lib/b.py", "--- a/src/a.py", "+++ b/lib/b.py")
    + lines("@@ -1 +1 @@", "-import a", "+import b"),
    "a mode change": lines("diff --git a/run.sh b/run.sh", "old mode 100644", "new mode 100755"),
    "a binary file": lines("diff --git a/x.png b/x.png", "index 1..2 100644")
    + lines("Binary files a/x.png and b/x.png differ"),
    "a binary patch": lines("diff --git a/x.png b/x.png", "index 1..2 100644", "GIT binary patch")
    + lines("literal 4", "LcmZQzWMT#Y01f~L", "", "literal 4", "LcmZQzWMT#Y01f~L", "", "rename to y")
    + section("b.txt", "+after it"),
    "a submodule": section("sub", "-Subproject commit 1f0e", "+Subproject commit 2e1d"),
    "a submodule's log": lines("Submodule sub 1f0e..2e1d:", "  > one commit")
    + section("b.txt", "+after it"),
    "no newline at the end": section("a.txt", " same", "-foo", "\\ No newline at end of file")
    + lines("+bar", "\\ No newline at end of file")
    + section("b.txt", "+after it"),
    "missing counts": lines("diff --git a/a b/a", "@@ -3 +3 @@", "-one", "+two", "+not counted"),
    **{
        f"unread files from {UNREAD[i]}": "".join(
            section(p, "+not shown") for p in UNREAD[i : i + 9]
        )
        for i in range(0, len(UNREAD), 9)
    },
    "files like unread ones": "".join(section(path, "+shown") for path in READ),
    "many files": "".join(section(f"src/module_{i}.py", f"+line {i}") for i in range(60)),
    "short and long files": section("long.py", *(f"+line {i} of it" for i in range(80)))
    + section("short.py", "+all of it")
    + section("other.py", *(f"-line {i} of it" for i in range(40))),
    "lines of punctuation": section("a.js", "-  });", "+  })", "+", "+// ----", "+}_;", "+f();"),
    "removed lines that look like headers": section("a.sql", "--- a/x", "--- comment", "+++ b/x")
    + section("b.sql", "+++ i", "--- j", " diff --git a/c b/c", "+@@ -1 +1 @@"),
    "stripped blank context": section("a.txt", "", "-one", "", "+two", "").replace("\n \n", "\n\n"),
    "windows line ends": EXAMPLE.replace("\n", "\r\n"),
    "windows line ends in the file alone": section("a.txt", "-one\r", "+two\r", "+\r", "+x\ry"),
    "a merge": MERGE + section("b.txt", "+after it"),
    "a merge of three": OCTOPUS + section("b.txt", "+after it"),
    "diff -u": PLAIN,
    "subversion": lines("Index: a.txt", "=" * 67, "--- a.txt\t(revision 1)")
    + lines("+++ a.txt\t(working copy)", "@@ -1 +1 @@", "-one", "+two", "")
    + lines("Property changes on: a.txt", "Added: svn:mime-type", "## -0,0 +1 ##", "+text/plain"),
    "git show": lines("commit 4b1c0ffee", "Author: A <a@example.org>", "", "    fix: a thing", "")
    + EXAMPLE,
    "patches by mail": MAILS,
    "quoted paths": QUOTED,
    "prefixes that are not a/ and b/": PREFIXES,
    "a path with spaces": lines("diff --git a/sp  ace.txt b/sp  ace.txt", "--- a/sp  ace.txt\t")
    + lines("+++ b/sp  ace.txt\t", "@@ -1 +1 @@", "-k one", "+l two"),
    "nothing": "",
    "blank lines": "\n\r\n \n",
    "text without a diff": "fix the cache\n\n--- a heading\n+ one\n- two\n@@ -1 +1 @@\n+three\n",
    "a heading like a header": "--- a\n\n+++ b\n+++ c\n" + section("b.txt", "+after it"),
    "a hunk cut off by the next file": section("a.txt", " a", "-b", "+c").replace(",2", ",9")
    + section("b.txt", "+after it"),
    "a hunk cut off by the next hunk": lines("diff --git a/a b/a", "@@ -1,9 +1,9 @@", "+one")
    + lines("@@ -30,9 +30,9 @@ def f():", "-two"),
    "a hunk cut off by the end": section("a.txt", " same", "-one", "+two and three")[:-6],
    "foreign lines in a hunk": section("a.txt", "-one", "wrapped by a mailer", "+two", "> +three"),
    "numbers too long to be counts": lines("diff --git a/a b/a", f"@@ -1,{'9' * 5000} +1 @@", "+a")
    + lines("diff --git a/a b/a", f"@@ -1 +1,{'9' * 5000} @@", "+no line of a hunk")
    + section("b.txt", "+after it"),
    "a hunk without a file": lines("@@ -1 +1 @@", "-one", "+two"),
    "NULs and replaced bytes": added("a\0b", "\ufffd\ufffdPNG", "\0\0", "\ufffd"),
    "halves of surrogate pairs": added("a\ud800b", "\udcff\udcfe", "\ud83dx", "\ude00\ud83d y"),
    "every space": added(*(f"{space}a{space}{space}b{space}" for space in SPACES), SPACES),
    "line separators in headers": section("x\u2028y\u0085z", "+a", context=" f(\u2029)")
    + section("vendor/\u2028x", "+b")
    + lines("@@@ -1 -1 +1 @@@ \r\u2028g", "++c")
    + lines("diff --git a/\u2028d b/\u2028d", "old mode 100644"),
    "what is no space": added(*(f"{char} a{char}b {char}" for char in NO_SPACES)),
    "what is a word": added(*WORDS),
    "what is no word": added(*NO_WORDS),
    "a byte order mark": "\ufeff" + EXAMPLE,
    "control tokens": section("<|end|>.txt", "+<|end|><|", "+<<||>>", "+<\u2028|message|>")
    + lines("@@ -9 +9 @@ <|diff|>", "+a <|diff|>"),
    "a huge line": added("x" * 4000, "word " * 800, f"a{' ' * 4000}b", "(" * 3000 + "x"),
    "lines cut between words": added(
        "a" * 60 + " " + "b" * 80, "a" * 61 + " " + "b" * 80, "a" * 121
    )
    + lines(f"@@ -9 +9 @@ def {'f' * 30}({'argument, ' * 9}):", f"+{'a ' * 59}a", f"+{'a ' * 60}b"),
    "lines cut by code points": added(
        "😀" * 130 + "a", "a" + "😀 " * 90, "é" * 121, "👩\u200d🚀" * 60
    ),
    "a long path": section(f"{'folder/' * 20}file.py", "+import os")
    + lines(
        f"diff --git a/{'f' * 90} b/{'g' * 90}", f"rename from {'f' * 90}", f"rename to {'g' * 90}"
    ),
    "a path beyond the budget": section("a/very/long/path/of/a/file.py", "+one", "+two"),
    "a quoted path of many bytes": lines('--- "a/x"', '+++ "b/' + r"\360\237\230\200" * 40 + '"'),
    "columns beyond the line": lines("diff --cc a", f"{'@' * 9} -1 +1,2 {'@' * 9}", "+😀a", "- b"),
}
_PIECES = (
    *("+foo bar", "-foo bar", " foo", "+", "+}", "-- sql", "++i", "\\ No newline at end of file"),
    *(
        "+<|diff|>",
        f"+{'x' * 200}",
        f"+{'😀 ' * 99}a",
        "-\x1ca\x85b\u3000",
        "+\ufeff",
        "+\udcff",
        "",
    ),
    *("+++ b/x.c", "--- a/x.c\t", "--- /dev/null", "+++ /dev/null", "+++ w/d e/f", "-- ", "text"),
    *("diff --git a/x b/x", "diff --git a/uv.lock b/uv.lock", "diff --git i/d e/f w/d e/f"),
    *(r'diff --git "a/\303\244" "b/\303\244"', "diff --cc m", "rename from a", 'rename to "b\\t"'),
    *("new file mode 100644", "deleted file mode 100644", "copy to c", "GIT binary patch"),
    *("Binary files a/x and b/y differ", "@@ -1,3 +1,4 @@ def f():", "@@ -1 +1 @@ {", "@@ @@"),
    *("@@@ -1,2 -1 +1,3 @@@ f", "@@ -0,0 +1,9 @@", "@@ -1,9 +1,9 @@ " + "word " * 40),
)


def random_diffs(number: int) -> list[str]:
    """Return the same so many lists of lines that are, may be, or only look like a diff's."""
    draw = random.Random(13)
    return [
        draw.choice(("\n", "\n", "\r\n")).join(draw.choices(_PIECES, k=draw.randint(1, 60)))
        + draw.choice(("", EXAMPLE))
        for _ in range(number)
    ]


def content() -> str:
    """Return what the file should hold."""
    cases = [
        {
            "name": name,
            "diff": diff,
            "prompts": {str(budget): render(diff, budget, count) for budget in BUDGETS},
        }
        for name, diff in CASES.items()
    ]
    return json.dumps({"count": "1 + floor(code points / 3)", "cases": cases}, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(content(), "ascii")
