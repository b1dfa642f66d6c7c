"""Card data: the YAML at the head of a card, from records, with a closed list of keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.errors import GateError, did_you_mean
from kit.records import CheckpointRecord, DatasetRecord, EvaluationRecord

MODEL_KEYS = frozenset(
    [
        "base_model",
        "base_model_relation",
        "datasets",
        "language",
        "library_name",
        "license",
        "metrics",
        "model-index",
        "pipeline_tag",
        "tags",
        "model_name",
    ]
)
DATASET_KEYS = frozenset(
    [
        "annotations_creators",
        "configs",
        "language",
        "language_creators",
        "license",
        "multilinguality",
        "pretty_name",
        "size_categories",
        "source_datasets",
        "tags",
        "task_categories",
        "task_ids",
    ]
)


def model_card_data(
    *,
    name: str,
    repo_id: str,
    dataset_id: str,
    language: str,
    license_id: str,
    pipeline_tag: str,
    metrics: Mapping[str, tuple[str, str]],
    dataset: DatasetRecord,
    checkpoint: CheckpointRecord,
    evaluation: EvaluationRecord,
) -> str:
    """Return the model card's YAML, with the tuned model's results as ``model-index``.

    ``metrics`` maps ours to the Hub's id and a name to show.

    Raises:
        GateError: a key outside the closed list.
    """
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        language=language,
        license=license_id,
        library_name="transformers",
        pipeline_tag=pipeline_tag,
        base_model=checkpoint.base.name if checkpoint.base.kind == "hub" else None,
        base_model_relation="finetune" if checkpoint.base.kind == "hub" else None,
        datasets=[dataset_id],
        metrics=[hub_id for hub_id, _ in metrics.values()],
        tags=["onnx", "transformers.js", "modelpress"],
        model_name=name,
        eval_results=_results(dataset_id, pipeline_tag, metrics, evaluation),
    )
    return checked(data, MODEL_KEYS)


def _results(
    dataset_id: str,
    task: str,
    metrics: Mapping[str, tuple[str, str]],
    evaluation: EvaluationRecord,
) -> list[Any]:
    from huggingface_hub import EvalResult

    tuned = evaluation.systems["tuned"]
    return [
        EvalResult(
            task_type=task,
            dataset_type=dataset_id,
            dataset_name=dataset_id.rpartition("/")[2],
            dataset_split=evaluation.split,
            metric_type=metric,
            metric_name=label,
            metric_value=round(tuned[key].value, 4),
        )
        for key, (metric, label) in metrics.items()
    ]


def dataset_card_data(
    *, name: str, language: str, license_id: str, task: str, dataset: DatasetRecord
) -> str:
    """Return the dataset card's YAML; its ``configs`` name the Parquet files of each split."""
    from huggingface_hub import DatasetCardData

    rows = sum(split.rows for split in dataset.splits.values())
    creators = dataset.language_creators or "found"
    from_hub = [source.name for source in dataset.sources if source.kind == "hub"]
    data = DatasetCardData(
        language=[language],
        license=license_id,
        language_creators=[creators],
        annotations_creators=[creators],
        multilinguality="monolingual",
        size_categories=[size_category(rows)],
        source_datasets=from_hub or ["original"],
        task_categories=[task],
        pretty_name=name,
        configs=[
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": f"data/{split}.parquet"} for split in dataset.splits
                ],
            }
        ],
    )
    return checked(data, DATASET_KEYS)


def size_category(rows: int) -> str:
    """Return the Hub's size class of a number of rows.

    >>> size_category(2900)
    '1K<n<10K'
    """
    ends = ((1000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (10**6, "100K<n<1M"))
    return next((name for end, name in ends if rows < end), "1M<n<10M")


def checked(data: Any, keys: frozenset[str]) -> str:
    """Return card data as YAML between its fences, after its keys are held against the list."""
    for key in data.to_dict():
        if key not in keys:
            raise GateError(f"card data has no key '{key}'; {did_you_mean(key, keys)}")
    return f"---\n{data.to_yaml().strip()}\n---\n"
