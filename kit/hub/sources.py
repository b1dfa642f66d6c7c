"""Base models: the pinned files of a Hub repo, or an installed mirror of the same bytes.

base = fetch_model(recipe.preset("starter").base)   # a folder, its license, its commit
"""

from __future__ import annotations

import importlib.metadata
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from kit.errors import SourceError
from kit.files import sha256
from kit.hub.card import card_data
from kit.hub.remote import Repo
from kit.recipe import HubModel, LocalModel, ModelSource
from kit.records import Source

COMMIT = re.compile("[0-9a-f]{40}")
CARD = "README.md"
WEIGHTS = ("*.safetensors", "*.json", "*.txt", "*.model", CARD)


@dataclass(frozen=True)
class FetchedModel:
    """A base model that lies in a folder, and where it came from."""

    folder: Path
    source: Source


def fetch_model(base: ModelSource) -> FetchedModel:
    """Return the base model's folder: local, from the Hub's cache, the Hub, or the mirror.

    Raises:
        SourceError: it is nowhere to be had, or its bytes are not the pinned ones.
    """
    if isinstance(base, LocalModel):
        return _local(base)
    folder = _cached(base) or _mirrored(base) or _downloaded(base)
    _check(folder, base)
    # The cache's folder is named by the commit; a branch or a tag may move.
    revision = folder.name if COMMIT.fullmatch(folder.name) else base.revision or folder.name
    return FetchedModel(
        folder,
        Source(
            kind="hub",
            name=base.repo_id,
            revision=revision,
            license=base.license or _stated_license(folder),
            url=f"{Repo('model', base.repo_id).url()}/tree/{revision}",
        ),
    )


def fetch_again(base: ModelSource, source: Source) -> Path:
    """Return the folder of the base that a record names, at the commit that it names.

    Raises:
        SourceError: it is nowhere to be had, or another model lies in its place.
    """
    if isinstance(base, HubModel):
        base = replace(base, revision=source.revision)
    found = fetch_model(base)
    if found.source.revision != source.revision:
        raise SourceError(
            f"expected the base that the run was trained from in {found.folder}, found another "
            "model; mend --base"
        )
    return found.folder


def _local(base: LocalModel) -> FetchedModel:
    folder = Path(base.path)
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise SourceError(f"expected model.safetensors in {folder}, found none; mend --base")
    source = Source(
        kind="local",
        name=base.name or folder.name,
        revision=sha256(weights),
        license=base.license or _stated_license(folder),
    )
    return FetchedModel(folder, source)


def _stated_license(folder: Path) -> str:
    """Return the license that the card in a model's folder states, ``unknown`` where none does."""
    card = folder / CARD
    stated = card_data(card.read_bytes()).get("license") if card.is_file() else None
    return stated if isinstance(stated, str) else "unknown"


def _cached(base: HubModel) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    if base.revision is None:
        return None
    try:
        folder = Path(
            snapshot_download(
                base.repo_id,
                revision=base.revision,
                allow_patterns=list(base.sha256) or list(WEIGHTS),
                local_files_only=True,
            )
        )
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    # Somebody may have fetched a single file of it.
    missing = [name for name in base.sha256 if not (folder / name).is_file()]
    return None if missing or not any(folder.glob("*.safetensors")) else folder


def _mirrored(base: HubModel) -> Path | None:
    """Find the mirror's files by the package's own file list; the package is not imported."""
    if base.mirror is None:
        return None
    try:
        files = importlib.metadata.files(base.mirror.replace("_", "-")) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == "model.safetensors":
            return Path(str(file.locate())).parent
    return None


def _downloaded(base: HubModel) -> Path:
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    hint = f"the installed package '{base.mirror}'" if base.mirror else "--base FOLDER"
    if os.environ.get("HF_HUB_OFFLINE") == "1":
        raise SourceError(
            f"base model {base.repo_id} is not in the cache and HF_HUB_OFFLINE=1; "
            f"unset it, or use {hint}"
        )
    try:
        return Path(
            snapshot_download(
                base.repo_id,
                revision=base.revision,
                allow_patterns=list(base.sha256) or list(WEIGHTS),
            )
        )
    except (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        httpx2.HTTPError,
        OSError,
    ) as error:
        raise SourceError(
            f"base model {base.repo_id} is not to be had from the Hub ({type(error).__name__}); "
            f"check the network and the name, or use {hint}"
        ) from error


def _check(folder: Path, base: HubModel) -> None:
    for name, wanted in base.sha256.items():
        path = folder / name
        found = sha256(path) if path.is_file() else "no such file"
        if found != wanted:
            raise SourceError(
                f"expected {name} of {base.repo_id} with sha256 {wanted[:12]}…, got {found[:12]}; "
                f"remove {folder} and fetch it again"
            )
