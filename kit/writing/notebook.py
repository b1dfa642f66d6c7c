"""The notebook and the single-file script of a run, both from one source in percent format.

The source is ``kit/tasks/<kind>/tutorial.py``, a file that ruff and mypy read like any other. Its
Markdown cells are templates: their numbers come from records and enter the ledger. Its code cells
are printed as they are, as a fenced block is on a page, but for those filled in: ``settings``,
whose numbers enter the ledger too, and what a task puts in the place of others by name::

    pages = tutorial_pages(source, ledger, values, {"prompts": "def render(..."})
    pages["notebook.ipynb"], pages["tutorial.py"]

Only what a script of this length can train is written: all weights, on messages or labels.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from kit.errors import InputError
from kit.hub.remote import Repo
from kit.project import Project
from kit.recipe import HubModel, LocalModel, Recipe
from kit.records import CheckpointRecord
from kit.rendering import Ledger, render, render_text

NOTEBOOK, SCRIPT = "notebook.ipynb", "tutorial.py"
README, ATTRIBUTION = "bundle/README.md", "bundle/ATTRIBUTION.md"
TUTORIAL_PAGES = (NOTEBOOK, SCRIPT, README, ATTRIBUTION)
MARKDOWN = "[markdown]"
BEGIN = re.compile(r"^# %%(.*)$", re.MULTILINE)
DISTRIBUTIONS = {"sklearn": "scikit-learn"}
"""Where a module is not called as what one installs."""
UNRECORDED = {
    "huggingface_hub": ">=2,<3",
    "pyarrow": ">=16",
    "scikit-learn": ">=1.5",
    "trl": ">=1.10",
}
"""Bounds of what no record pins; a test holds them against kit's own."""
TRAINING = (
    *("epochs", "batch_size", "learning_rate", "weight_decay", "warmup", "scheduler", "patience"),
    *("max_length", "label_smoothing", "dropout", "freeze_embeddings", "seed"),
)
"""The settings of a training that a tutorial reads."""
PLATFORM = frozenset(["torch", "numpy"])
"""What Colab and Kaggle bring, built for their machines."""
BADGES = {
    "Colab": "https://colab.research.google.com/assets/colab-badge.svg",
    "Kaggle": "https://kaggle.com/static/images/open-in-kaggle.svg",
}
CPU_INDEX = """\
#
# # The run was on a CPU. On Linux, PyPI's torch brings CUDA, several gigabytes of it, so torch is
# # taken from its CPU index there. With an NVIDIA GPU, delete these lines.
# [tool.uv.sources]
# torch = [{ index = "pytorch-cpu", marker = "sys_platform == 'linux'" }]
#
# [[tool.uv.index]]
# name = "pytorch-cpu"
# url = "https://download.pytorch.org/whl/cpu"
# explicit = true
"""


@dataclass(frozen=True)
class Cell:
    """One cell: Markdown without its comment signs, or code. ``name`` follows ``# %%``."""

    kind: Literal["markdown", "code"]
    name: str
    text: str


def tutorial_settings(
    project: Project, recipe: Recipe, checkpoint: CheckpointRecord, **more: Any
) -> dict[str, Any] | None:
    """Return what a tutorial is set to besides its records; None where there can be none.

    A script of this length trains all weights, in full precision, on rows. ``more`` is the task's.
    """
    made = (checkpoint.method, checkpoint.objective, checkpoint.quantization)
    if made != ("full", "sft", None):
        return None
    base = base_settings(project, recipe, checkpoint)
    return {"base": base, "training": TRAINING, "more": more}


def base_settings(project: Project, recipe: Recipe, checkpoint: CheckpointRecord) -> dict[str, Any]:
    """Return where a tutorial finds the base model, and what its files must be.

    A base that lies beside the recipe is pushed in ``base/`` of the model's repo. One that lies
    elsewhere is named by ``--base``.
    """
    base = checkpoint.base
    known = [preset.base for preset in recipe.presets.values()]
    if base.kind == "hub":
        same = (b for b in known if isinstance(b, HubModel) and b.repo_id == base.name)
        found = next((b for b in same if b.revision in {None, base.revision}), None)
        return {
            "name": base.name,
            "repo_id": base.name,
            "folder": "",
            "revision": base.revision,
            "sha256": dict(found.sha256) if found else {},
            "mirror": found.mirror if found else None,
        }
    own = [b for b in known if isinstance(b, LocalModel) and b.beside]
    pushed = any(base.name in {b.name, Path(b.path).name} for b in own)
    return {
        "name": base.name,
        "repo_id": f"{project.owner}/{recipe.slug}" if pushed else None,
        "folder": "base/",
        "revision": None,
        "sha256": {"model.safetensors": base.revision},
        "mirror": None,
    }


def tutorial_pages(
    source: str, ledger: Ledger, values: Mapping[str, Any], filled: Mapping[str, str]
) -> dict[str, str]:
    """Return notebook, script, and the README and attribution of the bundle, by path.

    Args:
        source: the text of a task's ``tutorial.py``.
        ledger: receives every number.
        values: what templates see; ``tutorial`` is None where there is nothing to write.
        filled: code that takes the place of cells, by name.

    Raises:
        GateError: a digit in a Markdown cell that no record vouches for.
        InputError: a cell to be filled is not in the source.
    """
    if values["tutorial"] is None:
        return {}
    checkpoint = values["checkpoint"]
    versions = checkpoint.versions
    wanted = requirements(source, versions)
    cpu = versions.get("torch", "").endswith("+cpu")
    values = {
        **values,
        "requirements": wanted,
        "cpu_index": cpu,
        "weights": _weights(checkpoint),
    }
    read = read_cells(source)
    pages = {page: _filled(read, page, ledger, values, filled) for page in (NOTEBOOK, SCRIPT)}
    return {
        NOTEBOOK: notebook(pages[NOTEBOOK], values["repo_id"], wanted),
        SCRIPT: script(pages[SCRIPT], wanted, cpu),
        README: render("tutorial/readme.md.jinja", README, ledger, **values),
        ATTRIBUTION: render("tutorial/attribution.md.jinja", ATTRIBUTION, ledger, **values),
    }


