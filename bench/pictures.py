"""The pictures: SVG with a transparent background, in colours that are legible on white and on black."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

from bench.measure import Measured
from bench.report import UNITS, US, duration

matplotlib.use("svg")
import matplotlib.pyplot as plt

INK = "#727b86"  # 4.3:1 on white and on near-black
COLOURS = {
    US: "#e0552b", "NumPy": "#3f8fd2", "JAX": "#9b6dd6", "PyTorch": "#2ba36b", "scikit-learn": "#c69214",
    "FANN": "#8c8c8c", "intrinsics": "#d14d8b",
}  # fmt: skip # compact
MARKERS = {US: "o", "NumPy": "s", "JAX": "D", "PyTorch": "^", "scikit-learn": "v", "FANN": "P", "intrinsics": "X"}
STYLE = {
    "font.family": ["DejaVu Sans", "sans-serif"], "font.size": 10, "svg.fonttype": "none", "svg.hashsalt": "backpath",
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
    "grid.color": INK, "grid.alpha": 0.25, "axes.spines.top": False, "axes.spines.right": False,
    "figure.facecolor": "none", "axes.facecolor": "none", "legend.frameon": False, "axes.titlesize": 10,
}  # fmt: skip


def draw_ratios(results: Sequence[Measured], file: Path) -> None:
    """A line per row with each contender's time as a multiple of backpath's."""
    shown = [result for result in results if result.ratios()]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(9, 0.55 * len(shown) + 1.6), layout="constrained")
        for y, result in enumerate(shown):
            for name, ratio in result.ratios().items():
                front, colour = 3 if name == US else 2, COLOURS.get(name, INK)
                axes.plot(ratio, y, MARKERS.get(name, "o"), color=colour, markersize=8, label=name, zorder=front)
        axes.set_yticks(range(len(shown)), [f"{r.row.title}\n{duration(r.best()[US].median)}" for r in shown])
        axes.set_xscale("log")
        axes.invert_yaxis()
        axes.grid(True, axis="both")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}×")
        axes.set_xlabel("time relative to backpath's, which is on the left")
        legend(figure, axes)
        save(figure, file)


def draw_growth(panels: Mapping[str, Sequence[tuple[float, Measured]]], file: Path) -> None:
    """Small multiples: a panel for each growing quantity, with time against it."""
    with plt.rc_context(STYLE):
        columns = 3
        figure, grid = plt.subplots(-(-len(panels) // columns), columns, figsize=(11, 6.5), layout="constrained")
        for axes, (title, points) in zip(grid.flat, panels.items(), strict=False):
            for name, colour in COLOURS.items():
                line = [(x, m.best()[name].median) for x, m in points if name in m.best()]
                if line:
                    axes.plot(*zip(*line, strict=True), marker=MARKERS[name], color=colour, label=name, ms=5)
            quantity, _, what = title.partition(": ")
            axes.set_title(what)
            axes.set_xlabel(quantity)
            axes.set_xscale("log", base=2 if quantity == "cores" else 10)
            axes.set_yscale("log")
            axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1000:g}k" if value >= 1000 else f"{value:g}")
            low, high = axes.get_ylim()
            axes.set_ylim(10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high)))
            axes.yaxis.set_major_formatter(lambda value, _: power_of_ten(value))
            axes.yaxis.set_minor_formatter(lambda value, _: "")
            axes.grid(True)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        legend(figure, grid.flat[0])
        save(figure, file)


def power_of_ten(seconds: float) -> str:
    """10 ns, 1 µs, …"""
    scale, unit = next((u for u in UNITS if seconds >= u[0] * 0.9995), UNITS[-1])
    return f"{seconds / scale:g} {unit}"


def legend(figure: Any, axes: Any) -> None:
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    names = [name for name in COLOURS if name in handles]
    figure.legend([handles[name] for name in names], names, loc="outside upper center", ncols=len(names))


def save(figure: Any, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, transparent=True, metadata={"Date": None})
    plt.close(figure)
