"""The editorial kit, ``pages/social/``: copies for the networks, the video, titles, pictures.

    x.txt linkedin.txt instagram.txt      the creator's sentence, one true number, one link
    video.md titles.md                    outline with the figures to say; variants with lengths
    og.png thumbnail.png alt.txt          1200 x 630, 1280 x 720, and what both show

Sentences come from the idea card as they are, numbers from the records by ``num()``. Whether the
tuned model "beats" its strongest opponent is said by the paired test of the record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from kit.brief.card import X_LIMIT, Brief, Step
from kit.brief.editorial import x_length
from kit.brief.titles import title_variants
from kit.project import Project
from kit.records import EvaluationRecord
from kit.rendering import CLOSE, OPEN, Ledger, known, render
from kit.writing import pictures, words
from kit.writing.pictures import Facts, Row

PAGES = {
    f"social/{name}": f"social/{name}.jinja"
    for name in ("x.txt", "linkedin.txt", "instagram.txt", "video.md", "titles.md", "alt.txt")
}
PICTURES = {"social/og.png": pictures.OPEN_GRAPH, "social/thumbnail.png": pictures.THUMBNAIL}
LIMITS: dict[str, tuple[str, int, Callable[[str], int]]] = {
    "social/x.txt": ("x", X_LIMIT, x_length),
    "social/linkedin.txt": ("linkedin", 3000, len),
    "social/instagram.txt": ("instagram", 2200, len),
}
"""Of each copy: what the card calls it, how long it may be, and how the network counts."""
MEASURES = {"title": 60, "description": 155, "video": 100}
HASHTAGS = 5
RESULT_PIXELS = 20
"""The size in which a search engine sets a title."""


class Claim(NamedTuple):
    """The words before a headline number, and a picture's words around its rows."""

    lead: str
    caption: str


CLAIMS = {
    "accuracy": Claim("Right on", "of {rows} right"),
    "type_accuracy": Claim("The right commit type on", "right types, {rows}"),
}
OPPONENTS = {
    "tfidf": "counting words with TF-IDF",
    "base_centroid": "the base model, frozen",
    "base": "the base model, not tuned",
    "majority": "always the most common label",
    "nearest": "copying the nearest message",
    "rules": "a rule that learns nothing",
    "base_few_shot": "the base model, shown examples",
}
SHORT = {
    "tfidf": "counting words",
    "base_centroid": "frozen base",
    "base": "base, not tuned",
    "majority": "most common label",
    "nearest": "nearest message",
    "rules": "a rule",
    "base_few_shot": "base, few-shot",
}
WORDINGS = {"nearest": "copied ones", "rules": "a rule's"}
VERDICTS = {
    "beats": "tuned is better",
    "trails": "tuned is worse",
    "cannot be told apart from": "no sure difference",
}
FIGURES = {
    "data": "data rows row pairs commits reviews texts wrote written who split",
    "training": "train trained training run ran code loss settings epoch epochs shown",
    "comparison": "table compare against baseline beats rule tf-idf frozen nearest tuned base bar",
    "failures": "fail fails failures wrong mistake mistakes weakest irony error errors",
    "file": "browser page file python size mb int8 tab hook",
    "cost": "cost costs price money energy watt watt-hours",
}
"""Groups of figures, and the words of an outline by which a part asks for them."""


@dataclass(frozen=True)
class Measured:
    """A line, how long it is, and what a list of results shows of it."""

    text: str
    shown: str

    @property
    def characters(self) -> int:
        """How long it is."""
        return len(self.text)

    @property
    def pixels(self) -> int:
        """How wide it is where a search engine sets it, in Inter, a little wider than Arial."""
        return round(pictures.width_of(self.text, RESULT_PIXELS))

    @property
    def cut(self) -> bool:
        """Whether a list of results cuts it."""
        return self.shown != self.text


@dataclass
class Part:
    """A part of the video: when, what, and the groups of figures to say in it."""

    text: str
    start: float | None
    end: float | None
    groups: list[str]

    @property
    def clock(self) -> str:
        """When it starts, as YouTube reads chapters; empty where the card has no times."""
        return _clock(self.start)

    @property
    def time(self) -> str:
        """From when to when."""
        return " to ".join(filter(None, (self.clock, _clock(self.end))))

    @property
    def line(self) -> str:
        """The text for a description that is pasted: YouTube takes no angle brackets."""
        return self.text.replace("`", "").replace("<", "‹").replace(">", "›")


