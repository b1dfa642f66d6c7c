"""What a browser test needs: a chromium, the npm runtime, a real exported model, a page served.

Without chromium or the runtime the tests are skipped; with KIT_CI=1 they fail instead. The
runtime is taken from build/runtime, where ``python -m kit.browser.runtime build/runtime`` puts it.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from kit.browser import runtime as browser_runtime
from kit.browser.component import MODEL_FILES, component_files, demo_config
from kit.export.onnx import write_onnx
from kit.records import Answer
from tests import tiny

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "build" / "runtime"
PAGE = ROOT / "spaces" / "sentiment" / "web" / "index.html"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MAX_LENGTH = 16
SAMPLES = [
    Answer(id="1", text="A kind film.", label="positive", predicted="positive", probability=0.934),
    Answer(id="2", text="Not good.", label="negative", predicted="negative", probability=0.75),
]


def require(condition: object, reason: str) -> None:
    """Skip the test where something is missing; fail it in CI, where nothing may be."""
    if condition:
        return
    if os.environ.get("KIT_CI") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def runtime() -> Path:
    """Return the folder with the npm runtime."""
    require(
        browser_runtime.is_complete(RUNTIME),
        "no browser runtime: run `python -m kit.browser.runtime build/runtime`",
    )
    return RUNTIME


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start the system's chromium."""
    found = shutil.which("chromium")
    require(found, "no chromium on PATH: install the system's package of that name")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Export a real BERT classifier of two layers with random weights, as kit exports."""
    folder = tmp_path_factory.mktemp("export")
    model = tiny.classifier(folder)
    example = tiny.tokenizer()(
        ["a kind film", "not good"], return_tensors="pt", padding=True, return_token_type_ids=True
    )
    write_onnx(model, dict(example), folder)
    return folder


@dataclass
class Site:
    """The Space's page, served below a sub-path of 127.0.0.1."""

    folder: Path
    origin: str = ""
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"{self.origin}/some/sub/path/"

    def write(self, name: str = "demo.json", **changes: Any) -> None:
        """Write a demo.json, the usual one but for the changes."""
        size = sum(
            (self.folder / "models" / "0a1b2c" / file).stat().st_size
            for file in MODEL_FILES["classifier"]
        )
        settings: dict[str, Any] = {
            "title": "Sentiment",
            "labels": ("negative", "positive"),
            "max_length": MAX_LENGTH,
            "samples": SAMPLES,
            "model_path": "models/0a1b2c",
            "model_bytes": size,
        }
        config = demo_config(**{**settings, **changes})
        (self.folder / name).write_text(json.dumps(config), "utf-8")


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *args: Any, site: Site, **kwargs: Any) -> None:
        self.site = site
        super().__init__(*args, **kwargs)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        self.site.asked.append(self.path)


@pytest.fixture(scope="module")
def site(
    chromium: Browser, runtime: Path, model_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Serve the Space's page with its component, the runtime and the model."""
    # chromium comes first, so that without one no model is exported in vain.
    root = tmp_path_factory.mktemp("www")
    site = Site(root / "some" / "sub" / "path")
    shutil.copytree(model_folder, site.folder / "models" / "0a1b2c")
    with served(site, root, "classifier", PAGE, runtime):
        site.write()
        yield site


@contextmanager
def served(site: Site, root: Path, component: str, page: Path, runtime: Path) -> Iterator[None]:
    """Serve a folder of ``root`` as a Space: its page, the component's files and the runtime."""
    (site.folder / "runtime").symlink_to(runtime)
    for name, path in {**component_files(component), "index.html": page}.items():
        shutil.copyfile(path, site.folder / name)
    handler = partial(_Handler, site=site, directory=str(root))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site.origin = f"http://127.0.0.1:{server.server_port}"
    yield
    server.shutdown()
    server.server_close()


@dataclass
class Reader:
    """One browser profile, and what was heard of it."""

    context: BrowserContext
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        hear = self.complaints.append
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.context.on("console", lambda message: hear(message.text))
        self.context.on("weberror", lambda error: hear(str(error.error)))
        self.context.on("dialog", lambda dialog: hear(dialog.message))


@pytest.fixture(scope="module")
def regular(chromium: Browser) -> Iterator[Reader]:
    """Return a profile that all tests of a module share: what one caches, the next one finds."""
    context = chromium.new_context()
    yield Reader(context)
    context.close()


@pytest.fixture
def page(regular: Reader) -> Iterator[Page]:
    """Open a page in the shared profile."""
    page = regular.context.new_page()
    yield page
    page.close()


@pytest.fixture
def stranger(chromium: Browser) -> Iterator[Reader]:
    """Return a fresh profile, for what must find nothing cached or makes errors on purpose."""
    context = chromium.new_context()
    yield Reader(context)
    context.close()
