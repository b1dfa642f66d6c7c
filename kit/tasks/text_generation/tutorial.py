"""The tutorial of a generator: one source of ``notebook.ipynb`` and of ``tutorial.py``.

This file imports nothing of kit but ``prompts``, whose text takes the place of that import when
the tutorial is written. Its cells begin with ``# %%``; ``kit.writing.notebook`` renders the
Markdown among them, whose numbers come from the run's records, fills ``SETTINGS`` in, and writes
what a reader runs::

    uv run tutorial.py                  # or notebook.ipynb, from its first cell to its last
"""

# %% [markdown]
# # {{ brief.title|md }}
#
# This trains the model of [{{ recipe.title|md }}]({{ post_url }}) again, from the base model to
# the number on its page: of {{ num("evaluation", "n", "int") }} commits that it was not trained on,
# {{ num("evaluation", "systems.tuned.type_accuracy.value", "pct") }} get the right type,
# 95 % interval {{ num("evaluation", "systems.tuned.type_accuracy.low", "pct") }} to
# {{ num("evaluation", "systems.tuned.type_accuracy.high", "pct") }}. The recorded training took
# {{ num("checkpoint", "seconds", ".0f") }} s on {{ checkpoint.hardware.processor|md }},
# {{ checkpoint.hardware.cores|known }} cores (accelerator:
# {{ checkpoint.hardware.accelerator|md }}).

# %%
from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
from datasets import Dataset
from huggingface_hub import hf_hub_download, snapshot_download
from huggingface_hub.errors import HfHubHTTPError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize
from torch.utils.data import Sampler
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    EarlyStoppingCallback,
    set_seed,
)
from trl import SFTConfig, SFTTrainer  # type: ignore[attr-defined]

# %% [markdown]
# ## What a model is shown of a diff
#
# A small model reads a few hundred tokens. The next cell makes a short text of a diff: paths first,
# then changed lines, each file its fair share. It is the file `prompts.py` of the model's repo,
# word for word; whoever asks the model must render diffs as it was trained on them.

# %% prompts
from prompts import render  # type: ignore[import-not-found]

# %% [markdown]
# ## What the run was set to
#
# Copied from the run's records when this file was written. Change what you like: the comparison
# at the end then says what the change did.

# %% settings
SETTINGS: dict[str, Any] = {}

# %% [markdown]
# ## The rows
#
# They lie in `data/` beside this file, or come from
# [{{ dataset_id }}]({{ dataset_url }}). {{ num("dataset", "splits.train.rows", "int") }} commits
# train, {{ num("dataset", "splits.validation.rows", "int") }} choose the epoch and
# {{ num("dataset", "splits.test.rows", "int") }} are kept for the end. Files whose bytes are not
# the recorded ones are refused. For rows of your own, empty `SETTINGS["data"]["sha256"]`.

# %%
parser = argparse.ArgumentParser(description="Train the model of this tutorial again.")
parser.add_argument("--base", type=Path, help="a folder with the base model")
parser.add_argument("--out", type=Path, default=Path("trained"), help="where the model goes")
# In a notebook the arguments are the kernel's.
OPTIONS = parser.parse_args([] if "ipykernel" in sys.modules else None)
HERE = Path(__file__).resolve().parent if "__file__" in globals() else Path.cwd()


def digest(path: Path) -> str:
    """Return the sha256 of a file, or of nothing where there is no file."""
    return hashlib.sha256(path.read_bytes() if path.is_file() else b"").hexdigest()


def refuse_other_bytes(folder: Path, wanted: dict[str, str]) -> Path:
    """Return the folder if its files are the recorded ones."""
    for name, recorded in wanted.items():
        if digest(folder / name) != recorded:
            raise SystemExit(f"expected {folder / name} with sha256 {recorded}, it has another")
    return folder


