"""Notebook and script: what they hold, and that they train to the run's numbers without kit.

The notebook of the real starter recipe takes minutes; it is run where KIT_SLOW=1 is set::

    KIT_SLOW=1 python -m pytest tests/test_notebook.py -k starter
"""

from __future__ import annotations

import ast
import json
import os
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest

import kit.prompts
from kit.errors import GateError, InputError
from kit.pipeline import run_stages
from kit.records import EvaluationRecord, Record
from kit.rendering import CLOSE, OPEN, Ledger, look_up, python_literal, show
from kit.runs import Run
from kit.sites.pages import recipe_pages
from kit.tasks import implementation
from kit.tasks.text_classification.pages import context
from kit.tasks.text_generation.loading import Prompting, load_tokenizer, read_split
from kit.writing.notebook import (
    NOTEBOOK,
    SCRIPT,
    UNRECORDED,
    read_cells,
    requirements,
    tutorial_pages,
)
from kit.writing.pages import load_records
from tests.bundles import unpacked, without_kit
from tests.conftest import silent
from tests.test_hostile_texts import HOSTILE, copied_records
from tests.test_rendering import perturbed
from tests.tiny import ROOT

Finished = tuple[Run, dict[str, Record]]
SOURCES = sorted((ROOT / "kit" / "tasks").glob("*/tutorial.py"))
SLOW = os.environ.get("KIT_SLOW") == "1"


@pytest.fixture(params=["finished", "commits"])
def run(request: pytest.FixtureRequest) -> Run:
    """Return a finished toy run, of each task; tests must not change it."""
    found: Finished = request.getfixturevalue(request.param)
    return found[0]


def notebook(run: Run) -> Any:
    return nbformat.read(run.folder / "pages" / NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]


def settings(folder: Path) -> dict[str, Any]:
    """Return the SETTINGS of a script."""
    for node in ast.parse((folder / SCRIPT).read_text("utf-8")).body:
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "SETTINGS":
            assert node.value is not None
            found: dict[str, Any] = ast.literal_eval(node.value)
            return found
    raise AssertionError("no SETTINGS")


# -- what they hold


def test_the_notebook_is_valid_and_cleared(run: Run) -> None:
    raw = json.loads((run.folder / "pages" / NOTEBOOK).read_text("utf-8"))
    assert (raw["nbformat"], raw["nbformat_minor"]) == (4, 5)
    assert raw["metadata"].keys() == {"kernelspec", "language_info"}
    nbformat.validate(raw)
    for cell in raw["cells"]:
        assert cell["metadata"] == {}
        assert cell["cell_type"] == "markdown" or (cell["outputs"], cell["execution_count"]) == (
            [],
            None,
        )
    ids = [cell["id"] for cell in raw["cells"]]
    assert len(set(ids)) == len(ids)


def test_the_badges_lead_to_the_model_repo(run: Run) -> None:
    first = notebook(run).cells[0].source
    assert re.findall(r"\]\((https://huggingface\.co/[^)]*)\)", first) == [
        "https://huggingface.co/ann/toy/colab",
        "https://huggingface.co/ann/toy/kaggle",
    ]


def test_notebook_and_script_have_the_same_cells(run: Run) -> None:
    script = read_cells((run.folder / "pages" / SCRIPT).read_text("utf-8"))
    cells = notebook(run).cells
    own = {0, 1, 2}  # The badges, and what installs.
    assert cells[2].source.startswith("%pip install ")
    assert [c.source for i, c in enumerate(cells) if i not in own] == [
        cell.text for cell in script[1:]
    ]
    assert cells[0].source.endswith(script[0].text)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.parent.name)
