"""The committed results of the recipes: still what their records render to, and good enough."""

from __future__ import annotations

import importlib
import json

import pytest

from kit.project import find_project
from kit.recipe import find_recipe, recipe_names
from kit.records import DatasetRecord, EvaluationRecord, ExportRecord
from kit.writing.pages import as_bytes
from tests.tiny import ROOT

NAMES = recipe_names(ROOT)


@pytest.mark.parametrize("name", NAMES)
def test_committed_pages_are_what_the_committed_records_render_to(name: str) -> None:
    recipe = find_recipe(ROOT, name)
    results = recipe.folder / "results"
    pages = importlib.import_module(f"kit.tasks.{recipe.task.kind}.pages")
    rendered, _ = pages.render_pages(find_project(ROOT), recipe, results)
    stale = [
        page
        for page, made in rendered.items()
        if (results / "pages" / page).read_bytes() != as_bytes(made)
    ]
    assert stale == [], f"run `kit run {name}` and `kit accept {name}`"


def evaluation(name: str) -> EvaluationRecord:
    """Return the accepted evaluation of a recipe."""
    return EvaluationRecord.load(ROOT / "recipes" / name / "results" / "evaluation.json")


def test_the_accepted_classifier_beats_every_other_system() -> None:
    record = evaluation("sentiment")
    assert record.n >= 400
    assert all(c.difference > 0 and c.p_value < 0.001 for c in record.comparisons)


def test_the_accepted_generator_beats_base_and_nearest_neighbour_on_the_type() -> None:
    record = evaluation("commit_messages")
    assert record.n >= 200
    assert record.systems["tuned"]["format_validity"].value >= 0.99
    found = {c.b: c for c in record.comparisons if c.metric == "type_accuracy"}
    for name in ("base", "nearest"):
        assert found[name].difference > 0
        assert found[name].p_value < 0.01


def test_the_accepted_int8_file_is_small_and_agrees() -> None:
    record = ExportRecord.load(ROOT / "recipes" / "sentiment" / "results" / "export.json")
    int8 = record.parity["int8"]
    assert int8.bytes <= 25_000_000
    assert int8.agreement >= 0.99
    assert abs(int8.accuracy_difference) <= 0.005


def test_the_embedded_reviews_are_as_their_card_says() -> None:
    path = ROOT / "recipes" / "sentiment" / "data" / "reviews.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert len(rows) >= 2000
    assert len({row["domain"] for row in rows}) >= 14
    share = {
        "hard": sum(row["kind"] != "plain" for row in rows) / len(rows),
        "films": sum(row["domain"] == "films" for row in rows) / len(rows),
        "positive": sum(row["label"] == "positive" for row in rows) / len(rows),
    }
    assert share["hard"] >= 0.35
    assert share["films"] >= 0.25
    assert 0.48 < share["positive"] < 0.52
    assert all(4 <= len(row["text"].split()) <= 120 for row in rows)
    record = DatasetRecord.load(ROOT / "recipes" / "sentiment" / "results" / "dataset.json")
    assert record.near_duplicates / record.rows_read < 0.01
