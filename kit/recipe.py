"""What a recipe is: frozen dataclasses that a creator fills in, and how recipes are found.

A recipe is a folder ``recipes/<name>/`` whose ``recipe.py`` binds ``RECIPE``::

    RECIPE = Recipe(
        name="sentiment",
        title="Sentiment in 23 MB",
        language="en",
        task=TextClassification(labels=("negative", "positive"), samples=(Sample("Great cast."),)),
        presets={"starter": Preset(data=LocalData("data/reviews.jsonl", license="cc0-1.0"), ...)},
    )

Nothing here loads a model or reads data: the machinery of a task lives in ``kit/tasks/``.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from traceback import extract_tb
from typing import Any, ClassVar, Literal

from kit.errors import KitError, RecipeError, did_you_mean

NAME = re.compile(r"[a-z][a-z0-9_]*")
COMMIT_TYPES = (
    "feat",
    "fix",
    "docs",
    "style",
    "refactor",
    "perf",
    "test",
    "build",
    "ci",
    "chore",
    "revert",
)


@dataclass(frozen=True)
class LocalData:
    """Rows in a file beside the recipe, or anywhere: JSONL (gzipped too), CSV or Parquet.

    ``path`` is relative to the recipe's folder, or absolute. ``license`` is an SPDX-like Hub id.
    """

    path: str
    license: str | None = None
    text_column: str = "text"
    label_column: str = "label"
    language_creators: str | None = None
    homepage: str | None = None


@dataclass(frozen=True)
class HubData:
    """A data set repo on the Hub. ``revision`` is a 40-hex commit, else resolved on first use."""

    repo_id: str
    config: str | None = None
    revision: str | None = None
    license: str | None = None
    text_column: str = "text"
    label_column: str = "label"
    train_split: str = "train"
    test_split: str | None = "test"
    language_creators: str | None = None


@dataclass(frozen=True)
class HubModel:
    """A base model on the Hub, pinned.

    ``sha256`` maps file names to digests that the files must have. ``mirror`` names an installed
    Python package that carries the same bytes, for machines without the Hub.
    """

    repo_id: str
    revision: str | None = None
    license: str | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)
    mirror: str | None = None


@dataclass(frozen=True)
class LocalModel:
    """A base model in a folder: beside the recipe, or anywhere as ``--base PATH`` gives it.

    ``path`` is relative to the recipe's folder, or absolute; ``name`` is what records call it,
    the folder's own name if left out.
    """

    path: str
    license: str | None = None
    name: str | None = None

    @property
    def beside(self) -> bool:
        """Whether it lies beside the recipe, and so may go where the recipe's model goes."""
        return not Path(self.path).is_absolute()


@dataclass(frozen=True)
class GitHistories:
    """Commits of local git repositories, as ``--repo PATH`` gives them, mined when they are read.

    ``license`` overrides what a repository's own LICENSE file says.
    """

    paths: tuple[str, ...]
    license: str | None = None
    language_creators: str | None = "found"


@dataclass(frozen=True)
class PreferenceData:
    """Pairs of answers to prefer by: JSONL, CSV or Parquet with prompt, chosen and rejected.

    ``path`` is relative to the recipe's folder, or absolute. They are read where the objective of
    the training is ``dpo``.
    """

    path: str
    license: str | None = None


DataSource = LocalData | HubData | GitHistories
ModelSource = HubModel | LocalModel


