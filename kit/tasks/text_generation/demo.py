"""The assembled repos of a generator: what each page and Space of it is told."""

from __future__ import annotations

from pathlib import Path

import kit.inference
import kit.prompts
from kit.browser.component import generator_config
from kit.records import AssemblyRecord
from kit.runs import Progress, Run
from kit.spaces import repos

MODULES = (Path(kit.inference.__file__), Path(kit.prompts.__file__))


def assemble_repos(run: Run, progress: Progress) -> AssemblyRecord:
    """Lay out ``assembly/{model,dataset,space,gradio}``; ``space`` is the static one."""
    demo = repos.Demo(
        component=run.recipe.task.component,
        modules=MODULES,
        about="Paste a diff and get a Conventional Commit subject line, and two alternatives.",
        config=generator_config,
        model_modules=MODULES,
    )
    return repos.assemble_repos(run, progress, demo)
