"""Export a checkpoint: ONNX files with a key-value cache, held against it token for token."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from kit.errors import RecipeError
from kit.evaluation.generation import score_texts
from kit.export.causal import write_causal_onnx
from kit.export.costing import thousand_answers
from kit.export.identity import model_id
from kit.export.onnx import FP32, INT8
from kit.export.token_parity import Said, reference, token_parity
from kit.files import put_in_place
from kit.inference import Generator
from kit.records import Answer, ExportRecord, Parity, Thousand, file_entries
from kit.runs import Progress, Run
from kit.tasks.text_generation.loading import GENERATION, Commits, read_commits, read_split
from kit.tasks.text_generation.predicting import tuned

BESIDE = ("config.json", "tokenizer.json", "tokenizer_config.json", GENERATION)
THREADS = 1
PARITY_ROWS = 50
EVERY = 10


def export_checkpoint(run: Run, progress: Progress) -> ExportRecord:
    """Write ``export/`` and compare each file's greedy tokens with the checkpoint's.

    Raises:
        RecipeError: the adapter cannot be merged into weights.
    """
    if run.preset.training.method == "prefix":
        raise RecipeError(
            "training.method=prefix puts virtual tokens before the prompt, which an exported file "
            "has no place for; the adapter is in checkpoint/adapter. Use lora, dora, ia3 or full"
        )
    start = time.perf_counter()
    folder = run.folder / "export"
    progress("export", 0, None)
    put_in_place(folder, lambda temporary: _write(run, temporary))
    rows = read_split(run, "test")
    model, _, _ = tuned(run)
    generator = Generator(folder, FP32, threads=THREADS)
    prompts = [generator.prompt(diff) for diff in rows.diffs[:PARITY_ROWS]]
    said = reference(model, generator, prompts)
    parity = {
        name: _measured(folder, file, rows, said, progress)
        for name, file in (("fp32", FP32), ("int8", INT8))
    }
    return ExportRecord(
        model_id=model_id(folder, (*BESIDE, INT8)),
        files=file_entries(folder),
        parity=parity,
        checkpoint_accuracy=parity["fp32"].accuracy - parity["fp32"].accuracy_difference,
        samples=_samples(run, Generator(folder)),
        thousand=_thousand(run, said, parity["int8"]),
        threads=THREADS,
        seconds=time.perf_counter() - start,
    )


def _write(run: Run, folder: Path) -> None:
    checkpoint = run.folder / "checkpoint"
    model, _, _ = tuned(run)
    write_causal_onnx(model, folder)
    for name in BESIDE:
        shutil.copyfile(checkpoint / name, folder / name)


def _measured(
    folder: Path, file: str, rows: Commits, said: list[Said], progress: Progress
) -> Parity:
    """Compare tokens on the first rows, and count right types on the same ones."""
    generator = Generator(folder, file, threads=THREADS)
    found = token_parity(file, (folder / file).stat().st_size, generator, said, progress)
    n = len(said)
    written = [generator.decode(ids).strip() for ids in found.written]
    wanted = [generator.decode([t for t in answer.ids if t >= 0]).strip() for answer in said]
    accuracy, reference_accuracy = (
        score_texts(texts, rows.messages[:n], rows.diffs[:n])["type_accuracy"].value
        for texts in (written, wanted)
    )
    return Parity(
        file=file,
        n=n,
        agreement=found.agreement,
        identical=found.identical,
        accuracy=accuracy,
        accuracy_difference=accuracy - reference_accuracy,
        largest_logit_difference=found.largest_logit_difference,
        bytes=found.bytes,
        latency_ms={
            "first token": found.first_token_ms,
            "token": 1000 / found.tokens_per_second if found.tokens_per_second else 0.0,
        },
    )


def _thousand(run: Run, said: list[Said], parity: Parity) -> Thousand:
    """Reckon with the mean prompt and the mean answer of the compared rows."""
    read = sum(len(answer.prompt) for answer in said) / len(said)
    written = sum(len(answer.ids) for answer in said) / len(said)
    first, each = parity.latency_ms["first token"], parity.latency_ms["token"]
    return thousand_answers(
        run.project, (first + (written - 1) * each) / 1000, tokens_read=read, tokens_written=written
    )


def _samples(run: Run, generator: Generator) -> tuple[Answer, ...]:
    """Record what the int8 file writes for the recipe's samples: shown before anything loads."""
    return tuple(
        Answer(
            id=f"sample-{number}",
            text=sample.text,
            label=None,
            predicted=generator.alternatives(sample.text)[0]["text"],
            note=sample.note,
        )
        for number, sample in enumerate(run.recipe.task.samples, 1)
    )


def measure(
    folder: Path, test: Path, labels: Sequence[str], progress: Progress
) -> dict[str, float]:
    """Return format, type and chrF of the fp32 file on prepared commits, greedy, unconstrained."""
    rows, generator = read_commits(test), Generator(folder, FP32)
    written = []
    for done, diff in enumerate(rows.diffs):
        if done % EVERY == 0:
            progress("write the messages of the test rows again", done, len(rows))
        written.append(generator.message(diff))
    found = score_texts(written, rows.messages, rows.diffs, labels)
    return {name: found[name].value for name in ("format_validity", "type_accuracy", "chrf")}
