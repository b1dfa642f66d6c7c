"""The editorial brief of an idea card: titles, outlines, copy for the networks, tags, links."""

from __future__ import annotations

import re
import unicodedata

from kit.brief.card import X_LIMIT, BlogOutline, Editorial, Findings, OutlinePart, Social, Step
from kit.brief.links import links
from kit.brief.markdown import BULLET, groups, items, table, terms, unquoted

WHERE = "Editorial brief"
NAMES = {
    "video titles": "video_titles",
    "video title": "video_titles",
    "titles": "video_titles",
    "hook": "hook",
    "video hook": "hook",
    "outline": "video_outline",
    "video outline": "video_outline",
    "outline with minutes": "video_outline",
    "blog outline": "blog_outline",
    "post outline": "blog_outline",
    "thumbnail ideas": "thumbnails",
    "thumbnails": "thumbnails",
    "social copies": "social",
    "social copy": "social",
    "social": "social",
    "tags meta description": "about",
    "tags and meta description": "about",
    "tags": "tags",
    "meta description": "meta_description",
    "links": "links",
    "links internal external": "links",
    "internal links": "internal",
    "external links": "external",
    "ctas": "ctas",
    "cta": "ctas",
}
NETWORKS = {"x": "x", "x twitter": "x", "twitter": "x", "twitter x": "x"} | {
    "linkedin": "linkedin",
    "instagram": "instagram",
}
ABOUT = {"tags": "tags", "meta description": "meta_description", "meta": "meta_description"}
SIDES = {"internal": "internal", "external": "external"}
CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)(?:\s*(?:[-–—→]+|to)\s*(\d{1,3}):([0-5]\d))?")
RANGE = re.compile(
    r"(\d{1,4}(?:\.\d{1,4})?)\s?(?:[-–—→]|to)\s?(\d{1,4}(?:\.\d{1,4})?)\s?(?:minutes?|min\b|m\b)"
)
LENGTH = re.compile(
    r"~?(?<!\d)(\d{1,4}(?:\.\d{1,4})?)\s?(minutes?|min\b|m\b|seconds?|sec\b|s\b)", re.IGNORECASE
)
BUDGET = re.compile(
    r"[(\[]?~?\s?(?<![\d–-])(\d{1,3}(?:,\d{3}){1,2}|\d{1,9})\s?words?\b[)\]]?", re.IGNORECASE
)
LEVEL = re.compile(r"^\**\(?[Hh]([1-6])\)?\**\s*[:.–—-]?\**\s*(.*)$")
OPENING, CLOSING = " \t\n*([,;:–—-", " \t\n*)],;:.–—→-"
URL = re.compile(r"https?://\S*[^\s.,;:!?)\]'\"”’]")
PICTOGRAM = r"[\u203c-\u3299\U0001f000-\U0001faff][\ufe0f\U0001f3fb-\U0001f3ff]?"
EMOJI = re.compile(rf"[\U0001f1e6-\U0001f1ff]{{2}}|{PICTOGRAM}(?:\u200d{PICTOGRAM})*")


def editorial(text: str, findings: Findings) -> Editorial:
    """Read what goes out beside the post."""
    found, left = groups(text, NAMES)
    findings.keep(WHERE, left)
    found |= _within(found, "about", ABOUT, findings) | _within(found, "links", SIDES, findings)
    made = Editorial(
        video_titles=items(found.get("video_titles", "")),
        hook=unquoted(found.get("hook", "")),
        video_outline=_video(found.get("video_outline", ""), findings),
        blog_outline=_blog(found.get("blog_outline", ""), findings),
        thumbnails=items(found.get("thumbnails", "")),
        social=_social(found.get("social", ""), findings),
        tags=tuple(tag.lstrip("#") for tag in terms(found.get("tags", ""))),
        meta_description=" ".join(unquoted(found.get("meta_description", "")).split()),
        internal_links=links(found.get("internal", ""), f"{WHERE}, Links", findings),
        external_links=links(found.get("external", ""), f"{WHERE}, Links", findings),
        ctas=items(found.get("ctas", "")),
    )
    unsaid = [name.replace("_", " ") for name, value in vars(made).items() if _is_empty(value)]
    if unsaid:
        findings.warn(WHERE, f"no {', '.join(unsaid)}")
    return made


def _is_empty(value: object) -> bool:
    return value in ((), "", Social(), BlogOutline())


def _within(
    found: dict[str, str], name: str, names: dict[str, str], findings: Findings
) -> dict[str, str]:
    """Return the labelled groups inside a group; what is in none of them is kept."""
    inner, left = groups(found.get(name, ""), names)
    findings.keep(f"{WHERE}, {name}", left)
    return inner


def _social(text: str, findings: Findings) -> Social:
    found, left = groups(text, NETWORKS)
    findings.keep(f"{WHERE}, Social copies", left)
    made = Social(**{network: unquoted(copy) for network, copy in found.items()})
    length = x_length(made.x)
    if length > X_LIMIT:
        findings.warn(
            f"{WHERE}, Social copies",
            f"expected at most {X_LIMIT} characters for x, got {length}; "
            f"take {length - X_LIMIT} away",
        )
    return made


