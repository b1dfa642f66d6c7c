"""Do the numbers on a model's page hold? For anyone who has kit and the repo's name.

    for claim in verify("you/sentiment-minilm", progress): print(claim.held, claim.said)

The model and the data it names are downloaded, both at the tag of one publication. Every file is
hashed and held against the records, and each number of the card is looked up. Where all that holds,
the test rows are answered again by the exported fp32 file. A folder is taken in place of a name: an
assembled one, with ``dataset`` beside ``model``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kit.errors import HubError, InputError, KitError
from kit.files import sha256
from kit.hub.card import card_data
from kit.hub.client import Hub
from kit.hub.remote import Repo
from kit.publishing.planning import TAG
from kit.records import (
    CheckpointRecord,
    DatasetRecord,
    EvaluationRecord,
    ExportRecord,
    FileEntry,
    PagesRecord,
    Record,
)
from kit.rendering import look_up, show
from kit.runs import Progress
from kit.tasks import implementation

CARD = "model-card.md"
TOLERANCE = 0.005
"""By how much a share may differ on another processor: a row in two hundred."""
RECORDS: dict[str, type[Record]] = {
    "dataset": DatasetRecord,
    "checkpoint": CheckpointRecord,
    "evaluation": EvaluationRecord,
    "export": ExportRecord,
}
KINDS = {"text-classification": "text_classification", "text-generation": "text_generation"}


@dataclass(frozen=True)
class Claim:
    """One thing that the page claims, and whether it holds."""

    what: str
    held: bool
    said: str

    def document(self) -> dict[str, Any]:
        """Return the claim as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Published:
    """A model and its data as they lie here."""

    model: Path
    dataset: Path
    where: str


def verify(target: str, progress: Progress, hub: Hub) -> list[Claim]:
    """Check every claim of a model's page.

    Args:
        target: OWNER/NAME of a model on the Hub, or a folder that holds ``model`` and ``dataset``.
        progress: told what is being looked at.
        hub: where to download from; needs no token for a public repo.

    Raises:
        HubError: the model, or the data it names, is not to be had.
        InputError: it was not published by kit: it has no records.
    """
    with _published(target, hub, progress) as found:
        records = _records(found.model)
        claims = [Claim("published", True, found.where)]
        claims += _files(found, records)
        claims.append(_card(found.model))
        claims += _metadata(found.model, records["evaluation"])
        claims += _numbers(found.model, records)
        if all(claim.held for claim in claims):
            claims += _answers(found, records, progress)
        return claims


@contextmanager
def _published(target: str, hub: Hub, progress: Progress) -> Iterator[Published]:
    folder = Path(target)
    if (folder / "model" / "README.md").is_file():
        yield Published(folder / "model", folder / "dataset", f"the folder {folder}")
        return
    if target.count("/") != 1 or target.startswith((".", "/", "~")):
        raise InputError(
            f"expected OWNER/NAME, or a folder that holds model/ and dataset/, got {target!r}"
        )
    with tempfile.TemporaryDirectory() as place:
        progress(f"verify: download {target}", 0, None)
        model, tag = _download(hub, Repo("model", target), None, Path(place))
        named = card_data((model / "README.md").read_bytes()).get("datasets") or []
        if not named:
            raise InputError(f"the card of {target} names no dataset; it cannot be checked")
        progress(f"verify: download {named[0]}", 0, None)
        dataset, _ = _download(hub, Repo("dataset", str(named[0])), tag, Path(place))
        yield Published(model, dataset, f"{target} at {tag or 'main'}, on {hub.endpoint}")


def _download(hub: Hub, repo: Repo, tag: str | None, place: Path) -> tuple[Path, str | None]:
    """Download a repo at a tag: the one given, else the one of kit that names its head."""
    there = hub.look(repo)
    if there is None:
        raise HubError(f"there is no {repo} on {hub.endpoint}, or it is private; check the name")
    if repo.kind == "model" and not {"README.md", "records/evaluation.json"} <= {*there.files}:
        raise _foreign(repo.id)
    tags = hub.tags(repo)
    if tag is None:
        tag = next((t for t, c in tags.items() if t.startswith(TAG) and c == there.head), None)
    # Data that a publication did not change keeps the tag of an earlier one.
    revision = tags.get(tag or "", there.head)
    return hub.download(repo, revision, place / repo.kind), tag


def _records(model: Path) -> dict[str, Record]:
    folder = model / "records"
    if not (folder / "evaluation.json").is_file():
        raise _foreign(model.name)
    return {name: kind.load(folder / f"{name}.json") for name, kind in RECORDS.items()}


