"""The site: hand-written pages of ``site/``, recipe pages from records, the model in the page.

    build/docs   what MkDocs reads: a copy of site/ and the generated Markdown
    build/site   what a reader gets

A recipe's pages come from the run that matches its present settings where that has finished,
else from the committed ``results/``. Without model files on this machine the page shows the
recorded answers and says so.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from kit.browser.component import FILES, component_files
from kit.browser.runtime import fetch, is_complete
from kit.errors import InputError
from kit.files import copy_file, tree
from kit.project import Project
from kit.recipe import find_recipe, recipe_names
from kit.sites.pages import RecipePages, home_cards, recipe_pages

Nav = list[dict[str, Any]]


def build_site(project: Project, progress: Callable[[str, int, int | None], None]) -> Path:
    """Write ``build/docs`` and build it, strictly, into ``build/site``; return that folder.

    Raises:
        InputError: no mkdocs.yml or site/, or MkDocs found a fault and named it.
    """
    for wanted in ("mkdocs.yml", "site/index.md"):
        if not (project.root / wanted).is_file():
            raise InputError(f"expected {wanted} in {project.root}, found none; `kit init` has one")
    docs = project.build / "docs"
    shutil.rmtree(docs, ignore_errors=True)
    shutil.copytree(project.root / "site", docs)
    found: list[RecipePages] = []
    for name in recipe_names(project.root):
        progress(f"pages of {name}", len(found), None)
        made = recipe_pages(project, find_recipe(project.root, name), docs)
        if made is not None:
            found.append(made)
    _component(docs, project, any(made.has_model for made in found))
    _home(docs / "index.md", found)
    progress("mkdocs", 0, None)
    _mkdocs(project, docs, [*_nav(found), *_written(project.root / "site")])
    return project.build / "site"


def serve_site(project: Project, port: int) -> None:
    """Serve ``build/site`` on loopback until stopped."""
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    handler = partial(SimpleHTTPRequestHandler, directory=project.build / "site")
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    print(f"http://127.0.0.1:{server.server_port}/")  # noqa: T201
    with suppress(KeyboardInterrupt):
        server.serve_forever()


def _component(docs: Path, project: Project, has_model: bool) -> None:
    """Copy the components, and the runtime where a page has a model to run."""
    for component in FILES:
        for name, path in component_files(component).items():
            copy_file(path, docs / "assets" / "kit" / name)
    if has_model:
        runtime = project.build / "runtime"
        if not is_complete(runtime):
            fetch(runtime)
        for path in tree(runtime):
            copy_file(path, docs / "assets" / "runtime" / path.relative_to(runtime))


def _home(page: Path, found: list[RecipePages]) -> None:
    text = page.read_text("utf-8").replace("<!-- recipes -->", home_cards(found))
    page.unlink()
    page.write_text(text, "utf-8")


def _nav(found: list[RecipePages]) -> Nav:
    recipes: Nav = [{"Home": "index.md"}]
    for made in found:
        folder = f"recipes/{made.name}"
        recipes.append(
            {
                made.name.replace("_", " ").capitalize(): [
                    {"Post": f"{folder}/index.md"},
                    {"Results": f"{folder}/results.md"},
                    {"Data": f"{folder}/data.md"},
                    {"Reproduce": f"{folder}/reproduce.md"},
                ]
            }
        )
    return recipes


def _written(site: Path) -> Nav:
    """Return the folders of hand-written pages, each a tab of its own."""
    return [
        {folder.name.capitalize(): [path.relative_to(site).as_posix() for path in pages]}
        for folder in sorted(site.iterdir())
        if folder.is_dir() and (pages := sorted(folder.glob("*.md")))
    ]


def _mkdocs(project: Project, docs: Path, nav: Nav) -> None:
    """Build strictly: MkDocs counts its warnings and names the faults on stderr."""
    import logging

    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config
    from mkdocs.exceptions import MkDocsException

    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    logger = logging.getLogger("mkdocs")
    logger.addHandler(handler)
    try:
        config = load_config(
            str(project.root / "mkdocs.yml"),
            docs_dir=str(docs),
            site_dir=str(project.build / "site"),
            site_url=project.site_url,
            nav=nav,
            strict=True,
        )
        build(config)
    except MkDocsException as error:
        raise InputError(f"expected a site without faults, got: {error}") from error
    finally:
        logger.removeHandler(handler)