@dataclass(frozen=True, kw_only=True)
class Cleaning:
    """What the data stage keeps. Lengths are in words; thresholds are fractions in [0, 1].

    ``group_by`` names columns, the first that the rows have counts: whole groups go to the test
    split, those of ``hold_out`` if it names any. Rows are then never split one by one.
    """

    min_words: int = 1
    max_words: int = 2000
    max_characters: int = 100_000
    near_duplicate: float = 0.8
    personal_data: Literal["mask", "drop", "keep"] = "mask"
    validation_share: float = 0.1
    test_share: float = 0.12
    stratify_by: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    hold_out: tuple[str, ...] = ()
    max_rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class Training:
    """Three axes kept apart (objective, method, quantization) and the numbers of the optimizer.

    ``max_length`` is in tokens; ``warmup`` and ``weight_decay`` are fractions; ``patience`` is the
    number of epochs without a better validation loss after which training stops. ``dropout`` is a
    fraction in [0, 1); None leaves the base model's own. ``freeze_embeddings`` keeps the word
    vectors of the base, so that words the data lacks stay where their neighbours are. ``beta``
    holds a model trained by ``dpo`` to its base: the higher, the closer.
    """

    objective: Literal["sft", "dpo"] = "sft"
    method: Literal["full", "lora", "dora", "ia3", "prefix"] = "full"
    quantization: Literal["nf4"] | None = None
    epochs: int = 3
    batch_size: int = 32
    learning_rate: float = 5e-5
    weight_decay: float = 0.01
    warmup: float = 0.1
    scheduler: Literal["cosine", "linear", "constant"] = "cosine"
    max_length: int = 256
    patience: int = 2
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    label_smoothing: float = 0.0
    dropout: float | None = None
    freeze_embeddings: bool = False
    lora_rank: int = 8
    beta: float = 0.1
    seed: int = 13


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A named size of a recipe: its data, its base model, its training."""

    data: DataSource
    base: ModelSource
    training: Training = field(default_factory=Training)
    cleaning: Cleaning = field(default_factory=Cleaning)
    test_data: DataSource | None = None
    preferences: PreferenceData | None = None


@dataclass(frozen=True)
class Sample:
    """One fixed input that pages and demos show, with a word on why it was chosen."""

    text: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ProbePair:
    """Two texts that differ only in a name or a pronoun; a fair model answers both alike."""

    group: str
    a: str
    b: str


@dataclass(frozen=True, kw_only=True)
class TextClassification:
    """One label per text. ``labels`` are in the order of the model's outputs.

    ``component`` names what runs it in a browser; ``unit`` is what a row is called where a page
    counts them: reviews, questions.
    """

    kind: ClassVar[str] = "text_classification"
    component: ClassVar[str] = "classifier"
    labels: tuple[str, ...]
    label_aliases: Mapping[str, str] = field(default_factory=dict)
    slices: tuple[str, ...] = ()
    samples: tuple[Sample, ...] = ()
    probes: tuple[ProbePair, ...] = ()
    unit: str = "texts"

    def __post_init__(self) -> None:
        if len(set(self.labels)) < 2:
            raise RecipeError(
                f"expected at least two different labels, got {list(self.labels)}; "
                "name each class once in TextClassification(labels=...)"
            )


@dataclass(frozen=True, kw_only=True)
class TextGeneration:
    """A Conventional Commit subject from a diff, by a causal model.

    ``labels`` are the commit types that an answer may have; ``slices`` the fields by which scores
    are cut; ``samples`` diffs that pages and demos show. ``max_new_tokens`` bounds an answer.
    """

    kind: ClassVar[str] = "text_generation"
    component: ClassVar[str] = "generator"
    unit: ClassVar[str] = "commits"
    labels: tuple[str, ...] = COMMIT_TYPES
    slices: tuple[str, ...] = ()
    samples: tuple[Sample, ...] = ()
    max_new_tokens: int = 40
    probes: tuple[ProbePair, ...] = ()


Task = TextClassification | TextGeneration


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One experiment. ``slug`` is the repo name on the Hub; ``emoji`` stands on its Space."""

    name: str
    title: str
    language: str
    task: Task
    presets: Mapping[str, Preset]
    slug: str
    emoji: str = "📝"
    color: str = "indigo"
    default_preset: str = "starter"
    space_sdk: Literal["static", "zerogpu", "cpu"] = "static"
    folder: Path = field(default=Path(), compare=False)

    def __post_init__(self) -> None:
        if not self.task.samples:
            raise RecipeError(
                f"expected a Sample in the task of recipe '{self.name}', got none; pages and demos "
                "begin with one: add samples=(Sample('a text'),)"
            )

    def preset(self, name: str | None) -> Preset:
        """Return the preset of that name, the default one for None."""
        wanted = name or self.default_preset
        if wanted not in self.presets:
            raise RecipeError(
                f"recipe '{self.name}' has no preset '{wanted}'; "
                + did_you_mean(wanted, self.presets)
            )
        return self.presets[wanted]


def recipe_names(project: Path) -> list[str]:
    """Return the names of the recipes below ``project/recipes``, sorted."""
    return sorted(path.parent.name for path in (project / "recipes").glob("*/recipe.py"))


def find_recipe(project: Path, name: str) -> Recipe:
    """Load ``recipes/<name>/recipe.py`` of a project and return its RECIPE.

    Raises:
        RecipeError: the name is not one, there is no such recipe, or its file does not bind one.
    """
    if not NAME.fullmatch(name):
        raise RecipeError(
            f"expected a recipe name of a-z, 0-9 and _, got {name!r}; `kit recipes` lists them"
        )
    names = recipe_names(project)
    if name not in names:
        raise RecipeError(f"there is no recipe '{name}'; {did_you_mean(name, names)}")
    path = project / "recipes" / name / "recipe.py"
    recipe = getattr(_load(path), "RECIPE", None)
    if not isinstance(recipe, Recipe) or recipe.name != name:
        raise RecipeError(f"expected {path} to bind RECIPE = Recipe(name={name!r}, ...)")
    object.__setattr__(recipe, "folder", path.parent)
    return recipe


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"kit_recipe_{path.parent.name}", path)
    if spec is None or spec.loader is None:
        raise RecipeError(f"cannot read {path} as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except KitError:
        raise
    except SyntaxError as error:
        raise RecipeError(f"{path}, line {error.lineno}: {error.msg}") from error
    except Exception as error:
        lines = [
            frame.lineno for frame in extract_tb(error.__traceback__) if frame.filename == str(path)
        ]
        where = f", line {lines[-1]}" if lines else ""
        raise RecipeError(f"{path}{where}: {type(error).__name__}: {error}") from error
    return module
