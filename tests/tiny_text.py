"""Small text generators made on the spot: a byte-level BPE tokenizer, Llama and Qwen2, exported."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PAD, END, DIFF, MESSAGE = "<|pad|>", "<|end|>", "<|diff|>", "<|message|>"
TYPES = ["build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "test"]
GENERATION = {
    "prefix": DIFF,
    "suffix": MESSAGE,
    "budget": 120,
    "max_new_tokens": 24,
    "end": [1],
    "types": TYPES,
}
_KEPT: list[TemporaryDirectory[str]] = []


def diff(path: str, removed: str, added: str) -> str:
    """Return a diff of git that changes one line of one file."""
    return (
        f"diff --git a/{path} b/{path}\nindex 1111111..2222222 100644\n--- a/{path}\n+++ b/{path}\n"
        f"@@ -1,2 +1,2 @@ def store(self, key):\n context\n-{removed}\n+{added}\n"
    )


DIFFS = (
    diff("src/cache.py", "return None", "self._retry(key, value)"),
    diff("docs/guide.md", "Use the old flag.", "Use the new flag: `--clean`."),
    diff("web/app.js", "const a = 1", "const total = items.length"),
    diff("tests/test_cache.py", "assert store", "assert store.get('a') is None"),
    diff("Makefile", "\tpython build.py", "\tpython -m build --wheel"),
)


def tokenizer(vocabulary: int = 400, texts: Sequence[str] = ()) -> Any:
    """Return a byte-level BPE tokenizer in which a newline is a token of its own."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    split = pre_tokenizers.Split("\n", "isolated")
    by_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    made.pre_tokenizer = pre_tokenizers.Sequence([split, by_bytes])
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, END, DIFF, MESSAGE],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(
        texts or [*DIFFS, *(f"{name}: add the {name}" for name in TYPES)], trainer
    )
    return made


def model(kind: str, seed: int = 7, spread: float = 0.2) -> Any:
    """Return a Llama (tied embeddings) or a Qwen2 (untied, with biases), two layers, width 64."""
    import torch

    transformers: Any = importlib.import_module("transformers")
    torch.manual_seed(seed)
    shape = {
        "vocab_size": 400,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "initializer_range": spread,
        "bos_token_id": 2,
        "eos_token_id": 1,
        "pad_token_id": 0,
    }
    if kind == "qwen2":
        config = transformers.Qwen2Config(**shape, tie_word_embeddings=False)
        made = transformers.Qwen2ForCausalLM(config)
    else:
        config = transformers.LlamaConfig(**shape, tie_word_embeddings=True)
        made = transformers.LlamaForCausalLM(config)
    for name, weights in made.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(weights, std=0.3)
        elif "norm" in name:
            torch.nn.init.normal_(weights, mean=1.0, std=0.2)
    return made.eval()


@cache
def exported(kind: str) -> Path:
    """Return a folder with a tiny model's export; tests must not change it."""
    from kit.export.causal import write_causal_onnx

    _KEPT.append(TemporaryDirectory())
    folder = Path(_KEPT[-1].name)
    made = model(kind)
    made.config.save_pretrained(folder)
    tokenizer().save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 256}')
    (folder / "generation.json").write_text(json.dumps(GENERATION))
    write_causal_onnx(made, folder)
    return folder
