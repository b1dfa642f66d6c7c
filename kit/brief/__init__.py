"""The idea card: ``recipes/<name>/brief.md``, Markdown with front matter and sections.

---
title: A sentiment model that runs in your browser tab
pubDate: 2026-11-21
---
## Summary
...
## Scores
- novelty: 4 (a judgement)
...

``kit briefs`` lists the cards; ``read_brief`` reads one. Sections may be missing, in any order and
in any case; what is understood is typed, the rest is kept verbatim and named in ``warnings``.
"""

from __future__ import annotations

from kit.brief.card import Brief
from kit.brief.reading import read_brief

__all__ = ["Brief", "read_brief"]
