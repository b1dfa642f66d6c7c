"""The prompt of a diff: what a small model is shown of it, the same text everywhere.

This file imports nothing of kit and is copied as it is into a Space. Training, evaluation, the
command line and the Gradio demo call it; the browser page has a copy in JavaScript,
``browser/web/prompts.js``, and both sides pass the vectors in ``tests/prompt_vectors.json``. Of a
diff of two files::

    >>> print(render(diff, budget=256, count=tokens))
    M src/cache.py
    @ def store(self, key, value):
    -return None
    +self._retry(key, value)
    M package-lock.json

What is shown: a line for each file (A added, D deleted, M modified, R renamed, B binary), the
function that each hunk stands in, and the changed lines without their indentation. Context lines
and lines of punctuation are left out, and so is what nobody reads: lock files, vendored, generated
and minified code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

LINE_CHARACTERS = 120
CONTEXT_CHARACTERS = 60
PATH_CHARACTERS = 100
HEADER_SHARE = 0.5

UNREAD = re.compile(
    r"""(?:^|/)(?:
        package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|bun\.lockb|conda-lock\.yml|go\.sum
        |Package\.resolved|packages\.lock\.json|gradle\.lockfile|\.terraform\.lock\.hcl
        |(?:vendor|node_modules|third_party|__snapshots__)/.*
        |(?:LICENSE|LICENCE|COPYING)(?:[.-][A-Za-z0-9.-]+)?
        |[^/]+\.(?:min\.js|min\.css|map|snap|pb\.go|svg|lock)
        |[^/]+_pb2(?:_grpc)?\.pyi?|[^/]+\.generated\.[a-z]+
    )\Z""",
    re.VERBOSE | re.DOTALL,
)
_SECTION = re.compile(r"diff --(git|cc|combined) (.+)")
# A merge's hunk has an @ more, an old side more and a column of marks more for each more parent.
_HUNK = re.compile(r"(@@+) (-[0-9, -]+) \+[0-9]+(?:,([0-9]{1,9}))? \1(.*)")
_OLD_SIDE = re.compile(r"-[0-9]+(?:,([0-9]{1,9}))?")
_ESCAPES = re.compile(r"(?:\\[0-3][0-7]{2})+|\\(.)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORD = re.compile(r"[^\W_]")
_NOWHERE = "/dev/null"


@dataclass
class Change:
    """One file of a diff: ``status`` is A, D, M, R or B; ``lines`` as the prompt shows them."""

    path: str
    status: str = "M"
    old_path: str = ""
    lines: list[str] = field(default_factory=list)
    hunks: int = 0

    @property
    def header(self) -> str:
        """The file's line in the prompt."""
        name = f"{self.old_path} -> {self.path}" if self.status == "R" else self.path
        return f"{self.status} {_plain(name, PATH_CHARACTERS)}"


@dataclass
class _Hunk:
    """What is still to come of a hunk: lines of its old sides, all together, and of its new one."""

    parents: int = 1
    old: int = 0
    new: int = 0

    def holds(self, line: str) -> bool:
        return (self.old > 0 or self.new > 0) and line[:1] in " +-\\"

    def read(self, line: str) -> str:
        """Count a line off; return it as the prompt shows it, or nothing."""
        if line.startswith("\\"):
            return ""
        marks, text = line[: self.parents], line[self.parents :]
        removed = marks.count("-")
        self.old -= removed or self.parents - marks.count("+")
        self.new -= not removed
        if not (removed or "+" in marks) or not _WORD.search(text):
            return ""
        return ("-" if removed else "+") + _plain(text, LINE_CHARACTERS)


def changes(diff: str) -> list[Change]:
    """Read a unified diff, of git or of ``diff -u``; text around it is passed over.

    The counts in a hunk's header say where it ends: a removed line may begin with ``--``. A hunk
    that was cut off ends at the next header.
    """
    found: list[Change] = []
    hunk, in_head, previous = _Hunk(), False, ""
    for line in _SURROGATE.sub("\ufffd", diff).replace("\r\n", "\n").split("\n"):
        if hunk.holds(line):
            if text := hunk.read(line):
                found[-1].lines.append(text)
        elif section := _SECTION.match(line):
            found.append(Change(_section_path(section[1], section[2])))
            hunk, in_head = _Hunk(), True
        elif found and (start := _HUNK.match(line)):
            hunk, in_head = _begin(found[-1], start), False
        elif line.startswith("+++ ") and previous.startswith("--- "):
            if not in_head:
                found.append(Change(""))
            _read_sides(found[-1], previous[4:], line[4:])
        elif in_head:
            _describe(found[-1], line)
            in_head = line != ""
        elif line.startswith("Binary files ") and line.endswith(" differ"):
            found.append(Change(_without_prefix(line[13:-7].rpartition(" and ")[2]), "B"))
        previous = line
    return found