def read_cells(source: str) -> list[Cell]:
    """Return the cells of a source in percent format; what stands before the first is left out."""
    begins = list(BEGIN.finditer(source))
    ends = [*(found.start() for found in begins[1:]), len(source)]
    return [
        _cell(found[1].strip(), source[found.end() : end].strip("\n"))
        for found, end in zip(begins, ends, strict=True)
    ]


def requirements(source: str, versions: Mapping[str, str]) -> list[str]:
    """Return what a source needs installed, at the versions of the record where it has them.

    >>> requirements("import torch\\nimport sklearn", {"torch": "2.13.0+cpu"})
    ['accelerate', 'scikit-learn>=1.5', 'torch==2.13.0']
    """
    # The trainer of transformers needs accelerate and does not import it by that name.
    modules = {"accelerate"}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            modules |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module.partition(".")[0])
    modules -= {*sys.stdlib_module_names, "prompts"}
    names = sorted(DISTRIBUTIONS.get(module, module) for module in modules)
    return [name + _version(name, versions) for name in names]


def notebook(cells: Sequence[Cell], repo_id: str, wanted: Sequence[str]) -> str:
    """Return a notebook of format 4.5 without outputs and without anybody's metadata.

    The ids of its cells are their places, so that the same records are the same bytes. Its badges
    lead to the Hub's own addresses for ``notebook.ipynb`` of a model repo.
    """
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    title = replace(cells[0], text=f"{badges(repo_id)}\n\n{cells[0].text}")
    made = [title, *_installation(wanted), *cells[1:]]
    new: Any = {"markdown": new_markdown_cell, "code": new_code_cell}
    whole = new_notebook(  # type: ignore[no-untyped-call]
        cells=[new[c.kind](c.text, id=f"cell-{n:02}") for n, c in enumerate(made, 1)],
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )
    nbformat.validate(whole)
    text: str = nbformat.writes(whole)  # type: ignore[no-untyped-call]
    return text.rstrip("\n") + "\n"


def badges(repo_id: str) -> str:
    """Return the two badges: the Hub opens the repo's ``notebook.ipynb`` at these addresses."""
    hub = Repo("model", repo_id).url()
    return "\n".join(
        f"[![Open in {name}]({image})]({hub}/{name.lower()})" for name, image in BADGES.items()
    )


def script(cells: Sequence[Cell], wanted: Sequence[str], cpu: bool) -> str:
    """Return one Python file: what it needs as PEP 723 has it, then the cells in percent format."""
    needs = "".join(f'#   "{name}",\n' for name in wanted)
    head = (
        f'# /// script\n# requires-python = ">=3.11"\n# dependencies = [\n{needs}# ]\n'
        f"{CPU_INDEX if cpu else ''}# ///\n"
    )
    return head + "".join(f"\n{_percent(cell)}\n" for cell in cells)


def _percent(cell: Cell) -> str:
    if cell.kind == "code":
        return f"# %% {cell.name}".rstrip() + f"\n{cell.text}\n"
    lines = (f"# {line}".rstrip() for line in cell.text.split("\n"))
    return "\n".join([f"# %% {MARKDOWN}", *lines])


def _cell(name: str, text: str) -> Cell:
    if name != MARKDOWN:
        return Cell("code", name, text)
    return Cell("markdown", "", "\n".join(re.sub("^# ?", "", line) for line in text.split("\n")))


def _weights(checkpoint: CheckpointRecord) -> int:
    """Return the position among the checkpoint's files of the largest, its weights."""
    sizes = [file.bytes for file in checkpoint.files]
    return sizes.index(max(sizes))


def _version(name: str, versions: Mapping[str, str]) -> str:
    if name in versions:
        return "==" + versions[name].partition("+")[0]
    return UNRECORDED.get(name, "")


def _filled(
    cells: Sequence[Cell],
    page: str,
    ledger: Ledger,
    values: Mapping[str, Any],
    filled: Mapping[str, str],
) -> list[Cell]:
    missing = {"settings", *filled} - {cell.name for cell in cells}
    if missing:
        raise InputError(f"expected a cell '# %% {sorted(missing)[0]}' in the tutorial, found none")
    found = []
    for cell in cells:
        text = filled.get(cell.name, cell.text)
        if cell.kind == "markdown":
            text = _wrapped(render_text(cell.text, page, ledger, **values))
        elif cell.name == "settings":
            text = render("tutorial/settings.py.jinja", page, ledger, **values)
        found.append(replace(cell, text=text.strip("\n")))
    return found


def _wrapped(text: str) -> str:
    """Return Markdown of headings and paragraphs with its lines filled, as numbers left them."""
    return "\n\n".join(
        part
        if part.startswith("#")
        else textwrap.fill(part, 97, break_long_words=False, break_on_hyphens=False)
        for part in text.strip().split("\n\n")
    )


def _installation(wanted: Sequence[str]) -> list[Cell]:
    names = " ".join(f'"{name}"' for name in wanted if re.split("[=<>]", name)[0] not in PLATFORM)
    said = (
        "## What it needs\n\nColab and Kaggle bring torch; the rest is taken at the versions of "
        "the recorded run. Where all of it is installed, this does nothing."
    )
    line = f"%pip install --quiet --disable-pip-version-check {names}"
    return [Cell("markdown", "", said), Cell("code", "", line)]