def render_social(ledger: Ledger, values: Mapping[str, Any]) -> dict[str, str | bytes]:
    """Return the editorial kit by path.

    Args:
        ledger: receives every number, those of the pictures too.
        values: what the templates of the task see; what the brief lacks is left out.
    """
    seen = {**values, **_context(values)}
    made: dict[str, str | bytes] = {
        page: render(template, page, ledger, **seen) for page, template in PAGES.items()
    }
    for page, size in PICTURES.items():
        alt = render(PAGES["social/alt.txt"], page, ledger, **seen).strip()
        told = {entry.pointer: entry.text for entry in ledger.entries if entry.page == page}
        made[page] = pictures.draw(size, _facts(seen, values["brief"].title, told, alt))
    return made


def copy_faults(copies: Mapping[str, str]) -> list[str]:
    """Return a line for each copy that its network would not take whole.

    Args:
        copies: texts by path, those of other paths are not looked at.
    """
    lines = []
    for page, (name, limit, count) in LIMITS.items():
        length = count(copies.get(page, "").strip())
        if length > limit:
            lines.append(
                f"{page}: expected at most {limit} characters as the network counts them, got "
                f"{length}; take {length - limit} from '{name}' under Social copies in brief.md"
            )
    return lines


def warnings(copies: Mapping[str, str], brief: Brief) -> list[str]:
    """Return what a person should know of the kit, a line each."""
    lines = copy_faults(copies)
    if lost := pictures.left_out(brief.title):
        lines.append(
            f"social/og.png: the font has no {' '.join(lost)}; the pictures' title goes without"
        )
    return lines


def site_name(project: Project) -> str:
    """Return the site's address as people write it; empty where it is this machine's."""
    parts = urlsplit(project.site_url)
    if parts.hostname in (None, "127.0.0.1", "localhost", "::1"):
        return ""
    return f"{parts.netloc}{parts.path}".rstrip("/")


def measured(text: str, limit: int) -> Measured:
    """Measure a line; what is over the limit is cut at a word, with an ellipsis."""
    line = " ".join(_unmarked(text).split())
    if len(line) <= limit:
        return Measured(line, line)
    head = line[: limit - 2]
    whole = head if line[limit - 2].isspace() else head.rpartition(" ")[0]
    return Measured(line, f"{(whole or head).rstrip()} …")


def outline(steps: tuple[Step, ...], unit: str) -> tuple[list[Part], list[str]]:
    """Return the parts of the video with the figures each asks for, and the figures left over."""
    starts = list(_starts(steps))
    parts = [
        Part(step.text, start, _end(step, start, following), [])
        for step, start, following in zip(steps, starts, [*starts[1:], None], strict=False)
    ]
    left = []
    for group, asking in FIGURES.items():
        wanted = {*asking.split(), unit}
        hits = [len(wanted & set(re.findall(r"[\w-]+", p.text.casefold()))) for p in parts]
        if any(hits):
            parts[hits.index(max(hits))].groups.append(group)
        else:
            left.append(group)
    return parts, left


