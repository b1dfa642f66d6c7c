"""What of a commit's text is kept: the sections of its diff that people read, and nobody's name.

::

    >>> body_of("Two writers raced.\\n\\nSigned-off-by: Ada <ada@example.org>")
    'Two writers raced.'
    >>> without_people("Thanks to @ada, see ada@example.org")
    'Thanks to [USER], see [EMAIL]'

A handle has the form of a decorator, a CSS rule or a doc tag. In prose every one is masked that is
no known word and no code of the same diff; in code, those that a word such as "by" introduces.
Names have no form: only the commit's author is known by name, and what follows ``@author``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from kit.data.audit import has_secret, mask
from kit.prompts import UNREAD

MINIFIED = 1000  # bytes of a line
NAME, USER = "[NAME]", "[USER]"
_SECTION = re.compile(rb"\n(?=diff --git )")
_NOISE = re.compile(rb"\n(?:index|similarity index) [^\n]*")
_PATHS = (
    re.compile(r'\n\+\+\+ "?b/(.+?)"?\t?$', re.MULTILINE),
    re.compile(r'\n--- "?a/(.+?)"?\t?$', re.MULTILINE),
    re.compile(r'\nrename to "?(.+?)"?$', re.MULTILINE),
    re.compile(r'^diff --git .* "?b/(.+?)"?$', re.MULTILINE),
)
_NO_TEXT = re.compile(
    rb"\n(?:Binary files |GIT binary patch|[a-z ]+mode 160000|index [0-9a-f.]+ 160000(?:\n|$))"
)
_CHANGED = re.compile(r"\n[+-][ \t]*([^\n]*)")
_FILE_START = re.compile(rb"-(?:0,0|1(?:,\d+)?) \+(?:0,0|1(?:,\d+)?) @@.*(?:\n.*){0,10}")
_GENERATED = re.compile(
    rb"@generated\b|\b(?:code|file|auto(?:matically)?)[ -]?generated\b|\bdo not edit\b",
    re.IGNORECASE,
)
_PROSE = re.compile(
    r"(?:^|/)(?:authors|changelog|changes|codeowners|contributors|credits|history|maintainers|news"
    r"|readme|thanks)[^/]*$|\.(?:adoc|html?|markdown|mdx?|rst|txt)$",
    re.IGNORECASE,
)
# Zero bytes, terminal escapes and the like; a form feed is found in honest sources.
_CONTROLS = bytes(sorted({*range(32), 127} - set(b"\t\n\f\r")))
_TRAILER = re.compile(
    r"^[ \t]*(?:(?:[\w-]+-by|cc|(?:original-)?authors?|thanks-to|change-id|reviewed-on|git-svn-id)"
    r"[ \t]*:.*|\(cherry[ -]picked from commit .*)$",
    re.IGNORECASE | re.MULTILINE,
)
_EMPTY_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")
_AT_WORD = re.compile(r"@\w")
# A mark of the diff before the address is no part of it.
_ADDRESS = re.compile(
    r"(?:(?<=^[+-])|(?<![\w.%+-]))[\w.%][\w.%+-]{0,63}@(?:[\w-]+\.)+[^\W\d_]{2,24}", re.MULTILINE
)
_NO_ADDRESS = re.compile(r"^git@|@v?\d+\.\d")
_HANDLE = r"@(?!\d+(?:[.x]|\b))(?P<name>[A-Za-z\d][\w-]{0,38})(?![\w/(={-]|[.:][\w(\"'])"
_IN_PROSE = re.compile(r"(?<![\w`@/.\\])" + _HANDLE)
_LINKED = re.compile(r"\[@[\w-]+\]\([^)\s]*\)")
_IN_CODE = re.compile(
    r"\b(?:by|cc|(?:thanks|credits?|kudos|assigned)(?: to)?|thank you|ping|assignees?|reviewers?"
    r"|todo|fixme)\b"
    r"(?:[ :,&\[\"'(]{1,4}(?:and )?@[A-Za-z\d][\w-]{0,38}(?![\w/(={-]|[.:][\w(\"']))+",
    re.IGNORECASE,
)
_AUTHOR_TAG = re.compile(r"(@authors?[ :\t]+)[^\W\d_][^\n<\[{]*")
_CODE_WORD = re.compile(r"^[ +-]\s*@([\w-]+)", re.MULTILINE)
_TOKEN = re.compile(r"[\w+/=.:-]{11,}")
_DIGIT = re.compile(r"\d")
_AT_WORDS = frozenset(
    """
    abstractmethod alpha apply attribute author autowired bean before beta body builtin cached
    cached_property charset class classmethod click component computed config configuration
    container contextmanager custom-media data dataclass default deprecated docs each else entity
    error example except expected experimental export extend file fixture font-face for forward
    function functions getter global hidden if ignore import imports include inheritdoc inject
    injectable input internal keyframes latest layer license link lru_cache main master media
    mixin module namespace next nonnull nullable output overload override overview package page
    param parameter params plugin private property protected public readonly ref remarks return
    returns screen see setter since slf4j source staticmethod supports tailwind template test
    theme throws todo ts-check ts-expect-error ts-ignore ts-nocheck type typedef types use user
    utility variant version vite-ignore vue-ignore warning while wraps yields
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Section:
    """One file of a diff as text; ``changed`` counts characters of changed lines, indents aside.

    It is 0 where only the name, the mode or empty lines changed.
    """

    path: str
    text: str
    changed: int


