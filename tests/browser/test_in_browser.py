"""The page in which a reader runs the model: a real chromium, against Python on the same file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, Route, expect

from kit.inference import Classifier
from kit.records import Answer

if TYPE_CHECKING:
    from tests.browser.conftest import Reader, Site

TOLERANCE = 0.02
LONG = "it was great, but the plot was dull and slow and awful. " * 3
MODEL = "models/0a1b2c/onnx/model_quantized.onnx"
KEPT = """async () => {
    const names = (await caches.keys()).filter((name) => name.startsWith("kit-model"));
    const lists = names.map(async (name) => (await caches.open(name)).keys());
    return (await Promise.all(lists)).flat().map((request) => request.url);
}"""


def open_page(page: Page, site: Site, state: str = "idle") -> Page:
    page.goto(site.url)
    page.locator(f".kit-classifier[data-state={state}]").wait_for()
    return page


def use_config(page: Page, site: Site, name: str) -> None:
    page.route("**/demo.json", lambda route: route.continue_(url=f"{site.url}{name}"))


def load(page: Page) -> None:
    page.get_by_role("button", name="Load the model").click()
    page.locator(".kit-classifier[data-state=ready]").wait_for()
    expect(page.locator(".kc-origin")).to_contain_text("Computed here in")


@pytest.fixture(scope="module")
def loaded(site: Site, regular: Reader) -> Page:
    """Return a page of the shared profile in which the model runs."""
    page = open_page(regular.context.new_page(), site)
    load(page)
    return page


def ask(page: Page, text: str) -> dict[str, float]:
    """Type a text, press Enter, and return the page's answer: label -> probability."""
    page.locator(".kc-verdict").evaluate("node => delete node.dataset.label")
    page.locator("textarea").fill(text)
    page.locator("textarea").press("Enter")
    page.locator(".kc-verdict[data-label]").wait_for()
    return answer_of(page)


def answer_of(page: Page) -> dict[str, float]:
    return {
        str(row.get_attribute("data-label")): float(row.get_attribute("data-probability") or "nan")
        for row in page.locator(".kc-row").all()
    }


def python_answer(folder: Path, text: str) -> dict[str, float]:
    answers = Classifier(folder).answer(text)
    return {answer["label"]: answer["probability"] for answer in answers}


def test_a_recorded_answer_is_on_the_page_before_the_model_is_asked_for(
    site: Site, stranger: Reader
) -> None:
    page = open_page(stranger.context.new_page(), site)
    expect(page.locator("textarea")).to_have_value("A kind film.")
    expect(page.locator(".kc-verdict")).to_have_text("positive 93.4 %")
    button = page.get_by_role("button", name="Load the model")
    expect(button).to_have_text("Load the model (15 MB, stays in your browser)")
    assert not [url for url in stranger.requests if "/models/" in url or "/runtime/" in url]


def test_what_stands_on_a_button_has_the_button_s_colour(site: Site, stranger: Reader) -> None:
    page = open_page(stranger.context.new_page(), site)
    colours = page.locator(".kc-primary").first.evaluate(
        "node => [node, node.querySelector('.kc-quiet')].map((n) => getComputedStyle(n).color)"
    )
    assert colours[0] == colours[1]


def test_the_browser_answers_as_python_does(model_folder: Path, loaded: Page) -> None:
    seen = set()
    for text in [
        "a kind film",
        "the plot was awful and slow",
        "Zoë’s naïve 電影 🙂",
        "I loved it.",
    ]:
        expected = python_answer(model_folder, text)
        assert ask(loaded, text) == pytest.approx(expected, abs=TOLERANCE)
        label = loaded.locator(".kc-verdict").get_attribute("data-label")
        assert label == max(expected, key=lambda name: expected[name])
        seen.add(label)
    assert seen == {"negative", "positive"}


def test_a_too_long_text_is_cut_as_in_python_and_the_page_says_so(
    model_folder: Path, loaded: Page
) -> None:
    expected = python_answer(model_folder, LONG)
    assert ask(loaded, LONG) == pytest.approx(expected, abs=TOLERANCE)
    expect(loaded.locator(".kc-message")).to_contain_text("the model read the first 16")
    ask(loaded, "not good")
    expect(loaded.locator(".kc-message")).to_have_text("")


def test_every_request_stays_on_the_origin_and_the_console_stays_silent(
    site: Site, stranger: Reader
) -> None:
    page = open_page(stranger.context.new_page(), site)
    load(page)
    ask(page, "not good")
    assert f"{site.url}{MODEL}" in stranger.requests
    assert [url for url in stranger.requests if not url.startswith(site.url)] == []
    assert stranger.complaints == []


@pytest.mark.usefixtures("loaded")
def test_a_second_visit_asks_the_server_for_no_model(site: Site, page: Page) -> None:
    site.asked.clear()
    load(open_page(page, site))
    assert site.asked
    assert [path for path in site.asked if "/models/" in path or ".wasm" in path] == []


