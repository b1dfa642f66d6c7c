"""Three changes of a diff that must not change a commit's type: order, names, context.

Each is deterministic and gives a unified diff; a diff in which there is nothing to change comes
back as it is, and tells nothing, so leave such rows out::

    pairs = [(diff, thinned(diff)) for diff in diffs]
    pairs = [(before, after) for before, after in pairs if after != before]
    consistency([type_of(b) for b, _ in pairs], [type_of(a) for _, a in pairs])
    # Metric(value=0.93, low=0.9, high=0.95, n=310, method='wilson')

``CHANGES`` holds the three by name. All read and write whole diffs, before a prompt is cut from
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from kit.evaluation.intervals import proportion
from kit.evaluation.renaming import renamed
from kit.evaluation.unified import Hunk, Section, read, write
from kit.records import Metric

__all__ = ["CHANGES", "consistency", "renamed", "reordered", "thinned"]


def reordered(diff: str) -> str:
    """Return the diff with its files, and the hunks of each, from last to first.

    Line numbers stay those of the two versions. ``git apply`` takes hunks in any order.
    """
    preamble, sections = read(diff)
    if all(len(section.hunks) < 2 for section in sections) and len(sections) < 2:
        return diff
    turned = [Section(part.head, part.hunks[::-1], part.tail) for part in reversed(sections)]
    return write(preamble, turned)


def thinned(diff: str) -> str:
    """Return the diff without context lines, as ``git diff --unified=0`` writes it.

    Each run of changed lines becomes a hunk with its own numbers and the heading of the hunk that
    it came from. ``git apply --unidiff-zero`` takes it.
    """
    preamble, sections = read(diff)
    if not any(line[:1] in ("", " ") for part in sections for h in part.hunks for line in h.lines):
        return diff
    thin = [
        Section(part.head, [run for hunk in part.hunks for run in _runs(hunk)], part.tail)
        for part in sections
    ]
    return write(preamble, thin)


def consistency(types_before: Sequence[str | None], types_after: Sequence[str | None]) -> Metric:
    """Return the share of diffs whose message has the same type before and after a change.

    Args:
        types_before: shape [n], None for a message without a valid type.
        types_after: shape [n], of the same diffs, changed. No type is never the same type.
    """
    if len(types_before) != len(types_after):
        raise ValueError(f"expected pairs, got {len(types_before)} and {len(types_after)}")
    same = [a is not None and a == b for a, b in zip(types_before, types_after, strict=True)]
    return proportion(sum(same), len(same))


def _runs(hunk: Hunk) -> Iterator[Hunk]:
    """Cut a hunk into its runs of changed lines."""
    # A side without lines is numbered by the line before it.
    old = hunk.old_start + (hunk.old_lines == 0)
    new = hunk.new_start + (hunk.new_lines == 0)
    run: list[str] = []
    for line in [*hunk.lines, " "]:
        if line[:1] in ("+", "-") or (run and line[:1] == "\\"):
            run.append(line)
            continue
        if run:
            found = Hunk(old, new, hunk.heading, run)
            old, new, run = old + found.old_lines, new + found.new_lines, []
            found.old_start -= found.old_lines == 0
            found.new_start -= found.new_lines == 0
            yield found
        if line[:1] != "\\":
            old, new = old + 1, new + 1


CHANGES: Mapping[str, Callable[[str], str]] = {
    "hunks reordered": reordered,
    "identifiers renamed": renamed,
    "context lines dropped": thinned,
}
