"""A folder for recipes, and a recipe that runs: ``kit init`` and ``kit new``.

    kit init my-models && cd my-models
    kit new moods --data notes.csv --text-column body --label-column mood --license cc-by-4.0
    kit run moods

The files come from ``kit/skeleton/`` and belong to the creator from then on. Without ``--data`` the
recipe gets rows made from a few phrases, so that the whole chain can be tried before there is data.
"""

from __future__ import annotations

import datetime
import json
import random
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kit.errors import InputError
from kit.files import write_atomically
from kit.project import MARK, Project
from kit.recipe import NAME

SKELETON = Path(__file__).parent / "skeleton"
MOST_LABELS = 20
EXAMPLES = 420
LONGEST_SAMPLE = 160
MOST_SAMPLES = 6


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
    data: Path | None,
    columns: Mapping[str, str],
    license_id: str | None,
) -> list[Path]:
    """Write ``recipes/<name>/`` and ``spaces/<name>/``; return the paths of the files.

    Args:
        project: where to.
        name: of the recipe: a-z, 0-9 and _.
        data: a file of labelled texts, copied beside the recipe; None for made-up rows.
        columns: our "text" and "label" to the file's columns.
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
    rows = _read(data, columns) if data else _example_rows()
    file = data.name if data else "rows.jsonl"
    values = {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "slug": name.replace("_", "-"),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "data": _literal(f"data/{file}"),
        "license": _literal(license_id or ("unknown" if data else "cc0-1.0")),
        "labels": ", ".join(_literal(label) for label in sorted({label for _, label in rows})),
        "samples": [_literal(text) for text in _samples(rows)],
        "columns": {field: _literal(column) for field, column in columns.items()},
        "made_up": data is None,
        "language": project.language,
    }
    content = data.read_bytes() if data else _jsonl(rows).encode()
    write_atomically(recipe / "data" / file, content)
    for source in sorted(p for p in (SKELETON / "recipe").rglob("*") if p.is_file()):
        path = source.relative_to(SKELETON / "recipe")
        place = space / path.relative_to("space") if path.parts[0] == "space" else recipe / path
        if source.suffix == ".jinja":
            text = _filled(source, values)
            write_atomically(place.with_suffix(""), text.encode())
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)
    return sorted(p for folder in (recipe, space) for p in folder.rglob("*") if p.is_file())


def _read(data: Path, columns: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the texts of a file with their labels; refuse what is no classification."""
    from kit.data.labels import as_text
    from kit.data.sources import read_rows

    found = ((as_text(row["text"]), as_text(row["label"])) for row in read_rows(data, columns))
    rows = [row for row in found if all(row)]
    labels = sorted({label for _, label in rows})
    if not 2 <= len(labels) <= MOST_LABELS:
        raise InputError(
            f"expected 2 to {MOST_LABELS} different labels in {data}, got {len(labels)} "
            f"({', '.join(labels[:5])}); name the column with --label-column"
        )
    return rows


def _samples(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Return a short text of each label, to show on pages."""
    chosen: dict[str, str] = {}
    for text, label in rows:
        if len(text) <= LONGEST_SAMPLE or label not in chosen:
            chosen.setdefault(label, " ".join(text.split())[:LONGEST_SAMPLE])
    return [chosen[label] for label in sorted(chosen)][:MOST_SAMPLES]


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


def _example_rows() -> list[tuple[str, str]]:
    """Return made-up rows, the same every time: what users write to a help desk."""
    phrases = json.loads((SKELETON / "phrases.json").read_text("utf-8"))
    draw = random.Random(11)
    rows: dict[str, str] = {}
    labels = sorted(phrases)
    while len(rows) < EXAMPLES:
        label = labels[len(rows) % len(labels)]
        rows.setdefault(" ".join(draw.choice(part) for part in phrases[label]), label)
    return list(rows.items())


def _jsonl(rows: Sequence[tuple[str, str]]) -> str:
    return "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows)


def _literal(text: str) -> str:
    """Return a text as Python writes it, in double quotes."""
    return json.dumps(text, ensure_ascii=False)
