"""Pictures to share, drawn from a record: the number, its interval, and whom it is held against.

    png = draw((1200, 630), Facts(title, "90.3 %", ..., alt="..."))

Drawn at twice the size and reduced, so that slanted edges are smooth; laid out without a shaping
library, because not every machine has one. So the same facts give the same bytes, wherever Pillow
is of one version. A picture carries its alt text inside, as PNG text, with every number on it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

OPEN_GRAPH = (1200, 630)
THUMBNAIL = (1280, 720)
INK, MUTED, GREY, ACCENT = "#1b1f2a", "#5b6270", "#8d94a1", "#4051b5"
GROUND, RULE = "#ffffff", "#e3e6ec"
SHADES = 12
"""Steps from a color to the ground: what an edge needs to look smooth."""
WIDE = 1200
"""Every length below is in units of which a picture is this many wide."""
MARGIN, BAR, FOOT = 64, 18, 84
LEFT, RIGHT = 470, 530
SMALL, TINY = 40, 34
"""Of 320 pixels, a quarter and less: 34 units are nine pixels high there."""
TITLE = ((64, 2), (60, 2), (54, 2), (48, 3), (42, 3))
"""Sizes to try, and how many lines each may take."""
LEADING = 1.17
TWICE = 2
Tries = Sequence[tuple[int, int]]
Fitted = tuple[list[str], int, int]


@dataclass(frozen=True)
class Row:
    """One system: its name, its value as a page prints it, and where it stands in [0, 1]."""

    name: str
    text: str
    value: float
    low: float
    high: float
    accent: bool = False


@dataclass(frozen=True)
class Facts:
    """What a picture says. ``alt`` says the same in words; ``verdict`` follows from a test."""

    title: str
    number: str
    caption: str
    interval: str
    rows: tuple[Row, ...]
    verdict: str
    site: str
    alt: str


def draw(size: tuple[int, int], facts: Facts) -> bytes:
    """Return a PNG of that size in pixels, with the alt text as its description."""
    from PIL import Image, ImageDraw
    from PIL.PngImagePlugin import PngInfo

    canvas = Image.new("RGB", (size[0] * TWICE, size[1] * TWICE), GROUND)
    _Sheet(ImageDraw.Draw(canvas), size[0] * TWICE / WIDE, WIDE * size[1] / size[0]).fill(facts)
    said = PngInfo()
    said.add_itxt("Description", facts.alt)
    held = io.BytesIO()
    canvas.reduce(TWICE).quantize(palette=_palette(), dither=Image.Dither.NONE).save(
        held, "PNG", pnginfo=said
    )
    return held.getvalue()


def left_out(title: str) -> str:
    """Return the characters of a title that the font cannot draw, each once."""
    return "".join(dict.fromkeys(c for c in title if not c.isspace() and ord(c) not in _drawn()))


def drawable(title: str) -> str:
    """Return a title on one line, without the characters that the font cannot draw."""
    return " ".join("".join(c if c.isspace() or ord(c) in _drawn() else " " for c in title).split())


def width_of(text: str, pixels: int) -> float:
    """Return how wide a line is in regular type of that many pixels."""
    return _length(text, 400, pixels)


class _Sheet:
    """A canvas in units: ``scale`` pixels to one, ``height`` of them high."""

    def __init__(self, canvas: ImageDraw, scale: float, height: float) -> None:
        self.canvas, self.scale, self.height = canvas, scale, height

    def fill(self, facts: Facts) -> None:
        """Draw the title above, the number on the left, the comparison on the right."""
        self.box(0, 0, BAR, self.height, ACCENT)
        inner = WIDE - 2 * MARGIN
        title = self.fitted(facts.title, 700, inner, TITLE)
        below = self.lines(MARGIN, MARGIN - 14, *title, INK) + 8
        middle = (below + self.height - FOOT) / 2
        self._number(facts, middle)
        self._rows(facts, middle)
        if facts.site:
            site = self.fitted(facts.site, 500, inner, ((TINY, 1),))
            self.lines(MARGIN, self.height - FOOT + 12, *site, MUTED)

    def _number(self, facts: Facts, middle: float) -> None:
        number = self.fitted(facts.number, 800, LEFT, ((150, 1), (132, 1), (116, 1)))
        caption = self.fitted(facts.caption, 600, LEFT, ((SMALL, 2), (37, 2), (TINY, 2), (31, 3)))
        interval = self.fitted(facts.interval, 400, LEFT, ((TINY, 1), (31, 1), (28, 1)))
        top = middle - (number[1] * 1.0 + _tall(caption) + _tall(interval) + 14) / 2
        at = self.lines(MARGIN - 8, top - 0.16 * number[1], *number, ACCENT) - 0.1 * number[1]
        at = self.lines(MARGIN, at + 4, *caption, INK)
        self.lines(MARGIN, at + 6, *interval, MUTED)

    def _rows(self, facts: Facts, middle: float) -> None:
        """Draw each system's name and value, and below them its point on one scale for all."""
        start, step = WIDE - MARGIN - RIGHT, 122
        verdict = self.fitted(facts.verdict, 400, RIGHT, ((TINY, 2), (31, 2), (28, 3)))
        at = middle - (step * len(facts.rows) + _tall(verdict)) / 2
        ends = [edge for row in facts.rows for edge in (row.low, row.high)]
        span = max(ends) - min(ends) or 1.0
        for row in facts.rows:
            color = ACCENT if row.accent else GREY
            value = self.fitted(row.text, 700, 190, ((SMALL, 1),))
            name = self.fitted(row.name, 600, RIGHT - 200, ((SMALL, 1), (36, 1), (32, 1), (28, 1)))
            self.lines(start, at + SMALL - name[1], *name, ACCENT if row.accent else MUTED)
            wide = self.wide(value[0][0], value[1], value[2])
            self.lines(start + RIGHT - wide, at, *value, ACCENT if row.accent else MUTED)
            places = [
                start + 15 + (RIGHT - 30) * (x - min(ends)) / span
                for x in (row.low, row.value, row.high)
            ]
            self.box(start, at + 75, start + RIGHT, at + 77, RULE)
            self.box(places[0], at + 71, places[2], at + 81, color)
            self.dot(places[1], at + 76, 16, color)
            at += step
        self.lines(start, at - 8, *verdict, MUTED)

    def wide(self, line: str, size: int, weight: int) -> float:
        """Return how wide a line is."""
        return _length(line, weight, round(size * self.scale)) / self.scale

    def fitted(self, text: str, weight: int, width: float, tries: Tries) -> Fitted:
        """Return a text's lines, its size and weight, by the first size that holds it whole.

        What is left over at the last one is cut, with an ellipsis; a word that is wider than a
        line is broken.
        """
        for size, most in tries:
            lines = list(_wrapped(text, weight, round(size * self.scale), width * self.scale))
            if len(lines) <= most:
                return lines, size, weight
        lines = lines[:most]
        while lines[-1] and self.wide(f"{lines[-1]}…", size, weight) > width:
            lines[-1] = lines[-1][:-1].rstrip()
        lines[-1] += "…"
        return lines, size, weight

    def lines(
        self, x: float, y: float, lines: list[str], size: int, weight: int, color: str
    ) -> float:
        """Draw lines below each other; return where the next one would start."""
        font = _font(weight, round(size * self.scale))
        for line in lines:
            self.canvas.text((round(x * self.scale), round(y * self.scale)), line, color, font)
            y += LEADING * size
        return y

    def box(self, x: float, y: float, right: float, below: float, color: str) -> None:
        """Fill a rectangle."""
        edges = [round(edge * self.scale) for edge in (x, y, right, below)]
        corner = (max(edges[0], edges[2] - 1), max(edges[1], edges[3] - 1))
        self.canvas.rectangle((edges[0], edges[1], *corner), fill=color)

    def dot(self, x: float, y: float, radius: float, color: str) -> None:
        """Fill a circle, with a ring of the ground around it."""
        for extent, fill in ((radius + 5, GROUND), (radius, color)):
            self.canvas.circle((x * self.scale, y * self.scale), extent * self.scale, fill=fill)


