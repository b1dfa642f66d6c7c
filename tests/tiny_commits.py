"""A toy project of commits, made on the spot: rows, a byte-level BPE tokenizer, a tiny Llama."""

from __future__ import annotations

import importlib
import json
import random
import shutil
from pathlib import Path
from typing import Any

from kit.tasks.text_generation.pages import PROSE
from tests import tiny_text
from tests.tiny import ROOT

NAMES = ["parser", "cache", "router", "logger", "reader", "timer", "queue", "index", "token"]
VERBS = {"fix": "close", "feat": "offer", "docs": "explain", "test": "check"}
FOLDERS = {"fix": "src", "feat": "lib", "docs": "docs", "test": "tests"}
RECIPE = '''"""A toy recipe of commits for tests."""
from kit.recipe import (
    Cleaning, LocalData, LocalModel, Preset, Recipe, Sample, TextGeneration, Training,
)

RECIPE = Recipe(
    name="toy", title="A toy that writes subjects", slug="toy", language="en",
    task=TextGeneration(
        max_new_tokens=16, slices=("project",), samples=(Sample("""%s""", "a fix"),)
    ),
    # -- presets
    presets={"starter": Preset(
        data=LocalData(
            "rows.jsonl", license="cc0-1.0", text_column="diff", label_column="message",
            language_creators="machine-generated",
        ),
        base=LocalModel("base", license="mit", name="toy-llama"),
        cleaning=Cleaning(
            near_duplicate=1.0, group_by=("project",), test_share=0.2, validation_share=0.1
        ),
        training=Training(epochs=6, batch_size=16, learning_rate=1e-2, max_length=96),
    )},
    # --
)
'''


def commit(kind: str, name: str, verb: str, number: int) -> dict[str, str]:
    """Return one row: what is done to which part stands in the path and in the changed lines."""
    path = f"{FOLDERS[kind]}/{name}.py"
    diff = (
        f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -{number},2 +{number},3 @@\n"
        f" start({number})\n-{name}.old()\n+{name}.{verb}()\n+done({number})\n"
    )
    return {"message": f"{kind}({name}): {verb} the {name}", "diff": diff}


def rows(count: int = 200) -> list[dict[str, str]]:
    """Return different rows of eight projects."""
    draw = random.Random(3)
    found = []
    for number in range(count):
        kind = draw.choice(list(VERBS))
        row = commit(kind, draw.choice(NAMES), VERBS[kind], number + 1)
        found.append({"project": f"project-{number % 8}", **row})
    return found


def base(folder: Path) -> None:
    """Write a Llama of two layers with random weights, and a tokenizer of the rows."""
    transformers: Any = importlib.import_module("transformers")
    tiny_text.model("llama", spread=0.02).save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tiny_text.tokenizer(
            texts=[row["diff"] + row["message"] for row in rows()]
        ),
        eos_token=tiny_text.END,
        pad_token=tiny_text.PAD,
        model_max_length=256,
        clean_up_tokenization_spaces=False,
    ).save_pretrained(folder)


CHAT = (
    "{% for turn in messages %}"
    "{{ '<|diff|>' if turn.role == 'user' else '<|message|>' }}{{ turn.content }}"
    "{{ '' if turn.role == 'user' else '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}<|message|>{% endif %}"
)


def chat_base(folder: Path) -> None:
    """Write a Qwen2 of two layers with random weights, and a tokenizer with a chat template."""
    transformers: Any = importlib.import_module("transformers")
    base(folder)
    made = tiny_text.model("qwen2", spread=0.02)
    made.config.max_position_embeddings = 1024
    made.save_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = CHAT
    tokenizer.save_pretrained(folder)


def project(folder: Path, chat: bool = False) -> Path:
    """Write a project with one recipe, toy, of commits; ``chat`` is for an instruct base."""
    recipe = folder / "recipes" / "toy"
    (recipe / "prose").mkdir(parents=True)
    (chat_base if chat else base)(recipe / "base")
    (folder / "kit.toml").write_text('owner = "ann"\nsite_url = "http://127.0.0.1:8000/sub/"\n')
    (recipe / "recipe.py").write_text(RECIPE % commit("fix", "cache", "close", 5)["diff"])
    (recipe / "brief.md").write_text(
        "---\ntitle: A toy post\npubDate: 2026-01-02\n---\n## Summary\n\nA toy.\n"
    )
    (recipe / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows()))
    for name in PROSE:
        (recipe / "prose" / f"{name}.md").write_text(f"A paragraph for {name}.\n")
    shutil.copytree(ROOT / "spaces" / "commit_messages", folder / "spaces" / "toy")
    shutil.copytree(ROOT / "site", folder / "site")
    index = folder / "site" / "index.md"
    index.write_text(index.read_text().replace("recipes/sentiment/", "recipes/toy/"))
    shutil.copyfile(ROOT / "mkdocs.yml", folder / "mkdocs.yml")
    if (ROOT / "build" / "runtime").is_dir():
        (folder / "build").mkdir()
        (folder / "build" / "runtime").symlink_to(ROOT / "build" / "runtime")
    return folder
