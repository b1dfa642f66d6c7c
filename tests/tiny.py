"""Small real things made on the spot: a tokenizer, a BERT classifier, rows, a project."""

from __future__ import annotations

import importlib
import json
import random
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
GOOD = ["good", "great", "kind", "fine", "superb", "lovely", "wise", "funny"]
BAD = ["bad", "awful", "dull", "poor", "dreadful", "stale", "silly", "weak"]
REST = [
    *("the", "a", "film", "book", "plot", "was", "is", "and", "but", "not", "slow", "i", "loved"),
    *("it", "very", "phone", "meal", "this", "that", "quite"),
]
WORDS = [*GOOD, *BAD, *REST]

RECIPE = '''"""A toy recipe for tests."""
from kit.recipe import (
    Cleaning, LocalData, LocalModel, Preset, ProbePair, Recipe, Sample, TextClassification,
    Training,
)

RECIPE = Recipe(
    name="toy", title="A toy classifier", slug="toy", language="en",
    task=TextClassification(
        labels=("negative", "positive"), slices=("kind",),
        samples=(Sample("a good film", "plain"), Sample("a dull book", "plain")),
        probes=(ProbePair(group="thing", a="the film was good", b="the book was good"),),
    ),
    # -- presets
    presets={"starter": Preset(
        data=LocalData("rows.jsonl", license="cc0-1.0"),
        base=LocalModel("%s", license="mit"),
        cleaning=Cleaning(near_duplicate=1.0, stratify_by=("label",), test_share=0.2),
        training=Training(
            epochs=4, batch_size=16, learning_rate=5e-3, max_length=16, seed=1
        ),
    )},
    # --
)
'''


def tokenizer(max_length: int = 16) -> Any:
    """Return a WordPiece tokenizer that knows WORDS and single characters."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import TemplateProcessing

    transformers: Any = importlib.import_module("transformers")
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    letters = [chr(code) for code in range(33, 127)]
    pieces = [*special, *WORDS, *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    made = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = BertNormalizer(lowercase=True)
    made.pre_tokenizer = BertPreTokenizer()
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")],
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        model_max_length=max_length,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )


def classifier(folder: Path, kind: str = "bert", spread: float = 0.25) -> Any:
    """Write a BERT or DistilBERT classifier of two layers with random weights; return it."""
    import torch

    transformers: Any = importlib.import_module("transformers")
    torch.manual_seed(19)
    words = tokenizer()
    labels: Any = {
        "id2label": {0: "negative", 1: "positive"},
        "label2id": {"negative": 0, "positive": 1},
        "initializer_range": spread,
        "max_position_embeddings": 64,
        "vocab_size": len(words),
    }
    if kind == "distilbert":
        config = transformers.DistilBertConfig(
            dim=32, n_layers=2, n_heads=2, hidden_dim=64, **labels
        )
        model = transformers.DistilBertForSequenceClassification(config)
    else:
        config = transformers.BertConfig(
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            **labels,
        )
        model = transformers.BertForSequenceClassification(config)
    model.eval().save_pretrained(folder)
    words.save_pretrained(folder)
    return model


def rows(count: int = 240) -> list[dict[str, str]]:
    """Return different short rows that a few words decide."""
    draw = random.Random(5)
    found: dict[str, dict[str, str]] = {}
    while len(found) < count:
        positive = len(found) % 2 == 0
        said = draw.sample(GOOD if positive else BAD, 2)
        words = draw.sample([*said, *draw.sample(REST, draw.randint(2, 6))], k=4)
        if not set(words) & set(said):
            continue
        text = " ".join(words)
        found[text] = {
            "text": text,
            "label": "positive" if positive else "negative",
            "kind": draw.choice(["plain", "contrast"]),
        }
    return list(found.values())


def project(folder: Path, base: str = "bert") -> Path:
    """Write a project with one recipe, toy, whose base model is made on the spot."""
    recipe = folder / "recipes" / "toy"
    recipe.mkdir(parents=True)
    classifier(folder / "base", base, spread=0.1)
    (folder / "kit.toml").write_text('owner = "ann"\nsite_url = "http://127.0.0.1:8000/sub/"\n')
    (recipe / "recipe.py").write_text(RECIPE % (folder / "base"))
    (recipe / "brief.md").write_text(
        "---\ntitle: A toy post\npubDate: 2026-01-02\n---\n## Summary\n\nA toy.\n"
    )
    (recipe / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows()))
    shutil.copytree(ROOT / "recipes" / "sentiment" / "prose", recipe / "prose")
    shutil.copytree(ROOT / "spaces" / "sentiment", folder / "spaces" / "toy")
    shutil.copytree(ROOT / "site", folder / "site")
    index = folder / "site" / "index.md"
    index.write_text(index.read_text().replace("recipes/sentiment/", "recipes/toy/"))
    shutil.copyfile(ROOT / "mkdocs.yml", folder / "mkdocs.yml")
    if (ROOT / "build" / "runtime").is_dir():
        (folder / "build").mkdir()
        (folder / "build" / "runtime").symlink_to(ROOT / "build" / "runtime")
    return folder
