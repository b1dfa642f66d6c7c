"""What each section of an idea card says: from its Markdown to the dataclasses of `card`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from kit.brief.card import (
    Angle,
    Check,
    Checklist,
    Experiment,
    Findings,
    Keywords,
    Link,
    Score,
    Scores,
)
from kit.brief.editorial import editorial
from kit.brief.links import links
from kit.brief.markdown import BULLET, divided, groups, items, normal, table, terms

KNOWN = {
    "summary": "Summary",
    "why now": "Why now",
    "references": "References",
    "sources": "References",
    "scores": "Scores",
    "score": "Scores",
    "seo keywords": "SEO keywords",
    "keywords": "SEO keywords",
    "content angles": "Content angles",
    "angles": "Content angles",
    "production effort": "Production effort",
    "cta monetization": "CTA/Monetization",
    "cta monetisation": "CTA/Monetization",
    "cta and monetization": "CTA/Monetization",
    "monetization": "CTA/Monetization",
    "monetisation": "CTA/Monetization",
    "experiment plans": "Experiment plans",
    "experiment plan": "Experiment plans",
    "experiments": "Experiment plans",
    "validation checklist": "Validation checklist",
    "checklist": "Validation checklist",
    "editorial brief": "Editorial brief",
    "editorial": "Editorial brief",
    "notes assumptions": "Notes/assumptions",
    "notes and assumptions": "Notes/assumptions",
    "notes": "Notes/assumptions",
    "assumptions": "Notes/assumptions",
}
"""The heading of a section, by what a card may call it (as `markdown.normal` writes it)."""

SCORES = {normal(field.name): field.name for field in fields(Scores)} | {
    "monetisation": "monetization",
    "search demand score": "search_demand",
    "demand": "search_demand",
    "overall": "composite",
    "composite score": "composite",
    "total": "composite",
}
KEYWORDS = {"primary": "primary", "primary keywords": "primary", "primary keyword": "primary"} | {
    "related": "related",
    "related keywords": "related",
    "secondary": "related",
}
FIELDS = {
    "objective": "objective",
    "goal": "objective",
    "stack": "stack",
    "steps": "steps",
    "expected": "expected",
    "expected result": "expected",
    "expected results": "expected",
    "expected outcome": "expected",
    "time est": "time",
    "time estimate": "time",
    "time": "time",
    "difficulty": "difficulty",
    "safety privacy licensing": "safety",
    "safety": "safety",
}
CHECKS = {"technical": "technical", "technical checks": "technical", "seo": "seo"} | {
    "seo quick tests": "seo",
    "seo tests": "seo",
    "success metrics": "metrics",
    "metrics": "metrics",
}
NUMBER = re.compile(
    r"^[~≈\s]*(\d+(?:[.,]\d+)?)(?![\w.,]*\d|\w)\s*(?:(?:/|out of|of)\s*(\d+)\b|%)?\s*(.*)$",
    re.DOTALL,
)


def scores(text: str, findings: Findings) -> Scores:
    """Read ``novelty: 9 (estimated)``, ``8/10`` or a table; a score of no number keeps its words.

    The composite is out of 100, the others out of 10; ``x/y`` is brought to that scale.
    """
    _, rows = table(text)
    if rows:
        text = "\n".join(f"- {row[0]}: {' '.join(row[1:])}" for row in rows if row)
    found, left = groups(text, SCORES)
    findings.keep("Scores", left)
    made = {name: _score(name, given.strip(), findings) for name, given in found.items()}
    unsaid = [field.name for field in fields(Scores) if field.name not in made]
    if unsaid:
        findings.warn("Scores", f"no {', '.join(unsaid)}")
    return Scores(**made)


def _score(name: str, given: str, findings: Findings) -> Score:
    top = 100 if name == "composite" else 10
    match = NUMBER.match(given.replace("**", ""))
    if match and not re.match(r"[-–—]\s*\d", match[3]):
        whole = float(match[2]) if match[2] else float(top)
        value = float(match[1].replace(",", "."))
        remark = match[3].lstrip(" \t\n([–—,;:-").rstrip(" \t\n)]")
        if whole and 0 <= value <= whole:
            return Score(round(value * top / whole, 4), remark)
    findings.keep(f"Scores, {name}", given or "nothing", f"expected 0 to {top}")
    return Score(None, given)


def keywords(text: str, findings: Findings) -> Keywords:
    """Read the primary and the related search terms."""
    found, left = groups(text, KEYWORDS)
    findings.keep("SEO keywords", left)
    made = {name: terms(given) for name, given in found.items()}
    if not made.get("primary"):
        findings.warn("SEO keywords", "no Primary")
    return Keywords(**made)


def angles(text: str, findings: Findings) -> tuple[Angle, ...]:
    """Read the ways to tell it; the word before a colon is the kind of post."""
    made = []
    for item in items(text):
        kind, colon, rest = item.replace("**", "").partition(":")
        named = bool(colon) and len(kind) <= 30
        made.append(Angle(normal(kind), rest.strip()) if named else Angle("", item))
    if not made:
        findings.warn("Content angles", "none")
    return tuple(made)


def experiments(text: str, findings: Findings) -> tuple[Experiment, ...]:
    """Read ``### Experiment n`` with its fields; one without a number gets its place."""
    before, parts = divided(text)
    findings.keep("Experiment plans", before)
    if not parts and before.strip():
        findings.warn("Experiment plans", "no '### Experiment 1'")
    return tuple(
        _experiment(place, heading, body, findings)
        for place, (heading, body, _) in enumerate(parts, start=1)
    )


