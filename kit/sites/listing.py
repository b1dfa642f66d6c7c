"""Pages about all recipes: the cards of the home page, list, blog, tags, ideas.

    write_listings(project, found, project.build / "docs")

Each is Markdown from a template of ``templates/``; ``found`` are the recipes that have pages.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kit.brief.board import board
from kit.files import write_atomically
from kit.project import Project
from kit.rendering import escape_markdown
from kit.sites.metadata import PICTURE, Head, front_matter
from kit.sites.pages import RecipePages, anchor
from kit.sites.templating import site_page

MARK = "<!-- recipes -->"
FEED = "feed_rss_created.xml"
ON_HOME = 6
"""Cards on the home page; the others are a click away."""


def write_listings(project: Project, found: list[RecipePages], docs: Path) -> None:
    """Write the list of recipes, blog, tags and ideas below ``docs``, and the cards of home."""
    posts = newest_first(found)
    rows, _ = board(project.root)
    tags = _by_tag(posts)
    home = docs / "index.md"
    text = home.read_text("utf-8").replace(MARK, home_cards(posts))
    home.unlink()
    home.write_text(text, "utf-8")
    pages: dict[str, tuple[str, str, dict[str, Any]]] = {
        "recipes": (
            "Recipes",
            "Every recipe with the result of its tuned model, its interval, and what its demo "
            "loads.",
            {"recipes": found},
        ),
        "blog": (
            "Blog",
            "Posts about small models, the newest first, each with the measured model running "
            "in the page.",
            {"posts": posts, "author": escape_markdown(project.author), "feed": _feed(project)},
        ),
        "tags": ("Tags", "The posts by tag.", {"tags": tags}),
        "ideas": (
            "Ideas",
            "The idea cards behind the recipes and those still to be made, ordered by a score "
            "that is a judgement.",
            {"rows": rows, "made": {made.name for made in found}},
        ),
    }
    places = {"recipes": "recipes/index", "blog": "blog/index", "tags": "blog/tags"}
    for name, (title, description, values) in pages.items():
        place = places.get(name, name)
        path = place.removesuffix("index").rstrip("/") + "/"
        body = site_page(f"{name}.md.jinja", anchor=anchor, **values)
        head = Head(
            path=path,
            title=title,
            description=description,
            image=picture(project),
            image_text=title if picture(project) else "",
            trail=(("Blog", "blog/"),) if name == "tags" else (),
        )
        write_atomically(docs / f"{place}.md", (front_matter(project, head) + body).encode())


def picture(project: Project) -> str | None:
    """Return the path of the picture that pages without their own have, if there is one."""
    return PICTURE if (project.root / "site" / PICTURE).is_file() else None


def newest_first(found: Iterable[RecipePages]) -> list[RecipePages]:
    """Return recipes by day, the newest first, those of one day by headline."""
    return sorted(found, key=lambda made: (-made.published.toordinal(), made.headline))


def home_cards(posts: list[RecipePages]) -> str:
    """Return the newest recipes as cards, in HTML."""
    cards = posts[:ON_HOME]
    figures = {made.name: own_ids(named(made.figure, made.result), made.name) for made in cards}
    made = site_page("cards.html.jinja", cards=cards, figures=figures)
    more = len(posts) - len(cards)
    return made + (f"\n[All {len(posts)} recipes](recipes/index.md)\n" if more > 0 else "")


def named(svg: str, words: str) -> str:
    """Return a figure that says those words to who does not see it."""
    label = html.escape(f"Every system with its interval. Tuned: {words}")
    return svg.replace("<svg ", f'<svg aria-label="{label}" ', 1)


def own_ids(svg: str, name: str) -> str:
    """Return a figure whose ids no other figure of the page has, and without its own palette."""
    svg = re.sub(r"<style>svg\{.*?</style>", "", svg, count=1)
    return re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", svg)


def _by_tag(posts: list[RecipePages]) -> dict[str, list[RecipePages]]:
    tags: dict[str, list[RecipePages]] = {}
    for post in posts:
        for tag in post.tags:
            tags.setdefault(tag, []).append(post)
    return dict(sorted(tags.items(), key=lambda item: item[0].lower()))


def _feed(project: Project) -> str:
    return project.address(FEED)
