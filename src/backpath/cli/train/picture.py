"""The picture of ``backpath train --plot``: the cost during training, the quality of the model, what matters to it."""

from __future__ import annotations

import base64
import html
import importlib.util
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from backpath.cli.picture_style import BLUE, INK, ORANGE, STYLE
from backpath.cli.train.report import describe_verdict, loss_named
from backpath.errors import InputError
from backpath.files.atomic import write_atomically
from backpath.files.preparation import Target
from backpath.files.wording import quoted
from backpath.maths.arrays import Floats
from backpath.tabular.judge import Judged
from backpath.tabular.measures import classes_of, probabilities

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis


_FORMATS = (".html", ".png", ".svg", ".pdf")
MOST_POINTS, MOST_COLUMNS, MOST_CURVES = 2_000, 12, 6


def check_plot(path: str) -> None:
    """Refuse in advance what could not be drawn after the work."""
    if Path(path).suffix.lower() not in _FORMATS:
        raise InputError(f"--plot takes a file that ends in {', '.join(_FORMATS)}, but got {quoted(path)}")
    if importlib.util.find_spec("matplotlib") is None:
        raise InputError("--plot needs matplotlib; install it with: pip install 'backpath[plot]'")


def draw_report(path: str, title: str, found: Judged) -> None:
    """Write the picture, or a page with the picture and the figures."""
    import matplotlib
    from matplotlib.figure import Figure

    kind = Path(path).suffix[1:].lower()
    with matplotlib.rc_context(STYLE):
        classes = bool(found.preparation.target.classes)
        figure = Figure(figsize=(10, 7 if classes else 6.4), layout="constrained")
        panels = figure.subplots(2, 2)
        _draw_costs(panels[0, 0], found)
        if classes:
            _draw_confusion(panels[0, 1], found)
            _draw_roc(panels[1, 0], found)
        else:
            _draw_predicted(panels[0, 1], found)
            _draw_errors(panels[1, 0], found)
        _draw_importance(panels[1, 1], found)
        if kind != "html":  # which has it as a heading
            figure.suptitle(title, fontsize=11)
        buffer = io.BytesIO()
        undated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "html": {"Date": None}}.get(kind)
        drawn = "svg" if kind == "html" else kind
        figure.savefig(buffer, format=drawn, dpi=150, metadata=undated, transparent=kind != "png", facecolor="white")
    content = buffer.getvalue()
    write_atomically(path, _page(title, content, found) if kind == "html" else content)


def _page(title: str, svg: bytes, found: Judged) -> bytes:
    """A self-contained page."""
    picture = base64.b64encode(svg).decode()
    name, words = html.escape(title), html.escape(describe_verdict(found.verdict))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }}
img {{ width: 100%; }} pre {{ overflow-x: auto; line-height: 1.35; }}
</style></head>
<body><h1>{name}</h1>
<h2>How good it is</h2><pre>{words}</pre>
<img alt="Cost curves, predictions and importance of columns" src="data:image/svg+xml;base64,{picture}">
</body></html>
""".encode()


def _draw_costs(axes: Axes, found: Judged) -> None:
    history = found.fit.result.history
    epochs = np.arange(1, len(history.cost) + 1)
    axes.plot(epochs, history.cost, color=BLUE, label="training", marker="o" if len(epochs) == 1 else None)
    if history.validation_cost is not None:
        axes.plot(epochs, history.validation_cost, color=ORANGE, label="validation")
        axes.legend(frameon=False)
    axes.set(xlabel="epoch", ylabel="cost", title="cost")
    if history.cost.min() > 0 and history.cost.max() > 10 * history.cost.min():
        axes.set_yscale("log")


def _draw_predicted(axes: Axes, found: Judged) -> None:
    true, predicted = _numbers(found)
    axes.scatter(true, predicted, s=9, alpha=0.5, color=BLUE, linewidth=0)
    ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
    axes.plot(ends, ends, color=INK, linewidth=1)
    axes.set(xlabel="true", ylabel="predicted", title=f"{found.verdict.unit[:30]}, predicted and true")
    _few_ticks(axes.xaxis, axes.yaxis)


def _draw_errors(axes: Axes, found: Judged) -> None:
    true, predicted = _numbers(found)
    axes.hist(predicted - true, bins=min(40, 4 + int(len(true) ** 0.5)), color=BLUE)
    axes.axvline(0, color=INK, linewidth=1)
    axes.set(xlabel="predicted − true", ylabel="rows", title="errors")
    _few_ticks(axes.xaxis)


def _numbers(found: Judged) -> tuple[Floats, Floats]:
    target = found.preparation.target
    few = slice(None, None, max(1, len(found.wanted) // MOST_POINTS))
    true, predicted = (array[few, 0] * target.scale + target.mean for array in (found.wanted, found.outputs))
    return true, predicted


def _draw_confusion(axes: Axes, found: Judged) -> None:
    table = found.verdict.confusion
    if table is None:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "too many classes for a confusion matrix", ha="center", color=INK)
        return
    counts = np.array(table)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        axes.text(
            column, row, f"{count:,}", ha="center", va="center", color="white" if shares[row, column] > 0.6 else "#333"
        )
    names = [name[:14] for name in found.verdict.classes]
    axes.set_xticks(
        range(len(names)), names, rotation=30 if len(names) > 3 else 0, ha="right" if len(names) > 3 else "center"
    )
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="predicted", ylabel="true", title="confusion")


def _draw_roc(axes: Axes, found: Judged) -> None:
    target = found.preparation.target
    P, codes = probabilities(found.outputs, target), classes_of(found.wanted, target)
    axes.plot([0, 1], [0, 1], color=INK, linewidth=1)
    for k in _curves(target):
        positive = codes == k
        if positive.any() and not positive.all():
            order = np.argsort(-P[:, k], kind="stable")
            hits = np.concatenate([[0], np.cumsum(positive[order]) / positive.sum()])
            false = np.concatenate([[0], np.cumsum(~positive[order]) / (~positive).sum()])
            axes.plot(false, hits, label=target.classes[k][:20])
    axes.legend(frameon=False)
    axes.set(xlabel="false positives", ylabel="true positives", title="ROC", xlim=(0, 1), ylim=(0, 1.02))


def _curves(target: Target) -> range:
    return range(1, 2) if target.task == "binary" else range(min(len(target.classes), MOST_CURVES))


def _draw_importance(axes: Axes, found: Judged) -> None:
    shown = list(found.importance.items())[:MOST_COLUMNS][::-1]
    axes.barh([name[:24] for name, _ in shown], [value for _, value in shown], color=BLUE)
    axes.axvline(0, color=INK, linewidth=1)
    axes.set(xlabel=f"rise of {loss_named(found.verdict)}", title="what matters: each column shuffled")
    _few_ticks(axes.xaxis)


def _few_ticks(*several: Axis) -> None:
    """Few enough ticks that long numbers do not touch."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    for axis in several:
        axis.set_major_locator(MaxNLocator(4))
        axis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
