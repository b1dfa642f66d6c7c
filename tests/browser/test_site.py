"""The built site in Chromium: the recipe's page runs the measured file, with Python's answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from kit.inference import Classifier
from kit.records import Record
from kit.runs import Run
from kit.sites.building import build_site
from tests.browser.conftest import Reader
from tests.conftest import silent

Finished = tuple[Run, dict[str, Record]]
TYPED = "i loved this quite good film but not the dull plot"


@pytest.fixture(scope="module")
def served(chromium: Browser, runtime: Path, finished: Finished) -> Iterator[str]:
    """Build the toy project's site and serve it below /sub/, as its site_url says."""
    run, _ = finished
    folder = build_site(run.project, silent)
    root = folder.parent / "served"
    root.mkdir(exist_ok=True)
    (root / "sub").symlink_to(folder)
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(root))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/sub/"
    server.shutdown()
    server.server_close()


def _ask(page: Page, text: str) -> tuple[str, float]:
    page.locator(".kit-classifier button").first.wait_for()
    page.locator(".kit-classifier textarea").fill(text)
    page.locator(".kit-classifier textarea").press("Enter")
    page.locator(".kit-classifier[data-state=ready]").wait_for(timeout=60_000)
    verdict = page.locator(".kit-classifier [data-label][data-probability]").first
    verdict.wait_for()
    page.wait_for_timeout(300)
    return (
        verdict.get_attribute("data-label") or "",
        float(verdict.get_attribute("data-probability") or "nan"),
    )


def test_the_page_answers_as_python_does_on_the_same_file(
    served: str, finished: Finished, stranger: Reader
) -> None:
    run, _ = finished
    page = stranger.context.new_page()
    page.goto(f"{served}recipes/toy/")
    label, probability = _ask(page, TYPED)
    wanted = Classifier(run.folder / "export").answer(TYPED)[0]
    assert label == wanted["label"]
    assert probability == pytest.approx(wanted["probability"], abs=0.02)
    assert stranger.complaints == []
    assert {url.split("/sub/")[0] + "/sub/" for url in stranger.requests} == {served}


@pytest.mark.parametrize("path", ["", "recipes/toy/", "recipes/toy/results/", "recipes/toy/data/"])
def test_a_page_fits_a_phone_and_says_nothing_wrong(
    served: str, stranger: Reader, path: str
) -> None:
    page = stranger.context.new_page()
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(served + path)
    expect(page.locator("h1")).to_have_count(1)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360
    assert stranger.complaints == []