def _foreign(name: str) -> InputError:
    return InputError(
        f"expected a card and records/ in {name}, found none: it was not published by kit, "
        "and nothing says how its numbers came to be"
    )


def _files(found: Published, records: dict[str, Record]) -> Iterator[Claim]:
    dataset, checkpoint, export = (records[n] for n in ("dataset", "checkpoint", "export"))
    assert isinstance(dataset, DatasetRecord)  # noqa: S101  narrows a type
    assert isinstance(checkpoint, CheckpointRecord)  # noqa: S101
    assert isinstance(export, ExportRecord)  # noqa: S101
    splits = [split.file for split in dataset.splits.values()]
    yield _whole("data are those that were trained and tested on", found.dataset, splits)
    weights = [file for file in checkpoint.files if file.path.endswith(".safetensors")]
    yield _whole("weights are those that were evaluated", found.model, weights)
    yield _whole("exported files are those that were measured", found.model, export.files)


def _whole(what: str, folder: Path, files: Iterable[FileEntry]) -> Claim:
    listed = list(files)
    for file in listed:
        path = folder / file.path
        if not path.is_file():
            return Claim(what, False, f"{file.path} is not there")
        if sha256(path) != file.sha256:
            return Claim(what, False, f"{file.path} has other bytes than recorded")
    return Claim(what, True, f"{len(listed)} files, by sha256")


def _card(model: Path) -> Claim:
    """Compare the card's bytes with those that were written from the records."""
    what = "the card is the one that was written"
    path = model / "records" / "pages.json"
    if not path.is_file():
        return Claim(what, False, "records/pages.json is not there")
    written = {file.path: file.sha256 for file in PagesRecord.load(path).files}
    same = sha256(model / "README.md") == written.get(CARD)
    return Claim(what, same, "by sha256" if same else "README.md was changed since")


def _metadata(model: Path, evaluation: Record) -> Iterator[Claim]:
    """Yield a claim for each figure of the card's model-index."""
    assert isinstance(evaluation, EvaluationRecord)  # noqa: S101
    tuned = {name: metric.value for name, metric in evaluation.systems["tuned"].items()}
    index = card_data((model / "README.md").read_bytes()).get("model-index") or []
    for result in index[0].get("results", ()) if index else ():
        for metric in result.get("metrics", ()):
            value = float(metric["value"])
            near = any(abs(value - each) < TOLERANCE / 10 for each in tuned.values())
            said = "as recorded" if near else "no record has it"
            yield Claim(f"card data: {metric.get('name', metric['type'])} {value}", near, said)


def _numbers(model: Path, records: dict[str, Record]) -> Iterator[Claim]:
    """Look up every number of the card in the records beside it."""
    path = model / "records" / "pages.json"
    if not path.is_file():
        return
    text = (model / "README.md").read_text("utf-8")
    entries = [entry for entry in PagesRecord.load(path).ledger if entry.page == CARD]
    for entry in entries:
        try:
            value = look_up(records[entry.record], entry.pointer)
        except (KitError, KeyError) as error:
            yield Claim("numbers of the card", False, f"{entry.record} {entry.pointer}: {error}")
            return
        if show(value, entry.form) != entry.text or entry.text not in text:
            said = f"{entry.text!r} stands for {entry.record} {entry.pointer}, which is {value}"
            yield Claim("numbers of the card", False, said)
            return
    yield Claim("numbers of the card", True, f"{len(entries)}, each in its record")


def _answers(found: Published, records: dict[str, Record], progress: Progress) -> Iterator[Claim]:
    """Answer the test rows again and compare with what the records say."""
    kind = KINDS.get(str(card_data((found.model / "README.md").read_bytes()).get("pipeline_tag")))
    evaluation = records["evaluation"]
    assert isinstance(evaluation, EvaluationRecord)  # noqa: S101
    test = found.dataset / "data" / "test.parquet"
    if kind is None or not test.is_file():
        yield Claim("answers", False, "the card names no task that kit knows, or no test rows")
        return
    measured = implementation(kind).measure_again(found.model, test, evaluation.labels, progress)
    for name, value in measured.items():
        claimed = evaluation.systems["tuned"][name].value
        room = TOLERANCE * (100 if claimed > 1 else 1)
        held = abs(claimed - value) <= room
        said = f"claimed {claimed:.4g}, measured again {value:.4g}, may differ by {room:g}"
        yield Claim(f"{name} on {evaluation.n} test rows", held, said)