def read(split: str) -> dict[str, list[str]]:
    """Return the columns of one split, "text" is the diff, "label" the type."""
    name, data = f"data/{split}.parquet", SETTINGS["data"]
    folder = next((place for place in (HERE, Path.cwd()) if (place / name).is_file()), None)
    if folder is None:
        try:
            file = hf_hub_download(data["repo_id"], name, repo_type="dataset")
        except (OSError, HfHubHTTPError) as error:
            raise SystemExit(f"expected {name} here or in {data['repo_id']}: {error}") from error
        folder = Path(file).parents[1]
    wanted = {name: data["sha256"][name]} if name in data["sha256"] else {}
    columns: dict[str, list[str]] = pq.read_table(
        refuse_other_bytes(folder, wanted) / name
    ).to_pydict()
    return columns


TYPES: list[str] = SETTINGS["labels"]
ROWS = {split: read(split) for split in ("train", "validation", "test")}
for split, rows in ROWS.items():
    print(f"{split:10} {len(rows['text']):6} commits  {Counter(rows['label']).most_common(4)}")
for row in range(4):
    print(ROWS["train"]["message"][row])

# %% [markdown]
# ## The base model
#
# {{ checkpoint.base.name|code|known }} ({{ checkpoint.base.license|code|known }}),
# {{ num("checkpoint", "parameters", "int") }} parameters. It is looked for in the folder
# of `--base`, in `base/` beside this file, in an installed package with the same bytes, and on the
# Hub.

# %%
FILES = ("*.safetensors", "*.json", "*.txt")


def installed(package: str | None) -> Path | None:
    """Return the folder of an installed package that holds weights; nothing of it is imported."""
    try:
        files = importlib.metadata.files(package or "") or []
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None
    found = [Path(str(file.locate())) for file in files if file.name == "model.safetensors"]
    return found[0].parent if found else None


def find_base() -> Path:
    """Return a folder with the base model's files."""
    base = SETTINGS["base"]
    if OPTIONS.base:
        return Path(OPTIONS.base)
    beside = HERE / "base"
    folder = beside if (beside / "config.json").is_file() else installed(base["mirror"])
    if folder is None and base["repo_id"] is None:
        raise SystemExit(f"expected the base model {base['name']} in a folder; name it by --base")
    if folder is None:
        names = [base["folder"] + file for file in FILES]
        repo, revision = base["repo_id"], base["revision"]
        try:
            fetched = snapshot_download(repo, revision=revision, allow_patterns=names)
        except (OSError, HfHubHTTPError) as error:
            raise SystemExit(f"expected {repo} from the Hub, or --base FOLDER: {error}") from error
        folder = Path(fetched) / base["folder"]
    return refuse_other_bytes(folder, base["sha256"])


TRAINING: dict[str, Any] = SETTINGS["training"]
BASE = find_base()
tokenizer: Any = AutoTokenizer.from_pretrained(BASE)
# The file may bring a padding and a length of its own.
tokenizer.backend_tokenizer.no_truncation()
tokenizer.backend_tokenizer.no_padding()
if tokenizer.pad_token_id is None:
    tokenizer.pad_token = tokenizer.eos_token
set_seed(TRAINING["seed"])
model: Any = AutoModelForCausalLM.from_pretrained(BASE, dtype="float32")
if TRAINING["dropout"] is not None:
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = TRAINING["dropout"]
        for name in ("attention_dropout", "dropout_prob", "attention_probs_dropout_prob"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, TRAINING["dropout"])
if TRAINING["freeze_embeddings"]:
    model.get_input_embeddings().requires_grad_(False)
trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {trained:,} trained")

# %% [markdown]
# ## What it is asked, and what it shall answer
#
# The rendered diff stands between two special tokens of the base, or in a turn of its chat
# template. The loss is of the message's tokens only.


# %%
PROMPT: dict[str, Any] = SETTINGS["prompt"]


def frame() -> tuple[str, str]:
    """Return what stands before and after the diff."""
    if tokenizer.chat_template:
        turn = [{"role": "user", "content": PROMPT["instruction"] + "\0"}]
        text = tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
        before, _, after = text.partition("\0")
        return before, after
    if {PROMPT["diff"], PROMPT["message"]} <= tokenizer.get_vocab().keys():
        return PROMPT["diff"], PROMPT["message"]
    return PROMPT["instruction"], "\nSubject line: "


def ids(text: str) -> list[int]:
    """Return the tokens of a text and nothing around them."""
    found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return found


