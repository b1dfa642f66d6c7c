"""Links of an idea card: to pages, never to anything that a browser would run."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from kit.brief.card import Findings, Link
from kit.brief.markdown import items

MARKDOWN = re.compile(
    r"\[([^\[\]]{0,500})\]\(\s?<?((?:[^()\s>]|\([^()\s]{0,200}\)){0,2000})>?[^()]{0,200}\)"
)
BARE = re.compile(r"<?\b([a-zA-Z][a-zA-Z0-9+.-]*://[^\s>)]+)>?")
SCHEMES = {"", "http", "https", "mailto"}


def links(text: str, where: str, findings: Findings) -> tuple[Link, ...]:
    """Return a link for every item: ``[words](address)``, an address, a path, or words alone.

    An address of another scheme than http, https and mailto is dropped and named.
    """
    return tuple(_link(item, where, findings) for item in items(text))


def _link(item: str, where: str, findings: Findings) -> Link:
    marked, bare = MARKDOWN.search(item), BARE.search(item)
    if marked:
        url = marked[2]
        words = " ".join(MARKDOWN.sub(lambda found: found[1], item).split())
    elif bare:
        url = bare[1].rstrip(".,;")
        words = item.replace(bare[0], "").strip(" \t:–—-()") or url
    else:
        path = re.fullmatch(r"`?(\.{0,2}/?[\w.#-]+(?:/[\w.#-]*)+)`?", item)
        return Link(item.strip("`"), path[1] if path else "")
    if not _is_safe(url):
        findings.keep(where, item, "expected an http(s), mailto or relative address")
        return Link(words)
    return Link(words, url)


def _is_safe(url: str) -> bool:
    try:
        return urlsplit(url).scheme.lower() in SCHEMES
    except ValueError:
        return False
