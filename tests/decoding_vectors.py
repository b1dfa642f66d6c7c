r"""Beginnings of commit subjects, and what both decoders must say of them.

::

    python -m tests.decoding_vectors     # rewrites tests/decoding_vectors.json from kit.inference

A case says how many characters are missing at least (null where nothing helps), whether the text is
viable and whether it is complete::

    {"text": "fix(cache): ", "missing": 1, "viable": true, "complete": false}

Lengths are in code points: in JavaScript ``[...text].length``. The JSON is ASCII, so a character
beyond U+FFFF stands there as two escapes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kit.inference import complete, missing, viable

FILE = Path(__file__).with_suffix(".json")
TYPES = ["build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "test", "tes"]
SUBJECTS = (
    "fix: a",
    "feat(parser)!: read arrays",
    "docs(guide, api): say what `--clean` does (and why)",
    "refactor!: drop Python 3.9",
    "ci(.github/workflows): pin actions/checkout@v5",
    "test: naïve café → 日本語",
    "tes: one",
    "test(a b): two  spaces: and a colon",
)
REFUSED = (
    *(
        "x",
        "F",
        "Feat: x",
        "feature: x",
        " fix: x",
        "fix x",
        "fix : x",
        "fix:x",
        "fix::",
        "fix:  x",
    ),
    *("fix()", "fix( a)", "fix((a", "fix(a(", "fix(a ) ", "fix(a ):", "fix(a)b", "fix(a)(b)"),
    *(
        "fix(a)!!",
        "fix!(a)",
        "fix(a))",
        "fix)",
        "fix-",
        "fixes",
        "tests: one",
        "fix(a)! x",
        "fix\n",
        "fix: a\nb",
    ),
    *(
        "fix: a\r",
        "fix: \ta",
        "fix: a\x00",
        "fix: a\x7f",
        "fix: a\x85b",
        "fix: a\u2028b",
        "fix(\ta",
    ),
    *(
        "fix: \xa0a",
        "fix: a\xa0b",
        "fix: a\u3000b",
        "fix: a\u200bb",
        "fix: \u202egnp.a",
        "\ufefffix",
    ),
    *("fix: \ufffd", "fix: a\ufffdb", "fix(\ufffd", "\ufffd", "fix(\xa0a): b"),
)
OPEN = (
    *("", "f", "fi", "re", "te", "test", "fix", "fix!", "fix:", "fix: ", "fix(", "fix(a", "fix(a "),
    *("fix(a b", "fix(a)", "fix(a)!", "fix(a):", "fix(a)!: ", "fix: a ", "fix: a  ", "fix: a b "),
    *("fix(😀", "fix: 😀", "fix: !", "fix: (", "fix: :", "fix(:", "fix(!): a", "fix(a: b"),
)
LIMITS = (
    *("fix: " + "a" * count for count in (94, 95, 96, 300)),
    *("fix: " + "a" * 94 + end for end in (" ", "  ", " a", "😀", "\U00020000")),
    *("fix: " + "😀" * count for count in (95, 96)),
    *("fix(" + "a" * count for count in (92, 93, 300)),
    *("fix(" + "a" * 91 + end for end in (" ", "  ", ")", ")!", ")!:", "): ", "): b", ")!: b")),
    "fix(" + "a" * 92 + "): b",
    "fix(" + "( " * 40,
)


def case(text: str) -> dict[str, Any]:
    """Return what kit.inference says of one text."""
    return {
        "text": text,
        "missing": missing(text, TYPES),
        "viable": viable(text, TYPES),
        "complete": complete(text, TYPES),
    }


def main() -> None:
    """Rewrite the file."""
    beginnings = [text[:end] for text in SUBJECTS for end in range(len(text) + 1)]
    texts = dict.fromkeys([*OPEN, *REFUSED, *LIMITS, *SUBJECTS, *beginnings])
    found = {"types": TYPES, "cases": [case(text) for text in texts]}
    FILE.write_text(json.dumps(found, indent=1) + "\n", "ascii")


if __name__ == "__main__":
    main()