@pytest.mark.usefixtures("loaded")
def test_an_older_model_leaves_the_cache_when_a_new_one_is_loaded(site: Site, page: Page) -> None:
    open_page(page, site)
    older = f"{site.url}index.html"
    page.evaluate(
        "async (url) => (await caches.open('kit-model /some/sub/path/demo.json')).add(url)", older
    )
    assert older in page.evaluate(KEPT)
    load(page)
    kept = page.evaluate(KEPT)
    assert len(kept) == 4
    assert older not in kept


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "{{ 7*7 }}"])
def test_markup_in_a_text_comes_out_as_text(site: Site, stranger: Reader, text: str) -> None:
    sample = Answer(id="1", text=text, label=None, predicted="<i>x</i>", probability=0.9, note=text)
    site.write("markup.json", samples=[sample], labels=("<i>x</i>", "y"), title=text)
    page = stranger.context.new_page()
    use_config(page, site, "markup.json")
    open_page(page, site)
    expect(page.locator("textarea")).to_have_value(text)
    expect(page.locator(".kc-sample-text")).to_have_text(text)
    expect(page.locator(".kc-sample-note")).to_have_text(text)
    expect(page.locator(".kc-verdict")).to_have_text("<i>x</i> 90.0 %")
    assert page.locator(".kit-classifier :is(script, i)").count() == 0
    assert stranger.complaints == []


def test_markup_that_a_reader_types_stays_text(loaded: Page) -> None:
    for text in ("<script>alert(1)</script>", "{{ 7*7 }}"):
        ask(loaded, text)
        expect(loaded.locator("textarea")).to_have_value(text)
        expect(loaded.locator(".kc-verdict")).to_have_text(re.compile(r"(posi|nega)tive \d+\.\d %"))
    assert loaded.locator(".kit-classifier script").count() == 0


@pytest.mark.parametrize("text", ["100 % dull & <b>slow</b> #1", "Très bon 🎬"])
def test_a_link_carries_the_text_to_another_reader(site: Site, stranger: Reader, text: str) -> None:
    page = open_page(stranger.context.new_page(), site)
    page.locator("textarea").fill(text)
    page.get_by_role("button", name="Copy a link to this text").click()
    expect(page.locator(".kc-message")).to_contain_text("The link")
    address = page.evaluate("location.href")
    other = stranger.context.new_page()
    other.goto(address)
    expect(other.locator("textarea")).to_have_value(text)
    expect(other.locator(".kc-message")).to_contain_text("came with the link")
    expect(other.locator(".kit-classifier")).to_have_class(re.compile("kc-stale"))
    assert not any(text[:4] in asked for asked in site.asked)


def test_a_text_too_long_for_a_link_is_refused(site: Site, page: Page) -> None:
    open_page(page, site)
    page.locator("textarea").fill("dull " * 2000)
    page.get_by_role("button", name="Copy a link to this text").click()
    expect(page.locator(".kc-message")).to_have_text("The text is too long for a link: shorten it.")


def test_a_link_cut_in_the_middle_of_a_character_leaves_the_example(site: Site, page: Page) -> None:
    page.goto(f"{site.url}#text=%E2%82")
    page.locator(".kit-classifier[data-state=idle]").wait_for()
    expect(page.locator("textarea")).to_have_value("A kind film.")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("delete globalThis.WebAssembly", "no WebAssembly"),
        ("Object.defineProperty(navigator, 'deviceMemory', { value: 0.5 })", "too little memory"),
    ],
)
def test_a_browser_that_cannot_run_the_model_shows_recorded_samples_and_the_space(
    site: Site, page: Page, script: str, said: str
) -> None:
    site.write("space.json", space_url="https://example.org/spaces/x")
    page.add_init_script(script)
    use_config(page, site, "space.json")
    open_page(page, site, "recorded")
    expect(page.locator(".kc-message")).to_contain_text(said)
    space = page.get_by_role("link", name="Space")
    expect(space).to_have_attribute("href", "https://example.org/spaces/x")
    page.get_by_role("button", name="Not good.").click()
    expect(page.locator(".kc-verdict")).to_have_text("negative 75.0 %")
    expect(page.get_by_role("button", name="Load the model")).to_be_hidden()


def test_a_page_without_a_model_shows_recorded_samples_and_says_so(site: Site, page: Page) -> None:
    site.write("bare.json", model_path=None)
    use_config(page, site, "bare.json")
    open_page(page, site, "recorded")
    expect(page.locator(".kc-message")).to_contain_text("no model file")
    assert answer_of(page) == pytest.approx({"negative": 0.066, "positive": 0.934})


