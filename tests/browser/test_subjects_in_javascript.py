"""The page's knowledge of commit subjects, run by Node.js: what Python says of the same texts."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kit.browser.component import WEB
from tests.browser.test_prompts_in_javascript import node
from tests.decoding_vectors import FILE, TYPES, case

Told = Callable[[list[str], list[str]], list[dict[str, object]]]
SCRIPT = """
import { readFileSync } from "node:fs";
import { complete, missing, viable } from "./subjects.mjs";
const { types, texts } = JSON.parse(readFileSync("asked.json", "utf8"));
const told = texts.map((text) => ({
  text,
  missing: missing(text, types),
  viable: viable(text, types),
  complete: complete(text, types),
}));
process.stdout.write(JSON.stringify(told));
"""
PIECES = [*"()!: :  ax😀\ufffd\u3000\u2028é`", *TYPES, "fix(", "fix: ", "): ", ")!: ", "word " * 9]


@pytest.fixture
def in_javascript(tmp_path: Path) -> Told:
    """Return what the page says of texts, as a list of cases."""
    command = node()
    # As .mjs every Node.js takes it for a module, without a package.json beside it.
    shutil.copyfile(WEB / "subjects.js", tmp_path / "subjects.mjs")
    (tmp_path / "main.mjs").write_text(SCRIPT)

    def run(types: list[str], texts: list[str]) -> list[dict[str, object]]:
        (tmp_path / "asked.json").write_text(json.dumps({"types": types, "texts": texts}))
        done = subprocess.run(
            [*command, "main.mjs"], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, done.stderr
        found: list[dict[str, object]] = json.loads(done.stdout)
        return found

    return run


def test_the_page_passes_the_vectors(in_javascript: Told) -> None:
    vectors = json.loads(FILE.read_text("ascii"))
    assert len(vectors["cases"]) > 200
    found = in_javascript(vectors["types"], [one["text"] for one in vectors["cases"]])
    assert found == vectors["cases"]


def test_the_page_knows_random_beginnings_as_python_does(in_javascript: Told) -> None:
    choose = random.Random(5)
    texts = ["".join(choose.choices(PIECES, k=choose.randint(1, 9))) for _ in range(4000)]
    wanted = [case(text) for text in texts]
    assert sum(bool(one["viable"]) for one in wanted) > 100
    assert in_javascript(TYPES, texts) == wanted


def test_without_types_nothing_is_a_subject(in_javascript: Told) -> None:
    nothing = {"missing": None, "viable": False, "complete": False}
    assert in_javascript([], ["", "fix: x"]) == [{"text": t, **nothing} for t in ("", "fix: x")]