def sections(diff: bytes) -> list[Section]:
    """Return the sections of a diff that people read, without their lines of hashes.

    Cut are lock files, vendored, generated, minified and binary files, license files, submodules.

    Raises:
        ValueError: what is left is no text: no UTF-8, or zero bytes or other controls in it.
    """
    found = []
    for part in _SECTION.split(b"\n" + diff.strip(b"\n")):
        head, mark, hunks = part.partition(b"\n@@ ")
        path = _path(head.decode(errors="replace"))
        if not head or _NO_TEXT.search(head) or _unread(path, hunks):
            continue
        kept = _NOISE.sub(b"", head) + mark + hunks + b"\n"
        if len(kept.translate(None, _CONTROLS)) < len(kept):
            raise ValueError("control characters in a diff")
        text = kept.decode()
        found.append(Section(path, text, _changed(text)))
    return found


def body_of(message: str) -> str:
    """Return what follows the subject line, without trailers that name people or machinery."""
    body = _TRAILER.sub("", message.partition("\n")[2])
    return _EMPTY_LINES.sub("\n\n", body).rstrip("- \t\n").strip()


def decoded(message: bytes) -> str:
    """Return a message with its line ends as one character each.

    Raises:
        ValueError: it is no text, as in ``sections``.
    """
    if len(message.translate(None, _CONTROLS)) < len(message):
        raise ValueError("control characters in a message")
    return message.decode().replace("\r\n", "\n").strip()


def code_words(found: Iterable[Section]) -> set[str]:
    """Return the words that stand as decorators or tags at the start of a line of code."""
    marked = [section for section in found if _AT_WORD.search(section.text)]
    code = [section.text for section in marked if not _PROSE.search(section.path)]
    return {word for text in code for word in _CODE_WORD.findall(text)}


def without_people(text: str, author: str = "", known: Collection[str] = ()) -> str:
    """Return prose with addresses, numbers of persons, handles and the author's name masked.

    Args:
        author: full name; one word alone could be any word and is not looked for.
        known: words after an @ that are code.
    """
    text = mask(text)[0]
    return _named(_handles(text, known) if "@" in text else text, author)


def section_without_people(section: Section, author: str, known: Collection[str]) -> str:
    """Return the text of a section masked; numbers stay, they are code."""
    text = section.text
    if _AT_WORD.search(text):
        text = _ADDRESS.sub(_masked_address, text)
        if _PROSE.search(section.path):
            text = _handles(text, known)
        else:
            text = _AUTHOR_TAG.sub(rf"\1{NAME}", text)
            text = _IN_CODE.sub(lambda match: _handles(match[0], ()), text)
    return _named(text, author)


def holds_secret(text: str) -> bool:
    """Return whether a text holds a secret by ``kit.data.audit``, which sees the likely lines.

    Secrets stand on one line. The audit looks at a text that holds a long word with a digit, a URL
    or a private key; here it is shown only the lines that do, which are few in a diff. A word is
    long without its punctuation: a call with arguments is none.
    """
    words = {word for word in text.split() if len(word) > 10 and _DIGIT.search(word)}
    words = {word for word in words if any(map(_DIGIT.search, _TOKEN.findall(word)))}
    words |= {word for word in ("://", "PRIVATE KEY") if word in text}
    # Some patterns want white space before a token, where a diff has its mark.
    lines = [
        " " + line.lstrip("+-")
        for line in (text.split("\n") if words else [])
        if any(word in line for word in words)
    ]
    return bool(lines) and has_secret("\n".join(lines))


def _unread(path: str, hunks: bytes) -> bool:
    if UNREAD.search(path):
        return True
    if len(hunks) >= MINIFIED and max(map(len, hunks.split(b"\n"))) >= MINIFIED:
        return True
    start = _FILE_START.match(hunks)
    return bool(start and _GENERATED.search(start[0]))


def _path(head: str) -> str:
    return next((match[1] for pattern in _PATHS if (match := pattern.search(head))), "")


def _changed(text: str) -> int:
    return sum(map(len, _CHANGED.findall(text.partition("\n@@ ")[2])))


def _masked_address(match: re.Match[str]) -> str:
    # git@host is the user of a service, chokidar@3.6.0.patch a file.
    return match[0] if _NO_ADDRESS.search(match[0]) else mask(match[0])[0]


def _handles(text: str, known: Collection[str]) -> str:
    def masked(match: re.Match[str]) -> str:
        name = match["name"]
        return match[0] if name.lower() in _AT_WORDS or name in known else USER

    return _IN_PROSE.sub(masked, _LINKED.sub(USER, text))


def _named(text: str, author: str) -> str:
    return text.replace(author, NAME) if " " in author.strip() else text
