"""The records: what a stage leaves behind as JSON, and the only thing the next stage reads.

A record is written last, by rename, so its existence means that its stage finished. ``inputs`` is
a digest of everything the stage read; a record is fresh when it is present and the digest equals.
Fractions are in [0, 1], times in seconds, sizes in bytes, energy in watt-hours.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kit.errors import RecordError, RunError
from kit.files import sha256, tree, write_atomically

SCHEMA_VERSION = 1
STATS = "stats.json"
"""What a `StatsRecord` is called, beside the accepted records."""
PUBLICATION = "publication.json"
"""What a `PublicationRecord` is called, beside its journals and beside the accepted records."""


class Part(BaseModel):
    """A frozen piece of a record: unknown keys are refused, and so is NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Record(Part):
    """What every record holds. Read it with ``load``, leave it with ``save``."""

    schema_version: int = SCHEMA_VERSION
    inputs: str = Field(default="", description="digest of everything that the stage read")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a record.

        Raises:
            RunError: the file is missing, or made by a newer version of kit.
            RecordError: it is broken, or made by an older one.
        """
        try:
            data = json.loads(path.read_bytes())
        except FileNotFoundError as error:
            raise RunError(f"expected {path}, found none; run the stage that writes it") from error
        except ValueError as error:
            raise RecordError(
                f"expected JSON in {path}, got {error}; run its stage again"
            ) from error
        version = data.get("schema_version") if isinstance(data, dict) else None
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise RunError(
                f"{path} has schema {version}, this kit reads up to {SCHEMA_VERSION}; "
                "a newer kit made it: update kit, or run the recipe again in a new folder"
            )
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise RecordError(f"{path}, at {where}: {first['msg']}; run its stage again") from error

    def save(self, path: Path) -> None:
        """Write the record by rename: a reader sees the old one or the new one, never half."""
        text = json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False)
        write_atomically(path, (text + "\n").encode())


class Metric(Part):
    """One measured number with its 95 % interval and its n."""

    value: float
    low: float
    high: float
    n: int
    method: str = Field(description="how the interval was made: wilson, bootstrap, none")


class Comparison(Part):
    """A paired comparison of two systems on the same rows; ``difference`` is a minus b."""

    metric: str
    a: str
    b: str
    difference: float
    low: float
    high: float
    p_value: float
    test: str


class FileEntry(Part):
    """One file: path relative to its folder, digest, size."""

    path: str
    sha256: str
    bytes: int


def file_entry(path: Path, root: Path) -> FileEntry:
    """Return one file's entry, its path relative to ``root``."""
    return FileEntry(
        path=path.relative_to(root).as_posix(), sha256=sha256(path), bytes=path.stat().st_size
    )


def file_entries(folder: Path) -> tuple[FileEntry, ...]:
    """Return every file below a folder, sorted by path."""
    return tuple(file_entry(path, folder) for path in tree(folder))


class Source(Part):
    """Where rows or weights come from. ``revision`` is a 40-hex commit or a sha256 digest."""

    kind: Literal["hub", "local"]
    name: str
    revision: str
    license: str
    url: str | None = None


class Split(Part):
    """One split of the data: its size, its labels, its lengths, its file."""

    rows: int
    labels: dict[str, int]
    words_median: float
    words_longest: int
    file: FileEntry


class Example(Part):
    """One row as a page shows it."""

    text: str
    label: str
    fields: dict[str, str] = {}


class Preferences(Part):
    """What the data stage kept of a file of pairs; ``splits`` are train and validation."""

    source: Source
    splits: dict[str, Split]
    rows_read: int
    removed: dict[str, int]
    personal_data: dict[str, int]


class DatasetRecord(Record):
    """What the data stage found, removed and kept. ``preferences`` are those of ``dpo``."""

    sources: tuple[Source, ...]
    language_creators: str | None = None
    splits: dict[str, Split]
    rows_read: int
    removed: dict[str, int]
    exact_duplicates: int
    near_duplicates: int
    near_duplicate_threshold: float
    contradictory_labels: int
    leaked_from_train: dict[str, int]
    repaired: int
    personal_data: dict[str, int]
    personal_data_action: str
    secrets: int
    length_histogram: dict[str, int]
    fields: dict[str, dict[str, int]]
    examples: tuple[Example, ...]
    seconds: float
    rows_per_second: float
    preferences: Preferences | None = None


class Epoch(Part):
    """One epoch of training as the trainer logged it."""

    epoch: float
    step: int
    train_loss: float
    eval_loss: float


class Reward(Part):
    """The validation pairs after an epoch.

    ``accuracy`` is the share whose chosen answer gained more over the base than the rejected one,
    ``margin`` beta times the mean difference of the two gains, in nats.
    """

    epoch: float
    step: int
    accuracy: float
    margin: float


class PreferenceFit(Part):
    """How preferences were trained: on how many pairs, how many too long, what was gained."""

    beta: float
    pairs: int
    cut: int
    rewards: tuple[Reward, ...]


class CheckpointRecord(Record):
    """How the model was trained and what it took. ``preferences`` is there where it was ``dpo``."""

    base: Source
    method: str
    objective: str
    quantization: str | None
    settings: dict[str, Any]
    parameters: int
    trainable_parameters: int
    loss_curve: tuple[tuple[int, float], ...]
    epochs: tuple[Epoch, ...]
    best_step: int
    best_epoch: float
    stopped_early: bool
    steps: int
    seconds: float
    tokens: int
    tokens_per_second: float
    peak_memory_bytes: int
    energy_wh: float | None
    energy_method: str
    cost: float | None
    cost_currency: str
    precision: str
    hardware: dict[str, str]
    versions: dict[str, str]
    seed: int
    files: tuple[FileEntry, ...]
    preferences: PreferenceFit | None = None


