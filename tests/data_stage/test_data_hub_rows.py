"""Rows of a data set repo. A local folder stands in for the repo: ``datasets`` loads both alike."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import pytest

from kit.data.sources import read_hub, resolve_revision
from kit.errors import InputError, SourceError
from kit.recipe import HubData

COMMIT = "0123456789abcdef0123456789abcdef01234567"
# Nothing listens on the discard port of this machine.
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A data set folder with an integer class label, loaded without asking the Hub."""
    import datasets
    import huggingface_hub.constants

    features = datasets.Features(
        {
            "sentence": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["neg", "pos"]),
            "stars": datasets.Value("int64"),
        }
    )
    rows = {"sentence": ["Kind.", "Dull.", "New."], "label": [1, 0, -1], "stars": [5, 1, 3]}
    folder = tmp_path / "reviews"
    folder.mkdir()
    datasets.Dataset.from_dict(rows, features=features).to_parquet(folder / "train.parquet")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    return str(folder)


def test_integer_classes_become_their_names(repo: str) -> None:
    rows = list(read_hub(HubData(repo, text_column="sentence"), "train"))
    assert rows == [
        {"text": "Kind.", "label": "pos", "stars": 5},
        {"text": "Dull.", "label": "neg", "stars": 1},
        {"text": "New.", "label": None, "stars": 3},
    ]


def test_a_wrong_column_of_a_data_set_is_refused(repo: str) -> None:
    with pytest.raises(InputError, match="no column 'text' for the text"):
        list(read_hub(HubData(repo), "train"))


def test_a_wrong_split_is_refused_in_one_line(repo: str) -> None:
    with pytest.raises(SourceError) as caught:
        list(read_hub(HubData(repo, text_column="sentence"), "tests"))
    assert "tests" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_pinned_commit_needs_no_network() -> None:
    assert resolve_revision(HubData("someone/reviews", revision=COMMIT)) == COMMIT


@pytest.mark.parametrize("revision", [None, "main", COMMIT])
def test_without_a_network_the_offline_alternative_is_told(
    monkeypatch: pytest.MonkeyPatch, revision: str | None
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", NOBODY)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    source = HubData("someone/reviews", revision=revision)
    started = perf_counter()
    with pytest.raises(SourceError, match="--data FILE") as caught:
        list(read_hub(source, "train")) if revision == COMMIT else resolve_revision(source)
    assert perf_counter() - started < 10
    assert "someone/reviews" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_repo_name_that_is_none_is_refused() -> None:
    with pytest.raises(SourceError, match="cannot load"):
        resolve_revision(HubData("a/b/c"))
