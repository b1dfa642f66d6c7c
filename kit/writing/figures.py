"""Figures of a classifier's run, as SVG: same records, same bytes.

Text stays text, the ground is transparent and the ink is ``currentColor``, so that a figure follows
its page into dark mode. The tuned model wears the one accent colour; the rest is grey.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from kit.records import CheckpointRecord, EvaluationRecord, Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#010203"
GREY = "#8a8f98"
ACCENT = "#3f6fd8"
WIDTH = 4.6
NAMES = {
    "tuned": "tuned",
    "tfidf": "counting words (TF-IDF)",
    "base_centroid": "base, nearest mean",
    "base": "base, untrained head",
    "majority": "most common label",
    "nearest": "nearest neighbour",
    "rules": "rule",
    "base_few_shot": "base, few-shot",
    "endpoint": "endpoint",
}
STYLE = (
    "<style>svg{color:#1f2328;font-family:system-ui,-apple-system,'Segoe UI',sans-serif}"
    "@media(prefers-color-scheme:dark){svg{color:#e6edf3}}</style>"
)


@dataclass(frozen=True)
class Figure:
    """One figure: its file name, its bytes, and what it says to who cannot see it."""

    name: str
    svg: str
    alt: str


def name_of(record: EvaluationRecord, system: str) -> str:
    """Return what pages call a system; only the base of a classifier has an untrained head."""
    if system == "base" and record.headline == "type_accuracy":
        return "base"
    return NAMES.get(system, system)


def comparison(record: EvaluationRecord) -> Figure:
    """Draw the headline metric of every system with its 95 % interval."""
    key, words = record.headline, record.headline.replace("_", " ")
    ordered = sorted(record.systems.items(), key=lambda item: item[1][key].value)
    rows = [(name_of(record, name), m[key], name == "tuned") for name, m in ordered]
    said = "; ".join(f"{label} {_interval(metric)}" for label, metric, _ in reversed(rows))
    with _axes(0.42 * len(rows) + 0.7) as (figure, axes):
        _points(axes, rows)
        axes.set_xlabel(f"{words} on the same test rows")
        svg = _svg(figure, "comparison")
    return Figure("comparison", svg, f"{words.capitalize()} with 95 % intervals: {said}.")


def slices(record: EvaluationRecord) -> Figure:
    """Draw the tuned model's accuracy on each slice, the weakest at the bottom of its field."""
    groups: dict[str, list[Any]] = {}
    for item in record.slices:
        groups.setdefault(item.field, []).append(item)
    rows = []
    for field in reversed(list(groups)):
        items = sorted(groups[field], key=lambda item: item.accuracy.value)
        names = [(f"{item.value.replace('_', ' ')} ({item.accuracy.n})", item) for item in items]
        rows += [(label, item.accuracy, False) for label, item in names]
    lowest = min(item.accuracy.value for item in record.slices)
    weakest = [item for item in record.slices if item.accuracy.value == lowest]
    with _axes(0.21 * len(rows) + 0.7) as (figure, axes):
        _points(axes, rows, small=True)
        whole = record.systems["tuned"][record.headline].value
        axes.axvline(whole, color=ACCENT, lw=1)
        axes.annotate("all rows", (whole, len(rows) - 0.4), color=ACCENT, fontsize=8, ha="center")
        axes.set_xlabel(f"{record.headline.replace('_', ' ')}, with rows in brackets")
        svg = _svg(figure, "slices")
    said = "; ".join(
        f"{item.field} {item.value.replace('_', ' ')} {_interval(item.accuracy)}"
        for item in weakest
    )
    return Figure("slices", svg, f"Accuracy of the tuned model by slice; the lowest: {said}.")


def loss(record: CheckpointRecord) -> Figure:
    """Draw the training loss by step and the validation loss at each epoch's end."""
    with _axes(2.5) as (figure, axes):
        steps, losses = zip(*record.loss_curve, strict=True) if record.loss_curve else ((), ())
        axes.plot(steps, losses, color=GREY, lw=1.2)
        axes.plot(
            [e.step for e in record.epochs],
            [e.eval_loss for e in record.epochs],
            color=ACCENT,
            marker="o",
            ms=4,
            lw=1.5,
        )
        last = record.epochs[-1]
        axes.annotate(
            "validation",
            (last.step, last.eval_loss),
            color=ACCENT,
            xytext=(-4, 8),
            textcoords="offset points",
            ha="right",
        )
        if losses:
            axes.annotate(
                "training",
                (steps[0], losses[0]),
                color=INK,
                alpha=0.7,
                xytext=(6, 4),
                textcoords="offset points",
            )
        axes.set_ylim(bottom=0)
        axes.set_xlabel("optimizer step")
        axes.set_ylabel("cross-entropy")
        svg = _svg(figure, "loss")
    ends = ", ".join(f"{e.eval_loss:.3f}" for e in record.epochs)
    return Figure("loss", svg, f"Validation loss at the end of each epoch: {ends}.")