def test_the_demo_works_by_keyboard_alone(site: Site, page: Page) -> None:
    box = open_page(page, site).locator("textarea")
    page.keyboard.press("Tab")
    expect(box).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Load the model")).to_be_focused()
    page.keyboard.press("Enter")
    page.locator(".kit-classifier[data-state=ready]").wait_for()
    expect(box).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("not good")
    expect(page.locator(".kc-stale")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".kc-stale")).to_have_count(0)
    page.keyboard.press("Shift+Enter")
    expect(box).to_have_value("not good\n")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Copy a link to this text")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="A kind film.")).to_be_focused()
    page.keyboard.press("Space")
    expect(box).to_have_value("A kind film.")


def test_enter_before_the_model_is_there_loads_it_and_then_answers(
    site: Site, model_folder: Path, page: Page
) -> None:
    box = open_page(page, site).locator("textarea")
    box.fill("not good")
    box.press("Enter")
    expect(page.locator(".kc-origin")).to_contain_text("Computed here in")
    expected = python_answer(model_folder, "not good")
    assert answer_of(page) == pytest.approx(expected, abs=TOLERANCE)


def test_cancel_stops_the_download_and_the_model_can_be_loaded_again(
    site: Site, stranger: Reader
) -> None:
    waiting: list[Route] = []
    stranger.context.route("**/*.onnx", lambda route: waiting.append(route))
    page = open_page(stranger.context.new_page(), site)
    page.get_by_role("button", name="Load the model").click()
    config = json.loads((site.folder / "demo.json").read_text("utf-8"))
    total = (config["model_bytes"] + config["runtime_bytes"]) / 1e6
    expect(page.locator(".kc-bytes")).to_contain_text(f"of {total:.1f} MB")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Load the model")).to_be_focused()
    stranger.context.unroute("**/*.onnx")
    load(page)


def test_a_missing_file_is_named_with_what_to_do(site: Site, stranger: Reader) -> None:
    stranger.context.route("**/*.onnx", lambda route: route.fulfill(status=404))
    page = open_page(stranger.context.new_page(), site)
    page.get_by_role("button", name="Load the model").click()
    message = page.locator(".kc-message")
    expect(message).to_contain_text("HTTP 404 for model_quantized.onnx. Check your connection")
    expect(page.locator(".kit-classifier")).to_have_attribute("data-state", "idle")


def test_a_broken_model_file_is_not_kept_in_the_cache(site: Site, stranger: Reader) -> None:
    stranger.context.route("**/*.onnx", lambda route: route.fulfill(body=b"half a model"))
    page = open_page(stranger.context.new_page(), site)
    page.get_by_role("button", name="Load the model").click()
    expect(page.locator(".kc-message")).to_contain_text("The model could not run")
    assert page.evaluate(KEPT) == []


def test_a_failed_allocation_leads_to_the_recorded_samples(site: Site, stranger: Reader) -> None:
    # Memory cannot be used up here, so the worker is one that never finds any.
    worker = "onmessage = () => postMessage({type: 'failed', reason: 'memory', detail: ''});"
    stranger.context.route(
        "**/worker.js", lambda route: route.fulfill(body=worker, content_type="text/javascript")
    )
    page = open_page(stranger.context.new_page(), site)
    page.locator("textarea").fill("my own text")
    page.get_by_role("button", name="Load the model").click()
    page.locator(".kit-classifier[data-state=recorded]").wait_for()
    expect(page.locator(".kc-message")).to_contain_text("too little free memory")
    expect(page.locator("textarea")).to_have_value("A kind film.")


def test_at_360_px_nothing_scrolls_sideways_and_nothing_moves(site: Site, page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    open_page(page, site)
    before = page.locator(".kc-answer").bounding_box()
    load(page)
    assert page.locator(".kc-answer").bounding_box() == before
    page.locator("textarea").fill("unbroken" * 80)
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_navigation_without_a_reload_mounts_a_box_once_and_stops_what_left(
    site: Site, page: Page
) -> None:
    # As mkdocs-material does: document$ calls back at once, and again after every swap.
    page.add_init_script("window.document$ = { subscribe(call) { this.call = call; call(); } };")
    load(open_page(page, site))
    assert workers_of(page, site) == 1
    page.evaluate(
        """() => {
            const main = document.querySelector("main");
            main.innerHTML = '<div class="kit-classifier" data-config="demo.json"></div>';
            document$.call();
            document$.call();
        }"""
    )
    page.locator(".kit-classifier[data-state=idle]").wait_for()
    assert page.locator("textarea").count() == 1
    assert workers_of(page, site) == 0


def workers_of(page: Page, site: Site) -> int:
    return sum(worker.url.startswith(site.url) for worker in page.workers)


def test_the_page_links_what_has_an_address_and_hides_the_rest(site: Site, page: Page) -> None:
    site.write("links.json", model_url="https://example.org/m", dataset_url="javascript:alert(1)")
    use_config(page, site, "links.json")
    open_page(page, site)
    names = ("Model card", "Data set", "How it was made")
    found = {name: page.get_by_role("link", name=name).count() for name in names}
    assert found == {"Model card": 1, "Data set": 0, "How it was made": 0}
