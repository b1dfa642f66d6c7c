"""``kit predict``: the task says what it reads, how much of it, and what it answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kit.inference import Classifier, Generator, complete
from kit.records import Record
from kit.runs import Run
from kit.tasks.text_generation import WHOLE_BYTES
from tests import tiny_exported
from tests.asking import Said, ask
from tests.tiny import ROOT
from tests.tiny_text import DIFFS, TYPES

HEAVY = {"torch", "transformers", "datasets", "click", "pydantic", "onnxruntime"}
LOADED = f"""
import sys
from kit.__main__ import main
try:
    main()
finally:
    print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)
"""
BOTH = DIFFS[0] + DIFFS[3]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a toy run of commits that has been exported."""
    return tiny_exported.project(tmp_path_factory.mktemp("predict") / "project")


@pytest.fixture(scope="module")
def generator(run: Run) -> Generator:
    return Generator(run.folder / "export")


def predict(run: Run, *words: str, stdin: bytes = b"") -> Said:
    return ask(run.project.root, "predict", "toy", *words, stdin=stdin)


def texts(generator: Generator, diff: str, n: int = 1) -> list[str]:
    return [answer["text"] for answer in generator.alternatives(diff, n)]


def test_a_diff_on_stdin_gets_one_message(run: Run, generator: Generator) -> None:
    said = predict(run, "-", stdin=DIFFS[1].encode())
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == texts(generator, DIFFS[1])
    assert complete(said.out.strip(), TYPES)


def test_a_file_of_two_sections_is_one_diff(run: Run, generator: Generator, tmp_path: Path) -> None:
    (tmp_path / "change.diff").write_text(BOTH)
    found = predict(run, "--input", str(tmp_path / "change.diff")).out.splitlines()
    assert found == predict(run, BOTH).out.splitlines() == texts(generator, BOTH)
    assert found != texts(generator, DIFFS[0])


def test_n_messages_are_different_lines(run: Run, generator: Generator) -> None:
    found = predict(run, "-", "--n", "3", stdin=BOTH.encode()).out.splitlines()
    assert found == texts(generator, BOTH, 3)
    assert len(set(found)) == 3


def test_messages_as_json_have_text_and_probability(run: Run, generator: Generator) -> None:
    found = predict(run, "-", "--n", "2", "--json", stdin=BOTH.encode()).document
    assert found == generator.alternatives(BOTH, 2)
    assert [set(row) for row in found] == [{"text", "probability"}] * 2


def test_a_diff_may_hold_any_bytes(run: Run, generator: Generator) -> None:
    given = DIFFS[0].encode() + DIFFS[1].encode().replace(b"old flag", b"\xff\x00\xfe")
    said = predict(run, "-", stdin=given)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == texts(generator, given.decode("utf-8", "replace"))
    assert predict(run, given.decode("utf-8", "surrogateescape")).out == said.out


@pytest.mark.parametrize("given", [b"", b"\n \n"])
def test_an_empty_diff_is_one_clear_line(run: Run, given: bytes) -> None:
    assert "expected a diff, got none; give one as" in predict(run, "-", stdin=given).fault


@pytest.mark.parametrize("given", [b"hello", b"\x00\xff\n", b"+++ b/x\n--- a/x\n"])
def test_what_is_no_diff_is_one_clear_line(run: Run, given: bytes) -> None:
    assert "expected a unified diff, found no file in it" in predict(run, "-", stdin=given).fault


def test_a_diff_file_that_is_not_there_is_one_clear_line(run: Run) -> None:
    said = predict(run, "--input", "none.diff").fault
    assert "expected a diff at none.diff, got: [Errno 2]" in said


def test_of_a_huge_diff_the_beginning_is_read(run: Run, generator: Generator) -> None:
    line = "+" + "value = other(" * 8 + "\n"
    head = DIFFS[0] + f"--- a/big.txt\n+++ b/big.txt\n@@ -0,0 +1,{99999} @@\n"
    given = head + line * (WHOLE_BYTES // len(line)) + DIFFS[1]
    said = predict(run, "-", stdin=given.encode())
    assert said.err == "kit: read the first 2 MB of the diff\n"
    assert said.out.splitlines() == texts(generator, given[:WHOLE_BYTES])


def test_an_export_without_its_weights_is_one_clear_line(run: Run) -> None:
    weights = run.folder / "export" / "onnx" / "model_quantized.onnx"
    moved = weights.rename(weights.with_suffix(".away"))
    try:
        assert "`kit export toy` writes it again" in predict(run, DIFFS[0]).fault
    finally:
        moved.rename(weights)


def test_without_a_run_the_command_that_makes_one_is_named(run: Run) -> None:
    said = predict(run, DIFFS[0], "--seed", "99").fault
    assert "found none; `kit run toy` makes it" in said


def test_less_than_one_answer_is_wrong_usage(run: Run) -> None:
    said = predict(run, DIFFS[0], "--n", "0")
    assert (said.code, said.out) == (2, "")


def test_messages_need_no_torch(run: Run) -> None:
    made = subprocess.run(
        [sys.executable, "-c", LOADED, "predict", "toy", "-"],
        cwd=run.project.root,
        env={"PYTHONPATH": str(ROOT)},
        input=DIFFS[0],
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stderr.splitlines()[-1] == "['click', 'onnxruntime', 'pydantic']"


def test_n_limits_the_labels_shown(finished: tuple[Run, dict[str, Record]]) -> None:
    run, _ = finished
    first, second = Classifier(run.folder / "export").answer("a good film")
    (row,) = predict(run, "a good film", "--json").document
    assert row["labels"] == [first, second]
    (row,) = predict(run, "a good film", "--n", "1", "--json").document
    assert row["labels"] == [first]
    said = [f"{each['label']} {each['probability']:.3f}" for each in (first, second)]
    assert predict(run, "a good film").out == f"{said[0]}\n"
    assert predict(run, "a good film", "--n", "2").out == f"{said[0]}, {said[1]}\n"


def test_a_text_on_stdin_is_one_text_and_a_file_has_one_per_line(
    finished: tuple[Run, dict[str, Record]], tmp_path: Path
) -> None:
    run, _ = finished
    lines = "a good film\nnot a dull book\n"
    (tmp_path / "texts.txt").write_text(lines)
    (row,) = predict(run, "-", "--json", stdin=lines.encode()).document
    assert row["text"] == lines
    rows = predict(run, "--input", str(tmp_path / "texts.txt"), "--json").document
    assert [row["text"] for row in rows] == lines.splitlines()
