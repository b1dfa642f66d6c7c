"""The same diff with other names: identifiers of its code renamed, everything else kept.

Of the changed lines ``-return fetchUser(id, retry_count)`` and ``+return fetchUser(id, RETRY_MAX)``
one call makes::

    -return amberBasin(id, cedar_delta)
    +return amberBasin(id, CEDAR_EMBER)

Renamed are names of more than one word (snake_case, camelCase) that code of the diff uses by
themselves or on ``self`` and ``this``, and all names that it defines. A word becomes the same word
wherever it is part of a renamed name, and the way of writing stays.

Kept are keywords and built-in names, what an import names, what only belongs to another object
(``response.status_code``), names that are also part of a path, ``test`` and a few small words in
names, comments, and text in quotes but for what stands in the braces of a template. Files that are
not code by their ending are kept whole.

Code is read line by line, with the comments and quotes of its family of languages. Of quotes over
several lines only Python's are known.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from kit.evaluation.unified import Hunk, Section, read, write

Rewrite = Callable[[str], str]


@dataclass(frozen=True)
class Family:
    """What sets languages apart here: endings of files, comments and quotes, what spans lines."""

    files: re.Pattern[str]
    kept: re.Pattern[str]
    spans: tuple[tuple[str, str], ...]
    comment_line: re.Pattern[str]


_QUOTED = r"""[fFrRbBuU]{0,2}"(?:[^"\\]|\\.)*" | [fFrRbBuU]{0,2}'(?:[^'\\]|\\.)*'"""
FAMILIES = (
    Family(
        files=re.compile(r"\.(pyi?|pyx|rb|rake|sh|bash|zsh|exs?|jl|r|pl|pm|nim|cr)$", re.I),
        kept=re.compile(
            r"[fFrRbBuU]{0,2}(\"\"\"|''').*?(?:\1|(?P<open>$)) | (?<!\$)\#.* | " + _QUOTED,
            re.VERBOSE,
        ),
        spans=(('"""', '"""'), ("'''", "'''")),
        comment_line=re.compile(r"(?!)"),
    ),
    Family(
        files=re.compile(
            r"""\.([cm]?[jt]sx?|vue|svelte|go|rs|java|kts?|cc?|h|cpp|hpp|cxx|cs|swift|scala|php|dart
            |groovy|gradle|mm?|zig|sol|proto)$""",
            re.VERBOSE | re.I,
        ),
        kept=re.compile(r"/\*.*?(?:\*/|(?P<open>$)) | //.* | `(?:[^`\\]|\\.)*` | " + _QUOTED, re.X),
        spans=(("/*", "*/"),),
        comment_line=re.compile(r"\s*\*(\s|/|$)"),
    ),
)
_NAME = re.compile(r"[A-Za-z_]\w*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_DEFINED = re.compile(
    r"""\b(?:def|class|function\*?|func(?:\s*\([^)]*\))?|fn|fun|interface|struct|enum|trait|type
        |const|let(?:\s+mut)?|var|val|module|macro)\s+([A-Za-z_]\w*)
    | ([A-Za-z_]\w*)\s*:=
    | ^\s*([A-Za-z_]\w*)(?:\s*:\s*[\w\[\]., |]+)?\s=\s""",
    re.VERBOSE,
)
_IMPORT = re.compile(
    r"\s*(?:import\b|from\s+\S+\s+import\b|#\s*include\b|using\s+[\w.:=\s]+;|use\s|package\s|extern\s"
    r"|export\s.*\bfrom\b|require(?:_relative)?\b|.*\brequire\()"
)
_OWNED = re.compile(r"(?:(?<!\.)\.|->|::)\s*$")
_OWN = re.compile(r"\b(?:self|this|cls|Self)\s*(?:\??\.|->|::)\s*$")
_TEMPLATE = re.compile(r"[rRbB]?[fF]|`|.*[$#]\{")
_BRACES = re.compile(r"\{(?:[^{}]|\{[^{}]*\})*\}")

