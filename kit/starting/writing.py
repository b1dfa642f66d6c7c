"""The files of a new project and of a new recipe, from ``kit/skeleton/``."""

from __future__ import annotations

import datetime
import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.errors import InputError
from kit.files import write_atomically
from kit.project import MARK, Project
from kit.recipe import NAME
from kit.starting import rows

SKELETON = Path(__file__).parents[1] / "skeleton"


@dataclass(frozen=True)
class Task:
    """How a recipe of a task begins: its columns' usual names, a look at a file, made-up rows."""

    columns: Mapping[str, str]
    look: Callable[[Path, Mapping[str, str]], rows.Start]
    made_up: Callable[[], bytes]


TASKS = {
    "text_classification": Task(
        {"text": "text", "label": "label"}, rows.labelled_texts, rows.made_up_texts
    ),
    "text_generation": Task(
        {"text": "diff", "label": "message"}, rows.commits, rows.made_up_commits
    ),
}


def start_project(folder: Path, owner: str) -> list[Path]:
    """Write ``kit.toml``, ``mkdocs.yml``, ``site/index.md`` and ``.gitignore``; return the paths.

    Raises:
        InputError: the folder is a project already, or one of the files is there.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,95}", owner):
        raise InputError(f"expected the name of an account on the Hub for --owner, got {owner!r}")
    names = {"kit.toml.jinja": MARK, "mkdocs.yml.jinja": "mkdocs.yml"}
    names |= {"index.md": "site/index.md", "gitignore": ".gitignore"}
    for name in names.values():
        if (folder / name).exists():
            raise InputError(f"{folder / name} is there already; choose another folder")
    values = {"owner": owner, "name": folder.resolve().name}
    for source, name in names.items():
        text = _filled(SKELETON / "project" / source, values)
        write_atomically(folder / name, text.encode())
    return [folder / name for name in names.values()]


def start_recipe(
    project: Project,
    name: str,
    kind: str,
    data: Path | None,
    columns: Mapping[str, str],
    license_id: str | None,
) -> list[Path]:
    """Write ``recipes/<name>/`` and ``spaces/<name>/``; return the paths of the files.

    Args:
        project: where to.
        name: of the recipe: a-z, 0-9 and _.
        kind: of the task, a key of ``TASKS``.
        data: a file of rows, copied beside the recipe; None for made-up ones.
        columns: our "text" and "label" to columns of ``data``; one left out has its usual name.
        license_id: of the data, a Hub id.

    Raises:
        InputError: a name or a file that cannot be used, or a recipe of that name is there.
    """
    if not NAME.fullmatch(name):
        raise InputError(f"expected a recipe name of a-z, 0-9 and _, got {name!r}")
    recipe, space = project.root / "recipes" / name, project.root / "spaces" / name
    for folder in (recipe, space):
        if folder.exists():
            raise InputError(
                f"{folder} is there already; choose another name, or edit what is there"
            )
    if data is None and (columns or license_id):
        raise InputError("expected --data with the options that describe it, got no file; add it")
    task = TASKS[kind]
    named = {**task.columns, **columns}
    place = recipe / "data" / (data.name if data else "rows.jsonl")
    if data:
        start = task.look(data, named)
        write_atomically(place, data.read_bytes())
    else:
        write_atomically(place, task.made_up())
        start = task.look(place, named)
    values = {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "slug": name.replace("_", "-"),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "data": _literal(f"data/{place.name}"),
        "license": _literal(license_id or ("unknown" if data else "cc0-1.0")),
        "labels": ", ".join(map(_literal, start.labels)),
        "samples": [_literal(text) for text in start.samples],
        "group": _literal(start.group) if start.group else None,
        "columns": {field: _literal(column) for field, column in named.items()},
        "made_up": data is None,
        "language": project.language,
    }
    for source, path in _skeleton(kind):
        of_space = path.parts[0] == "space"
        place = space / path.relative_to("space") if of_space else recipe / path
        _put(source, place, values)
    return sorted(p for folder in (recipe, space) for p in folder.rglob("*") if p.is_file())


def _skeleton(kind: str) -> list[tuple[Path, Path]]:
    """Return the files of a recipe and where each goes: what all have, and the task's own."""
    folders = (SKELETON / "recipe", SKELETON / kind)
    return [
        (source, source.relative_to(folder))
        for folder in folders
        for source in sorted(folder.rglob("*"))
        if source.is_file()
    ]


def _put(source: Path, place: Path, values: Mapping[str, Any]) -> None:
    """Write a file of the skeleton: filled in where it is a template, else as it is."""
    if source.suffix == ".jinja":
        write_atomically(place.with_suffix(""), _filled(source, values).encode())
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)


def _filled(source: Path, values: Mapping[str, Any]) -> str:
    """Return a template filled in; its marks are not Jinja's own, which prose needs for itself."""
    import jinja2

    made = jinja2.Environment(
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return made.from_string(source.read_text("utf-8")).render(values)


def _literal(text: str) -> str:
    """Return a text as Python writes it, in double quotes."""
    return json.dumps(text, ensure_ascii=False)
