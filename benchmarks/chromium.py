"""A page in Chromium that runs an exported model: what the measurements of a browser share.

::

    with served("generator", export, runtime) as url, chromium() as browser:
        page = browser.new_page()
        page.goto(url)  # empty; worker and runtime/ are beside it, the model in models/measured/
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.browser.component import component_files
from kit.errors import InputError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium.

    Raises:
        InputError: there is none on PATH.
    """
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium")
    if found is None:
        raise InputError(
            "expected chromium on PATH, found none; install the system's package of that name, "
            "or give --no-browser"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def served(component: str, folder: Path, runtime: Path) -> Iterator[str]:
    """Serve an empty page with a component, the runtime and a model beside it; yield its URL."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        (root / "index.html").write_text('<!doctype html><link rel="icon" href="data:,">')
        for name, path in component_files(component).items():
            (root / name).symlink_to(path.resolve())
        (root / "runtime").symlink_to(runtime.resolve())
        (root / "models").mkdir()
        (root / "models" / "measured").symlink_to(folder.resolve())
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=temporary))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep requests off stderr."""