_SMALL = frozenset(
    ("test", "tests", "spec", "get", "set", "is", "has", "to", "from", "new", "on", "of", "in")
) | {"by", "with", "init", "main", "for", "and", "or", "not", "no"}
_BUILT_IN = re.compile(
    r"""__\w+__|\w+_t|self|this|cls|super|null|nil|undefined|true|false|void|int|string|bool|byte
    |error|float|double|char|long|short|boolean|object|any|number|unknown|never|async|await|function
    |func|fn|fun|struct|enum|trait|impl|interface|const|let|var|val|mut|pub|public|private|protected
    |static|final|abstract|override|extends|implements|new|delete|typeof|instanceof|switch|case
    |default|do|throw|throws|catch|try|export|import|package|module|namespace|type|typedef|readonly
    |defer|chan|map|range|select|go|make|append|len|match|where|use|mod|crate|Self|end|begin|then|fi
    |parseInt|parseFloat|isNaN|setTimeout|setInterval|clearTimeout|clearInterval|queueMicrotask
    |encodeURIComponent|decodeURIComponent|globalThis|structuredClone|RegExp|ReadonlyArray
    |(before|after)(Each|All)|assert[A-Z]\w*|setUp\w*|tearDown\w*|TestCase|tmp_path|tmpdir|monkeypatch|StringBuilder|(mutable)?(List|Map|Set)Of
    |listOf|mapOf|setOf|arrayOf|println|printf|include|define|ifdef|ifndef|endif|pragma""",
    re.VERBOSE,
)
_WORDS = """
    amber basin cedar delta ember flint grove heron inlet jetty kelp lagoon meadow nectar otter
    pebble quartz raven spruce thicket umbra velvet willow yarrow zephyr acorn birch canyon dune
    elder fjord glacier hazel island juniper kestrel larch marsh nettle orchid poplar quail reed
    sparrow tundra upland valley walnut
"""


def renamed(diff: str) -> str:
    """Return the diff with the names of its code replaced, by the rules of the module's docstring.

    The same name becomes the same other name in every file, hunk heading and template; two names
    never become one. The same diff gives the same result.
    """
    preamble, sections = read(diff)
    fragments: list[str] = []

    def collect(code: str) -> str:
        fragments.append(code)
        return code

    for section in sections:
        _rewritten(section, collect)
    defined = _defined(fragments)
    kept = _words_of(path for section in sections for path in section.paths)
    kept |= {name for section in sections for name in _imported(section)}
    names = [name for name in _eligible(fragments, defined) if name not in kept]
    new_names = _new_names(names, diff)
    if all(name == new for name, new in new_names.items()):
        return diff
    return write(preamble, [_rewritten(s, lambda code: _put(code, new_names)) for s in sections])


def _defined(fragments: Iterable[str]) -> set[str]:
    found = (match for code in fragments for match in _DEFINED.finditer(code))
    return {match[1] or match[2] or match[3] for match in found}


def _eligible(fragments: Iterable[str], defined: set[str]) -> Iterator[str]:
    """Yield the names to be replaced, in order of appearance, each once."""
    seen = set()
    for code in fragments:
        for match in _NAME.finditer(code):
            name = match[0]
            if name in seen or _is_built_in(name, defined):
                continue
            if name in defined or (_composed(name) and not _belongs_elsewhere(code, match.start())):
                seen.add(name)
                yield name


def _is_built_in(name: str, defined: set[str]) -> bool:
    if keyword.iskeyword(name) or hasattr(builtins, name) or _BUILT_IN.fullmatch(name):
        return True
    return name.endswith(("Error", "Exception")) and name not in defined


def _composed(name: str) -> bool:
    return len(_PART.findall(name)) > 1


def _belongs_elsewhere(code: str, start: int) -> bool:
    before = code[:start]
    return bool(_OWNED.search(before)) and not _OWN.search(before)


def _put(code: str, new_names: dict[str, str]) -> str:
    """Return a piece of code with the new names.

    A name of one word may be anything behind a dot or as the key of an argument: it stays there.
    """

    def new(match: re.Match[str]) -> str:
        name = match[0]
        if name not in new_names:
            return name
        argument = re.match(r"=[^=]", code[match.end() :])
        if not _composed(name) and (argument or _belongs_elsewhere(code, match.start())):
            return name
        return new_names[name]

    return _NAME.sub(new, code)


