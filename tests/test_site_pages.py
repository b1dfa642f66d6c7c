"""The built site, read as a machine reads it: heads, JSON-LD, feed, lists; titles that attack."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from kit.pipeline import accept
from kit.project import find_project
from kit.records import PUBLICATION, ExportRecord, Record
from kit.runs import Run, publications
from kit.sites.building import build_site
from kit.sites.getting import get_page
from kit.sites.hosting import model_path
from kit.sites.listing import own_ids
from kit.sites.metadata import shortened
from tests.conftest import silent
from tests.published import COMMIT, published

Finished = tuple[Run, dict[str, Record]]
TITLE = 'A "toy" </title></script><script>alert(1)</script> {{ 7*7 }} & 😀 | post'
TAGS = "git, <b>bold</b>, a & b"
BRIEF = f"""---
title: {json.dumps(TITLE, ensure_ascii=False)}
pubDate: 2026-01-02
---
## Summary

A toy, <img src=x onerror=alert(1)>.

## Editorial brief

### Tags/meta description

- Tags: {TAGS}
"""
PAGES = ("", "recipes/", "recipes/toy/", "blog/", "blog/tags/", "ideas/", "measure/")


class Head(HTMLParser):
    """Collects a page's metas, links, scripts and the text of its title and first heading."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.metas: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.tags: list[str] = []
        self.texts: dict[str, str] = {}
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag == "meta":
            self.metas[given.get("name") or given.get("property", "")] = given.get("content", "")
        if tag == "link":
            self.links[given.get("rel", "")] = given.get("href", "")
        json_ld = tag == "script" and given.get("type") == "application/ld+json"
        self._within = "json-ld" if json_ld else tag

    def handle_data(self, data: str) -> None:
        if self._within in ("title", "h1", "json-ld"):
            self.texts[self._within] = self.texts.get(self._within, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    @property
    def things(self) -> dict[str, dict[str, Any]]:
        """The page's JSON-LD by type."""
        return {thing["@type"]: thing for thing in json.loads(self.texts["json-ld"])["@graph"]}


@pytest.fixture(scope="module")
def site(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the toy project's site with a title and tags that attack."""
    root = tmp_path_factory.mktemp("site") / "project"
    shutil.copytree(finished[0].project.root, root, symlinks=True)
    (root / "recipes" / "toy" / "brief.md").write_text(BRIEF, "utf-8")
    return build_site(find_project(root), silent)


def _head(site: Path, page: str) -> Head:
    return Head((site / page / "index.html").read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_what_it_is_to_machines(site: Path, page: str) -> None:
    head = _head(site, page)
    where = f"http://127.0.0.1:8000/sub/{page}"
    assert head.links["canonical"] == head.metas["og:url"] == where
    assert 0 < len(head.metas["description"]) <= 155
    assert head.metas["og:title"] == head.metas["twitter:title"]
    assert head.metas["og:image"].startswith("http://127.0.0.1:8000/sub/")
    picture = head.metas["og:image"].removeprefix("http://127.0.0.1:8000/sub/")
    assert (site / picture).is_file()
    assert head.tags.count("h1") == 1


def test_a_hostile_title_is_text_in_head_and_body(site: Path) -> None:
    for page in ("recipes/toy/", "recipes/toy/results/", "blog/", "ideas/", "recipes/"):
        text = (site / page / "index.html").read_text("utf-8")
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "<b>bold" not in text
        assert "49" not in re.sub(
            r"\d{3,}|[\w.-]*\d[\w.-]*[a-z]\w*", "", _head(site, page).texts["h1"]
        )
    head = _head(site, "recipes/toy/")
    assert head.metas["og:title"] == TITLE
    assert head.texts["title"].strip().startswith(TITLE)


def test_a_post_is_a_blog_posting_with_the_date_that_it_shows(site: Path) -> None:
    head = _head(site, "recipes/toy/")
    posting = head.things["BlogPosting"]
    assert posting["headline"] == TITLE
    assert posting["datePublished"] == head.metas["article:published_time"] == "2026-01-02"
    assert '<time datetime="2026-01-02">' in (site / "recipes/toy/index.html").read_text("utf-8")
    assert posting["keywords"] == ["git", "<b>bold</b>", "a & b"]
    assert head.metas["og:type"] == "article"


def test_data_code_and_breadcrumbs_are_things(site: Path) -> None:
    data = _head(site, "recipes/toy/data/").things
    assert data["Dataset"]["license"] == [{"@type": "CreativeWork", "name": "cc0-1.0"}]
    code = _head(site, "recipes/toy/reproduce/").things["SoftwareSourceCode"]
    assert code["programmingLanguage"] == "Python"
    trail = data["BreadcrumbList"]["itemListElement"]
    assert [step["name"] for step in trail[:3]] == ["Home", "Recipes", "Toy"]
    for step in trail:
        page = step["item"].removeprefix("http://127.0.0.1:8000/sub/")
        assert (site / page / "index.html").is_file()
    assert "WebSite" in _head(site, "").things


def test_the_feed_has_the_posts_and_nothing_else(site: Path) -> None:
    feed = ElementTree.parse(site / "feed_rss_created.xml")
    items = feed.findall("./channel/item")
    assert [item.findtext("title") for item in items] == [TITLE]
    assert items[0].findtext("link") == "http://127.0.0.1:8000/sub/recipes/toy/"
    assert "02 Jan 2026" in (items[0].findtext("pubDate") or "")


def test_what_can_be_got_is_there_and_what_is_not_published_is_not_linked(
    site: Path, finished: Finished
) -> None:
    text = (site / "recipes/toy/get/index.html").read_text("utf-8")
    for name in ("dataset", "checkpoint", "evaluation", "export", "pages"):
        record = site / "recipes" / "toy" / "records" / f"{name}.json"
        assert record.read_bytes() == (finished[0].folder / f"{name}.json").read_bytes()
    assert "huggingface.co" not in text
    assert "has not been published" in text


def test_what_was_published_is_linked_from_another_machine_once_accepted(
    finished: Finished, tmp_path: Path
) -> None:
    project = replace(finished[0].project, root=tmp_path)
    recipe = replace(finished[0].recipe, folder=tmp_path / "recipes" / "toy")
    run = replace(finished[0], project=project, recipe=recipe)

    def links() -> bool:
        export = ExportRecord.load(run.folder / "export.json")
        page = get_page(project, recipe, run.folder, tmp_path / "site", export, None)
        return "[ann/toy](https://huggingface.co/ann/toy) | `0123456789ab`" in page

    record = published("")
    assert not links()
    record.save(publications(project, "toy", "http://127.0.0.1:8000") / PUBLICATION)
    assert not links()
    record.save(publications(project, "toy", "https://huggingface.co") / PUBLICATION)
    assert links()
    accept(run)
    shutil.rmtree(project.runs)
    assert links()


def test_a_repo_on_the_hub_serves_a_page_only_while_it_holds_the_same_files(
    finished: Finished, tmp_path: Path
) -> None:
    run, recipe = finished[0], finished[0].recipe
    hub = replace(run.project, model_host="hub")
    export = ExportRecord.load(run.folder / "export.json")
    copy = f"../../assets/models/{export.model_id}/"
    folder = tmp_path / "docs"
    assert model_path(hub, recipe, export, folder) == copy
    path = publications(hub, recipe.name, "https://huggingface.co") / PUBLICATION
    try:
        published(export.model_id).save(path)
        assert model_path(run.project, recipe, export, folder) == copy
        address = f"https://huggingface.co/ann/toy/resolve/{COMMIT}/"
        assert model_path(hub, recipe, export, folder) == address
        published("of other files").save(path)
        assert model_path(hub, recipe, export, folder) == copy
    finally:
        shutil.rmtree(path.parent)


def test_a_table_that_can_be_sorted_is_a_plain_table_without_the_script(site: Path) -> None:
    text = (site / "recipes/toy/results/index.html").read_text("utf-8")
    assert "assets/tables.js" in text
    assert "kit-sort" not in text
    assert "assets/tables.js" not in (site / "recipes/toy/index.html").read_text("utf-8")


def test_two_figures_on_one_page_share_no_id() -> None:
    svg = '<svg><style>svg{color:red}</style><path id="a"/><use href="#a" clip="url(#a)"/></svg>'
    one, two = own_ids(svg, "one"), own_ids(svg, "two")
    assert one == '<svg><path id="one-a"/><use href="#one-a" clip="url(#one-a)"/></svg>'
    assert set(re.findall(r'id="([^"]*)"', one)).isdisjoint(re.findall(r'id="([^"]*)"', two))


def test_a_description_is_cut_at_a_word() -> None:
    assert shortened("one two  three", 13) == "one two three"
    assert shortened("one two, three", 12) == "one two…"
