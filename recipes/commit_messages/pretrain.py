"""Train the starter base model from scratch: a small Llama that reads diffs and free-form messages.

    python recipes/commit_messages/pretrain.py --data DIR   # writes recipes/commit_messages/base/

DIR holds ``freeform.jsonl.gz`` (diffs with messages that do not follow the convention) and
``conventional.jsonl.gz``, of which only the diffs are read: the model learns diffs and prose, not
the convention. Human messages are few, so each other diff gets a line by rule that names what it
touches ("add tailBuffer in runner"): from these the model learns to take words out of a diff. What
is said of a message counts several times as much as the diff before it.

``base/README.md`` lists the histories and has the script that mines them. Repositories named by
``--without`` are left out whole, tokenizer included, so that they stay unseen. On two cores
without bf16 this takes about an hour and a half, compiled where there is a C++ compiler (1.2 times
as fast here); killed, it goes on from its last checkpoint.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from kit.evaluation.commit_baselines import rule_message
from kit.prompts import changes, render

HERE = Path(__file__).parent
PAD, END, DIFF, MESSAGE = "<|pad|>", "<|end|>", "<|diff|>", "<|message|>"
MESSAGE_ROOM = 42
CHECKED_EVERY = 37
# Labels of houses ("BUG:", "types:", "fix(core)!:") are taken off, so that what is left is prose.
LABEL = re.compile(r"^[\w-]+(?:\([^)]*\))?!?: *")
# What a machine wrote: the first are left out whole, 919 of them one diff over and over.
RELEASES, REVERTS = "[Gradle Release Plugin]", "Revert "


@dataclass(frozen=True)
class Size:
    """The model's shape and its training; lengths in tokens."""

    vocabulary: int = 8192
    context: int = 288
    width: int = 256
    layers: int = 4
    heads: int = 4
    key_value_heads: int = 2
    feed_forward: int = 768
    batch_size: int = 16
    learning_rate: float = 1.5e-3
    message_weight: float = 4.0
    seed: int = 13


@dataclass(frozen=True)
class Pair:
    """One commit: its diff, and what is said of it, by a human or, with ``ruled``, by rule."""

    repo: str
    sha: str
    license: str
    date: str
    diff: str
    message: str
    ruled: bool


def read_pairs(data: Path, without: Iterable[str]) -> list[Pair]:
    """Read both files of a folder; a conventional message is dropped, its diff stays."""
    left_out = set(without)
    pairs = []
    for name, messages in (("freeform", True), ("conventional", False)):
        with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if row["repo"] not in left_out and not row["message"].startswith(RELEASES):
                    fields = {key: row[key] for key in ("repo", "sha", "license", "date", "diff")}
                    said = prose(row["message"]) if messages else ""
                    message = said or by_rule(row["diff"])
                    pairs.append(Pair(**fields, message=message, ruled=not said))
    return pairs


def prose(message: str) -> str:
    """Return a human's message without its label; nothing where git wrote it."""
    return "" if message.startswith(REVERTS) else LABEL.sub("", message, count=1).strip()


def by_rule(diff: str) -> str:
    """Return what the rule baseline says of a diff, its type left out, and where: the longest file.

    >>> by_rule(diff)
    'add tailBuffer in runner'
    """
    what = rule_message(diff).partition(": ")[2]
    largest = max(changes(diff), key=lambda file: len(file.lines), default=None)
    stem = largest.path.rpartition("/")[2].partition(".")[0] if largest else ""
    return what if not stem or stem in what else f"{what} in {stem}"


def train_tokenizer(pairs: list[Pair], size: Size) -> Any:
    """Return a byte-level BPE tokenizer of diffs, as they are prompted, and messages.

    A newline is a token of its own, so that the tokens of lines add up to those of their text.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split("\n", "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size.vocabulary,
        special_tokens=[PAD, END, DIFF, MESSAGE],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = (render(pair.diff, 4 * size.context, len_of_line) + pair.message for pair in pairs)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def len_of_line(line: str) -> int:
    """Estimate the tokens of a line before there is a tokenizer."""
    return 1 + len(line) // 3


def documents(pairs: list[Pair], tokenizer: Any, size: Size) -> Iterator[list[int]]:
    """Yield the token ids of each diff and what is said of it."""
    special = {name: tokenizer.token_to_id(name) for name in (END, DIFF, MESSAGE)}
    counted: dict[str, int] = {}

    def count(line: str) -> int:
        if line not in counted:
            counted[line] = len(tokenizer.encode(line).ids)
        return counted[line]

    for pair in pairs:
        body = render(pair.diff, size.context - MESSAGE_ROOM - 2, count)
        message = tokenizer.encode(pair.message).ids[: MESSAGE_ROOM - 1]
        yield [special[DIFF], *tokenizer.encode(body).ids, special[MESSAGE], *message, special[END]]


def new_model(size: Size, tokenizer: Any) -> Any:
    """Return an untrained Llama of that size, input and output embeddings tied."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.width,
        intermediate_size=size.feed_forward,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.key_value_heads,
        max_position_embeddings=2 * size.context,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.token_to_id(DIFF),
        eos_token_id=tokenizer.token_to_id(END),
        pad_token_id=tokenizer.token_to_id(PAD),
    )
    return LlamaForCausalLM(config)


