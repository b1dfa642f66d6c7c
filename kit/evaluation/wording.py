"""What a commit message says without its diff: names that are made up, and words that say nothing.

>>> invented("feat: add `retry_count` to src/http.py", "+++ b/src/http.py\\n+retries = 3")
(1, 2)
>>> filler("fix: some minor changes"), filler("fix: retry a lost connection")
(True, False)

Both read the description and the body; type, scope and footers are left out. Where the message is
no Conventional Commit, all of it is read.
"""

from __future__ import annotations

import re

from kit.evaluation.commits import parse

_WORD = re.compile(r"#\d+|[\w./:-]*\w")
_PARTS = re.compile(r"\W+")
_NOT_NAMES = frozenset({"e.g", "i.e", "a.k.a", "etc", "w.r.t", "p.s", "vs"})
_HASHES = re.compile(r"^index [0-9a-f]+\.\.[0-9a-f]+.*$", re.MULTILINE)
_COMPOSED = re.compile(
    r"""\#\d+$                    # an issue
    | .*[^\W_]_+[^\W_] | _+\w     # snake_case, _private, __dunder__
    | .*[^\W\d_]*[a-z\d][A-Z]     # camelCase
    | .*[^\W_]\.\w | \.\w         # dotted, a file, a version, .gitignore
    | .*[^\W\d_]\d | .*\d[^\W\d_] # letters and digits
    | --[^\W\d_]                # a command's option
    """,
    re.VERBOSE,
)

_EMPTY = re.compile(
    r"""
    a|an|the|this|that|these|those|it|its|they|them|their|there|here|and|or|but|so|not|no|also|too
    |of|in|on|at|to|for|from|with|by|as|up|out|is|are|was|be|just|now|again|further|wip
    |some|several|various|multiple|few|many|more|other|another|all|any|small|minor|little|big
    |misc|miscellaneous|general|new|old|better|good|nice|proper|properly|correctly
    |(updat|chang|improv|refin|enhanc|revis|handl|resolv|us|mak)(e|es|ed|ing)
    |(add|fix|adjust|tweak|refactor|rework|clean|cleanup|edit|do|correct|address|implement|support
      |bump|work|commit|modify)(s|es|ed|ing)?|made|did|done|modifie[sd]
    |(improve|enhance)ments?|(adjustment|modification|correction)s?
    |code|codebase|files?|stuff|things?|bugs?|issues?|problems?|errors?|logic|functionality
    |features?|bits?
    """,
    re.VERBOSE,
)


def invented(message: str, diff: str) -> tuple[int, int]:
    """Count the names in a message, and those of them that the diff does not hold.

    A name is a word in snake_case or camelCase, with a dot inside or before it, with letters and
    digits, a path (two slashes, or one and a name beside it), an option such as --help, or an issue
    such as #123. It is in the diff if it stands there, or all its parts between dots, slashes and
    dashes do and none is a bare number, in any case of letters. The hashes of git's ``index`` lines
    do not count.

    Returns:
        (names that are not in the diff, names).
    """
    found = names(message)
    text = _HASHES.sub("", diff).lower()
    made_up = [name for name in found if not _occurs(name.lower(), text)]
    return len(made_up), len(found)


def names(message: str) -> list[str]:
    """Return the words of a message that are names; see ``invented``."""
    words = (word.lstrip(":") for word in _WORD.findall(_prose(message)))
    return [word for word in words if _is_name(word)]


def filler(message: str) -> bool:
    """Return whether a description has no word of content.

    Words of content are all but these: function words, verbs that fit any commit (add, change,
    fix, improve, update, adjust, ... in any form), what they are done to when nothing is named
    (code, file, stuff, bug, issue, problem, change, ...), and how much (some, minor, various,
    misc, ...). ``fix typo`` and ``update README.md`` name something and are no filler; an empty
    description is.
    """
    commit = parse(message)
    description = commit.description if commit else message.partition("\n")[0]
    words = re.findall(r"[^\W\d_]+|\d+", description.lower())
    return all(_EMPTY.fullmatch(word) for word in words)


def _prose(message: str) -> str:
    commit = parse(message)
    return f"{commit.description}\n{commit.body}" if commit else message


def _is_name(word: str) -> bool:
    if word.lower() in _NOT_NAMES:
        return False
    parts = word.split("/")
    if len(parts) == 2:
        return any(_COMPOSED.match(part) for part in parts) or not parts[0]
    return len(parts) > 2 or bool(_COMPOSED.match(word))


def _occurs(name: str, text: str) -> bool:
    parts = [part for part in _PARTS.split(name) if part]
    return name in text or all(part in text and not part.isdigit() for part in parts)
