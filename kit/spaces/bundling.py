"""The bundle: all that it takes to train a run's model again, in one zip, and nothing of kit.

::

    kit bundle sentiment                # build/bundles/sentiment-minilm-starter-e01b11ec.zip
    unzip sentiment-minilm-starter-e01b11ec.zip && cd sentiment-minilm && uv run tutorial.py

The same run is the same bytes: names are sorted, times and permissions fixed, and nothing is
compressed, because what compresses to which bytes depends on the library that does it.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from kit.errors import RunError
from kit.files import sha256, write_file
from kit.recipe import LocalModel
from kit.records import CheckpointRecord, DatasetRecord
from kit.runs import Run

RECORDS = ("dataset.json", "checkpoint.json", "evaluation.json", "predictions.jsonl")
TUTORIAL = ("notebook.ipynb", "tutorial.py")
BASE_FILES = {".json", ".safetensors", ".txt", ".model", ".md"}
FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can say."""


@dataclass(frozen=True)
class Bundle:
    """A bundle that was written: where, and what is in it with its size."""

    path: Path
    sha256: str
    files: Mapping[str, int]

    def document(self) -> dict[str, Any]:
        """Return the bundle as JSON values."""
        size = self.path.stat().st_size
        values = {"path": self.path.as_posix(), "bytes": size, "sha256": self.sha256}
        return {**values, "files": dict(self.files)}


def write_bundle(run: Run, target: Path | None, modules: Iterable[Path] = ()) -> Bundle:
    """Write a run's bundle by rename.

    Args:
        run: whose pages are written.
        target: the file, else one under ``build/bundles`` of the project.
        modules: files that the task puts beside the tutorial.

    Raises:
        InputError: the target cannot be written.
        RunError: the run has no tutorial, or its data or base are not those of the records.
    """
    files = bundle_files(run, modules)
    name = f"{run.recipe.slug}-{run.folder.name}.zip"
    path = (target or run.project.build / "bundles" / name).absolute()
    write_file(path, lambda file: _zip(file, run.recipe.slug, files))
    sizes = {name: source.stat().st_size for name, source in sorted(files.items())}
    return Bundle(path, sha256(path), sizes)


def bundle_files(run: Run, modules: Iterable[Path]) -> dict[str, Path]:
    """Return what goes into a run's bundle: path in it, and the file."""
    pages, root = run.folder / "pages", run.project.root
    if not (pages / "tutorial.py").is_file():
        raise RunError(
            f"expected tutorial.py in {run.relative}/pages, found none: it is written of runs that "
            f"train all weights on rows (method full, objective sft); `kit write "
            f"{run.recipe.name}` writes it"
        )
    dataset = DatasetRecord.load(run.folder / "dataset.json")
    files = {name: pages / name for name in TUTORIAL}
    files |= {path.name: path for path in (pages / "bundle").glob("*.md")}
    files |= {path.name: path for path in modules}
    files |= {split.file.path: run.folder / split.file.path for split in dataset.splits.values()}
    for split in dataset.splits.values():
        _must_be(run, run.folder / split.file.path, split.file.sha256)
    files["data/README.md"] = pages / "dataset-card.md"
    files |= {f"records/{name}": run.folder / name for name in RECORDS}
    files |= {f"base/{path.name}": path for path in local_base(run)}
    files |= {name: root / name for name in ("LICENSE", "NOTICE") if (root / name).is_file()}
    return files


def local_base(run: Run) -> list[Path]:
    """Return the files of a base model that lies in a folder; of one on the Hub, none.

    Raises:
        RunError: the weights are not those that the run began from.
    """
    if not isinstance(run.base, LocalModel):
        return []
    record = CheckpointRecord.load(run.folder / "checkpoint.json")
    folder = Path(run.base.path)
    _must_be(run, folder / "model.safetensors", record.base.revision)
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix in BASE_FILES or path.name in {"LICENSE", "NOTICE"}
    ]


def _must_be(run: Run, path: Path, digest: str) -> None:
    if not path.is_file() or sha256(path) != digest:
        raise RunError(
            f"expected {path} as the run recorded it (sha256 {digest[:12]}…), it is not; "
            f"`kit run {run.recipe.name}` makes a run of what is there now"
        )


def _zip(file: IO[bytes], top: str, files: Mapping[str, Path]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as bundle:
        for name, source in sorted(files.items()):
            info = zipfile.ZipInfo(f"{top}/{name}", FIRST_DAY)
            info.create_system = 3  # Unix, on every machine: it is where permissions are read.
            info.external_attr = 0o100644 << 16
            info.file_size = source.stat().st_size
            with source.open("rb") as read, bundle.open(info, "w") as written:
                shutil.copyfileobj(read, written, 1 << 20)