@cache
def count(line: str) -> int:
    """Return how many tokens a line has; each line is counted once."""
    return len(ids(line))


BEFORE, AFTER = frame()
BUDGET = TRAINING["max_length"] - PROMPT["max_new_tokens"] - len(ids(BEFORE + AFTER))
BUDGET -= PROMPT["slack"]
ASKED = {
    split: [BEFORE + render(diff, BUDGET, count) + AFTER for diff in ROWS[split]["text"]]
    for split in ROWS
}
print(ASKED["test"][0])

# %% [markdown]
# ## Training
#
# Rows of like length share a batch, so that little is padded: all rows are sorted by their
# length, shaken by a tenth, and the batches are shuffled. The epoch with the lowest validation loss
# is kept.


# %%
class ByLength(Sampler[int]):
    """Draws an epoch: each run of ``size`` row indices is one batch of rows of like length."""

    def __init__(self, lengths: Sequence[int], size: int) -> None:
        self.lengths, self.size = torch.tensor(lengths), size

    def __iter__(self) -> Iterator[int]:
        order = (self.lengths * (1 + 0.1 * torch.rand(len(self.lengths)))).argsort()
        whole = len(order) // self.size * self.size
        batches = order[:whole].view(-1, self.size)
        shuffled = batches[torch.randperm(len(batches))].flatten()
        return iter(torch.cat([shuffled, order[whole:]]).tolist())

    def __len__(self) -> int:
        return len(self.lengths)


def tokenized(split: str) -> Dataset:
    """Return prompts with their messages as tokens; messages that are too long are left out."""
    columns: dict[str, list[list[int]]] = {"input_ids": [], "labels": []}
    for asked, message in zip(ASKED[split], ROWS[split]["message"], strict=True):
        question, answer = ids(asked), ids(message)
        if len(answer) < PROMPT["max_new_tokens"]:
            answer.append(tokenizer.eos_token_id)
            columns["input_ids"].append(question + answer)
            columns["labels"].append([-100] * len(question) + answer)
    return Dataset.from_dict(columns)


READY = {split: tokenized(split) for split in ("train", "validation")}
arguments = SFTConfig(
    output_dir=str(OPTIONS.out / "epochs"),
    num_train_epochs=TRAINING["epochs"],
    per_device_train_batch_size=TRAINING["batch_size"],
    per_device_eval_batch_size=2 * TRAINING["batch_size"],
    learning_rate=TRAINING["learning_rate"],
    weight_decay=TRAINING["weight_decay"],
    warmup_steps=TRAINING["warmup"],
    lr_scheduler_type=TRAINING["scheduler"],
    label_smoothing_factor=TRAINING["label_smoothing"],
    bf16=SETTINGS["precision"] == "bf16" and torch.cuda.is_available(),
    optim="adamw_torch_fused",
    eval_strategy="epoch",
    save_strategy="epoch",
    save_total_limit=2,
    load_best_model_at_end=True,
    metric_for_best_model="eval_loss",
    greater_is_better=False,
    logging_steps=50,
    seed=TRAINING["seed"],
    data_seed=TRAINING["seed"],
    report_to="none",
    dataloader_pin_memory=False,
    max_length=None,
    dataset_kwargs={"skip_prepare_dataset": True},
    activation_checkpointing=False,
)
trainer: Any = SFTTrainer(
    model=model,
    args=arguments,
    train_dataset=READY["train"],
    eval_dataset=READY["validation"],
    processing_class=tokenizer,
    callbacks=[EarlyStoppingCallback(TRAINING["patience"])],
)
lengths = [len(row) for row in READY["train"]["input_ids"]]
trainer._get_train_sampler = lambda dataset=None: ByLength(lengths, TRAINING["batch_size"])
seconds = trainer.train().metrics["train_runtime"]
print(f"{seconds:.0f} s")

# %% [markdown]
# ## How often the type is right, and against what
#
# Three systems answer the same test commits: the model, greedy and unconstrained; the message of
# the training diff with the most words in common (cosine); and the most common type. A line without
# a valid form has no type. The interval of a share is Wilson's.


