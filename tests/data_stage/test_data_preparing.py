"""The whole data stage, on small files: what it keeps, removes, writes and refuses."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from kit.data.preparing import prepare
from kit.recipe import (
    Cleaning,
    DataSource,
    HubData,
    HubModel,
    LocalData,
    Preset,
    Recipe,
    Sample,
    TextClassification,
)
from kit.records import DatasetRecord

TASK = TextClassification(
    labels=("negative", "positive"), label_aliases={"neg": "negative"}, samples=(Sample("fine"),)
)
SUBJECTS = ("ferry", "kettle", "novel", "hotel", "lamp", "bakery", "course", "phone", "tent")
VERDICTS = {"negative": ("dull", "broken", "late"), "positive": ("lovely", "quick", "kind")}
SPLITS = ("train", "validation", "test")
COMMIT = "0123456789abcdef0123456789abcdef01234567"

RowList = list[dict[str, Any]]


def reviews(domain: str = "films") -> RowList:
    """54 different short texts, half of each label."""
    return [
        {"text": f"The {subject} was {verdict}", "label": label, "domain": domain}
        for label, verdicts in VERDICTS.items()
        for verdict in verdicts
        for subject in SUBJECTS
    ]


def save(path: Path, rows: RowList) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def run(
    folder: Path,
    rows: RowList | None = None,
    *,
    test: RowList | None = None,
    data: DataSource | None = None,
    cleaning: Cleaning | None = None,
    task: TextClassification = TASK,
    seed: int = 13,
) -> DatasetRecord:
    """Prepare rows given in memory, in a folder that is recipe and run folder in one."""
    folder.mkdir(exist_ok=True)
    if rows is not None:
        save(folder / "rows.jsonl", rows)
    if test is not None:
        save(folder / "test.jsonl", test)
    preset = Preset(
        data=data or LocalData("rows.jsonl", license="cc0-1.0", language_creators="found"),
        base=HubModel("someone/model"),
        cleaning=cleaning or Cleaning(),
        test_data=None if test is None else LocalData("test.jsonl", license="cc0-1.0"),
    )
    recipe = Recipe(
        name="reviews",
        title="Reviews",
        language="en",
        task=task,
        presets={"starter": preset},
        slug="reviews",
        folder=folder,
    )
    return prepare(recipe, preset, seed, folder, lambda step, done, total: None)


def table(folder: Path, split: str) -> RowList:
    rows: RowList = pyarrow.parquet.read_table(folder / "data" / f"{split}.parquet").to_pylist()
    return rows


def texts(folder: Path) -> list[str]:
    return [row["text"] for split in SPLITS for row in table(folder, split)]


def test_the_record_describes_the_files(tmp_path: Path) -> None:
    record = run(tmp_path, reviews())
    assert set(record.splits) == set(SPLITS)
    for name, split in record.splits.items():
        content = (tmp_path / split.file.path).read_bytes()
        assert split.file.sha256 == hashlib.sha256(content).hexdigest()
        assert split.file.bytes == len(content)
        rows = table(tmp_path, name)
        assert split.rows == len(rows)
        assert split.labels == {
            label: sum(row["label"] == label for row in rows) for label in TASK.labels
        }
        assert split.words_median == 4
    assert record.inputs == ""
    assert record.language_creators == "found"
    assert record.sources[0].name == "rows.jsonl"
    digest = hashlib.sha256((tmp_path / "rows.jsonl").read_bytes()).hexdigest()
    assert record.sources[0].revision == digest
    assert record.fields == {"domain": {"films": 54}}
    assert record.length_histogram == {"1-4": 54}
    assert record.splits["test"].rows == 6
    assert record.splits["validation"].rows == 5


def test_columns_are_strings_and_the_id_names_label_and_text(tmp_path: Path) -> None:
    rows = [row | {"stars": 3, "id": 9, "tags": ["a"]} for row in reviews()]
    rows[0].pop("domain")
    run(tmp_path, rows)
    found = [row for split in SPLITS for row in table(tmp_path, split)]
    assert set(found[0]) == {"id", "text", "label", "domain", "stars", "source_id", "tags"}
    assert {type(value) for row in found for value in row.values()} == {str}
    for row in found:
        digest = hashlib.sha256(f"{row['label']}\n{row['text']}".encode()).hexdigest()
        assert row["id"] == digest[:12]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(tmp_path / name, reviews())
    for split in SPLITS:
        path = f"data/{split}.parquet"
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    shuffled = reviews()
    random.Random(1).shuffle(shuffled)
    run(tmp_path / "a", reviews())
    run(tmp_path / "b", shuffled)
    for split in SPLITS:
        assert table(tmp_path / "a", split) == table(tmp_path / "b", split)


def test_another_seed_draws_another_test_set(tmp_path: Path) -> None:
    run(tmp_path / "a", reviews(), seed=1)
    run(tmp_path / "b", reviews(), seed=2)
    assert table(tmp_path / "a", "test") != table(tmp_path / "b", "test")


def test_only_the_three_files_are_left(tmp_path: Path) -> None:
    run(tmp_path, reviews())
    names = sorted(path.name for path in (tmp_path / "data").iterdir())
    assert names == ["test.parquet", "train.parquet", "validation.parquet"]


def test_every_row_read_is_kept_or_counted(tmp_path: Path) -> None:
    long = "the boat came late and the coffee was cold but the crew made up for all of it"
    bad: RowList = [
        {"text": None, "label": "neg"},
        {"text": 5, "label": "neg"},
        {"text": "x" * 200, "label": "neg"},
        {"text": "good enough", "label": ""},
        {"text": "good enough", "label": "mixed"},
        {"text": "-----BEGIN " + "PRIVATE KEY-----", "label": "neg"},
        {"text": "the FERRY was dull!", "label": "neg"},
        {"text": long, "label": "neg"},
        {"text": long + " twice", "label": "neg"},
        {"text": "So so.", "label": "neg"},
        {"text": "so so", "label": "positive"},
    ]
    record = run(tmp_path, reviews() + bad, cleaning=Cleaning(max_characters=150))
    assert record.removed == {
        "contradictory_label": 2,
        "empty": 1,
        "exact_duplicate": 1,
        "near_duplicate": 1,
        "no_label": 1,
        "not_text": 1,
        "secret": 1,
        "too_long": 1,
        "unknown_label": 1,
    }
    kept = sum(split.rows for split in record.splits.values())
    assert record.rows_read == len(reviews() + bad) == kept + sum(record.removed.values())
    assert (record.exact_duplicates, record.near_duplicates) == (1, 1)
    assert (record.contradictory_labels, record.secrets) == (2, 1)
    assert "So so." not in texts(tmp_path)
    assert not any("PRIVATE KEY" in text for text in texts(tmp_path))


def test_hostile_texts_are_kept_as_they_are(tmp_path: Path) -> None:
    hostile = ["<script>alert(1)</script>", "{{ 7*7 }}", "---", "|", "# Title", "'; DROP TABLE"]
    run(tmp_path, reviews() + [{"text": text, "label": "neg"} for text in hostile])
    assert set(hostile) <= set(texts(tmp_path))


PERSONAL = {"text": "Write to ada@example.org", "label": "neg", "domain": "mail"}


def test_an_address_is_masked_in_text_and_in_fields(tmp_path: Path) -> None:
    by = {"text": "Signed", "label": "neg", "domain": "by bob@example.org"}
    record = run(tmp_path, [*reviews(), PERSONAL, by])
    assert record.personal_data["email"] == 2
    assert record.personal_data["phone"] == 0
    assert record.personal_data_action == "mask"
    assert "Write to [EMAIL]" in texts(tmp_path)
    content = repr([table(tmp_path, split) for split in SPLITS])
    assert "by [EMAIL]" in content
    assert "example.org" not in content


def test_a_row_with_personal_data_is_dropped_if_so_set(tmp_path: Path) -> None:
    record = run(tmp_path, [*reviews(), PERSONAL], cleaning=Cleaning(personal_data="drop"))
    assert record.removed == {"personal_data": 1}
    assert record.personal_data["email"] == 1


def test_personal_data_is_kept_and_counted_if_so_set(tmp_path: Path) -> None:
    record = run(tmp_path, [*reviews(), PERSONAL], cleaning=Cleaning(personal_data="keep"))
    assert record.personal_data["email"] == 1
    assert "Write to ada@example.org" in texts(tmp_path)


def test_a_secret_in_a_field_drops_the_row(tmp_path: Path) -> None:
    secret = {"text": "Look here", "label": "neg", "domain": "hf_" + "a1" * 17}
    assert run(tmp_path, [*reviews(), secret]).removed == {"secret": 1}


def test_a_row_that_leaks_from_a_given_test_set_is_removed_from_train(tmp_path: Path) -> None:
    long = "the boat came late and the coffee was cold but the crew made up for all of it"
    test: RowList = [
        {"text": "the ferry was DULL", "label": "neg"},
        {"text": long, "label": "positive"},
    ]
    record = run(tmp_path, [*reviews(), {"text": long + " twice", "label": "neg"}], test=test)
    assert record.leaked_from_train == {"validation": 0, "test": 2}
    assert record.removed == {"leaked": 2}
    assert {row["text"] for row in table(tmp_path, "test")} == {row["text"] for row in test}
    others = {row["text"] for split in ("train", "validation") for row in table(tmp_path, split)}
    assert len(others) == 53
    assert not others & {"The ferry was dull", long + " twice"}
    assert record.splits["validation"].rows == 5


def test_two_files_are_two_sources(tmp_path: Path) -> None:
    record = run(tmp_path, reviews(), test=reviews("books")[::10])
    assert [source.name for source in record.sources] == ["rows.jsonl", "test.jsonl"]


def test_splits_keep_the_share_of_a_field(tmp_path: Path) -> None:
    rows = reviews() + [row | {"text": row["text"] + " again"} for row in reviews("books")]
    cleaning = Cleaning(stratify_by=("domain", "label"), test_share=1 / 9)
    run(tmp_path, rows, cleaning=cleaning)
    found = [(row["domain"], row["label"]) for row in table(tmp_path, "test")]
    assert {key: found.count(key) for key in found} == {
        (domain, label): 3 for domain in ("films", "books") for label in TASK.labels
    }


def test_max_rows_draws_from_the_whole_file(tmp_path: Path) -> None:
    record = run(tmp_path, reviews(), cleaning=Cleaning(max_rows=30, test_share=0.2))
    assert record.removed == {"over_max_rows": 24}
    assert record.rows_read == 54
    assert all(split.labels["positive"] for split in record.splits.values())


def test_examples_begin_with_the_hard_kinds(tmp_path: Path) -> None:
    kinds = ("plain", "irony", "contrast", "plain", "plain")
    rows = [row | {"kind": kinds[i % 5]} for i, row in enumerate(reviews())]
    record = run(tmp_path, rows, test=[row | {"text": row["text"] + "?"} for row in rows[::2]])
    chosen = [example.fields["kind"] for example in record.examples]
    assert set(chosen[:2]) == {"irony", "contrast"}
    assert set(chosen[2:]) == {"plain"}
    assert 5 <= len(chosen) <= 8
    assert {example.label for example in record.examples} == set(TASK.labels)


@pytest.mark.parametrize("labels", [("0", "1"), (0, 1), (0.0, 1.0)])
def test_digits_are_labels_by_index(tmp_path: Path, labels: tuple[Any, Any]) -> None:
    number = dict(zip(TASK.labels, labels, strict=True))
    record = run(tmp_path, [row | {"label": number[row["label"]]} for row in reviews()])
    assert record.removed == {}
    by_text = {row["text"]: row["label"] for row in table(tmp_path, "train")}
    assert all(by_text[row["text"]] == row["label"] for row in reviews() if row["text"] in by_text)


def test_repairs_are_counted(tmp_path: Path) -> None:
    rows = [*reviews(), {"text": "cafÃ© d'or", "label": "neg"}]
    record = run(tmp_path, rows)
    assert record.repaired == 1
    assert "café d'or" in texts(tmp_path)


def test_a_line_that_is_not_utf8_counts_as_repaired(tmp_path: Path) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in reviews()).encode()
    line = b'{"text": "caf\xe9", "label": "neg", "domain": "films"}\n'
    (tmp_path / "rows.jsonl").write_bytes(lines + line)
    assert run(tmp_path).repaired == 1
    assert "café" in texts(tmp_path)


def test_a_record_names_a_file_and_not_the_folders_of_a_machine(tmp_path: Path) -> None:
    save(tmp_path / "mine.jsonl", reviews())
    data = LocalData(str(tmp_path / "mine.jsonl"), license="mit")
    record = run(tmp_path, data=data)
    assert record.sources[0].name == "mine.jsonl"
    assert str(tmp_path) not in record.model_dump_json()


def test_importing_the_stage_loads_no_heavy_library() -> None:
    heavy = "torch datasets pyarrow ftfy datasketch detect_secrets pandas scipy sklearn"
    code = (
        "import sys, kit.data.preparing;"
        f"print([name for name in {heavy.split()} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_progress_names_the_steps_and_ends_with_all_rows(tmp_path: Path) -> None:
    save(tmp_path / "rows.jsonl", reviews())
    preset = Preset(data=LocalData("rows.jsonl", license="mit"), base=HubModel("a/b"))
    recipe = Recipe(
        name="r",
        title="R",
        language="en",
        task=TASK,
        presets={},
        slug="r",
        folder=tmp_path,
    )
    calls: list[tuple[str, int, int | None]] = []
    prepare(recipe, preset, 13, tmp_path, lambda *call: calls.append(call))
    steps = list(dict.fromkeys(step for step, _, _ in calls))
    assert steps == ["reading", "cleaning", "duplicates", "splitting", "writing"]
    assert calls[-1] == ("writing", 54, 54)


def test_a_data_set_of_the_hub_keeps_its_own_test_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A local folder stands in for the repo: ``datasets`` loads both alike."""
    import datasets
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews").mkdir()
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "positive"])}
    )
    for name, rows in {"train": reviews(), "test": reviews()[::9]}.items():
        columns = {
            "text": [row["text"] for row in rows],
            "label": [int(row["label"] == "positive") for row in rows],
        }
        made = datasets.Dataset.from_dict(columns, features=features)
        made.to_parquet(tmp_path / "reviews" / f"{name}.parquet")
    record = run(tmp_path / "run", data=HubData("reviews", revision=COMMIT, license="mit"))
    (source,) = record.sources
    assert (source.kind, source.name, source.revision) == ("hub", "reviews", COMMIT)
    assert record.splits["test"].rows == 6
    assert record.leaked_from_train["test"] == 6
    assert record.splits["train"].rows + record.splits["validation"].rows == 48