def _tall(fitted: Fitted) -> float:
    return LEADING * fitted[1] * len(fitted[0])


def _wrapped(text: str, weight: int, pixels: int, width: float) -> Iterator[str]:
    """Yield the lines of a text."""
    line = ""
    for word in text.split():
        if line and _length(f"{line} {word}", weight, pixels) > width:
            yield line
            line = ""
        line = f"{line} {word}".strip()
        while _length(line, weight, pixels) > width:
            end = next(n for n in count(1) if _length(line[: n + 1], weight, pixels) > width)
            yield line[:end]
            line = line[end:]
    yield line


def _length(text: str, weight: int, pixels: int) -> float:
    """Return a line's width. Laid out without shaping, it is the sum of its characters'."""
    return sum(_advance(character, weight, pixels) for character in text)


@lru_cache(maxsize=4096)
def _advance(character: str, weight: int, pixels: int) -> float:
    return _font(weight, pixels).getlength(character)


@lru_cache(maxsize=64)
def _font(weight: int, pixels: int) -> FreeTypeFont:
    from PIL import ImageFont

    font = ImageFont.truetype(_file(), pixels, layout_engine=ImageFont.Layout.BASIC)
    font.set_variation_by_axes([min(32, max(14, pixels / TWICE)), weight])
    return font


@lru_cache(maxsize=1)
def _file() -> Path:
    """Return the variable font, under the SIL Open Font License, from its package."""
    import fontpkg_inter

    return Path(fontpkg_inter.ROOT) / "files" / "Inter[opsz,wght].ttf"


@lru_cache(maxsize=1)
def _drawn() -> frozenset[int]:
    """Return the code points that the font has a glyph for."""
    from fontTools.ttLib import TTFont

    with TTFont(_file(), lazy=True) as font:
        return frozenset(font.getBestCmap())


@lru_cache(maxsize=1)
def _palette() -> Image:
    """Return the colors and their way to the ground: a third of the bytes of all colors."""
    from PIL import Image, ImageColor

    colors = [ImageColor.getrgb(GROUND), ImageColor.getrgb(RULE)]
    for color in (INK, MUTED, GREY, ACCENT):
        start = ImageColor.getrgb(color)
        for step in range(SHADES):
            share = step / SHADES
            ways = zip(start[:3], colors[0][:3], strict=True)
            red, green, blue = (round(a + share * (b - a)) for a, b in ways)
            colors.append((red, green, blue))
    held = Image.new("P", (1, 1))
    held.putpalette([part for color in colors for part in color])
    return held