def test_the_source_imports_nothing_of_kit(source: Path) -> None:
    tree = ast.parse(source.read_text("utf-8"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {n.name for node in ast.walk(tree) if isinstance(node, ast.Import) for n in node.names}
    assert [name for name in names if name and name.partition(".")[0] == "kit"] == []


def test_the_script_says_what_it_needs_at_the_recorded_versions(run: Run) -> None:
    text = (run.folder / "pages" / SCRIPT).read_text("utf-8")
    block = re.search(r"(?m)^# /// script$\s(?P<content>(^#(| .*)$\s)+)^# ///$", text)
    assert block
    lines = [line[2:] if line.startswith("# ") else line[1:] for line in block[1].splitlines()]
    needs = tomllib.loads("\n".join(lines))
    versions = json.loads((run.folder / "checkpoint.json").read_text())["versions"]
    assert f"torch=={versions['torch'].partition('+')[0]}" in needs["dependencies"]
    assert f"transformers=={versions['transformers']}" in needs["dependencies"]
    assert any(name.startswith("scikit-learn>=") for name in needs["dependencies"])
    assert ("tool" in needs) == versions["torch"].endswith("+cpu")


def test_bounds_that_no_record_pins_are_kits_own() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    own = {re.split("[<>=]", name)[0]: name for name in project["dependencies"]}
    for name, bound in UNRECORDED.items():
        assert own[name].startswith(name + bound)


def test_a_gpu_run_takes_torch_from_where_everybody_does() -> None:
    assert requirements("import torch", {"torch": "2.13.0+cu130"})[-1] == "torch==2.13.0"


def test_the_prompt_is_kits_own_word_for_word(commits: Finished) -> None:
    text = (commits[0].folder / "pages" / SCRIPT).read_text("utf-8")
    own = Path(kit.prompts.__file__).read_text("utf-8").partition("annotations\n\n")[2]
    assert own.strip() in text
    assert text.count("from __future__") == 1


def test_other_records_change_every_number_of_the_tutorial(run: Run, tmp_path: Path) -> None:
    pages = implementation(run.recipe.task.kind).render(run)
    folder = copied_records(run, tmp_path / "records")
    for file in folder.iterdir():
        other = perturbed(json.loads(file.read_text()))
        # Minutes of a toy's training round to the same tenth.
        other |= {"seconds": other["seconds"] + 600} if "seconds" in other else {}
        file.write_text(json.dumps(other))
    changed = Run(run.project, run.recipe, run.preset_name, run.preset, folder)
    after, ledger = implementation(run.recipe.task.kind).render(changed)
    for page in (NOTEBOOK, SCRIPT):
        entries = [entry for entry in ledger.entries if entry.page == page]
        old = [entry for entry in pages[1].entries if entry.page == page]
        assert len(entries) > 15
        place = 0
        for entry in entries:
            assert show(look_up(ledger.records[entry.record], entry.pointer), entry.form)
            place = after[page].find(entry.text, place)
            assert place >= 0, entry
        same = [b.pointer for a, b in zip(old, entries, strict=True) if a.text == b.text]
        assert [name for name in same if "dropout" not in name and "smoothing" not in name] == []


def test_a_digit_that_no_record_vouches_for_is_refused_in_its_text(finished: Finished) -> None:
    run, _ = finished
    ledger = Ledger(load_records(run.folder))
    values = context(run.project, run.recipe, dict(ledger.records))
    source = "# %% [markdown]\n# About 91 of 100.\n\n# %% settings\nSETTINGS = {}\n"
    with pytest.raises(GateError, match=r"notebook\.ipynb, line 1: expected numbers by num"):
        tutorial_pages(source, ledger, values, {})
    with pytest.raises(InputError, match="expected a cell '# %% settings'"):
        tutorial_pages("# %%\nx = 1\n", ledger, values, {})


@pytest.mark.parametrize(
    "value",
    [*HOSTILE, list(HOSTILE), {text: {"x": [text, None, True, 0.5]} for text in HOSTILE}, "# %%\n"],
)
def test_any_text_is_the_same_text_as_a_setting(value: Any) -> None:
    written = python_literal(value).removeprefix(OPEN).removesuffix(CLOSE)
    assert OPEN not in written
    assert ast.literal_eval(written) == value


def test_a_title_of_any_length_is_one_heading_and_no_cell(finished: Finished) -> None:
    run, _ = finished
    title = "Long words " * 30 + "# %% import os `x` <script> {{ x }}\n# %%\nraise SystemExit"
    recipe = replace(run.recipe, title=title)
    pages, _ = implementation(recipe.task.kind).render(replace(run, recipe=recipe))
    cells = read_cells(pages[SCRIPT])
    wanted = read_cells((run.folder / "pages" / SCRIPT).read_text("utf-8"))
    assert [cell.kind for cell in cells] == [cell.kind for cell in wanted]
    assert [c.text for c in cells if c.kind == "code"] == [
        c.text for c in wanted if c.kind == "code"
    ]
    assert "<script>" not in cells[0].text


def test_a_run_that_no_script_can_tell_has_no_tutorial_and_no_link(
    run: Run, tmp_path: Path
) -> None:
    folder = copied_records(run, tmp_path / "records")
    record = json.loads((folder / "checkpoint.json").read_text())
    (folder / "checkpoint.json").write_text(json.dumps({**record, "method": "lora"}))
    changed = Run(run.project, run.recipe, run.preset_name, run.preset, folder)
    pages, _ = implementation(run.recipe.task.kind).render(changed)
    assert {NOTEBOOK, SCRIPT} & pages.keys() == set()
    assert "tutorial.py" not in pages["post.md"] + pages["model-card.md"] + pages["reproduce.md"]


# -- where they go


def test_the_model_repo_and_the_site_carry_both(run: Run, tmp_path: Path) -> None:
    model = run.folder / "assembly" / "model"
    recipe_pages(run.project, run.recipe, tmp_path / "docs")
    site = tmp_path / "docs" / "recipes" / "toy"
    for name in (NOTEBOOK, SCRIPT):
        wanted = (run.folder / "pages" / name).read_bytes()
        assert (model / name).read_bytes() == wanted
        assert (site / name).read_bytes() == wanted
        assert f"({name})" in (site / "index.md").read_text("utf-8")


def test_a_base_beside_the_recipe_goes_with_the_model_and_another_does_not(
    finished: Finished, commits: Finished
) -> None:
    own, elsewhere = (found[0].folder / "assembly" / "model" for found in (commits, finished))
    assert settings(own)["base"]["repo_id"] == "ann/toy"
    assert (own / "base" / "model.safetensors").is_file()
    assert settings(elsewhere)["base"]["repo_id"] is None
    assert not (elsewhere / "base").exists()


# -- what they do


def execute(path: Path) -> Any:
    """Run a notebook from its first cell to its last in its own folder; return it."""
    from nbclient import NotebookClient

    made = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    resources = {"metadata": {"path": str(path.parent)}}
    return NotebookClient(made, timeout=3000, resources=resources).execute()


def inside(folder: Path, record: Record) -> bool:
    """Tell whether what a tutorial measured lies in the interval of the record."""
    assert isinstance(record, EvaluationRecord)
    found = json.loads((folder / "trained" / "results.json").read_text())
    wanted = record.systems["tuned"][record.headline]
    assert found["n"] == wanted.n
    assert found["recorded"]["value"] == wanted.value
    return found["inside"] is (wanted.low <= found["value"] <= wanted.high) is True


@pytest.mark.parametrize("name", ["finished", "commits"])
def test_the_notebook_runs_from_its_first_cell_to_its_last(
    name: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, records = request.getfixturevalue(name)
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    folder = unpacked(run, tmp_path)
    execute(folder / NOTEBOOK)
    assert inside(folder, records["evaluate"])


@pytest.mark.parametrize("name", ["finished", "commits"])
def test_the_script_trains_from_the_bundle_alone(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    run, records = request.getfixturevalue(name)
    folder = unpacked(run, tmp_path)
    found = without_kit(folder, "ASKED['test']" if name == "commits" else "LABELS")
    assert found.code == 0, found.err
    assert "inside the recorded interval" in found.out
    assert inside(folder, records["evaluate"])
    assert (folder / "trained" / "model.safetensors").is_file()
    if name == "commits":
        asking = Prompting.load(run.folder / "checkpoint")
        tokenizer = load_tokenizer(run.folder / "checkpoint")
        assert found.value == [asking.prompt(d, tokenizer) for d in read_split(run, "test").diffs]


def test_rows_that_are_not_the_recorded_ones_are_refused_in_one_line(
    finished: Finished, tmp_path: Path
) -> None:
    folder = unpacked(finished[0], tmp_path)
    (folder / "data" / "train.parquet").write_bytes(b"PAR1")
    found = without_kit(folder)
    assert found.code == 1
    assert "Traceback" not in found.err
    assert "train.parquet with sha256" in found.err.splitlines()[-1]


def test_a_base_that_is_nowhere_is_said_in_one_line(finished: Finished, tmp_path: Path) -> None:
    folder = unpacked(finished[0], tmp_path)
    for path in (folder / "base").iterdir():
        path.unlink()
    found = without_kit(folder)
    assert found.code == 1
    assert "name it by --base" in found.err.splitlines()[-1]


@pytest.mark.skipif(not SLOW, reason="minutes of training; KIT_SLOW=1 runs it")
def test_the_starter_notebook_of_sentiment_runs_to_the_recorded_number(tmp_path: Path) -> None:
    from kit.choosing import choose_run
    from kit.project import find_project

    made = choose_run(find_project(ROOT), "sentiment")
    record = [found for _, found, _ in run_stages(made, silent, last="write")][2]
    folder = unpacked(made, tmp_path)
    execute(folder / NOTEBOOK)
    assert inside(folder, record)