def _context(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the templates of the kit see besides those of the task."""
    evaluation: EvaluationRecord = values["evaluation"]
    brief: Brief = values["brief"]
    editorial, strongest = brief.editorial, values["strongest"]
    machine = values["dataset"].language_creators == "machine-generated"
    unit = values["recipe"].task.unit
    verdict, opponent = values["verdicts"][strongest], OPPONENTS.get(strongest, strongest)
    parts, left = outline(editorial.video_outline, unit)
    return {
        "title": _plain(brief.title),
        "claim": CLAIMS[evaluation.headline],
        "unit": _plain(unit),
        "rows": _plain(f"{'machine-written ' if machine else ''}test {unit}"),
        "machine_written": machine,
        "tuned": f"systems.tuned.{evaluation.headline}",
        "bar": f"systems.{strongest}.{evaluation.headline}",
        "test": f"comparisons.{values['index'][strongest]}",
        "verdict": verdict,
        "opponent": opponent,
        "short": SHORT.get(strongest, strongest),
        "opponent_first": opponent[0].upper() + opponent[1:],
        "picture_verdict": VERDICTS[verdict],
        "sentences": _wording(evaluation),
        "spoken": {name: OPPONENTS.get(name, name) for name in evaluation.systems},
        "copies": {name: _copy(text) for name, text in vars(editorial.social).items()},
        "link": values["post_url"],
        "hashtags": _plain(" ".join(_hashtags(editorial.tags))),
        "titles": [measured(title, MEASURES["title"]) for title in title_variants(brief)],
        "video_titles": [measured(title, MEASURES["video"]) for title in editorial.video_titles],
        "measured": lambda text: measured(text, MEASURES["description"]),
        "described": measured(editorial.meta_description, MEASURES["description"]),
        "summary": measured(brief.summary, MEASURES["description"]),
        "measures": MEASURES,
        "hook": editorial.hook,
        "parts": parts,
        "left": left,
        "thumbnails": editorial.thumbnails,
    }


def _wording(evaluation: EvaluationRecord) -> dict[str, str] | None:
    """Return how a generator's words compare with the nearest opponent's; None for a classifier."""
    found = [c.b for c in evaluation.comparisons if c.metric == "chrf"]
    if not found:
        return None
    best = max(found, key=lambda name: evaluation.systems[name]["chrf"].value)
    test = evaluation.comparisons[words.comparison_index(evaluation, best, "chrf")]
    return {
        "verdict": words.verdict(test),
        "opponent": WORDINGS.get(best, "the base model's"),
        "tuned": "systems.tuned.chrf",
        "bar": f"systems.{best}.chrf",
    }


def _poor(sentences: Mapping[str, str] | None) -> str:
    """Return what a picture adds where a generator's sentences are not better than cheap ones."""
    if sentences is None or sentences["verdict"] == "beats":
        return ""
    said = {"trails": "lose to", "cannot be told apart from": "are no better than"}
    return f"; its sentences {said[sentences['verdict']]} {sentences['opponent']}"


def _facts(seen: Mapping[str, Any], title: str, told: Mapping[str, str], alt: str) -> Facts:
    """Return what a picture shows.

    Args:
        seen: what its alt text was rendered from.
        title: the card's, as it is.
        told: the numbers of the alt text by pointer, as the ledger has them. No other is drawn.
        alt: the text.
    """
    systems = seen["evaluation"].systems
    rows = []
    for pointer, name in ((seen["tuned"], "tuned model"), (seen["bar"], seen["short"])):
        _, system, key = pointer.split(".")
        metric, text = systems[system][key], told[f"{pointer}.value"]
        rows.append(Row(name, text, metric.value, metric.low, metric.high, system == "tuned"))
    tuned, test = seen["tuned"], seen["test"]
    caption = seen["claim"].caption.format(rows=f"{told[f'{tuned}.n']} {seen['rows']}")
    return Facts(
        title=pictures.drawable(title),
        number=told[f"{tuned}.value"],
        caption=_unmarked(caption),
        interval=f"95 % interval {told[f'{tuned}.low']} to {told[f'{tuned}.high']}",
        rows=tuple(rows),
        verdict=f"{VERDICTS[seen['verdict']]}, {told[f'{test}.p_value']}{_poor(seen['sentences'])}",
        site=site_name(seen["project"]),
        alt=alt,
    )


def _copy(text: str) -> str:
    """Return a copy of the card: its paragraphs, each on one line."""
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    joined = "\n\n".join(filter(None, paragraphs))
    return _plain(joined) if joined else ""


def _plain(text: str) -> str:
    """Return text for a page that is not rendered: as it is, its digits vouched for."""
    return known(_unmarked(text))


def _unmarked(text: str) -> str:
    return text.replace(OPEN, "").replace(CLOSE, "")


def _hashtags(tags: tuple[str, ...]) -> list[str]:
    joined = dict.fromkeys(re.sub(r"\W", "", tag) for tag in tags)
    return [f"#{tag}" for tag in joined if tag][:HASHTAGS]


def _starts(steps: tuple[Step, ...]) -> Iterator[float | None]:
    """Yield when each step starts: as the card says, else when those before it are over."""
    over: float | None = 0.0
    for step in steps:
        start = step.start if step.start is not None else over if step.minutes is not None else None
        yield start
        over = start + step.minutes if start is not None and step.minutes is not None else None


def _end(step: Step, start: float | None, following: float | None) -> float | None:
    if start is None or step.minutes is None:
        return following
    return start + step.minutes


def _clock(minutes: float | None) -> str:
    """Return minutes as a clock.

    >>> _clock(1.5)
    '1:30'
    """
    if minutes is None:
        return ""
    seconds = round(60 * minutes)
    hours = f"{seconds // 3600}:" if seconds >= 3600 else ""
    return f"{hours}{seconds % 3600 // 60:{'02' if hours else ''}}:{seconds % 60:02}"
