"""The command line when all is well: what each command prints, where, and what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from itertools import takewhile
from pathlib import Path
from urllib.request import urlopen

import pytest

from kit.inference import Classifier
from kit.records import EvaluationRecord, Record
from kit.runs import Run
from kit.stages import STAGES
from tests.asking import ask, copied_project
from tests.tiny import BAD, GOOD, ROOT

Finished = tuple[Run, dict[str, Record]]
HEAVY = "torch transformers datasets gradio pydantic numpy scipy sklearn pandas pyarrow onnxruntime"
LOADED = f"""
import sys
from kit.__main__ import main
try:
    main()
finally:
    print(sorted(set({HEAVY.split()!r}) & set(sys.modules)), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def root(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the finished run's project, which commands may write to."""
    return copied_project(finished[0].project.root, tmp_path_factory.mktemp("cli") / "project")


@pytest.fixture(scope="module")
def folder(finished: Finished, root: Path) -> Path:
    """Return the run's folder in the copy."""
    return root / finished[0].relative


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return ten rows of somebody else, with columns of their own."""
    path = tmp_path / "theirs.csv"
    rows = [f"a {word} film,{label}" for label, words in _BY_LABEL for word in words[:5]]
    path.write_text("\n".join(["body,stars", *rows]) + "\n")
    return path


_BY_LABEL = (("positive", GOOD), ("negative", BAD))


def loaded(folder: Path, *words: str) -> str:
    """Run a command in a process of its own and return the heavy modules that it loaded."""
    made = subprocess.run(
        [sys.executable, "-c", LOADED, *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stderr.splitlines()[-1]


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(tmp_path: Path, words: list[str]) -> None:
    assert loaded(tmp_path, *words) == "[]"


def test_recipes_lists_each_with_task_and_presets(root: Path) -> None:
    said = ask(root, "recipes")
    assert said.code == 0
    assert said.out.split(maxsplit=3) == [
        *("toy", "text_classification", "starter"),
        "A toy classifier\n",
    ]
    (row,) = ask(root, "recipes", "--json").document
    assert row == {
        "name": "toy",
        "task": "text_classification",
        "presets": ["starter"],
        "title": "A toy classifier",
    }


def test_runs_tells_how_far_each_came(root: Path, folder: Path, project: Path) -> None:
    assert ask(root, "runs").out.split()[0] == folder.relative_to(root).as_posix()
    (row,) = ask(root, "runs", "toy", "--json").document
    assert row["finished"] == [stage.name for stage in STAGES]
    assert ask(root, "runs", "other", "--json").document == []
    assert ask(project, "runs").out == "no runs yet; `kit run NAME` makes one\n"
    ask(project, "data", "toy")
    assert ask(project, "runs", "--json").document[0]["finished"] == ["data"]


def test_a_run_prints_table_and_paths_on_stdout_and_progress_on_stderr(
    finished: Finished,
) -> None:
    root = finished[0].project.root
    said = ask(root, "run", "toy")
    assert said.code == 0
    first, header, *lines = said.out.splitlines()
    record = finished[1]["evaluate"]
    assert isinstance(record, EvaluationRecord)
    assert first == f"test, n = {record.n}"
    assert header.split()[:2] == ["system", "accuracy"]
    table = {line.split()[0]: line.split()[1] for line in lines[: len(record.systems)]}
    assert table == {k: f"{m['accuracy'].value:.3f}" for k, m in record.systems.items()}
    paths = [line.split()[-1] for line in lines[len(record.systems) :]]
    assert len(paths) == 8
    assert all((root / path).exists() for path in paths)
    assert [line.split() for line in said.err.splitlines()[1:-1]] == [
        [stage.name, "fresh"] for stage in STAGES
    ]


def test_a_stage_that_runs_tells_its_progress_and_seconds(root: Path, folder: Path) -> None:
    before = (folder / "pages" / "post.md").read_bytes()
    said = ask(root, "run", "toy", "--from", "write")
    assert said.code == 0
    assert said.err.splitlines()[1] == "  … write"
    (took,) = (line.split() for line in said.err.splitlines() if line.startswith("  write"))
    assert float(took[1]) > 0
    assert took[2] == "s"
    assert "accuracy" not in said.out
    assert (folder / "pages" / "post.md").read_bytes() == before


def test_run_as_json_is_one_document_of_records(root: Path, folder: Path) -> None:
    document = ask(root, "run", "toy", "--json").document
    assert (document["recipe"], document["preset"]) == ("toy", "starter")
    assert document["folder"] == folder.relative_to(root).as_posix()
    for stage in STAGES:
        assert document[stage.name] == json.loads((folder / stage.record).read_text())


def test_data_as_json_holds_the_record(project: Path) -> None:
    document = ask(project, "data", "toy", "--json").document
    assert set(document) == {"recipe", "preset", "folder", "data"}
    assert document["data"]["rows_read"] == 240
    assert ask(project, "data", "toy").out.split()[0] == "splits"


def test_evaluate_on_an_outside_file_prints_the_table_and_leaves_the_record(
    root: Path, folder: Path, outside: Path
) -> None:
    columns = ("--text-column", "body", "--label-column", "stars")
    said = ask(root, "evaluate", "toy", "--on", str(outside), *columns)
    assert said.code == 0
    assert said.out.splitlines()[0] == "theirs.csv, n = 10"
    assert "  … evaluate tuned" in said.err.splitlines()
    record = json.loads((root / said.out.split()[-1]).read_text())
    answers = Classifier(folder / "export", "onnx/model.onnx")
    right = [
        answers.answer(f"a {word} film")[0]["label"] == label
        for label, words in _BY_LABEL
        for word in words[:5]
    ]
    assert record["systems"]["tuned"]["accuracy"]["value"] == sum(right) / 10
    again = ask(root, "evaluate", "toy", "--on", str(outside), *columns, "--json").document
    record["seconds"] = again["seconds"]
    assert again == record


def test_predict_answers_an_argument_stdin_and_a_file_alike(
    root: Path, folder: Path, tmp_path: Path
) -> None:
    top = Classifier(folder / "export").answer("a good film")[0]
    wanted = f"{top['label']} {top['probability']:.3f}"
    lines = tmp_path / "texts.txt"
    lines.write_text("a good film\n\n a dull book\n")
    assert ask(root, "predict", "toy", "a good film").out == f"{wanted}\n"
    assert ask(root, "predict", "toy", "-", stdin=b"a good film\n").out == f"{wanted}\n"
    found = ask(root, "predict", "toy", "--input", str(lines)).out.splitlines()
    assert found[0] == f"{wanted}  a good film"
    assert len(found) == 2
    (row,) = ask(root, "predict", "toy", "a good film", "--json").document
    assert row["text"] == "a good film"
    assert row["labels"] == Classifier(folder / "export").answer("a good film")


def test_predict_does_not_load_torch(root: Path) -> None:
    assert loaded(root, "predict", "toy", "a good film") == "['numpy', 'onnxruntime', 'pydantic']"


def test_a_bare_name_takes_the_newest_finished_run_and_says_so(root: Path, folder: Path) -> None:
    moved = folder.with_name("starter-00000000")
    folder.rename(moved)
    try:
        said = ask(root, "predict", "toy", "a good film")
        refused = ask(root, "predict", "toy", "a good film", "--seed", "13")
    finally:
        moved.rename(folder)
    assert said.code == 0
    assert said.err == "kit: using runs/toy/starter-00000000, the newest finished run\n"
    assert refused.fault.startswith("kit: expected a run of 'toy' with export.json, found none")


@pytest.mark.parametrize("words", [("demo", "toy"), ("hub", "serve"), ("site", "serve")])
def test_what_serves_says_where_in_json_once_it_answers(root: Path, words: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "kit", *words, "--port", "0", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    serving = subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert serving.stdout
        document = json.loads(
            b"".join(takewhile(lambda line: line != b"}\n", serving.stdout)) + b"}"
        )
        with urlopen(document["url"], timeout=20) as answer:
            assert answer.status == 200
    finally:
        # The app of a demo is a process of its own.
        os.killpg(serving.pid, signal.SIGTERM)
        serving.communicate(timeout=60)


def test_check_prints_a_line_for_each_gate(root: Path, finished: Finished) -> None:
    record = finished[1]["evaluate"]
    assert isinstance(record, EvaluationRecord)
    against = [c for c in record.comparisons if c.b.startswith("base")]
    # A toy base may be too good for a test split of this size; every other gate must pass.
    beaten = all(c.difference > 0 and c.p_value < 0.05 for c in against)
    said = ask(root, "check", "toy")
    states = {line.split()[1]: line.split()[0] for line in said.out.splitlines()}
    assert states.pop("evaluation") == ("ok" if beaten else "FAIL")
    others = {"license", "privacy", "parity", "pages", "numbers", "copies", "placeholders", "files"}
    assert set(states) == others
    assert set(states.values()) == {"ok"}
    assert said.code == (0 if beaten else 1)
    verdicts = ask(root, "check", "toy", "--json").document
    assert [verdict["gate"] for verdict in verdicts if not verdict["passed"]] == (
        [] if beaten else ["evaluation"]
    )


def test_accept_makes_the_records_the_recipes_results(root: Path, folder: Path) -> None:
    ask(root, "run", "toy")
    paths = ask(root, "accept", "toy", "--json").document
    results = root / "recipes" / "toy" / "results"
    found = sorted(p.relative_to(root).as_posix() for p in results.rglob("*") if p.is_file())
    assert sorted(paths) == found
    pages = ("pages/post.md", "pages/figures/loss.svg", "pages/social/og.png")
    for name in ("evaluation.json", *pages):
        assert (results / name).read_bytes() == (folder / name).read_bytes()
    (results / "stats.json").write_text("{}")
    assert ask(root, "accept", "toy").out.splitlines() == paths
    assert (results / "stats.json").read_text() == "{}"
    # What was accepted is no input of any stage.
    assert [line.split() for line in ask(root, "run", "toy").err.splitlines()[1:-1]] == [
        [stage.name, "fresh"] for stage in STAGES
    ]


def test_doctor_names_libraries_and_tools(root: Path) -> None:
    rows = {row["what"]: row["found"] for row in ask(root, "doctor", "--json").document}
    assert rows["project"] == str(root)
    assert {"python", "torch", "onnxruntime", "gradio", "chromium", "free disk"} <= set(rows)
    assert ask(root, "doctor").out.splitlines()[0].split() == ["project", str(root)]


@pytest.mark.parametrize(
    "words",
    [
        ("nope",),
        ("run",),
        ("run", "toy", "--nope"),
        ("run", "toy", "--seed", "many"),
        ("demo", "toy", "--port", "x"),
        ("predict", "toy", "a text", "--input", "a file"),
        ("site",),
    ],
)
def test_wrong_usage_exits_2(root: Path, words: tuple[str, ...]) -> None:
    said = ask(root, *words)
    assert said.code == 2
    assert said.out == ""
    assert "Traceback" not in said.err