class Slice(Part):
    """Accuracy of the tuned model on the rows where ``field`` equals ``value``."""

    field: str
    value: str
    accuracy: Metric


class Answer(Part):
    """One answered row. ``probability`` is a classifier's, for the label it gave."""

    id: str
    text: str
    label: str | None
    predicted: str
    probability: float | None = None
    note: str = ""


class Probe(Part):
    """How answers change when only a name or a pronoun does."""

    group: str
    pairs: int
    flips: int
    mean_shift: float
    largest_shift: float


class CalibrationBin(Part):
    """Answers whose confidence lies in [low, high)."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


class EvaluationRecord(Record):
    """Every system on the same test rows. Other programs read this: its shape is a contract.

    ``headline`` is the metric that slices and the home page show. Of a generator, ``confusion`` is
    that of commit types, an answer's text and label are diff and subject, ``consistency`` says how
    often a diff that was changed without changing its meaning keeps its type, and ``signatures``
    how the scores of texts are computed.
    """

    split: str
    n: int
    headline: str = "accuracy"
    labels: tuple[str, ...]
    systems: dict[str, dict[str, Metric]]
    descriptions: dict[str, str]
    comparisons: tuple[Comparison, ...]
    confusion: dict[str, dict[str, int]]
    slices: tuple[Slice, ...]
    calibration: tuple[CalibrationBin, ...] = ()
    mistakes: tuple[Answer, ...]
    samples: tuple[Answer, ...]
    probes: tuple[Probe, ...] = ()
    consistency: dict[str, Metric] = {}
    signatures: dict[str, str] = {}
    source: Source
    seconds: float


class Endpoint(Part):
    """A model behind an address, and how it was asked. ``model`` is the name asked for,
    ``answered_as`` those that the answers bore; tokens as the endpoint counted them.
    """

    url: str
    model: str
    answered_as: tuple[str, ...]
    asked_at: str = Field(description="UTC, ISO 8601")
    instruction: str
    temperature: float
    max_tokens: int
    prompt_tokens: int | None
    answer_tokens: int | None


class EndpointRecord(EvaluationRecord):
    """An evaluation with one more system, ``endpoint``: a model that no run determines."""

    endpoint: Endpoint


class Parity(Part):
    """One exported file against the checkpoint, on the same test rows.

    ``agreement`` is the share of decisions that are the same: the label of each row; for a
    generator the next token after each token of the checkpoint's answer. ``identical`` is the share
    of a generator's answers that are the same from the first token to the last.
    """

    file: str
    n: int
    agreement: float
    identical: float | None = None
    accuracy: float
    accuracy_difference: float
    largest_logit_difference: float
    bytes: int
    latency_ms: dict[str, float]


class Thousand(Part):
    """What a thousand answers take and cost, at the prices that ``kit.toml`` states.

    ``seconds`` and ``cost`` are of the exported file on one thread; ``hosted_cost`` of a large
    model that is paid by the token, prices per million tokens. None where no price is stated.
    """

    answers: int
    seconds: float
    cost: float | None
    tokens_read: float
    tokens_written: float
    instruction_tokens: int
    price_per_hour: float
    hosted_cost: float | None
    hosted_input_price: float
    hosted_output_price: float
    currency: str


class ExportRecord(Record):
    """The files a reader runs, and how far they are from the checkpoint."""

    model_id: str
    files: tuple[FileEntry, ...]
    parity: dict[str, Parity]
    checkpoint_accuracy: float
    samples: tuple[Answer, ...]
    thousand: Thousand
    threads: int
    seconds: float


class LedgerEntry(Part):
    """One number as it was printed on a page: its record, where in it, and the text."""

    page: str
    record: str
    pointer: str
    form: str
    text: str


class PagesRecord(Record):
    """The rendered pages and every number on them."""

    files: tuple[FileEntry, ...]
    ledger: tuple[LedgerEntry, ...]


class AssemblyRecord(Record):
    """The exact repo folders to push, path by path; ``model_id`` is that of the exported files."""

    repos: dict[str, tuple[FileEntry, ...]]
    space_sdk: str
    model_id: str = ""

    @property
    def digest(self) -> str:
        """The digest of every file that would be pushed."""
        files = {name: [file.sha256 for file in files] for name, files in self.repos.items()}
        paths = {name: [file.path for file in files] for name, files in self.repos.items()}
        text = json.dumps([files, paths, self.space_sdk], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


class PublishedRepo(Part):
    """One repo of a publication. ``before`` is the commit it stood at, None if it was not there."""

    repo_type: str
    repo_id: str
    url: str
    commit: str
    before: str | None
    visibility: str


class PublicationRecord(Record):
    """What was pushed: to which Hub, under which tag, as which commits; and the journal's name.

    ``model_id`` is that of the exported files; empty where the run has other files by now.
    """

    endpoint: str
    tag: str
    assembly: str
    model_id: str = ""
    repos: tuple[PublishedRepo, ...]
    journal: str


class RepoStats(Part):
    """How one repo is received. A Space has no ``downloads``, only a Space has a ``stage``.

    ``downloads`` are those of the last 30 days, as the Hub counts them.
    """

    repo_type: str
    repo_id: str
    downloads: int | None
    likes: int
    stage: str | None


class StatsDay(Part):
    """What the Hub said on one day, UTC."""

    day: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    endpoint: str
    repos: tuple[RepoStats, ...]


class StatsRecord(Record):
    """How a publication was received, day by day, the oldest first. No stage writes it."""

    days: tuple[StatsDay, ...] = ()

    @classmethod
    def of(cls, results: Path) -> Self:
        """Return the history in a recipe's results, an empty one where nothing was counted."""
        path = results / STATS
        return cls.load(path) if path.is_file() else cls()
