"""The one Jinja environment, the ``num()`` filter and the ledger.

A number reaches a page in one way::

    {{ num("evaluation", "systems.tuned.accuracy.value", ".3f") }}

The call looks the value up in a record, formats it, and enters record, pointer and text in the
ledger. Any other digit in a template is refused, outside code, dates and names. Templates are
strict: a name that is not there is an error, not a blank. Same records, same bytes.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2

from kit.errors import GateError, did_you_mean
from kit.records import LedgerEntry, Record

TEMPLATES = Path(__file__).parent / "templates"
OPEN, CLOSE = "\ue000", "\ue001"
"""Around what may hold digits: numbers of the ledger, and what users wrote. Never on a page."""
GAP = "\N{NO-BREAK SPACE}"
LITERAL_WIDTH = 90

DIGITS_ALLOWED = re.compile(
    "|".join(
        (
            f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}",
            r"\A---\n.*?\n---\n",
            r"```.*?```",
            r"`[^`\n]*`",
            r"<!--.*?-->|</?[A-Za-z][^>]*>",
            r"&#\d+;",
            r"\]\([^)]*\)",
            r"https?://\S+",
            r"\d{4}-\d{2}-\d{2}",
            r"[A-Za-z][\w.-]*\d[\w.-]*",
            r"95 % interval",
        )
    ),
    re.DOTALL,
)


@dataclass
class Ledger:
    """Every number printed so far. One ledger serves all pages of a run."""

    records: Mapping[str, Record]
    entries: list[LedgerEntry] = field(default_factory=list)

    def printer(self, page: str) -> Callable[[str, str, str], str]:
        """Return the ``num`` of a page: (record, pointer, format) -> text, entered here."""

        def num(record: str, pointer: str, form: str = "") -> str:
            if record not in self.records:
                hint = did_you_mean(record, self.records)
                raise GateError(f"{page}: there is no record '{record}'; {hint}")
            text = show(look_up(self.records[record], pointer), form)
            self.entries.append(
                LedgerEntry(page=page, record=record, pointer=pointer, form=form, text=text)
            )
            return known(text)

        return num


def look_up(record: Record, pointer: str) -> float | int:
    """Return the number at a dotted pointer; list items by position, ``#`` for a length.

    A key may stand in brackets: ``fields.kind[faint praise]``. Keys may be what a user's file calls
    a column or a value, so they are matched whole, dots and brackets included.

    >>> look_up(evaluation, "systems.tuned.accuracy.value")
    0.91

    Raises:
        GateError: there is no number.
    """
    value: Any = record.model_dump()
    rest = pointer
    while rest:
        key, rest = _first_key(value, rest)
        if key is None:
            raise GateError(f"expected a number at {pointer}, found nothing; mend the template")
        value = len(value) if key == "#" and "#" not in value else value[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise GateError(f"expected a number at {pointer}, got {value!r}; mend the template")
    return value


def _first_key(value: Any, pointer: str) -> tuple[Any, str]:
    """Return the longest key of a value that the pointer begins with, and the rest of it."""
    keys: list[Any] = []
    if isinstance(value, dict | list | tuple):
        keys = ["#", *(value if isinstance(value, dict) else range(len(value)))]
    written = {form: key for key in keys for form in (f"{key}", f"[{key}]") if form}
    for form in sorted(written, key=len, reverse=True):
        if pointer == form or pointer.startswith((f"{form}.", f"{form}[")):
            return written[form], pointer[len(form) :].removeprefix(".")
    return None, ""


def show(value: float | int, form: str) -> str:
    """Format a number: a Python format, or one of ours.

    ``pct`` 0.9123 as 91.2 %, ``points`` a difference in percentage points with its sign, ``gap``
    one without, ``mb`` bytes as MB, ``p`` a p-value, ``int`` with commas for thousands, ``min``
    seconds as minutes, ``signed`` a difference with its sign, ``code`` as Python writes it.
    """
    ours: dict[str, Callable[[float], str]] = {
        "": lambda v: f"{v:,}",
        "int": lambda v: f"{v:,.0f}",
        "code": repr,
        "pct": lambda v: f"{100 * v:.1f}{GAP}%",
        "points": lambda v: f"{100 * v:+.1f}".replace("-", "−"),
        "gap": lambda v: f"{100 * abs(v):.1f}",
        "signed": lambda v: f"{v:+.1f}".replace("-", "−"),
        "mb": lambda v: f"{v / 1e6:.1f}{GAP}MB",
        "gb": lambda v: f"{v / 1e9:.1f}{GAP}GB",
        "p": lambda v: f"p{GAP}<{GAP}0.001" if v < 0.001 else f"p{GAP}={GAP}{v:.3f}",
        "min": lambda v: f"{v / 60:.1f}{GAP}min",
    }
    return ours[form](value) if form in ours else format(value, form)


@lru_cache(maxsize=8)
def environment(extra: Path | None = None) -> jinja2.Environment:
    """Return the environment: strict, unescaped Markdown, ``extra`` searched before our own.

    One for all pages: a template that several of them use is compiled once.
    """
    folders = [folder for folder in (extra, TEMPLATES) if folder is not None]
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(
        md=escape_markdown, cell=escape_cell, code=code_span, known=known, python=python_literal
    )
    return made


def render(template: str, page: str, ledger: Ledger, **values: Any) -> str:
    """Render a template of the package for a page, its numbers entered in the ledger.

    ``say(source)`` in a template renders prose of the recipe with the same numbers.

    Raises:
        GateError: a digit stands on the page that no record vouches for, or a template or prose
            names what is not there.
    """
    return _rendered(lambda: environment().get_template(template), template, page, ledger, values)


def render_text(source: str, page: str, ledger: Ledger, **values: Any) -> str:
    """Render a piece of a page whose text is at hand, as ``render`` does a template.

    Raises:
        GateError: as ``render``; the piece is named by its first line.
    """
    begins = source.strip().split("\n", 1)[0]
    return _rendered(
        lambda: environment().from_string(source), repr(begins[:60]), page, ledger, values
    )


def _rendered(
    load: Callable[[], jinja2.Template],
    name: str,
    page: str,
    ledger: Ledger,
    values: Mapping[str, Any],
) -> str:
    num = ledger.printer(page)

    def say(source: str) -> str:
        try:
            return environment().from_string(source).render(num=num, **values).strip()
        except jinja2.TemplateError as error:
            begins = " ".join(source.split())[:60]
            raise GateError(f"{page}, prose that begins {begins!r}: {error.message}") from error

    try:
        text = load().render(num=num, say=say, **values)
    except jinja2.TemplateError as error:
        raise GateError(f"{page}, template {name}: {error.message}") from error
    _refuse_stray_digits(text, page)
    text = text.replace(OPEN, "").replace(CLOSE, "")
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def known(text: str) -> str:
    """Mark text whose digits are vouched for; the marks go before the page is written."""
    return f"{OPEN}{text}{CLOSE}"


def _refuse_stray_digits(text: str, page: str) -> None:
    rest = DIGITS_ALLOWED.sub(lambda found: "\n" * found[0].count("\n"), text)
    for number, line in enumerate(rest.splitlines(), 1):
        if any(character.isdigit() for character in line):
            raise GateError(
                f"{page}, line {number}: expected numbers by num(record, pointer, format), "
                f"got {line.strip()[:80]!r}"
            )


def escape_markdown(text: str) -> str:
    """Return text that Markdown, HTML and Jinja leave as it is, on one line.

    >>> escape_markdown("<b> *not* bold | {{ 7*7 }}")
    '&lt;b&gt; \\\\*not\\\\* bold &#124; &#123;&#123; 7\\\\*7 &#125;&#125;'
    """
    line = re.sub(f"[{OPEN}{CLOSE}]", "", " ".join(text.split()))
    line = html.escape(line, quote=False)
    line = re.sub(r"([\\`*_\[\]#])", r"\\\1", line)
    # A backslash before one of these would show: Python-Markdown knows fewer escapes than others.
    line = re.sub(r"[|{}~$^=]", lambda found: _entity(found[0]), line)
    line = re.sub(r"^([-+>!:]|\d+[.)])", lambda found: _entity(found[1][0]) + found[1][1:], line)
    return known(line)


def _entity(character: str) -> str:
    return f"&#{ord(character)};"


def escape_cell(text: str, length: int = 160) -> str:
    """Return escaped text for a table cell, cut at a word with an ellipsis."""
    line = " ".join(text.split())
    if len(line) > length:
        line = line[:length].rsplit(" ", 1)[0] + " …"
    return escape_markdown(line)


def code_span(text: str) -> str:
    """Return text as an inline code span that no backtick in it can end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def python_literal(value: Any, indent: int = 4) -> str:
    """Return a JSON value as Python, in double quotes; what is long has a line for each item.

    >>> python_literal({"labels": ["bad", "good"], "mirror": None})
    '{"labels": ["bad", "good"], "mirror": None}'
    """
    return known(_literal(value, indent))


def _literal(value: Any, indent: int) -> str:
    if isinstance(value, str):
        # The marks of the ledger would be taken out; as escapes they stay what they are.
        return re.sub(
            f"[{OPEN}{CLOSE}]",
            lambda found: f"\\u{ord(found[0]):04x}",
            json.dumps(value, ensure_ascii=False),
        )
    if not isinstance(value, dict | list | tuple):
        return repr(value)
    if isinstance(value, dict):
        items = [f"{_literal(k, 0)}: {_literal(v, indent + 4)}" for k, v in value.items()]
    else:
        items = [_literal(item, indent + 4) for item in value]
    begin, end = "{}" if isinstance(value, dict) else "[]"
    line = begin + ", ".join(items) + end
    if len(line) + indent <= LITERAL_WIDTH and "\n" not in line:
        return line
    return "".join(
        [f"{begin}\n", *(f"{' ' * (indent + 4)}{item},\n" for item in items), " " * indent, end]
    )
