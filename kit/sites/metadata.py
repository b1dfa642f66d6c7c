"""What a page says of itself to machines: the front matter that the theme's ``main.html`` reads.

    head = Head(path="blog/", title="Blog", description="Every post, the newest first.")
    front_matter(project, head)      # "---\ntitle: Blog\n...---\n\n"

The head holds the description, Open Graph's values and one JSON-LD graph: BlogPosting, Dataset,
SoftwareSourceCode, BreadcrumbList. Texts stay as their authors typed them; YAML quotes them here,
the theme escapes them there.
"""

from __future__ import annotations

import datetime
import html
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.project import Project

Thing = dict[str, Any]
LONGEST = 155
"""Characters of a description that a search engine shows."""
FRONT = re.compile(r"\A---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)
PICTURE = "assets/og.png"
"""The picture of every page that has none of its own, where the project has that file."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """A page: ``path`` below the site's address, ``""`` for home; ``image`` likewise.

    ``trail`` are the pages above it but home, as (title, path); ``things`` what it is about, in
    schema.org's words. ``options`` go into the front matter as they are.
    """

    path: str
    title: str
    description: str
    image: str | None = None
    image_text: str = ""
    published: datetime.date | None = None
    tags: tuple[str, ...] = ()
    trail: tuple[tuple[str, str], ...] = ()
    things: tuple[Thing, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()


def front_matter(project: Project, head: Head) -> str:
    """Return the page's front matter, with ``head`` for the theme."""
    values: dict[str, Any] = {
        "title": head.title,
        "description": shortened(head.description),
        # The feed's plugin prints author and categories as they are, so they are escaped for it.
        "author": html.escape(project.author),
        **dict(head.options),
    }
    if head.published:
        values["date"] = head.published.isoformat()
    if head.tags:
        values["categories"] = [html.escape(tag) for tag in head.tags]
        values["keywords"] = list(head.tags)
    values["head"] = {
        "author": project.author,
        "type": "article" if head.published else "website",
        "image": head.image and project.address(head.image),
        "image_text": head.image_text,
        "graph": {
            "@context": "https://schema.org",
            "@graph": [*head.things, *_breadcrumbs(project, head)],
        },
    }
    return f"---\n{_yaml(values)}---\n\n"


def complete(project: Project, page: Path, path: str, image: str | None) -> None:
    """Give a hand-written page what its front matter lacks; its own values stay."""
    import yaml

    text = page.read_text("utf-8")
    found = FRONT.match(text)
    own = (yaml.safe_load(found[1]) if found else None) or {}
    body = text[found.end() :] if found else text
    if "head" in own:
        return
    heading = re.search(r"^# (.+)$", body, re.MULTILINE)
    title = str(own.get("title") or (heading[1] if heading else page.stem))
    description = str(own.get("description") or title)
    about = (website(project, description),) if not path else ()
    head = Head(
        path=path,
        title=title,
        description=description,
        image=image,
        image_text=title if image else "",
        things=about,
        options=tuple((k, v) for k, v in own.items() if k not in ("title", "description")),
    )
    page.unlink()
    page.write_text(front_matter(project, head) + body.lstrip("\n"), "utf-8")


def shortened(text: str, length: int = LONGEST) -> str:
    """Return a text on one line, cut at a word with an ellipsis where it is longer."""
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    return line[: length - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"


def website(project: Project, description: str) -> Thing:
    """Return the site as a thing."""
    return {
        "@type": "WebSite",
        "@id": project.address("#site"),
        "url": project.address(""),
        "description": description,
        "inLanguage": project.language,
        "publisher": person(project),
    }


def person(project: Project) -> Thing:
    """Return who publishes."""
    return {"@type": "Organization", "name": project.author}


def posting(project: Project, head: Head, words: int, language: str) -> Thing:
    """Return a post as a thing; its dates are the ones that the page shows."""
    assert head.published  # noqa: S101 - a post without a date is not made
    day = head.published.isoformat()
    thing: Thing = {
        "@type": "BlogPosting",
        "@id": project.address(f"{head.path}#post"),
        "mainEntityOfPage": project.address(head.path),
        "headline": shortened(head.title, 110),
        "description": shortened(head.description),
        "datePublished": day,
        "dateModified": day,
        "author": person(project),
        "publisher": person(project),
        "inLanguage": language,
        "wordCount": words,
        "isPartOf": {"@id": project.address("#site")},
    }
    if head.tags:
        thing["keywords"] = list(head.tags)
    if head.image:
        thing["image"] = project.address(head.image)
    return thing


def dataset(project: Project, path: str, name: str, description: str, licenses: list[str]) -> Thing:
    """Return a recipe's data as a thing."""
    return {
        "@type": "Dataset",
        "@id": project.address(f"{path}#data"),
        "url": project.address(path),
        "name": name,
        "description": description,
        "license": [{"@type": "CreativeWork", "name": name} for name in licenses],
        "creator": person(project),
        "isAccessibleForFree": True,
    }


def source_code(project: Project, path: str, name: str, description: str) -> Thing:
    """Return a recipe as source code."""
    thing: Thing = {
        "@type": "SoftwareSourceCode",
        "@id": project.address(f"{path}#code"),
        "url": project.address(path),
        "name": name,
        "description": shortened(description),
        "programmingLanguage": "Python",
        "license": project.license,
        "author": person(project),
    }
    if project.repository:
        thing["codeRepository"] = project.repository
    return thing


def _breadcrumbs(project: Project, head: Head) -> list[Thing]:
    if not head.path:
        return []
    trail = [("Home", ""), *head.trail, (head.title, head.path)]
    items = [
        {"@type": "ListItem", "position": at, "name": name, "item": project.address(path)}
        for at, (name, path) in enumerate(trail, 1)
    ]
    return [{"@type": "BreadcrumbList", "itemListElement": items}]


def _yaml(values: dict[str, Any]) -> str:
    import yaml

    # The dumper in C is an eighth of the work, but not every build of PyYAML has it.
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    # Escapes for all but ASCII: YAML takes some characters of Unicode for line ends.
    return str(yaml.dump(values, Dumper=dumper, sort_keys=False, allow_unicode=False, width=10**6))
