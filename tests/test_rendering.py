"""Pages follow from records: every number by the ledger, no other digit."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import jinja2
import pytest

from kit.errors import GateError
from kit.records import CheckpointRecord, EvaluationRecord, Record
from kit.rendering import Ledger, environment, look_up, render, show
from kit.runs import Run
from kit.tasks.text_classification.pages import PAGES, render_pages
from kit.writing import social
from kit.writing.notebook import ATTRIBUTION, TUTORIAL_PAGES
from kit.writing.pages import RECORDS, as_bytes, run_options

Finished = tuple[Run, dict[str, Record]]


@pytest.fixture
def evaluation(finished: Finished) -> EvaluationRecord:
    record = finished[1]["evaluate"]
    assert isinstance(record, EvaluationRecord)
    return record


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of templates that ``render`` reads first."""
    folder = tmp_path / "templates"
    folder.mkdir()
    loaded = environment(folder)
    monkeypatch.setattr("kit.rendering.environment", lambda: loaded)
    return folder


def copied_records(run: Run, folder: Path) -> Path:
    """Copy the records that pages are rendered from."""
    folder.mkdir()
    for file, _ in RECORDS.values():
        shutil.copyfile(run.folder / file, folder / file)
    return folder


# -- the ledger


def test_a_number_enters_the_ledger_with_its_record_and_pointer(
    evaluation: EvaluationRecord, templates: Path
) -> None:
    (templates / "t.md").write_text('Of {{ num("evaluation", "n", "int") }} rows.\n')
    ledger = Ledger({"evaluation": evaluation})
    assert render("t.md", "post.md", ledger) == f"Of {evaluation.n} rows.\n"
    (entry,) = ledger.entries
    assert entry.model_dump() == {
        "page": "post.md",
        "record": "evaluation",
        "pointer": "n",
        "form": "int",
        "text": str(evaluation.n),
    }


@pytest.mark.parametrize(
    "line",
    [
        "It is right on 91 of them.",
        "About 0.9.",
        "**3**",
        "| 4 |",
        "less < 5 and > of it",
        '{{ "7" }}',
        '{{ say("prose with an 8") }}',
    ],
)
def test_a_stray_digit_is_refused_with_its_page_and_line(templates: Path, line: str) -> None:
    (templates / "t.md").write_text(f"# Title\n\n{line}\n")
    with pytest.raises(GateError, match=r"post\.md, line 3: expected numbers by num"):
        render("t.md", "post.md", Ledger({}))


def test_digits_of_code_dates_names_and_links_are_allowed(templates: Path) -> None:
    text = (
        "On 2026-01-02 `v1` of int8, [a](x1.md) <b id='h2'>b</b> https://a.example/3 the\n\n"
        "```\n4\n```\n\n95 % interval"
    )
    (templates / "t.md").write_text(text)
    assert render("t.md", "post.md", Ledger({})) == text + "\n"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ headlin }}", "'headlin' is undefined"),
        ('{{ say("Say {{ verdict.x }}.") }}', r"prose that begins 'Say .*'verdict' is undefined"),
        ('{{ say("{% if %}") }}', "prose that begins"),
        ("{% include 'none.md' %}", r"none\.md"),
        ('{{ num("evaluatio", "n", "int") }}', "did you mean 'evaluation'"),
        ('{{ num("evaluation", "systems.tuned.acuracy.value", "") }}', "found nothing"),
        ('{{ num("evaluation", "split", "") }}', "got 'test'"),
    ],
)
def test_an_undefined_name_is_an_error_of_one_line(
    evaluation: EvaluationRecord, templates: Path, template: str, said: str
) -> None:
    (templates / "t.md").write_text(template)
    with pytest.raises(GateError, match=said) as caught:
        render("t.md", "post.md", Ledger({"evaluation": evaluation}))
    assert "\n" not in str(caught.value)


def test_the_environment_refuses_undefined_names_itself() -> None:
    with pytest.raises(jinja2.UndefinedError):
        environment().from_string("{{ nothing }}").render()


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.9123, "pct", "91.2 %"),
        (0.0449, "points", "+4.5"),
        (-0.0449, "points", "−4.5"),
        (-0.0449, "gap", "4.5"),
        (22_713_216, "mb", "22.7 MB"),
        (1.5e9, "gb", "1.5 GB"),
        (0.00099, "p", "p < 0.001"),
        (0.001, "p", "p = 0.001"),
        (12345, "int", "12,345"),
        (90, "min", "1.5 min"),
        (1234, "", "1,234"),
        (0.5, ".3f", "0.500"),
        (8e-5, ".0e", "8e-05"),
    ],
)
def test_show_formats(value: float, form: str, text: str) -> None:
    assert show(value, form).replace("\N{NO-BREAK SPACE}", " ") == text


