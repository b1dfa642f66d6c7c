"""Hostile texts of rows come out of every page as the text that they are."""

from __future__ import annotations

import importlib
import itertools
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from kit.records import Record
from kit.rendering import escape_cell, known
from kit.runs import Run
from kit.tasks.text_classification.pages import render_pages
from kit.writing.pages import RECORDS

Finished = tuple[Run, dict[str, Record]]

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "{{ 7*7 }} {% include 'x' %}",
    "---",
    "a | b || c",
    "[x](javascript:alert(1)) ![y](javascript:alert(2))",
    "`one` ``two`` ```three",
    "first\n\n## second\r\n- third\u2028fourth",
    "1. costs $5 ~all~ x^2^ = \\| \\`y\\` &lt; &#60; #6 *b* _i_ :smile: {: onclick=x}",
    "\ue000 5 \ue001 7",
)
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
RULE = re.compile(r"\|(?:[ :-]+\|)+")
PIPE = re.compile(r"(?<!\\)\|")


def copied_records(run: Run, folder: Path) -> Path:
    """Copy the records that pages are rendered from."""
    folder.mkdir()
    for file, _ in RECORDS.values():
        shutil.copyfile(run.folder / file, folder / file)
    return folder


def changed(folder: Path, file: str, **values: Any) -> None:
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.fixture(scope="module")
def hostile(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return pages whose examples and mistakes are HOSTILE texts."""
    run, _ = finished
    folder = copied_records(run, tmp_path_factory.mktemp("hostile") / "records")
    dataset = json.loads((folder / "dataset.json").read_text())
    row = dataset["examples"][0]
    mistake = {"id": "x", "label": "negative", "predicted": "positive", "probability": 0.9}
    pages: dict[str, str] = {}
    # Cards and the post show the first five rows only, so the other five come first as well.
    for turn, texts in (("", HOSTILE), ("turned ", HOSTILE[::-1])):
        changed(folder, "dataset.json", examples=[row | {"text": text} for text in texts])
        changed(folder, "evaluation.json", mistakes=[mistake | {"text": text} for text in texts])
        rendered, _ = render_pages(run.project, run.recipe, folder)
        written = {page: made for page, made in rendered.items() if isinstance(made, str)}
        pages |= {f"{turn}{page}": text for page, text in written.items()}
    return pages


class Reader(HTMLParser):
    """Collects what a browser would act on, and the texts of table cells."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.cells: list[str] = []
        self._in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag in {"td", "th"}:
            self._in_cell = True
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = self._in_cell and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.cells[-1] += data


def by_python_markdown(text: str) -> str:
    package: Any = importlib.import_module("markdown")
    extensions = ["attr_list", "md_in_html", "tables", "toc", "fenced_code"]
    return str(package.markdown(text, extensions=extensions))


def by_common_mark(text: str) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


WITH_TEXTS = ("model-card.md", "dataset-card.md", "post.md", "results.md", "data.md")


@pytest.mark.parametrize("page", WITH_TEXTS)
@pytest.mark.parametrize("to_html", [by_python_markdown, by_common_mark])
def test_hostile_texts_come_out_as_inert_text(
    hostile: dict[str, str], page: str, to_html: Any
) -> None:
    shown = set()
    for name in (page, f"turned {page}"):
        reader = Reader()
        reader.feed(to_html(FRONT_MATTER.sub("", hostile[name])))
        assert "script" not in reader.tags
        assert reader.handlers == []
        assert [link for link in reader.links if "script" in link or link == "x"] == []
        shown |= {" ".join(cell.split()) for cell in reader.cells}
    plain = [" ".join(re.sub("[\ue000\ue001]", "", text).split()) for text in HOSTILE]
    assert [text for text in plain if text not in shown] == []


@pytest.mark.parametrize("page", WITH_TEXTS)
def test_every_row_of_a_table_has_as_many_cells_as_its_header(
    hostile: dict[str, str], page: str
) -> None:
    lines = hostile[page].splitlines()
    tables = [place for place, line in enumerate(lines) if RULE.fullmatch(line)]
    assert tables
    for place in tables:
        cells = len(PIPE.findall(lines[place]))
        assert len(PIPE.findall(lines[place - 1])) == cells, lines[place - 1]
        for row in itertools.takewhile(lambda line: line.startswith("|"), lines[place + 1 :]):
            assert len(PIPE.findall(row)) == cells, row


def test_a_long_text_is_cut_at_a_word() -> None:
    assert escape_cell("word " * 100, 18) == known("word word word …")
