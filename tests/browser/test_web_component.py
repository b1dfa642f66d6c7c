"""The packaged component and the demo.json that feeds it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kit.browser.component import (
    FILES,
    MODEL_FILES,
    component_files,
    demo_config,
    generator_config,
)
from kit.browser.runtime import RUNTIME_BYTES
from kit.errors import InputError
from kit.records import Answer

SAMPLE = Answer(id="7", text="Fine.", label="good", predicted="good", probability=0.9, note="short")


def config(**changes: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "title": "Tone",
        "labels": ("bad", "good"),
        "max_length": 128,
        "samples": [SAMPLE],
        "model_path": "models/3fa1c09b",
        "model_bytes": 24_000_000,
    }
    return demo_config(**{**settings, **changes})


def test_every_packaged_file_is_there_and_asks_nothing_of_another_host() -> None:
    shared = ["demo.css", "loading.js", "page.js", "sharing.js"]
    classifier, generator = component_files("classifier"), component_files("generator")
    assert sorted(classifier) == sorted(["classifier.css", "classifier.js", "worker.js", *shared])
    writing = ["prompts.js", "subjects.js", "writer.js"]
    assert sorted(generator) == sorted(
        ["generator.css", "generator.js", "generator-worker.js", *writing, *shared]
    )
    for path in {**classifier, **generator}.values():
        assert "://" not in path.read_text("utf-8")


def test_a_component_has_every_file_that_its_files_import() -> None:
    wanted = re.compile(r"""(?:from |@import |new URL\()"\./([\w.-]+)\"""")
    for name in FILES:
        files = component_files(name)
        imported = {file for path in files.values() for file in wanted.findall(path.read_text())}
        assert len(imported) > 3
        assert imported <= set(files)


@pytest.mark.parametrize(
    ("component", "script"), [("classifier", "worker.js"), ("generator", "generator-worker.js")]
)
def test_a_worker_asks_for_the_files_that_python_counts(component: str, script: str) -> None:
    text = component_files(component)[script].read_text()
    listed = text.partition("const MODEL_FILES = [")[2].partition("]")[0]
    assert tuple(re.findall(r'"([^"]+)"', listed)) == MODEL_FILES[component]


def test_a_demo_holds_the_recorded_answers_and_the_size_of_the_download() -> None:
    written = config()
    assert written["samples"] == [
        {"text": "Fine.", "label": "good", "probability": 0.9, "note": "short"}
    ]
    assert written["model_path"] == "models/3fa1c09b/"
    assert written["model_bytes"] + written["runtime_bytes"] == 24_000_000 + RUNTIME_BYTES


def test_a_demo_without_a_model_has_no_model_path() -> None:
    assert config(model_path=None)["model_path"] is None


def test_a_demo_without_samples_is_refused() -> None:
    with pytest.raises(InputError, match="at least one recorded sample"):
        config(samples=[])


def test_a_sample_with_a_label_that_the_model_has_not_is_refused() -> None:
    with pytest.raises(InputError, match="no label of the model; did you mean 'goods'"):
        config(labels=("bad", "goods"), samples=[SAMPLE])


@pytest.mark.parametrize("name", ["models/a--b", "models/a..b", "models/with space", "models/é1"])
def test_a_model_folder_that_the_library_would_not_read_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="name it by the hash of its files"):
        config(model_path=name)


def test_a_generator_holds_diffs_with_their_recorded_messages() -> None:
    sample = Answer(id="1", text="diff --git", label=None, predicted="fix: x", note="short")
    written = generator_config(title="t", samples=[sample], model_path=None)
    assert written["samples"] == [{"text": "diff --git", "message": "fix: x", "note": "short"}]
    assert set(written) == set(config()) - {"labels", "max_length"}


def test_a_generator_refuses_a_sample_without_a_message() -> None:
    sample = Answer(id="sample-1", text="diff --git", label=None, predicted=" ")
    with pytest.raises(InputError, match="got none with 'sample-1'; export"):
        generator_config(title="t", samples=[sample], model_path=None)
