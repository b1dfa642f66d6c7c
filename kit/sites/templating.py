"""Pages of the site from the templates beside this file.

    site_page("blog.md.jinja", posts=posts)

They are not among ``kit/templates``: those belong to the pages that a run renders, and a change
there renders every run's pages again.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from kit.rendering import CLOSE, OPEN, environment

TEMPLATES = Path(__file__).parent / "templates"


def site_page(template: str, **values: Any) -> str:
    """Return a template rendered: strict names, texts by the filters ``md``, ``cell``, ``e``."""
    text = environment(TEMPLATES).get_template(template).render(**values)
    return re.sub(r"\n{3,}", "\n\n", re.sub(f"[{OPEN}{CLOSE}]", "", text)).strip() + "\n"