def x_length(text: str) -> int:
    """Return how long X counts a text: a link is 23, a character of Latin script 1, others 2.

    An emoji is 2, of however many code points it is made.

    Source: twitter-text's configuration v3 (weights 100 and 200 of 100, transformedURLLength 23,
    emojiParsingEnabled).
    """
    shorter = EMOJI.sub("🎬", URL.sub("x" * 23, unicodedata.normalize("NFC", text)))
    return sum(1 if _is_light(ord(character)) else 2 for character in shorter)


def _is_light(code: int) -> bool:
    light = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
    return any(low <= code <= high for low, high in light)


def _video(text: str, findings: Findings) -> tuple[Step, ...]:
    _, rows = table(text)
    given = [": ".join(cell for cell in row if cell) for row in rows] or items(text)
    made = tuple(_step(item) for item in given)
    timeless = sum(step.minutes is None and step.start is None for step in made)
    if timeless:
        findings.warn(f"{WHERE}, video outline", f"{timeless} of {len(made)} steps have no minutes")
    return made


def _step(item: str) -> Step:
    """Read ``0:30–2:00 text``, ``1–3 min: text``, ``text (2 min)`` or ``0:30 text``."""
    start = minutes = None
    clock, span, length = CLOCK.search(item), RANGE.search(item), LENGTH.search(item)
    match = clock or span or length
    if clock:
        start = int(clock[1]) + int(clock[2]) / 60
        if clock[3]:
            minutes = int(clock[3]) + int(clock[4]) / 60 - start
    elif span:
        start, minutes = float(span[1]), float(span[2]) - float(span[1])
    elif length:
        minutes = float(length[1]) / (60 if length[2].lower().startswith("s") else 1)
    if match is None or (minutes is not None and minutes < 0):
        return Step(item)
    return Step(_without(item, match), minutes, start)


def _without(item: str, match: re.Match[str]) -> str:
    """Return an item without a number that was read, and without the marks around it."""
    before, after = item[: match.start()], item[match.end() :]
    before = before.rstrip(OPENING)
    after = after.lstrip(CLOSING)
    if before and after and item[match.end() :].lstrip(" *)]").startswith(":"):
        return f"{before}: {after}"
    return f"{before} {after}".strip()


def _blog(text: str, findings: Findings) -> BlogOutline:
    where = f"{WHERE}, Blog outline"
    h1, parts = "", list[OutlinePart]()
    left = []
    heads, rows = table(text)
    for line in text.splitlines():
        match = _leveled(line)
        if match is None and line.strip().startswith("|") and heads:
            continue
        if match and match[0] == 1 and not h1:
            h1 = match[1]
        elif match:
            parts.append(_part(*match))
        elif parts and re.match(r"\s+\S", line):
            parts[-1] = _noted(parts[-1], line)
        elif not re.match(r"\s*(```|~~~|$)", line):
            left.append(line)
    parts += [_row(heads, row) for row in rows]
    findings.keep(where, "\n".join(left))
    if text.strip():
        _check_outline(h1, parts, where, findings)
    return BlogOutline(h1, tuple(parts))


def _check_outline(h1: str, parts: list[OutlinePart], where: str, findings: Findings) -> None:
    if not h1:
        findings.warn(where, "no H1")
    if not any(part.level == 2 for part in parts):
        findings.warn(where, "no H2, so there is no order or length to follow")
    unsaid = [part.heading for part in parts if part.level == 2 and part.words is None]
    if unsaid:
        findings.warn(where, f"no number of words for {', '.join(map(repr, unsaid))}")


def _leveled(line: str) -> tuple[int, str] | None:
    """Return the level and the words of a line such as ``- H2: words``, ``#### H2 words``."""
    hashes = re.match(r"^\s*(#{1,6})\s+(.*)$", line)
    bullet = BULLET.match(line)
    words = hashes[2] if hashes else bullet[2] if bullet else line.strip()
    if match := LEVEL.match(words):
        return int(match[1]), match[2].strip()
    if hashes:
        return {1: 1, 3: 3}.get(len(hashes[1]), 2), words.strip()
    return None


def _part(level: int, given: str) -> OutlinePart:
    """Read ``heading (120 words): note``; without a budget all of it is the heading."""
    match = BUDGET.search(given)
    if match is None:
        return OutlinePart(level, given)
    heading = given[: match.start()].rstrip(OPENING)
    note = given[match.end() :].lstrip(CLOSING)
    return OutlinePart(level, heading or note, _whole(match[1]), note if heading else "")


def _noted(part: OutlinePart, line: str) -> OutlinePart:
    bullet = BULLET.match(line)
    said = bullet[2] if bullet else line.strip()
    return OutlinePart(part.level, part.heading, part.words, f"{part.note} {said}".strip())


def _row(heads: list[str], row: list[str]) -> OutlinePart:
    """Read a row of a table: heading, words, and what is left is the note."""
    at = next((i for i, head in enumerate(heads) if "words" in head or "budget" in head), None)
    words = re.match(r"~?\s*([\d,]+)", row[at]) if at is not None and at < len(row) else None
    said = [cell for i, cell in enumerate(row) if i not in (0, at) and cell]
    heading = LEVEL.match(row[0]) if row else None
    return OutlinePart(
        int(heading[1]) if heading else 2,
        heading[2] if heading else (row[0] if row else ""),
        _whole(words[1]) if words else None,
        " ".join(said),
    )


def _whole(digits: str) -> int | None:
    plain = digits.replace(",", "")
    return int(plain) if plain.isascii() and plain.isdecimal() and len(plain) < 10 else None
