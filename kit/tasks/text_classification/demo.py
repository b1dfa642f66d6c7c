"""The assembled repos of a classifier: what each page and Space of it is told."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import kit.inference
from kit.browser.component import demo_config
from kit.records import AssemblyRecord
from kit.runs import Progress, Run
from kit.spaces import repos


def assemble_repos(run: Run, progress: Progress) -> AssemblyRecord:
    """Lay out ``assembly/{model,dataset,space,gradio}``; ``space`` is the static one."""
    labels = run.recipe.task.labels
    said = " or ".join(labels)
    demo = repos.Demo(
        component=run.recipe.task.component,
        modules=(Path(kit.inference.__file__),),
        about=f"Type a review and see whether the model reads it as {said}, and how sure it is.",
        config=partial(demo_config, labels=labels, max_length=run.preset.training.max_length),
    )
    return repos.assemble_repos(run, progress, demo)
