"""The exact folders to push: a model repo, a dataset repo, a static Space, a Gradio Space.

Each function fills an empty folder from files that other stages left. Large files are hard links.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kit.errors import InputError
from kit.files import copy_file, tree, write_atomically
from kit.hub.remote import Repo
from kit.runs import Run
from kit.spaces.bundling import TUTORIAL

SPACE_KEYS = frozenset(
    [
        "title",
        "emoji",
        "colorFrom",
        "colorTo",
        "sdk",
        "sdk_version",
        "python_version",
        "app_file",
        "models",
        "datasets",
        "license",
        "short_description",
        "suggested_hardware",
        "thumbnail",
    ]
)


def model_repo(
    folder: Path,
    card: Path,
    checkpoint: Path,
    export: Path,
    records: Iterable[Path],
    modules: Iterable[Path] = (),
    base: Iterable[Path] = (),
) -> None:
    """Lay out card, figures, weights, tokenizer, ONNX files, records, and modules that answer.

    Notebook and script stand beside the card where they were written, and then ``base``, the files
    of a base model that is nowhere on the Hub, in a folder of that name.
    """
    _card(folder, card)
    for module in modules:
        copy_file(module, folder / module.name)
    tutorial = [path for name in TUTORIAL if (path := card.parent / name).is_file()]
    for path in tutorial:
        copy_file(path, folder / path.name)
    for path in base if tutorial else ():
        copy_file(path, folder / "base" / path.name)
    for source in (checkpoint, export):
        for path in tree(source):
            copy_file(path, folder / path.relative_to(source))
    for record in records:
        copy_file(record, folder / "records" / record.name)


def dataset_repo(folder: Path, card: Path, data: Path, records: Iterable[Path]) -> None:
    """Lay out card and Parquet files, as the card's ``configs`` name them."""
    copy_file(card, folder / "README.md")
    for path in sorted(data.glob("*.parquet")):
        copy_file(path, folder / "data" / path.name)
    for record in records:
        copy_file(record, folder / "records" / record.name)


def static_space(
    folder: Path,
    readme: str,
    page: Path,
    component: Mapping[str, Path],
    runtime: Path,
    export: Path,
    model_files: Iterable[str],
    model_path: str,
    config: dict[str, Any],
) -> None:
    """Lay out a page that runs the model in the browser, with everything from its own origin.

    ``model_path`` is relative to the page and holds a hash: browsers keep what a path once gave.

    Raises:
        InputError: the recipe's Space folder has no page.
    """
    if not page.is_file():
        raise InputError(f"expected {page} for the static Space, found none")
    write_atomically(folder / "README.md", readme.encode())
    copy_file(page, folder / "index.html")
    for name, path in component.items():
        copy_file(path, folder / name)
    for path in tree(runtime):
        copy_file(path, folder / "runtime" / path.relative_to(runtime))
    _model(folder / model_path, export, model_files)
    write_atomically(folder / "demo.json", _json(config))


def gradio_space(
    folder: Path,
    readme: str,
    source: Path,
    modules: Iterable[Path],
    export: Path,
    model_files: Iterable[str],
    config: dict[str, Any],
) -> None:
    """Lay out a Gradio app that stands alone: app, requirements, its modules, the int8 model.

    Raises:
        InputError: the recipe's Space folder has no app.py or requirements.txt.
    """
    write_atomically(folder / "README.md", readme.encode())
    for name in ("app.py", "requirements.txt"):
        if not (source / name).is_file():
            raise InputError(f"expected {source / name} for the Gradio Space, found none")
        copy_file(source / name, folder / name)
    for module in modules:
        copy_file(module, folder / module.name)
    _model(folder / "model", export, model_files)
    write_atomically(folder / "demo.json", _json(config))


def hub_links(run: Run) -> dict[str, str]:
    """Return where model, data and post will stand."""
    name = f"{run.project.owner}/{run.recipe.slug}"
    return {
        "model_url": Repo("model", name).url(),
        "dataset_url": Repo("dataset", f"{name}-data").url(),
        "post_url": run.project.address(f"recipes/{run.recipe.name}/"),
    }


def space_data(run: Run, sdk: str) -> dict[str, Any]:
    """Return a Space's configuration; ``sdk`` is static or gradio."""
    name = f"{run.project.owner}/{run.recipe.slug}"
    gradio = {
        "sdk_version": importlib.metadata.version("gradio"),
        "python_version": "3.12",
        "app_file": "app.py",
    }
    return {
        "title": run.recipe.title,
        "emoji": run.recipe.emoji,
        "colorFrom": run.recipe.color,
        "colorTo": "gray",
        "sdk": sdk,
        **(gradio if sdk == "gradio" else {"app_file": "index.html"}),
        "license": run.project.license,
        **({"thumbnail": picture} if (picture := _picture(run)) else {}),
        "short_description": run.recipe.title[:60],
        "models": [name],
        "datasets": [f"{name}-data"],
    }


def _picture(run: Run) -> str | None:
    """Return the address of the picture to share, None where only this machine has the site."""
    page = hub_links(run)["post_url"]
    here = urlsplit(page).hostname in {None, "127.0.0.1", "localhost", "::1"}
    return None if here else f"{page}social/og.png"


def space_readme(data: Mapping[str, Any], text: str) -> str:
    """Return a Space's README: its configuration as YAML, and a paragraph.

    Raises:
        InputError: a key that the Hub does not know for Spaces.
    """
    import yaml

    unknown = sorted(set(data) - SPACE_KEYS)
    if unknown:
        raise InputError(f"a Space's README has no key {unknown[0]!r}")
    head = yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True)
    return f"---\n{head}---\n\n{text}\n"


def _model(folder: Path, export: Path, names: Iterable[str]) -> None:
    for name in names:
        copy_file(export / name, folder / name)


def _card(folder: Path, card: Path) -> None:
    copy_file(card, folder / "README.md")
    for figure in sorted((card.parent / "figures").glob("*.svg")):
        if f"figures/{figure.name}" in card.read_text("utf-8"):
            copy_file(figure, folder / "figures" / figure.name)


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()
