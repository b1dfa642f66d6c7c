"""How good is the built site? Lighthouse, axe, the HTML checker, links, weight of a page.

    npm install --ignore-scripts --prefix TOOLS lighthouse axe-core vnu-jar
    kit site build
    python benchmarks/site.py --tools TOOLS            # a table; --only axe,weight for a part

The site is served on loopback with gzip, below the path of its address, as a static host would.
Needs chromium, node and, for the HTML checker, Java on PATH.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from kit.project import Project, find_project

FLAGS = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
TEXT = {".html", ".css", ".js", ".mjs", ".json", ".svg", ".xml", ".xsl", ".txt"}
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
SCORED = ("", "recipes/sentiment/", "recipes/sentiment/results/")
LOOKED_AT = (
    *SCORED,
    *("recipes/", "recipes/sentiment/data/", "recipes/sentiment/get/", "recipes/commit_messages/"),
    *("recipes/commit_messages/results/", "blog/", "blog/tags/", "ideas/", "measure/"),
    *("guides/first-recipe/", "reference/cli/"),
)
SIZES = {"phone": (390, 844), "desktop": (1366, 900)}
LARGEST = 600_000


@dataclass
class Host:
    """The site on loopback; ``sent`` counts the bytes of bodies as they went out."""

    folder: Path
    prefix: str
    origin: str = ""
    sent: int = 0
    packed: dict[Path, bytes] = field(default_factory=dict)

    def url(self, page: str) -> str:
        """Return the address of a page."""
        return f"{self.origin}{self.prefix}{page}"


class _Handler(SimpleHTTPRequestHandler):
    host: Host

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        inner = path.removeprefix(self.host.prefix) if path.startswith(self.host.prefix) else None
        file = self.host.folder / (inner or "")
        if file.is_dir():
            file = file / "index.html"
        if inner is None or not file.is_file():
            self.send_error(404)
            return
        body = self.host.packed.get(file)
        if body is None:
            body = file.read_bytes()
            if file.suffix in TEXT:
                body = gzip.compress(body, 6)
            self.host.packed[file] = body
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(file)))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")
        if file.suffix in TEXT:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)
        self.host.sent += len(body)


@contextmanager
def served(project: Project) -> Iterator[Host]:
    """Serve ``build/site`` until the block ends."""
    host = Host(project.build / "site", urlsplit(project.site_url).path)
    handler = type("Handler", (_Handler,), {"host": host})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host.origin = f"http://127.0.0.1:{server.server_port}"
    yield host
    server.shutdown()


def lighthouse(host: Host, tools: Path, runs: int) -> list[str]:
    """Score pages with the mobile profile, the median of some runs; return what is below 95."""
    bad = []
    print(f"{'Lighthouse, mobile':36} {'  '.join(CATEGORIES)}")
    for page in SCORED:
        reports = [_report(host.url(page), tools) for _ in range(runs)]
        scored = [[_score(report, name) for name in CATEGORIES] for report in reports]
        medians = [int(median(column)) for column in zip(*scored, strict=True)]
        print(
            f"{page or 'home':36} "
            + "  ".join(f"{s:>{len(c)}}" for s, c in zip(medians, CATEGORIES, strict=True))
        )
        bad += [
            f"{page}: {name} {score}"
            for name, score in zip(CATEGORIES, medians, strict=True)
            if score < 95
        ]
        for audit in sorted({audit for report in reports for audit in _failed(report)}):
            print(f"    {audit}")
    return bad


def _report(url: str, tools: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        subprocess.run(
            [
                "node",
                str(tools / "node_modules/lighthouse/cli/index.js"),
                url,
                f"--chrome-flags={' '.join(FLAGS)}",
                *("--output=json", f"--output-path={path}", "--quiet"),
                "--no-enable-error-reporting",
            ],
            check=True,
            env=_environment(),
        )
        report: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return report


def _score(report: dict[str, Any], category: str) -> int:
    score: float = report["categories"][category]["score"]
    return round(100 * score)


def _failed(report: dict[str, Any]) -> Iterator[str]:
    """Yield what weighs in a score and is not nearly full."""
    for name in CATEGORIES:
        for ref in report["categories"][name]["auditRefs"]:
            audit = report["audits"][ref["id"]]
            if audit["scoreDisplayMode"] in ("notApplicable", "manual"):
                continue
            if ref["weight"] and (audit["score"] or 0) < 0.9:
                yield f"{name}: {ref['id']}"


def axe(host: Host, tools: Path, browser: Browser, pages: tuple[str, ...]) -> list[str]:
    """Look for violations in both schemes and sizes, with search and drawer open too."""
    script = (tools / "node_modules/axe-core/axe.min.js").read_text("utf-8")
    found: Counter[str] = Counter()
    first: dict[str, str] = {}
    looked = 0
    for size, (width, height) in SIZES.items():
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
                reduced_motion="reduce",
            )
            for path in pages:
                for state in ("plain", "search", "drawer"):
                    if state == "drawer" and size == "desktop":
                        continue
                    if state != "plain" and path not in SCORED:
                        continue
                    page = context.new_page()
                    page.goto(host.url(path))
                    _open(page, state)
                    page.evaluate(script)
                    result = page.evaluate("axe.run()")
                    looked += 1
                    for violation in result["violations"]:
                        for node in violation["nodes"]:
                            seen = f"{violation['id']}: {scheme}: {node['html'][:110]}"
                            found[seen] += 1
                            first.setdefault(seen, f"{size} {state} {path or 'home'}")
                    page.close()
            context.close()
    print(f"axe: {sum(found.values())} violations in {looked} states of {len(pages)} pages")
    return [f"{count} x {seen}, first on {first[seen]}" for seen, count in found.most_common()]


def _open(page: Page, state: str) -> None:
    if state == "search":
        page.evaluate("document.getElementById('__search').click()")
        page.locator(".md-search__input").press_sequentially("model")
        page.locator(".md-search-result__item").first.wait_for()
        page.wait_for_timeout(400)
    elif state == "drawer":
        page.evaluate("document.getElementById('__drawer').click()")
        page.wait_for_timeout(400)


def weight(host: Host, browser: Browser) -> list[str]:
    """Count the bytes of each page before the reader asks for the model."""
    bad = []
    for path in LOOKED_AT:
        context = browser.new_context(viewport={"width": 390, "height": 844})
        page = context.new_page()
        host.sent = 0
        page.goto(host.url(path), wait_until="networkidle")
        print(f"{path or 'home':36} {host.sent / 1000:7.0f} kB")
        if host.sent > LARGEST:
            bad.append(f"{path}: {host.sent} bytes")
        context.close()
    return bad


def markup(host: Host, tools: Path) -> list[str]:
    """Return the errors of the Nu HTML checker."""
    jar = tools / "node_modules/vnu-jar/build/dist/vnu.jar"
    result = subprocess.run(
        ["java", "-jar", str(jar), "--skip-non-html", "--errors-only", str(host.folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    errors = result.stderr.strip().splitlines()
    pages = len(list(host.folder.rglob("*.html")))
    print(f"Nu HTML checker: {len(errors)} errors on {pages} pages")
    return errors


def links(project: Project) -> list[str]:
    """Return the broken links, as the project's own check finds them."""
    result = subprocess.run(
        ["sh", str(project.root / "tests" / "links.sh")],
        capture_output=True,
        text=True,
        check=False,
    )
    print(f"links: {(result.stdout or result.stderr).strip().splitlines()[-1]}")
    return [] if result.returncode == 0 else [result.stdout]


def main() -> int:
    """Print the table; the status is 1 where something falls short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", type=Path, required=True)
    parser.add_argument("--only", default="lighthouse,axe,html,links,weight")
    parser.add_argument("--runs", type=int, default=3, help="of Lighthouse on a page; odd")
    parser.add_argument("--few", action="store_true", help="axe on home, post and results alone")
    arguments = parser.parse_args()
    wanted = arguments.only.split(",")
    project = find_project(Path.cwd())
    bad: list[str] = []
    with served(project) as host, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        if "lighthouse" in wanted:
            bad += lighthouse(host, arguments.tools, arguments.runs)
        if "axe" in wanted:
            pages = SCORED if arguments.few else LOOKED_AT
            bad += axe(host, arguments.tools, browser, pages)
        if "weight" in wanted:
            bad += weight(host, browser)
        if "html" in wanted:
            bad += markup(host, arguments.tools)
        if "links" in wanted:
            bad += links(project)
        browser.close()
    print("\n".join(bad))
    return 1 if bad else 0


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "CHROME_PATH": shutil.which("chromium") or ""}


if __name__ == "__main__":
    sys.exit(main())
