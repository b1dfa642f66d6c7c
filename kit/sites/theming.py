"""The theme of the site: our ``main.html``, and Material's templates with their faults mended.

    folders = theme_folders(project)     # what MkDocs searches before Material's own templates

Material's templates have a few faults that the HTML checker and axe name. A copy of each template
with the one line changed stands in ``build/mended`` and is searched first; the package's stay as
they are, and a line that a later version has mended by itself is simply not found.
"""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path

from kit.files import write_atomically
from kit.project import Project

HERE = Path(__file__).parent
WEB = HERE / "web"
MENDED: dict[str, tuple[tuple[str, str], ...]] = {
    # autocomplete is for fields that take text, not for boxes to tick.
    "base.html": (('type="checkbox" id="__{}" autocomplete="off"', 'type="checkbox" id="__{}"'),),
    # A dialog has a name.
    "partials/search.html": (
        ('role="dialog"', 'role="dialog" aria-label="{{ lang.t(\'search\') }}"'),
    ),
    # An empty tabindex is none.
    "partials/nav-item.html": (
        (' tabindex="{{ tabindex }}"', '{% if tabindex %} tabindex="{{ tabindex }}"{% endif %}'),
        ("    {{ nav_item.title }}\n", "    {{ nav_item.title | e }}\n"),
        # Where a section has an index page, the label that is referred to holds an icon alone.
        ('aria-labelledby="{{ path }}_label"', 'aria-label="{{ nav_item.title | e }}"'),
    ),
    # The index page of a section has no box that this label could tick.
    "partials/toc.html": (
        (' for="__toc"', '{% if not (page.is_index and page.parent) %} for="__toc"{% endif %}'),
    ),
    # MkDocs' templates do not escape, and a title is text.
    "partials/header.html": (
        ("{{ page.meta.title }}", "{{ page.meta.title | e }}"),
        ("{{ page.title }}", "{{ page.title | e }}"),
    ),
    # A heading cell without a word is no heading.
    "partials/content.html": (
        ("{{ page.content }}", "{{ page.content | replace('<th></th>', '<td></td>') }}"),
    ),
    "partials/tabs-item.html": (("{{ ref.title }}", "{{ ref.title | e }}"),),
}


def theme_folders(project: Project) -> list[Path]:
    """Write the theme below ``build``; return its folders, the first searched first."""
    theme, mended = project.build / "theme", project.build / "mended"
    for folder in (theme, mended):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE / "theme", theme)
    own = project.root / "theme"
    if own.is_dir():
        shutil.copytree(own, theme, dirs_exist_ok=True)
    templates = _material()
    for name, changes in MENDED.items():
        text = (templates / name).read_text("utf-8")
        write_atomically(mended / name, mend(text, changes).encode())
    return [theme, mended]


def mend(text: str, changes: tuple[tuple[str, str], ...]) -> str:
    """Return a template with its lines changed; ``{}`` stands for the drawer and the search."""
    for old, new in changes:
        for name in ("drawer", "search") if "{}" in old else ("",):
            text = text.replace(old.replace("{}", name), new.replace("{}", name))
    return text


def _material() -> Path:
    return Path(str(import_module("material").__file__)).parent / "templates"
