"""Three strangers look at a publication: one downloads it, one pastes the snippets, one opens it.

None of them has a token. Each says what it found as a ``Finding``; nothing is raised.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kit.errors import HubError, KitError
from kit.files import sha256
from kit.hub.answers import translated
from kit.hub.client import Hub
from kit.publishing.asking import ask_gradio
from kit.publishing.planning import RepoPlan
from kit.records import Answer

SNIPPET = re.compile(r"```python\n(.*?)```", re.DOTALL)
SNIPPET_SECONDS = 300
BROWSER_SECONDS = 90
CHROMIUM = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]


@dataclass(frozen=True)
class Finding:
    """What a stranger did, whether it held, and what was seen. ``held`` None: could not look."""

    what: str
    held: bool | None
    said: str

    def document(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return asdict(self)


def found_by(what: str, look: Callable[[], str]) -> Finding:
    """Look; a KitError is a finding too."""
    try:
        return Finding(what, True, look())
    except KitError as error:
        return Finding(what, False, str(error))


def download(hub: Hub, plan: RepoPlan) -> str:
    """Download a whole repo without a token and compare every byte.

    Raises:
        HubError: strangers do not see it, or a file is missing or differs.
    """
    from huggingface_hub import snapshot_download

    with tempfile.TemporaryDirectory() as folder:
        got = Path(
            translated(
                f"{plan.repo} was downloaded",
                lambda: snapshot_download(
                    plan.repo.id,
                    repo_type=plan.repo.kind,
                    endpoint=hub.endpoint,
                    token=False,
                    cache_dir=folder,
                ),
            )
        )
        for entry in plan.files:
            path = got / entry.path
            if not path.is_file() or sha256(path) != entry.sha256:
                raise HubError(f"{plan.repo}: {entry.path} did not come back as it was sent")
    return f"{len(plan.files)} files, byte for byte"


def paste_snippets(hub: Hub, card: Path) -> str:
    """Run each Python snippet of a card as it stands, in a process and a home of its own.

    Raises:
        HubError: one ended with an error.
    """
    snippets = SNIPPET.findall(card.read_text("utf-8"))
    said = ""
    for snippet in snippets:
        with tempfile.TemporaryDirectory() as home:
            said = _run(snippet, home, hub.endpoint)
    return f"{len(snippets)} ran; the last said: {said}" if snippets else "the card has none"


def _run(snippet: str, home: str, endpoint: str) -> str:
    kept = {
        key: os.environ[key] for key in ("PATH", "LANG", "OMP_NUM_THREADS") if key in os.environ
    }
    environment = {
        **kept,
        "HOME": home,
        "HF_HOME": f"{home}/hf",
        "HF_ENDPOINT": endpoint,
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-c", snippet],
            cwd=home,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SNIPPET_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise HubError(f"a snippet ran for more than {SNIPPET_SECONDS} seconds") from error
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    last = lines[-1][:200] if lines else "nothing"
    if done.returncode:
        raise HubError(f"a snippet of the card ended with: {last}")
    return last


def open_gradio(hub: Hub, plan: RepoPlan, sample: Answer) -> str:
    """Ask the Gradio Space the recorded sample.

    Raises:
        HubError: its answer is another.
    """
    address = hub.address(plan.repo)
    if address is None:
        raise HubError(f"the Hub does not say where {plan.repo} is served")
    return _compared(ask_gradio(address, None, sample.text), sample)


def open_page(hub: Hub, plan: RepoPlan, sample: Answer) -> str | None:
    """Open the static Space in Chromium, load the model there, and ask it the recorded sample.

    Returns:
        What was seen; None where there is no Chromium or no playwright here.

    Raises:
        HubError: its answer is another, or the page did not come to one.
    """
    address, browser = hub.address(plan.repo), shutil.which("chromium")
    if browser is None or find_spec("playwright") is None:
        return None
    # In a notebook an event loop runs in this thread, which playwright does not share.
    with ThreadPoolExecutor(max_workers=1) as pool:
        said = pool.submit(_answered_by_page, f"{address}/", browser, sample.text).result()
    return _compared(said, sample)


def _answered_by_page(address: str, browser: str, text: str) -> str:
    """Return the verdict that the page at an address gives on a text."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        chromium = None
        try:
            chromium = playwright.chromium.launch(executable_path=browser, args=CHROMIUM)
            page = chromium.new_page()
            page.set_default_timeout(1000 * BROWSER_SECONDS)
            page.goto(address)
            page.get_by_role("button", name="Load the model").click()
            page.locator("[data-state=ready]").wait_for()
            page.locator("textarea").fill(text)
            page.locator("textarea").press("Control+Enter")
            page.locator(".kc-origin", has_text="Computed here in").wait_for()
            return page.locator(".kc-verdict").inner_text()
        except Error as error:
            line = str(error).splitlines()[0]
            raise HubError(f"the page at {address} came to no answer: {line}") from error
        finally:
            if chromium is not None:
                chromium.close()


def _compared(said: str, sample: Answer) -> str:
    said = " ".join(said.split())
    if not said.startswith(" ".join(sample.predicted.split())):
        raise HubError(f"it answers {said!r} where {sample.predicted!r} was measured")
    return f"it answers {said!r}, as measured"