def _new_names(names: Iterable[str], diff: str) -> dict[str, str]:
    """Give each word of the names a word that the diff does not hold, one to one."""
    text = diff.lower()
    unused = (word for word in _endless_words() if word not in text)
    words: dict[str, str] = {}

    def other(match: re.Match[str]) -> str:
        part = match[0]
        if len(part) == 1 or part.lower() in _SMALL:
            return part
        if part.lower() not in words:
            words[part.lower()] = next(unused)
        word = words[part.lower()]
        return word.upper() if part.isupper() else word.title() if part[0].isupper() else word

    return {name: _PART.sub(other, name) for name in names}


def _endless_words() -> Iterator[str]:
    words = _WORDS.split()
    for length in count(0):
        yield from (word + "e" * length for word in words)


def _words_of(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in _NAME.findall(text)}


def _imported(section: Section) -> set[str]:
    """Return the words of import lines, those in their brackets on later lines too."""
    names = set()
    for hunk in section.hunks:
        depth = 0
        for line in (hunk.heading, *hunk.lines):
            if depth > 0 or _IMPORT.match(line[1:]):
                names |= _words_of([line[1:]])
                depth += len(re.findall(r"[({]", line)) - len(re.findall(r"[)}]", line))
    return names


def _rewritten(section: Section, rewrite: Rewrite) -> Section:
    """Return a file with ``rewrite`` applied to every piece of its code, headings included."""
    path = section.paths[-1] if section.paths else ""
    family = next((family for family in FAMILIES if family.files.search(path)), None)
    if family is None:
        return section
    return replace(section, hunks=[_rewritten_hunk(h, family, rewrite) for h in section.hunks])


def _rewritten_hunk(hunk: Hunk, family: Family, rewrite: Rewrite) -> Hunk:
    heading, _ = _rewritten_line(hunk.heading, "", family, rewrite)
    # The two versions open and close comments and quotes each for itself.
    until = {sign: _begun_before(hunk, sign, family) for sign in "-+"}
    lines = []
    for line in hunk.lines:
        sides = "-+" if line[:1] in ("", " ") else line[0]
        if line[:1] == "\\":
            lines.append(line)
            continue
        body, still = _rewritten_line(line[1:], until[sides[0]], family, rewrite)
        until |= dict.fromkeys(sides, still)
        lines.append(line[:1] + body)
    return replace(hunk, heading=heading, lines=lines)


def _rewritten_line(line: str, until: str, family: Family, rewrite: Rewrite) -> tuple[str, str]:
    """Return the line, and what ends the comment or quote that is still open behind it."""
    start = line.find(until) + len(until) if until in line else -1
    if start < 0 or family.comment_line.match(line):
        return line, until if start < 0 else ""
    done = [line[:start]]
    for match in family.kept.finditer(line, start):
        done += [rewrite(line[start : match.start()]), _filled(match[0], rewrite)]
        start = match.end()
        if match["open"] is not None:
            opened = match[0].lstrip("fFrRbBuU")
            return "".join(done), next(
                end for begin, end in family.spans if opened[:3].startswith(begin)
            )
    return "".join([*done, rewrite(line[start:])]), ""


def _filled(quoted: str, rewrite: Rewrite) -> str:
    """Rewrite what stands in the braces of a template; other text in quotes is kept."""
    if quoted.startswith(("#", "/")) or not _TEMPLATE.match(quoted):
        return quoted
    return _BRACES.sub(lambda braces: rewrite(braces[0]), quoted)


def _begun_before(hunk: Hunk, sign: str, family: Family) -> str:
    """Return what ends the comment or quote that one version of the hunk begins inside of.

    The first mark of a side tells: one that ends a span, or Python's quotes where they end a line
    of text, or stand alone after a line that opens no block.
    """
    side = [line[1:] for line in hunk.lines if line[:1] in ("", " ", sign)]
    for number, line in enumerate(side):
        for begin, end in family.spans:
            if begin != end and (begin in line or end in line):
                return "" if begin in line.partition(end)[0] else end
            if begin in line:
                before, _, after = line.partition(begin)
                return end if _closes(before, after, side[number - 1] if number else "") else ""
    return ""


def _closes(before: str, after: str, previous: str) -> bool:
    if before.strip().rstrip("fFrRbBuU"):
        return not re.search(r"[=(\[{,:]\s*[fFrRbBuU]{0,2}$|\breturn\s+$", before) and not after
    return not after.strip() and not previous.rstrip().endswith((":", "(", "=", ","))