def collate(rows: list[dict[str, list[int]]]) -> dict[str, Any]:
    """Pad to the right. Causal attention never looks there, so no mask is needed."""
    import torch

    longest = max(len(row["input_ids"]) for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    labels = torch.full_like(ids, -100)
    for i, row in enumerate(rows):
        found = torch.tensor(row["input_ids"])
        ids[i, : len(found)] = labels[i, : len(found)] = found
    return {"input_ids": ids, "labels": labels}


def weighted_loss(start: int, weight: float) -> Callable[..., Any]:
    """Return the mean loss of a token, where one behind ``start`` counts ``weight`` times."""

    def loss_of(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        from torch.nn.functional import cross_entropy

        del num_items_in_batch  # the sum of weights takes its place
        expected = labels[:, 1:]
        losses = cross_entropy(
            outputs.logits[:, :-1].flatten(0, 1), expected.flatten(), reduction="none"
        )
        said = (labels == start).cumsum(1)[:, :-1] > 0
        weights = (1 + (weight - 1) * said) * (expected != -100)
        return (losses * weights.flatten()).sum() / weights.sum()

    return loss_of


def fit(rows: list[list[int]], checks: list[list[int]], size: Size, epochs: int, work: Path) -> Any:
    """Train with the Trainer of transformers; return it."""
    from datasets import Dataset
    from transformers import Trainer, TrainingArguments, set_seed
    from transformers.trainer_utils import get_last_checkpoint

    from kit.training.arguments import choose_precision
    from kit.training.batching import batch_by_length

    set_seed(size.seed)
    ids = _Ids(json.loads((work / "tokenizer.json").read_text("utf-8")))
    model = new_model(size, ids)
    arguments = TrainingArguments(
        output_dir=str(work / "trainer"),
        num_train_epochs=epochs,
        per_device_train_batch_size=size.batch_size,
        per_device_eval_batch_size=2 * size.batch_size,
        learning_rate=size.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=0.03,
        weight_decay=0.1,
        adam_beta2=0.95,
        bf16=choose_precision("auto") == "bf16",
        optim="adamw_torch_fused",
        eval_strategy="steps",
        eval_steps=400,
        save_steps=400,
        save_total_limit=1,
        logging_steps=50,
        seed=size.seed,
        report_to="none",
        dataloader_pin_memory=False,
        torch_compile=shutil.which("c++") is not None,
    )

    def dataset(found: list[list[int]]) -> Any:
        return Dataset.from_dict({"input_ids": found})

    trainer = Trainer(
        model=model,
        args=arguments,
        data_collator=collate,
        train_dataset=dataset(rows),
        eval_dataset=dataset(checks),
        compute_loss_func=weighted_loss(ids.token_to_id(MESSAGE), size.message_weight),
    )
    batch_by_length(trainer, [len(row) for row in rows], size.batch_size)
    folder = work / "trainer"
    trainer.train(
        resume_from_checkpoint=get_last_checkpoint(str(folder)) if folder.is_dir() else None
    )
    return trainer


class _Ids:
    """Looks special tokens up in the JSON of a tokenizer."""

    def __init__(self, tokenizer: dict[str, Any]) -> None:
        self._ids = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}

    def token_to_id(self, token: str) -> int:
        return int(self._ids[token])


def save(trainer: Any, work: Path, out: Path, log: dict[str, Any]) -> None:
    """Write weights in bf16, tokenizer and training log to ``out``."""
    import torch
    from transformers import PreTrainedTokenizerFast

    model = trainer.model.to(torch.bfloat16)
    model.save_pretrained(out)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(work / "tokenizer.json"),
        eos_token=END,
        pad_token=PAD,
        model_max_length=trainer.model.config.max_position_embeddings,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.save_pretrained(out)
    # safetensors leaves its file for the owner alone; this one is committed.
    (out / "model.safetensors").chmod(0o644)
    (out / "training.json").write_text(json.dumps(log, indent=1) + "\n")


def histories(pairs: list[Pair]) -> list[dict[str, Any]]:
    """Return, by repository, how many commits were read, of which dates, under which license."""
    found = []
    for repo, rows in sorted(Counter(pair.repo for pair in pairs).items()):
        own = [pair for pair in pairs if pair.repo == repo]
        found.append(
            {
                "repo": repo,
                "commits": rows,
                "messages": sum(not pair.ruled for pair in own),
                "license": ", ".join(sorted({pair.license for pair in own})),
                "first": min((pair.date, pair.sha) for pair in own),
                "last": max((pair.date, pair.sha) for pair in own),
            }
        )
    return found


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path), default=HERE / "base", show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("build/pretrain"))
@click.option("--epochs", default=3, show_default=True)
@click.option("--without", multiple=True, help="A repository that must stay unseen.")
def main(data: Path, out: Path, work: Path, epochs: int, without: tuple[str, ...]) -> None:
    """Train the tokenizer and the model, and write them to --out."""
    import time

    from tokenizers import Tokenizer

    from kit.training.measuring import hardware, versions

    size = Size()
    work.mkdir(parents=True, exist_ok=True)
    pairs = read_pairs(data, without)
    click.echo(f"{len(pairs)} commits, {sum(not p.ruled for p in pairs)} with a human message")
    if not (work / "tokenizer.json").is_file():
        train_tokenizer(pairs, size).save(str(work / "tokenizer.json"))
    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    rows, checks = [], []
    for number, ids in enumerate(documents(pairs, tokenizer, size)):
        if number % CHECKED_EVERY == 0:
            checks.append(ids)
        else:
            rows.append(ids)
    tokens = sum(map(len, rows))
    click.echo(f"{len(rows)} documents, {tokens} tokens an epoch")
    started = time.time()
    trainer = fit(rows, checks, size, epochs, work)
    log = {
        "size": asdict(size),
        "epochs": epochs,
        "tokens_per_epoch": tokens,
        "parameters": trainer.model.num_parameters(),
        "seconds_since_last_resume": round(time.time() - started),
        "hardware": hardware(),
        "versions": versions(),
        "left_out": list(without),
        "histories": histories(pairs),
        "log": trainer.state.log_history,
    }
    out.mkdir(parents=True, exist_ok=True)
    save(trainer, work, out, log)


if __name__ == "__main__":
    main()