def confusion(record: EvaluationRecord) -> Figure:
    """Draw the confusion matrix: truth down, answer across, counts in the cells."""
    labels = list(record.labels)
    table = [[record.confusion[t][p] for p in labels] for t in labels]
    most = max(max(row) for row in table) or 1
    with _axes(0.55 * len(labels) + 1.2) as (figure, axes):
        for row, counts in enumerate(table):
            for column, count in enumerate(counts):
                color = ACCENT if row == column else GREY
                axes.add_patch(_cell(column, row, color, count / most))
                axes.text(column, row, f"{count}", ha="center", va="center", fontsize=12)
        axes.set(
            xlim=(-0.5, len(labels) - 0.5),
            ylim=(len(labels) - 0.5, -0.5),
            xticks=range(len(labels)),
            yticks=range(len(labels)),
            xticklabels=labels,
            yticklabels=labels,
            xlabel="answer",
            ylabel="truth",
        )
        axes.spines[:].set_visible(False)
        svg = _svg(figure, "confusion")
    cells = "; ".join(
        f"truth {t}, answer {p}: {record.confusion[t][p]}" for t in labels for p in labels
    )
    return Figure("confusion", svg, f"Confusion matrix. {cells}.")


def calibration(record: EvaluationRecord) -> Figure:
    """Draw the share of right answers against the stated probability."""
    bins = record.calibration
    with _axes(2.6) as (figure, axes):
        axes.plot([0.5, 1], [0.5, 1], color=GREY, lw=1, ls=(0, (4, 3)))
        sizes = [12 + 160 * b.n / max(1, record.n) for b in bins]
        axes.scatter(
            [b.confidence for b in bins],
            [b.accuracy for b in bins],
            s=sizes,
            color=ACCENT,
            alpha=0.85,
            lw=0,
        )
        axes.annotate(
            "as sure as right",
            (0.6, 0.6),
            color=INK,
            alpha=0.7,
            fontsize=8,
            xytext=(4, -12),
            textcoords="offset points",
        )
        low = min([b.accuracy for b in bins] + [0.5])
        axes.set(xlim=(0.48, 1.02), ylim=(low - 0.05, 1.04))
        axes.set_xlabel("stated probability of the answer")
        axes.set_ylabel("share that was right")
        svg = _svg(figure, "calibration")
    error = record.systems["tuned"]["expected_calibration_error"]
    return Figure("calibration", svg, f"Calibration: expected error {_interval(error)}.")


def inline(figure: Figure) -> str:
    """Return the SVG for a page's own HTML: no style of its own, the ink is the page's."""
    svg = figure.svg.replace(STYLE, "")
    return svg[svg.index("<svg") :].replace("\n\n", "\n")


def _points(axes: Axes, rows: list[tuple[str, Metric, bool]], small: bool = False) -> None:
    for y, (_, metric, accent) in enumerate(rows):
        color = ACCENT if accent else GREY
        axes.plot([metric.low, metric.high], [y, y], color=color, lw=1.4 if small else 2)
        axes.plot([metric.value], [y], color=color, marker="o", ms=4 if small else 6)
        if not small:
            axes.annotate(
                f"{metric.value:.3f}",
                (metric.value, y),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=9,
                color=color if accent else INK,
            )
    axes.set_yticks(range(len(rows)), [label for label, _, _ in rows])
    axes.tick_params(axis="y", length=0, labelsize=8 if small else 10)
    axes.set_ylim(-0.6, len(rows) - 0.2)
    axes.spines["left"].set_visible(False)


def _cell(column: int, row: int, color: str, share: float) -> Any:
    from matplotlib.patches import Rectangle

    corner = (column - 0.48, row - 0.46)
    return Rectangle(corner, 0.96, 0.92, color=color, alpha=0.1 + 0.55 * share, lw=0)


def _interval(metric: Metric) -> str:
    return f"{metric.value:.3f} ({metric.low:.3f} to {metric.high:.3f}, n = {metric.n})"


@contextmanager
def _axes(height: float) -> Iterator[tuple[Any, Axes]]:
    import matplotlib as mpl
    from matplotlib.figure import Figure as Canvas

    settings: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "kit",
        "font.family": "sans-serif",
        "font.size": 10,
        "text.color": INK,
        "axes.edgecolor": GREY,
        "axes.labelcolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.8,
    }
    with mpl.rc_context(settings):
        canvas = Canvas(figsize=(WIDTH, height), layout="constrained")
        yield canvas, canvas.subplots()


def _svg(canvas: Any, name: str) -> str:
    """Return the SVG without a date, with ids of its own, in the ink of the page."""
    buffer = io.StringIO()
    canvas.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"font-family: [^;\"]*(; )?", "", text)
    text = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{escape(name)}-", text)
    # A rule for every element would be one for the whole page; lines inherit it from the root.
    lines = re.search(r'<defs>\s*<style type="text/css">\*\{(.*?)\}</style>\s*</defs>\s*', text)
    if lines:
        text = text.replace(lines[0], "")
    root = f'role="img" style="{lines[1] if lines else ""}"'
    text = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', root, text, count=1)
    return re.sub(r"<svg[^>]*>", rf"\g<0>{STYLE}", text, count=1)
