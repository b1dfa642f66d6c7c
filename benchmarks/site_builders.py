"""Two builders, one set of pages; and what kit adds to the time of a build.

    python -m venv Z && Z/bin/pip install zensical
    kit site build
    python benchmarks/site_builders.py compare --zensical Z/bin/zensical
    python benchmarks/site_builders.py grow --recipes 10,20,40

``compare`` builds ``build/mkdocs.yml`` with Zensical into a folder of its own and holds its pages
against those of MkDocs: the same addresses, the same first heading, the same words of the content.
``grow`` copies the recipes of this project under new names, five pages each, and times
``kit site build`` against MkDocs alone on the same ``build/docs``, by turns, in seconds of
processor time, which a busy machine stretches less; of each the least of ``--repeat`` counts.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from html.parser import HTMLParser
from pathlib import Path

import yaml

from kit.project import Project, find_project
from kit.sites.building import build_site

VOID = {"br", "hr", "img", "input", "link", "meta", "source", "wbr", "path", "use", "circle"}
SKIPPED = {"script", "style", "svg", "noscript"}


class Article(HTMLParser):
    """The words of a page's ``<article>``, and its first heading."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.heading = ""
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what is open."""
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close it."""
        while tag in self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Take the words of the article."""
        if "article" not in self._open or SKIPPED & set(self._open):
            return
        self.words += data.replace("¶", " ").split()
        if "h1" in self._open:
            self.heading = f"{self.heading} {data.replace('¶', ' ').strip()}".strip()


def compare(project: Project, zensical: Path) -> int:
    """Build with Zensical and print what differs; return the number of differences."""
    ours = project.build / "site"
    with tempfile.TemporaryDirectory(dir=project.build) as folder:
        other = Path(folder) / "site"
        config = yaml.safe_load((project.build / "mkdocs.yml").read_text("utf-8"))
        path = project.build / "zensical.yml"
        path.write_text(
            yaml.safe_dump({**config, "site_dir": str(other.relative_to(project.build))}), "utf-8"
        )
        before = time.perf_counter()
        result = subprocess.run(
            [str(zensical), "build", "--config-file", str(path), "--clean"],
            cwd=project.build,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - before
        if not other.is_dir():
            print(result.stdout, result.stderr)
            return 1
        version = subprocess.run(
            [str(zensical), "--version"], capture_output=True, text=True, check=True
        ).stdout.strip()
        print(f"{version}: {seconds:.2f} s, exit status {result.returncode}")
        return _differences(ours, other)


def _differences(ours: Path, other: Path) -> int:
    pages, others = (
        {p.relative_to(f) for f_ in (f,) for p in f_.rglob("*.html")} for f in (ours, other)
    )
    said = [f"only with MkDocs: {page}" for page in sorted(pages - others)]
    said += [f"only with Zensical: {page}" for page in sorted(others - pages)]
    for page in sorted(pages & others):
        a, b = (Article((folder / page).read_text("utf-8")) for folder in (ours, other))
        if not a.words:
            said.append(f"{page}: no words found in it")
        if _graph(ours / page) != _graph(other / page):
            said.append(f"{page}: another JSON-LD graph")
        if a.heading != b.heading:
            said.append(f"{page}: heading {a.heading!r} against {b.heading!r}")
        if a.words != b.words:
            at = next(
                (i for i, (x, y) in enumerate(zip(a.words, b.words, strict=False)) if x != y),
                min(len(a.words), len(b.words)),
            )
            near = [" ".join(words[max(0, at - 2) : at + 6]) for words in (a.words, b.words)]
            said.append(f"{page}: {len(a.words)} and {len(b.words)} words; {near}")
    print(f"{len(pages & others)} pages in both, {len(said)} differences")
    print("\n".join(said))
    files, other_files = (
        {p.relative_to(f).as_posix() for f_ in (f,) for p in f_.rglob("*") if p.is_file()}
        for f in (ours, other)
    )
    for name, rest in (("MkDocs", files - other_files), ("Zensical", other_files - files)):
        outside = sorted(
            n for n in rest if not n.startswith(("assets/javascripts", "assets/styles"))
        )
        print(f"files only with {name}: {', '.join(outside[:12]) or 'none'}")
    return len(said)


def _graph(page: Path) -> object:
    """Return the JSON-LD of a page."""
    found = re.search(
        r'<script type="application/ld\+json">(.*?)</script>', page.read_text("utf-8")
    )
    return json.loads(found[1]) if found else None


def grow(project: Project, counts: list[int], repeat: int) -> int:
    """Print seconds for growing numbers of recipes; return 1 where kit adds more than a fifth."""
    slow = 0
    print("recipes  pages  kit site build  mkdocs alone  ratio")
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            copy = _copied(project, Path(folder) / "project", count)
            commands = (
                [sys.executable, "-m", "kit", "site", "build"],
                [sys.executable, "-m", "mkdocs", "build", "-q", "-f", "build/mkdocs.yml"],
            )
            turns = [[_seconds(command, copy) for command in commands] for _ in range(repeat)]
            times = [min(column) for column in zip(*turns, strict=True)]
            pages = len(list((copy / "build" / "docs" / "recipes").rglob("*.md")))
        ratio = times[0] / times[1]
        slow += ratio > 1.2
        print(f"{count:7} {pages:6} {times[0]:15.1f} {times[1]:13.1f} {ratio:6.2f}")
    return 1 if slow else 0


def _seconds(command: list[str], folder: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, env=_environment(), check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _copied(project: Project, root: Path, count: int) -> Path:
    """Write a project of ``count`` recipes made of the accepted results of this one's."""
    shutil.copytree(project.root / "site", root / "site")
    for name in ("kit.toml", "mkdocs.yml"):
        shutil.copyfile(project.root / name, root / name)
    sources = sorted(p.parent for p in (project.root / "recipes").glob("*/recipe.py"))
    for source in sources:
        shutil.copytree(source, root / "recipes" / source.name)
    for number in range(count - len(sources)):
        source = sources[number % len(sources)]
        target = root / "recipes" / f"copy_{number}"
        shutil.copytree(source, target)
        text = (target / "recipe.py").read_text("utf-8")
        text = re.sub(rf'name="{source.name}"', f'name="copy_{number}"', text)
        (target / "recipe.py").write_text(text, "utf-8")
    return root


def _environment() -> dict[str, str]:
    here = str(Path.cwd())
    return {**os.environ, "PYTHONPATH": here, "NO_MKDOCS_2_WARNING": "1"}


def main() -> int:
    """Run the part that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["compare", "grow"])
    parser.add_argument("--zensical", type=Path, default=Path("zensical"))
    parser.add_argument("--recipes", default="10,20,40")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    project = find_project(Path.cwd())
    if arguments.part == "compare":
        build_site(project, lambda what, done, total: None)
        return 1 if compare(project, arguments.zensical) else 0
    return grow(project, [int(count) for count in arguments.recipes.split(",")], arguments.repeat)


if __name__ == "__main__":
    sys.exit(main())
