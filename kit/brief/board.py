"""The cards of a project, ordered by their composite score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kit.brief.reading import read_brief
from kit.errors import InputError, KitError, did_you_mean

Row = dict[str, Any]


def board(root: Path) -> tuple[list[Row], list[str]]:
    """Return a row for each card below ``root/recipes``, the highest composite first.

    A card without a composite comes after those that have one; one that cannot be read has no row
    and is named among the warnings, so that the others are still seen.

    Returns:
        The rows (``name``, ``title``, ``date``, ``composite`` and the other ``scores``, None where
        unknown, ``angles``, ``summary``, ``warnings``), and a line for each warning.
    """
    rows, warnings = [], []
    for path in card_paths(root):
        try:
            row = _row(path)
        except KitError as error:
            warnings.append(f"{path.parent.name}: {error}")
            continue
        rows.append(row)
        warnings += [f"{row['name']}: {said}" for said in row["warnings"]]
    rows.sort(key=lambda row: (row["composite"] is None, -(row["composite"] or 0), row["name"]))
    return rows, warnings


def board_lines(rows: list[Row]) -> list[str]:
    """Return the rows as a table."""
    if not rows:
        return ["no idea cards yet; write recipes/NAME/brief.md"]
    lines = [f"{'composite':>9}  {'name':18} {'date':10}  title"]
    for row in rows:
        score = "-" if row["composite"] is None else f"{row['composite']:g}"
        lines.append(f"{score:>9}  {row['name']:18} {row['date']:10}  {row['title']}")
    return lines


def card_paths(root: Path) -> list[Path]:
    """Return where the cards stand, or should: a recipe without a card is among them."""
    folders = {
        path.parent for name in ("recipe.py", "brief.md") for path in root.glob(f"recipes/*/{name}")
    }
    return sorted(folder / "brief.md" for folder in folders)


def card_path(root: Path, name: str) -> Path:
    """Return where the card of that name stands.

    Raises:
        InputError: there is none of that name.
    """
    found = {path.parent.name: path for path in card_paths(root)}
    if name not in found:
        raise InputError(f"there is no brief of '{name}'; {did_you_mean(name, found)}")
    return found[name]


def _row(path: Path) -> Row:
    brief = read_brief(path)
    scores = {name: score.value for name, score in vars(brief.scores).items()}
    return {
        "name": path.parent.name,
        "title": brief.title,
        "date": brief.date.isoformat(),
        "composite": scores.pop("composite"),
        "scores": scores,
        "angles": [{"kind": angle.kind, "text": angle.text} for angle in brief.angles],
        "summary": brief.summary,
        "warnings": list(brief.warnings),
    }
