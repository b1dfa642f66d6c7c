"""Pictures to share: of the right size, the same bytes each time, legible small, never spilling."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageColor

from kit.writing.pictures import (
    ACCENT,
    GROUND,
    MARGIN,
    OPEN_GRAPH,
    THUMBNAIL,
    WIDE,
    Facts,
    Row,
    draw,
)
from tests.tiny import ROOT

FACTS = Facts(
    title="A sentiment model that runs in your browser tab",
    number="90.3 %",
    caption="of 988 machine-written test reviews right",
    interval="95 % interval 88.3 % to 92.0 %",
    rows=(
        Row("tuned model", "90.3 %", 0.903, 0.883, 0.92, accent=True),
        Row("counting words", "85.7 %", 0.857, 0.834, 0.878),
    ),
    verdict="tuned is better, p < 0.001",
    site="modelpress.github.io/kit",
    alt="A sentiment model. 90.3 % of 988 “reviews”.",
)
TITLES = {
    "short": "A",
    "none": "",
    "long": "A title that goes on and on, " * 20,
    "one word": "Donaudampfschifffahrtsgesellschaftskapitän" * 6,
    "brackets": "<script>alert('x')</script> & \"quotes\"",
}


def opened(png: bytes) -> Image.Image:
    """Return a picture in plain colors."""
    return Image.open(io.BytesIO(png)).convert("RGB")


def color(name: str) -> tuple[int, ...]:
    return ImageColor.getrgb(name)


@pytest.mark.parametrize("size", [OPEN_GRAPH, THUMBNAIL])
def test_a_picture_has_its_size_and_its_alt_text(size: tuple[int, int]) -> None:
    image = Image.open(io.BytesIO(draw(size, FACTS)))
    assert image.size == size
    assert image.info["Description"] == FACTS.alt


def test_the_same_facts_give_the_same_bytes_in_another_process() -> None:
    script = (
        "import hashlib; from tests.test_pictures import FACTS, draw;"
        "print(hashlib.sha256(draw((1200, 630), FACTS)).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == hashlib.sha256(draw(OPEN_GRAPH, FACTS)).hexdigest(), done.stderr


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("size", [OPEN_GRAPH, THUMBNAIL])
def test_a_title_of_any_length_stays_inside_and_above_the_rest(
    title: str, size: tuple[int, int]
) -> None:
    image = opened(draw(size, replace(FACTS, title=TITLES[title])))
    margin = round(MARGIN * size[0] / WIDE)
    edge = image.crop((size[0] - margin + 4, 0, size[0], size[1]))
    assert edge.getcolors() == [(edge.width * edge.height, color(GROUND))]
    for strip in ((30, 0, size[0], 20), (30, size[1] - 20, size[0], size[1])):
        part = image.crop(strip)
        assert part.getcolors() == [(part.width * part.height, color(GROUND))]
    assert any(is_empty(image, y) for y in range(size[1] // 8, size[1] // 2)) or not title


def is_empty(image: Image.Image, y: int) -> bool:
    """Return whether a line of pixels right of the bar is ground alone."""
    line = image.crop((40, y, image.width, y + 1))
    return line.getcolors() == [(line.width, color(GROUND))]


def test_the_number_is_legible_at_320_pixels() -> None:
    small = opened(draw(THUMBNAIL, FACTS)).resize((320, 180), Image.Resampling.LANCZOS)
    left = small.crop((14, 0, 150, 180))
    rows = [
        y
        for y in range(left.height)
        if sum(near(left, x, y, ACCENT) for x in range(left.width)) > 3
    ]
    assert max(rows) - min(rows) >= 24


def test_the_smallest_type_keeps_its_contrast_at_320_pixels() -> None:
    small = opened(draw(THUMBNAIL, FACTS)).resize((320, 180), Image.Resampling.LANCZOS).convert("L")
    foot = np.asarray(small.crop((14, 158, 200, 178)))
    assert foot.min() < 140
    assert foot.max() > 250


def near(image: Image.Image, x: int, y: int, name: str) -> bool:
    """Return whether a pixel is nearly of a color."""
    pixel, wanted = image.getpixel((x, y)), color(name)
    assert isinstance(pixel, tuple)
    return all(abs(a - b) < 40 for a, b in zip(pixel, wanted, strict=True))


def test_the_tuned_model_is_right_of_a_weaker_baseline_and_alone_in_the_accent() -> None:
    image = opened(draw(OPEN_GRAPH, FACTS)).crop((600, 0, 1140, 630))
    assert middle(image, ACCENT) > middle(image, "#8d94a1") + 100
    swapped = replace(FACTS, rows=(replace(FACTS.rows[0], value=0.8, low=0.78, high=0.82),))
    image = opened(draw(OPEN_GRAPH, replace(FACTS, rows=(*swapped.rows, FACTS.rows[1])))).crop(
        (600, 0, 1140, 630)
    )
    assert middle(image, ACCENT) < middle(image, "#8d94a1") - 100


def middle(image: Image.Image, name: str) -> float:
    """Return where, from the left, the widest run of a color lies: a point with its interval."""
    there = (np.asarray(image) == color(name)).all(axis=2)
    (found,) = np.nonzero(there[there.sum(axis=1).argmax()])
    return float(found.mean())


def test_an_interval_without_width_is_drawn() -> None:
    rows = (Row("a", "1.0", 1.0, 1.0, 1.0, accent=True), Row("b", "1.0", 1.0, 1.0, 1.0))
    assert opened(draw(OPEN_GRAPH, replace(FACTS, rows=rows))).size == OPEN_GRAPH
