"""What an idea card says, typed: frozen dataclasses, every field empty where the card is silent."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

X_LIMIT = 280
"""How long a post on X may be, in its own count (`kit.brief.editorial.x_length`)."""


@dataclass(frozen=True)
class Link:
    """A reference or link: its words, and where it leads; ``url`` is empty for words alone."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class Score:
    """A judgement: 0 to 10, the composite 0 to 100; None where the card gives no number."""

    value: float | None = None
    remark: str = ""


@dataclass(frozen=True)
class Scores:
    """The judgements that order the cards."""

    novelty: Score = Score()
    search_demand: Score = Score()
    competition: Score = Score()
    effort: Score = Score()
    monetization: Score = Score()
    virality: Score = Score()
    composite: Score = Score()


@dataclass(frozen=True)
class Keywords:
    """What readers type into a search box."""

    primary: tuple[str, ...] = ()
    related: tuple[str, ...] = ()


@dataclass(frozen=True)
class Angle:
    """One way to tell it: ``kind`` in lower case ("tutorial", "deep dive"), empty if not named."""

    kind: str
    text: str


@dataclass(frozen=True)
class Experiment:
    """A planned experiment; ``name`` is what its heading says after the number."""

    number: int
    name: str = ""
    objective: str = ""
    stack: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    expected: str = ""
    time: str = ""
    difficulty: str = ""
    safety: str = ""


@dataclass(frozen=True)
class Check:
    """A line to tick off; ``done`` is None where the card draws no box."""

    text: str
    done: bool | None = None


@dataclass(frozen=True)
class Checklist:
    """What must hold before and after publication."""

    technical: tuple[Check, ...] = ()
    seo: tuple[Check, ...] = ()
    metrics: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Step:
    """A step of the video: ``start`` and ``minutes`` (its length) in minutes, None if not given."""

    text: str
    minutes: float | None = None
    start: float | None = None


@dataclass(frozen=True)
class OutlinePart:
    """A heading of the post: its level (2 for H2), its budget in words, what it must say."""

    level: int
    heading: str
    words: int | None = None
    note: str = ""


@dataclass(frozen=True)
class BlogOutline:
    """The post's H1 and the headings below it, in order."""

    h1: str = ""
    parts: tuple[OutlinePart, ...] = ()


@dataclass(frozen=True)
class Social:
    """Copy for the networks, empty where there is none."""

    x: str = ""
    linkedin: str = ""
    instagram: str = ""


@dataclass(frozen=True)
class Editorial:
    """What goes out beside the post."""

    video_titles: tuple[str, ...] = ()
    hook: str = ""
    video_outline: tuple[Step, ...] = ()
    blog_outline: BlogOutline = BlogOutline()
    thumbnails: tuple[str, ...] = ()
    social: Social = Social()
    tags: tuple[str, ...] = ()
    meta_description: str = ""
    internal_links: tuple[Link, ...] = ()
    external_links: tuple[Link, ...] = ()
    ctas: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kept:
    """Text that was not understood, verbatim, and where in the card it stands."""

    where: str
    text: str


@dataclass(frozen=True)
class Brief:
    """An idea card: title, day of publication, sections, and what was understood of them.

    ``sections`` holds every section's Markdown by heading, in order; a known heading is written as
    in `kit.brief.sections.KNOWN`, however the card writes it. Texts are as the card's author typed
    them, markup and angle brackets included: who puts them on a page escapes them.
    """

    title: str
    date: datetime.date
    sections: dict[str, str]
    references: tuple[Link, ...] = ()
    scores: Scores = Scores()
    keywords: Keywords = Keywords()
    angles: tuple[Angle, ...] = ()
    production_effort: tuple[str, ...] = ()
    monetization: tuple[str, ...] = ()
    experiments: tuple[Experiment, ...] = ()
    checklist: Checklist = Checklist()
    editorial: Editorial = Editorial()
    front: dict[str, Any] = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The Summary section on one line; empty where the card has none."""
        return " ".join(self.sections.get("Summary", "").split())

    @property
    def why_now(self) -> str:
        """The section Why now, as Markdown."""
        return self.sections.get("Why now", "")

    @property
    def notes(self) -> str:
        """The section Notes/assumptions, as Markdown."""
        return self.sections.get("Notes/assumptions", "")


class Findings:
    """Collects what a card leaves unclear while it is read."""

    def __init__(self) -> None:
        self.kept: list[Kept] = []
        self.warnings: list[str] = []

    def warn(self, where: str, said: str) -> None:
        """Name something that is missing or odd."""
        self.warnings.append(f"{where}: {said}")

    def keep(self, where: str, text: str, said: str = "not understood, kept as it is") -> None:
        """Keep a text verbatim and name it; an empty one is nothing to keep."""
        if not text.strip():
            return
        first = " ".join(text.split())
        shown = first if len(first) <= 60 else first[:57] + "…"
        self.kept.append(Kept(where, text.strip("\n")))
        self.warn(where, f"{said}: {shown!r}")
