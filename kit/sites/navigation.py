"""The navigation: a tab for the recipes, the blog, the ideas and each folder of written pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kit.sites.pages import RecipePages

Nav = list[dict[str, Any]]
# The post has no title here: it is what its section leads to, and a feed takes titles from here.
PAGES = {
    "Results": "results",
    "Data": "data",
    "Reproduce": "reproduce",
    "Get it": "get",
}


def navigation(found: list[RecipePages], site: Path) -> Nav:
    """Return what MkDocs calls ``nav``: every page of ``site/`` and every generated one."""
    recipes: list[Any] = ["recipes/index.md"]
    for made in found:
        folder = f"recipes/{made.name}"
        others = [{title: f"{folder}/{page}.md"} for title, page in PAGES.items()]
        recipes.append({made.label: [f"{folder}/index.md", *others]})
    return [
        {"Home": "index.md"},
        {"Recipes": recipes},
        {"Blog": ["blog/index.md", {"Tags": "blog/tags.md"}]},
        {"Ideas": "ideas.md"},
        *_written(site),
    ]


def _written(site: Path) -> list[Any]:
    """Return the hand-written pages: those of ``site/`` itself, then each folder as a tab."""
    loose = [path.name for path in sorted(site.glob("*.md")) if path.name != "index.md"]
    folders = [
        {folder.name.capitalize(): [path.relative_to(site).as_posix() for path in pages]}
        for folder in sorted(site.iterdir())
        if folder.is_dir() and (pages := sorted(folder.glob("*.md")))
    ]
    return [*loose, *folders]
