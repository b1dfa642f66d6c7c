"""axe-core, which looks over a page for what readers who do not see it, or not well, run into.

It comes from npm, as the browser runtime does: ``python -m tests.browser.axe build/axe``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page

from kit.browser.runtime import Package, PinnedFile, fetch_package

SCRIPT = Path(__file__).parents[2] / "build" / "axe" / "axe.min.js"
AXE = Package(
    "axe-core",
    "4.14.1",
    (
        PinnedFile(
            SCRIPT.name,
            "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c",
            653_780,
            path="axe.min.js",
        ),
    ),
)


def violations(page: Page) -> list[str]:
    """Return each rule that the page breaks, with where."""
    page.evaluate(SCRIPT.read_text("utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    return [f"{item['id']}: {node['html'][:120]}" for item in found for node in item["nodes"]]


if __name__ == "__main__":
    fetch_package(AXE, Path(sys.argv[1]))