def _experiment(place: int, heading: str, body: str, findings: Findings) -> Experiment:
    match = re.match(r"experiment\s*(\d{1,4})?\s*[:.–—-]*\s*(.*)$", heading, re.IGNORECASE)
    number = int(match[1]) if match and match[1] else place
    found, left = groups(body, FIELDS)
    where = f"Experiment {number}"
    findings.keep(where, left)
    unsaid = [name for name in dict.fromkeys(FIELDS.values()) if not found.get(name, "").strip()]
    if unsaid:
        findings.warn(where, f"no {', '.join(unsaid)}")
    return Experiment(
        number,
        name=match[2] if match else heading,
        stack=terms(found.pop("stack", "")),
        steps=_steps(found.pop("steps", "")),
        **_texts(found),
    )


def _steps(text: str) -> tuple[str, ...]:
    """Return the steps of a list, or those that one line puts between semicolons or arrows."""
    if any(BULLET.match(line) for line in text.splitlines()):
        return items(text)
    return tuple(step.strip() for step in re.split(r";|→|->|\n", text) if step.strip())


def _texts(found: dict[str, str]) -> dict[str, Any]:
    return {name: given.strip() for name, given in found.items()}


def checklist(text: str, findings: Findings) -> Checklist:
    """Read what must hold, in its three groups."""
    found, left = groups(text, CHECKS)
    findings.keep("Validation checklist", left)
    made = {name: tuple(_check(item) for item in items(given)) for name, given in found.items()}
    unsaid = [field.name for field in fields(Checklist) if not made.get(field.name)]
    if unsaid:
        findings.warn("Validation checklist", f"no {', '.join(unsaid)}")
    return Checklist(**made)


def _check(item: str) -> Check:
    box = re.match(r"\[([ xX]?)\]\s*(.*)$", item, re.DOTALL)
    return Check(box[2], box[1] in ("x", "X")) if box else Check(item)


def references(text: str, findings: Findings) -> tuple[Link, ...]:
    """Read a list of links, or of words without one."""
    return links(text, "References", findings)


def listed(text: str, findings: Findings) -> tuple[str, ...]:
    """Read a plain list."""
    return items(text)


READERS: dict[str, tuple[str, Callable[[str, Findings], Any]]] = {
    "References": ("references", references),
    "Scores": ("scores", scores),
    "SEO keywords": ("keywords", keywords),
    "Content angles": ("angles", angles),
    "Production effort": ("production_effort", listed),
    "CTA/Monetization": ("monetization", listed),
    "Experiment plans": ("experiments", experiments),
    "Validation checklist": ("checklist", checklist),
    "Editorial brief": ("editorial", editorial),
}
"""Which field of a Brief a section fills, and how; the other known sections stay Markdown."""