# %%
SUBJECT = re.compile(r"([^\W\d_][\w-]*)(?:\([^()\s](?:[^()]*[^()\s])?\))?!?: \S")


def type_of(message: str) -> str | None:
    """Return the type that a subject line begins with, if it has the form of one."""
    found = SUBJECT.match(message)
    return found[1] if found and found[1] in TYPES else None


def written(asked: Sequence[str], size: int = 32) -> list[str]:
    """Return the first line of what the model writes after each prompt, greedily."""
    tokenizer.padding_side = "left"
    order = sorted(range(len(asked)), key=lambda i: len(ids(asked[i])))
    found: dict[int, str] = {}
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        rows = {"input_ids": [ids(asked[i]) for i in chosen]}
        batch = tokenizer.pad(rows, return_tensors="pt").to(model.device)
        with torch.inference_mode():
            out = model.eval().generate(
                **batch,
                do_sample=False,
                max_new_tokens=PROMPT["max_new_tokens"],
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
            )
        fresh = out[:, batch["input_ids"].shape[1] :]
        texts = tokenizer.batch_decode(fresh, skip_special_tokens=True)
        found |= {
            i: text.strip().split("\n")[0].strip() for i, text in zip(chosen, texts, strict=True)
        }
    return [found[i] for i in range(len(asked))]


def nearest() -> list[str]:
    """Return the message of the training diff that shares the most words with each test diff."""
    words = CountVectorizer(token_pattern=r"\b\w+\b")
    known = normalize(words.fit_transform(ROWS["train"]["text"]))
    asked = normalize(words.transform(ROWS["test"]["text"]))
    return [ROWS["train"]["message"][int(i)] for i in (asked @ known.T).toarray().argmax(axis=1)]


def wilson(right: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the 95 % interval of a share (E. B. Wilson, JASA, 1927)."""
    share, slack = right / n, z * z / n
    half = z * math.sqrt(share * (1 - share) / n + slack / (4 * n))
    return (share + slack / 2 - half) / (1 + slack), (share + slack / 2 + half) / (1 + slack)


messages = written(ASKED["test"])
most_common = Counter(ROWS["train"]["label"]).most_common(1)[0][0]
answers: dict[str, list[str | None]] = {
    "this model": [type_of(message) for message in messages],
    "nearest diff": [type_of(message) for message in nearest()],
    "most common type": [most_common] * len(messages),
}
SCORES: dict[str, tuple[float, float, float]] = {}
for system, types in answers.items():
    right = sum(a == b for a, b in zip(types, ROWS["test"]["label"], strict=True))
    SCORES[system] = (right / len(types), *wilson(right, len(types)))
    print("{:14} {:.3f}  95 % interval {:.3f} to {:.3f}".format(system, *SCORES[system]))

# %% [markdown]
# ## What it writes
#
# The type is what to judge; read a few of the lines and see what the words after it are worth.

# %%
for row in range(0, len(messages), max(1, len(messages) // 8)):
    print(f"it wrote    {messages[row]}\nits author  {ROWS['test']['message'][row]}\n")

# %% [markdown]
# ## Save it

# %%
model.save_pretrained(OPTIONS.out)
tokenizer.save_pretrained(OPTIONS.out)
print(*sorted(path.name for path in OPTIONS.out.iterdir() if path.is_file()))

# %% [markdown]
# ## Does the recorded number hold
#
# Another processor rounds otherwise, so the last digits differ. What must hold is that the share
# lies in the recorded interval.

# %%
value, low, high = SCORES["this model"]
record = SETTINGS["recorded"]
inside = record["low"] <= value <= record["high"]
print(f"here      {value:.3f} ({low:.3f} to {high:.3f}), trained in {seconds:.0f} s")
print(f"recorded  {record['value']:.3f} ({record['low']:.3f} to {record['high']:.3f})")
print("inside the recorded interval" if inside else "OUTSIDE the recorded interval")
results = {
    "metric": record["metric"],
    "n": len(messages),
    "value": value,
    "low": low,
    "high": high,
    "recorded": record,
    "inside": inside,
    "baselines": {name: score[0] for name, score in SCORES.items() if name != "this model"},
    "seconds": seconds,
}
(OPTIONS.out / "results.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
