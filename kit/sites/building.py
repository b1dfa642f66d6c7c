"""The site: hand-written pages of ``site/``, recipe pages from records, the model in the page.

    build/docs         what is built: a copy of site/ and the generated Markdown
    build/mkdocs.yml   the project's mkdocs.yml with docs, navigation and theme: any builder's input
    build/site         what a reader gets

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

from kit.browser.component import FILES, component_files
from kit.browser.runtime import fetch, is_complete
from kit.errors import InputError
from kit.files import copy_file, tree, write_atomically
from kit.project import Project
from kit.recipe import find_recipe, recipe_names
from kit.sites.listing import picture, write_listings
from kit.sites.metadata import complete
from kit.sites.navigation import navigation
from kit.sites.pages import RecipePages, recipe_pages
from kit.sites.theming import WEB, theme_folders

Progress = Callable[[str, int, int | None], None]


def build_site(project: Project, progress: Progress) -> Path:
    """Write ``build/docs`` and build it, strictly, into ``build/site``; return that folder.

    Raises:
        InputError: no mkdocs.yml or site/, or MkDocs found a fault and named it.
    """
    config = write_docs(project, progress)
    progress("mkdocs", 0, None)
    _mkdocs(config, theme_folders(project))
    return project.build / "site"


def write_docs(project: Project, progress: Progress) -> Path:
    """Write ``build/docs`` and ``build/mkdocs.yml``; return the latter.

    Raises:
        InputError: no mkdocs.yml or site/.
    """
    for wanted in ("mkdocs.yml", "site/index.md"):
        if not (project.root / wanted).is_file():
            raise InputError(f"expected {wanted} in {project.root}, found none; `kit init` has one")
    docs, site = project.build / "docs", project.root / "site"
    shutil.rmtree(docs, ignore_errors=True)
    for path in tree(WEB):
        copy_file(path, docs / "assets" / path.relative_to(WEB))
    shutil.copytree(site, docs, dirs_exist_ok=True)
    found: list[RecipePages] = []
    for name in recipe_names(project.root):
        progress(f"pages of {name}", len(found), None)
        made = recipe_pages(project, find_recipe(project.root, name), docs, picture(project))
        if made is not None:
            found.append(made)
    _component(docs, project, any(made.has_model for made in found))
    write_listings(project, found, docs)
    for path in tree(docs):
        if path.suffix == ".md" and (site / path.relative_to(docs)).is_file():
            complete(project, path, _address(path.relative_to(docs)), picture(project))
    return _config(project, found)


def serve_site(
    project: Project,
    port: int,
    progress: Progress,
    say: Callable[[dict[str, str], list[str]], None],
) -> None:
    """Build the site and serve it on loopback until stopped; the port is taken first.

    ``say`` is told where, as values and as lines, once the site is built.

    Raises:
        InputError: the port is taken, or is none.
    """
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    handler = partial(SimpleHTTPRequestHandler, directory=project.build / "site")
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except (OSError, OverflowError) as error:
        raise InputError(f"cannot serve on port {port}: {error}; choose another --port") from error
    with server:
        build_site(project, progress)
        url = f"http://127.0.0.1:{server.server_port}/"
        say({"url": url}, [url])
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


def _address(page: Path) -> str:
    """Return where a page of ``docs`` is, below the site's address."""
    folder = page.parent if page.name == "index.md" else page.with_suffix("")
    return "" if folder == Path() else f"{folder.as_posix()}/"


def _config(project: Project, found: list[RecipePages]) -> Path:
    """Write the configuration that adds to the project's own what was generated."""
    import yaml

    values = {
        "INHERIT": "../mkdocs.yml",
        "site_url": project.site_url,
        "docs_dir": "docs",
        "site_dir": "site",
        "theme": {"custom_dir": "theme"},
        "nav": navigation(found, project.root / "site"),
    }
    path = project.build / "mkdocs.yml"
    write_atomically(path, yaml.safe_dump(values, sort_keys=False).encode())
    return path


def _mkdocs(config: Path, themes: list[Path]) -> None:
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
        loaded = load_config(str(config), strict=True)
        loaded.theme.dirs[1:1] = [str(folder) for folder in themes[1:]]
        # What MkDocs' own command does: the feed's plugin prepares itself there.
        loaded.plugins.on_startup(command="build", dirty=False)
        build(loaded)
        loaded.plugins.on_shutdown()
    except MkDocsException as error:
        raise InputError(f"expected a site without faults, got: {error}") from error
    finally:
        logger.removeHandler(handler)
