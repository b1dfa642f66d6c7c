"""Rows of a data set repo on the Hub, at one commit.

``read_hub`` needs the Hub, or a copy in the cache and ``HF_HUB_OFFLINE=1``::

    >>> source = HubData("stanfordnlp/imdb")
    >>> pinned = replace(source, revision=resolve_revision(source))
    >>> sorted({row["label"] for row in read_hub(pinned, "train")})
    ['neg', 'pos']
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kit.data.columns import check_columns, rename
from kit.errors import InputError, SourceError
from kit.recipe import HubData

COMMIT = re.compile(r"[0-9a-f]{40}")
TIMEOUT_SECONDS = 20.0


def resolve_revision(source: HubData) -> str:
    """Return the 40-hex commit of a Hub source; one that is pinned already needs no network.

    Raises:
        SourceError: the Hub cannot be reached, or has no such repo or revision.
    """
    if source.revision and COMMIT.fullmatch(source.revision):
        return source.revision
    commit = _commit(source)
    if not COMMIT.fullmatch(commit):
        raise SourceError(
            f"expected a 40-hex commit of {source.repo_id}, the Hub gave {commit!r}; "
            "pin revision= in the recipe"
        )
    return commit


def read_hub(source: HubData, split: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of one split under our field names; other columns are kept.

    Integer class labels become their names; a class of -1, the Hub's sign for "not given",
    becomes None.

    Raises:
        SourceError: no network, no such repo, revision, config or split.
        InputError: the data set has no text or label column of that name.
    """
    import huggingface_hub
    from datasets import ClassLabel, load_dataset
    from datasets.exceptions import DatasetsError

    if not huggingface_hub.is_offline_mode():
        # load_dataset retries a dead network for half a minute; one question finds out at once.
        _commit(source)
    try:
        rows = load_dataset(
            source.repo_id, source.config, revision=source.revision, split=split, streaming=False
        )
    except ConnectionError as error:
        raise _unreachable(source, error) from error
    except (DatasetsError, OSError, ValueError, RuntimeError) as error:
        raise _refused(source, error) from error
    columns = {"text": source.text_column, "label": source.label_column}
    check_columns(source.repo_id, columns, rows.column_names)
    names = {
        column: feature.names
        for column, feature in rows.features.items()
        if isinstance(feature, ClassLabel)
    }
    for row in rows:
        named = {column: _named(value, names.get(column)) for column, value in row.items()}
        yield rename(named, columns)


def _named(value: Any, names: list[str] | None) -> Any:
    if names is None or value is None:
        return value
    if value == -1:
        return None
    if not 0 <= value < len(names):
        raise InputError(f"expected a class in 0..{len(names) - 1}, got {value}")
    return names[value]


def _commit(source: HubData) -> str:
    from httpx2 import TransportError
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        info = HfApi().dataset_info(
            source.repo_id, revision=source.revision, timeout=TIMEOUT_SECONDS
        )
    except (HfHubHTTPError, HFValidationError) as error:
        raise _refused(source, error) from error
    except (TransportError, ConnectionError) as error:
        raise _unreachable(source, error) from error
    return str(info.sha)


def _unreachable(source: HubData, error: Exception) -> SourceError:
    return SourceError(
        f"cannot reach the Hub for the data set {source.repo_id} ({_first_line(error)}); give "
        "your own rows with --data FILE, or set HF_HUB_OFFLINE=1 to use a copy in the cache"
    )


def _refused(source: HubData, error: Exception) -> SourceError:
    return SourceError(
        f"cannot load the data set {source.repo_id} from the Hub: {_first_line(error)}; "
        "check its name, revision, config and split, or give --data FILE"
    )


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line), type(error).__name__)
