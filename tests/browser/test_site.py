"""The built site in Chromium: the recipe's page runs the measured file, with Python's answer."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from kit.browser.component import MODEL_FILES
from kit.inference import Classifier
from kit.records import PUBLICATION, ExportRecord, Record
from kit.runs import Run, publications
from kit.sites.building import build_site
from tests.browser.axe import SCRIPT, violations
from tests.browser.conftest import Reader, require
from tests.conftest import silent
from tests.published import published

Finished = tuple[Run, dict[str, Record]]
TYPED = "i loved this quite good film but not the dull plot"


@pytest.fixture(scope="module")
def served(
    chromium: Browser,
    runtime: Path,
    finished: Finished,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """Build the toy project's site and serve it below /sub/, as its site_url says."""
    run, _ = finished
    server = _serve(build_site(run.project, silent), tmp_path_factory.mktemp("host") / "root")
    yield f"http://127.0.0.1:{server.server_port}/sub/"
    server.shutdown()
    server.server_close()


def _serve(folder: Path, root: Path) -> ThreadingHTTPServer:
    """Serve a built site below /sub/, from a folder made for it."""
    root.mkdir()
    (root / "sub").symlink_to(folder)
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(root))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


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


def test_a_page_may_load_the_model_from_its_repo_at_the_commit_that_was_published(
    finished: Finished, runtime: Path, stranger: Reader, tmp_path: Path
) -> None:
    run = finished[0]
    shutil.copytree(run.project.root, tmp_path / "project", symlinks=True)
    project = replace(run.project, root=tmp_path / "project", model_host="hub")
    export = ExportRecord.load(run.folder / "export.json")
    record = published(export.model_id)
    (repo,) = record.repos
    record.save(publications(project, "toy", record.endpoint) / PUBLICATION)
    folder = build_site(project, silent)
    assert not (folder / "assets" / "models").exists()
    server = _serve(folder, tmp_path / "root")
    asked = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        path = route.request.url.removeprefix(f"{repo.url}/resolve/{repo.commit}/")
        body = (run.folder / "export" / path).read_bytes()
        route.fulfill(body=body, headers={"access-control-allow-origin": "*"})

    try:
        page = stranger.context.new_page()
        stranger.context.route("https://huggingface.co/**", answer)
        page.goto(f"http://127.0.0.1:{server.server_port}/sub/recipes/toy/")
        label, probability = _ask(page, TYPED)
    finally:
        server.shutdown()
        server.server_close()
    wanted = Classifier(run.folder / "export").answer(TYPED)[0]
    assert label == wanted["label"]
    assert probability == pytest.approx(wanted["probability"], abs=0.02)
    assert len(asked) == len(MODEL_FILES["classifier"])
    assert stranger.complaints == []


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


@pytest.fixture(scope="module")
def axe() -> None:
    """Ask for axe-core."""
    require(SCRIPT.is_file(), "no axe-core: run `python -m tests.browser.axe build/axe`")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1366])
def test_a_page_can_be_read_by_everyone(
    served: str, chromium: Browser, axe: None, scheme: Literal["light", "dark"], width: int
) -> None:
    with chromium.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce"
    ) as context:
        page = context.new_page()
        for path in ("", "recipes/toy/", "recipes/toy/results/", "blog/", "ideas/"):
            page.goto(served + path)
            assert violations(page) == [], path
        page.locator("label[for=__search]").first.dispatch_event("click")
        page.locator(".md-search__input").press_sequentially("model")
        page.locator(".md-search-result__item").first.wait_for()
        assert violations(page) == [], "search"
        if width == 390:
            page.goto(served)
            page.locator("label[for=__drawer]").first.dispatch_event("click")
            page.locator("[data-md-component=sidebar] .md-nav__link").first.wait_for()
            assert violations(page) == [], "drawer"


def test_the_choice_of_light_or_dark_is_kept_and_the_systems_counts_until_then(
    served: str, chromium: Browser
) -> None:
    with chromium.new_context(color_scheme="dark") as context:
        page = context.new_page()
        body = page.locator("body")
        page.goto(served)
        expect(body).to_have_attribute("data-md-color-scheme", "slate")
        page.emulate_media(color_scheme="light")
        expect(body).to_have_attribute("data-md-color-scheme", "default")
        page.get_by_role("button", name="Switch to dark").click()
        expect(body).to_have_attribute("data-md-color-scheme", "slate")
        expect(page.get_by_role("button", name="Switch to light")).to_be_focused()
        page.goto(f"{served}recipes/toy/")
        expect(body).to_have_attribute("data-md-color-scheme", "slate")
        page.get_by_role("button", name="Switch to light").press("Enter")
        expect(body).to_have_attribute("data-md-color-scheme", "default")


def test_a_figure_on_a_page_brings_no_rules_for_the_page(served: str, stranger: Reader) -> None:
    page = stranger.context.new_page()
    page.goto(f"{served}recipes/toy/")
    assert page.locator("article svg").count() > 1
    assert page.locator("article style, article link[rel=stylesheet]").count() == 0
