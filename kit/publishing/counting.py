"""How a publication is received: downloads, likes and the Space's stage, day by day.

    kit stats sentiment          # asks the Hub of HF_ENDPOINT, keeps a day in results/stats.json

A count is of a day, not of a run: it stands beside the accepted records, and no page that is
rendered from those has it; the site shows it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from kit.errors import RunError
from kit.hub.client import Hub, open_hub
from kit.hub.remote import Kind, Repo
from kit.project import Project
from kit.recipe import Recipe, find_recipe
from kit.records import PUBLICATION, STATS, PublicationRecord, StatsDay, StatsRecord
from kit.runs import publications


def stats(project: Project, name: str) -> tuple[Any, list[str]]:
    """Ask the Hub, keep the day, and return the history as JSON and today as lines."""
    recipe = find_recipe(project.root, name)
    record = count(project, recipe, open_hub(), datetime.now(UTC))
    place = f"recipes/{name}/results/{STATS}"
    return record.model_dump(mode="json"), [*day_lines(record.days[-1]), f"kept in {place}"]


def count(project: Project, recipe: Recipe, hub: Hub, now: datetime) -> StatsRecord:
    """Add what the Hub says to the history; a later count of the same day replaces the earlier.

    Raises:
        RunError: nothing of the recipe is there, or nothing that the token may see.
        HubError: the Hub did not answer.
    """
    wanted = _published(project, recipe, hub.endpoint)
    repos = [found for repo in wanted if (found := hub.stats(repo)) is not None]
    if not repos:
        raise RunError(
            f"expected {wanted[-1].id} on {hub.endpoint}, found neither model, data nor Space; "
            f"`kit publish {recipe.name} --apply` puts them there"
        )
    today = StatsDay(
        day=now.astimezone(UTC).date().isoformat(), endpoint=hub.endpoint, repos=tuple(repos)
    )
    results = recipe.folder / "results"
    record = _with(StatsRecord.of(results), today)
    record.save(results / STATS)
    return record


def day_lines(day: StatsDay) -> list[str]:
    """Return a day as lines for a person."""
    lines = [f"{day.day} on {day.endpoint}"]
    for repo in day.repos:
        asked = (
            f"{repo.downloads:>8,} downloads"
            if repo.downloads is not None
            else f"{repo.stage or 'stage unknown':>18}"
        )
        lines.append(f"  {repo.repo_type:8} {repo.repo_id:40} {asked}  {repo.likes:>6,} likes")
    return lines


def _published(project: Project, recipe: Recipe, endpoint: str) -> list[Repo]:
    """Return the repos of the last publication on that Hub, else those of the recipe's names."""
    path = publications(project, recipe.name, endpoint) / PUBLICATION
    if path.is_file():
        repos = PublicationRecord.load(path).repos
        return [Repo(cast(Kind, repo.repo_type), repo.repo_id) for repo in repos]
    name = f"{project.owner}/{recipe.slug}"
    return [Repo("dataset", f"{name}-data"), Repo("model", name), Repo("space", name)]


def _with(record: StatsRecord, today: StatsDay) -> StatsRecord:
    """Return the history with a day, in order; the same day of the same Hub is replaced."""
    others = [d for d in record.days if (d.day, d.endpoint) != (today.day, today.endpoint)]
    days = sorted([*others, today], key=lambda day: day.day)
    return record.model_copy(update={"days": tuple(days)})