def test_a_pointer_finds_keys_with_dots_and_brackets(finished: Finished) -> None:
    record = finished[1]["data"].model_copy(
        update={"fields": {"meta.kind": {"a.b": 3, "x]y[z": 4, "": 5, "#": 6}}}
    )
    pointers = ["fields.meta.kind[a.b]", "fields.meta.kind[x]y[z]", "fields.meta.kind[]"]
    assert [look_up(record, pointer) for pointer in pointers] == [3, 4, 5]
    assert look_up(record, "fields.meta.kind.#") == 6
    assert look_up(record, "fields.#") == 1


# -- pages of a whole run


def test_the_same_records_give_the_same_bytes(finished: Finished) -> None:
    run, _ = finished
    rendered, _ = render_pages(run.project, run.recipe, run.folder)
    assert len(rendered) == len(PAGES) + len(TUTORIAL_PAGES) + 5 + len(social.PAGES) + len(
        social.PICTURES
    )
    for page, made in rendered.items():
        assert (run.folder / "pages" / page).read_bytes() == as_bytes(made), page


def test_a_command_names_what_is_not_the_recipes_default(finished: Finished) -> None:
    run, records = finished
    checkpoint = records["train"]
    assert isinstance(checkpoint, CheckpointRecord)
    assert run_options(run.recipe, checkpoint) == ""
    changed = checkpoint.model_copy(update={"settings": {**checkpoint.settings, "epochs": 9}})
    assert run_options(run.recipe, changed) == " --set training.epochs=9"
    preset = run.recipe.preset(None)
    larger = replace(preset, training=replace(preset.training, epochs=9))
    recipe = replace(run.recipe, presets={"starter": preset, "larger": larger})
    assert run_options(recipe, changed) == " --preset larger"
    assert run_options(recipe, checkpoint) == ""
    base = checkpoint.base.model_copy(update={"kind": "hub", "name": "ann/other"})
    other = checkpoint.model_copy(update={"base": base})
    assert run_options(recipe, other) == " --base ann/other"


def perturbed(value: Any, key: str = "") -> Any:
    """Change every number so that no order among them changes: counts grow, fractions shrink."""
    if isinstance(value, bool) or key == "schema_version":
        return value
    if isinstance(value, int):
        return value + 1011
    if isinstance(value, float):
        return value * 0.83
    if isinstance(value, list):
        return [perturbed(item) for item in value]
    if isinstance(value, dict):
        return {name: perturbed(item, name) for name, item in value.items()}
    return value


def as_read(run: Run, folder: Path) -> tuple[dict[str, str], Ledger]:
    """Render; a picture is read as bytes, among which is its alt text."""
    rendered, ledger = render_pages(run.project, run.recipe, folder)
    return {page: as_bytes(m).decode("utf-8", "ignore") for page, m in rendered.items()}, ledger


def test_other_records_change_every_number_on_every_page(
    finished: Finished, tmp_path: Path
) -> None:
    run, _ = finished
    before, old = as_read(run, run.folder)
    folder = copied_records(run, tmp_path / "records")
    for file, _ in RECORDS.values():
        (folder / file).write_text(json.dumps(perturbed(json.loads((folder / file).read_text()))))
    after, new = as_read(run, folder)
    records = {name: kind.load(folder / file) for name, (file, kind) in RECORDS.items()}
    where = dict.fromkeys([*PAGES, *TUTORIAL_PAGES, *social.PAGES, *social.PICTURES], 0)
    moved = 0
    for was, entry in zip(old.entries, new.entries, strict=True):
        assert (was.page, was.pointer, was.form) == (entry.page, entry.pointer, entry.form)
        assert entry.text == show(look_up(records[entry.record], entry.pointer), entry.form)
        # num() was called in the order of the page, so each number stands after the last one.
        found = after[entry.page].find(entry.text, where[entry.page])
        assert found >= 0, entry
        where[entry.page] = found
        moved += was.text != entry.text
    # The rest are zeros, p-values under 0.001 and fractions that round alike.
    assert moved > 0.8 * len(new.entries)
    for page in before.keys() - {ATTRIBUTION}:
        assert after[page] != before[page], page
    # Who made what under which licence has no numbers.
    assert where.keys() - {ATTRIBUTION} == {entry.page for entry in new.entries}
    accuracy = records["evaluation"].model_dump()["systems"]["tuned"]["accuracy"]["value"]
    assert f"value: {round(accuracy, 4)}\n" in after["model-card.md"]