def render(diff: str, budget: int, count: Callable[[str], int]) -> str:
    """Return the prompt's text, at most ``budget`` tokens by ``count``, whole lines only.

    Paths come first: they take up to half of the budget, the rest is shared out between the files,
    and what a short file leaves over goes to the longer ones. Of a first path that is longer than
    the budget its end is shown; nothing is shown of a diff in which there is no file.

    Args:
        diff: unified diff.
        budget: tokens.
        count: tokens of one line, its newline included, so at least one.
    """

    def cost(line: str) -> int:
        return count(line + "\n")

    files = changes(diff)
    headers = [file.header for file in files]
    headers[:1] = [_with_end(header, cost, budget) for header in headers[:1]]
    share = budget if len(files) == 1 else int(budget * HEADER_SHARE)
    paid = _fitting(map(cost, headers), share) or _fitting(map(cost, headers[:1]), budget)
    if not paid:
        return ""
    left = budget - sum(paid)
    rest = len(files) - len(paid)
    more = f"and {rest} more files"
    paid_more = _fitting([cost(more)] if rest else [], left)
    left -= sum(paid_more)
    # A line costs a token or more: those beyond the budget need not be counted.
    kept = [[] if UNREAD.search(file.path) else file.lines[:budget] for file in files[: len(paid)]]
    taken = _shares([[cost(line) for line in lines] for lines in kept], left)
    text = []
    for header, lines, number in zip(headers, kept, taken, strict=False):
        text += [header, *lines[:number]]
    if paid_more:
        text.append(more)
    return "\n".join([*text, ""])


def _section_path(kind: str, names: str) -> str:
    """Return the path that follows ``diff --git``: written twice, unless the file was renamed."""
    if kind != "git":
        return _unquoted(names)
    middle = len(names) // 2
    old, new = _unquoted(names[:middle]), _unquoted(names[middle + 1 :])
    if old and old == new:
        return new
    path = new.partition("/")[2]
    if path and path == old.partition("/")[2]:
        return path
    return names.partition(" b/")[2] or names


def _read_sides(change: Change, old: str, new: str) -> None:
    """Note what stands after ``---`` and ``+++``."""
    old, new = (_unquoted(side.split("\t")[0]) for side in (old, new))
    path = old if new == _NOWHERE else new
    # git's prefix need not be a/ or b/; where the section's path agrees, it is the one without.
    if not change.path or not f"/{path}".endswith(f"/{change.path}"):
        change.path = _without_prefix(path)
    if new == _NOWHERE:
        change.status = "D"
    elif old == _NOWHERE:
        change.status = "A"


def _describe(change: Change, line: str) -> None:
    """Note what a line between ``diff --git`` and the first hunk says."""
    if line.startswith("new file"):
        change.status = "A"
    elif line.startswith("deleted file"):
        change.status = "D"
    elif line.startswith("rename from "):
        change.status, change.old_path = "R", _unquoted(line[12:])
    elif line.startswith("rename to "):
        change.path = _unquoted(line[10:])
    elif line.startswith("copy to "):
        change.status, change.path = "A", _unquoted(line[8:])
    elif line.startswith(("Binary files ", "GIT binary patch")):
        change.status = "B"


def _begin(change: Change, start: re.Match[str]) -> _Hunk:
    """Note the function that a hunk stands in, and return what its header announces."""
    change.hunks += 1
    if _WORD.search(start[4]):
        change.lines.append("@ " + _plain(start[4], CONTEXT_CHARACTERS))
    old = sum(int(number or 1) for number in _OLD_SIDE.findall(start[2]))
    return _Hunk(len(start[1]) - 1, old, int(start[3] or 1))


def _without_prefix(path: str) -> str:
    return path[2:] if path.startswith(("a/", "b/")) else path


def _unquoted(path: str) -> str:
    r"""Undo git's quotes: ``"f\303\244\tb"`` is ``fä b``, a control character shown as a space."""
    quoted = len(path) > 1 and path[0] == path[-1] == '"'
    return _ESCAPES.sub(_unescaped, path[1:-1]) if quoted else path


def _unescaped(escape: re.Match[str]) -> str:
    if escape[1]:
        return " " if escape[1] in "abfnrtv" else escape[1]
    octal = escape[0].split("\\")[1:]
    return bytes(int(byte, 8) for byte in octal).decode("utf-8", "replace")


def _plain(text: str, longest: int) -> str:
    """Return the text on one line, single-spaced, without control tokens, cut between words."""
    text = " ".join(text.replace("<|", "< |").split())
    if len(text) <= longest:
        return text
    cut = text[:longest]
    space = cut.rfind(" ")
    return cut[:space] if space > longest // 2 else cut


def _with_end(header: str, cost: Callable[[str], int], budget: int) -> str:
    """Return a file's line, its path cut from the left until the budget pays for it."""
    status, path = header[:2], header[2:]
    while len(path) > 1 and cost(status + path) > budget:
        path = path[1:]
    return status + path


def _fitting(costs: Iterable[int], budget: int) -> list[int]:
    """Return the first costs, as many as the budget pays for."""
    paid: list[int] = []
    for cost in costs:
        if cost > budget:
            break
        budget -= cost
        paid.append(cost)
    return paid


def _shares(costs: Sequence[Sequence[int]], budget: int) -> list[int]:
    """Return how many of its first lines each file may show: equal shares, leftovers passed on."""
    taken = [0] * len(costs)
    order = sorted(range(len(costs)), key=lambda i: (sum(costs[i]), i))
    for place, index in enumerate(order):
        paid = _fitting(costs[index], budget // (len(order) - place))
        budget -= sum(paid)
        taken[index] = len(paid)
    return taken
