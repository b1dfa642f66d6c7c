"""The assembled repos as a stranger meets them: the card's snippet, the Gradio app, the README."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from gradio_client import Client
from gradio_client.exceptions import AppError

from kit.inference import Classifier
from kit.records import Record
from kit.runs import Run
from kit.spaces.assembling import space_data
from kit.spaces.serving import start_space
from tests.gradio_apps import connected, free_port

Finished = tuple[Run, dict[str, Record]]
TEXTS = ("a good film", "not a dull book", "<script>alert(1)</script>", "{{ 7*7 }} | --- ünïcode")


@pytest.fixture(scope="module")
def client(finished: Finished) -> Iterator[Client]:
    run, _ = finished
    port = free_port()
    process = start_space(run.folder / "assembly" / "gradio", port)
    try:
        yield connected(port)
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize("text", TEXTS)
def test_the_gradio_app_answers_as_kit_predict_does(
    finished: Finished, client: Client, text: str
) -> None:
    run, _ = finished
    wanted = Classifier(run.folder / "export").answer(text)
    found = client.predict(text, api_name="/classify")
    assert found["label"] == wanted[0]["label"]
    confidences = {row["label"]: row["confidence"] for row in found["confidences"]}
    assert confidences == pytest.approx({row["label"]: row["probability"] for row in wanted})


@pytest.mark.parametrize(("text", "said"), [("  ", "Write a sentence"), ("a" * 30_000, "too many")])
def test_the_gradio_app_says_what_is_wrong(client: Client, text: str, said: str) -> None:
    with pytest.raises(AppError, match=said):
        client.predict(text, api_name="/classify")


def test_the_cards_snippet_runs_as_pasted(
    finished: Finished, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, _ = finished
    model = run.folder / "assembly" / "model"
    card = (model / "README.md").read_text("utf-8")
    found = re.search(r"```python\n(.*?)```", card, re.DOTALL)
    assert found
    # The repo is not on the Hub yet: the folder that would be pushed stands in for its name.
    script = tmp_path / "snippet.py"
    script.write_text(found[1].replace('"ann/toy"', repr(str(model))))
    runpy.run_path(str(script))
    label = Classifier(run.folder / "export", "onnx/model.onnx").answer("a good film")[0]["label"]
    assert f"'label': '{label}'" in capsys.readouterr().out


def test_the_dataset_repo_loads_by_its_card(finished: Finished) -> None:
    from datasets import load_dataset

    run, records = finished
    rows: Any = load_dataset(str(run.folder / "assembly" / "dataset"), split="test")
    assert {"id", "text", "label", "kind"} == set(rows.column_names)
    assert len(rows) == records["data"].model_dump()["splits"]["test"]["rows"]


def test_a_space_shows_the_picture_of_a_site_that_others_can_open(finished: Finished) -> None:
    run, _ = finished
    assert "thumbnail" not in space_data(run, "static")
    known = replace(run, project=replace(run.project, site_url="https://ann.example/posts"))
    picture = "https://ann.example/posts/recipes/toy/social/og.png"
    assert space_data(known, "gradio")["thumbnail"] == picture


@pytest.mark.parametrize(("folder", "sdk"), [("space", "static"), ("gradio", "gradio")])
def test_a_spaces_readme_is_a_configuration_that_the_hub_accepts(
    finished: Finished, folder: str, sdk: str
) -> None:
    run, _ = finished
    text = (run.folder / "assembly" / folder / "README.md").read_text("utf-8")
    data = yaml.safe_load(text.split("---")[1])
    assert data["sdk"] == sdk
    assert len(data["short_description"]) <= 60
    assert data["colorFrom"] in [
        "red",
        "yellow",
        "green",
        "blue",
        "indigo",
        "purple",
        "pink",
        "gray",
    ]
    assert (run.folder / "assembly" / folder / data["app_file"]).is_file()
    assert data["models"] == ["ann/toy"]


def test_card_data_is_valid_and_complete(finished: Finished) -> None:
    from huggingface_hub import DatasetCard, ModelCard

    run, _ = finished
    card = ModelCard.load(run.folder / "assembly" / "model" / "README.md").data.to_dict()
    wanted = "license datasets pipeline_tag library_name language metrics model-index"
    assert set(wanted.split()) <= set(card)
    assert card["license"] == "mit"
    dataset = DatasetCard.load(run.folder / "assembly" / "dataset" / "README.md").data.to_dict()
    assert dataset["license"] == "cc0-1.0"
    assert dataset["configs"][0]["data_files"][0]["path"] == "data/train.parquet"
