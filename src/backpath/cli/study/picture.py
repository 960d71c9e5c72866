"""The pictures of ``backpath study``, drawn with matplotlib, legible on white and on black."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backpath.cli.picture_style import BLUE, ORANGE, STYLE
from backpath.cli.study.sweep import Sweep
from backpath.errors import InputError
from backpath.files.atomic import write_atomically
from backpath.files.wording import quoted
from backpath.population.statistics import Plateau, Success

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FORMATS = (".svg", ".png", ".pdf")
_BINS = 60
_POINTS = 500  # the most points of a curve


def check_picture(path: str) -> None:
    """Refuse in advance what could not be drawn after the work."""
    if Path(path).suffix.lower() not in _FORMATS:
        raise InputError(f"--picture takes a file that ends in {', '.join(_FORMATS)}, but got {quoted(path)}")
    if importlib.util.find_spec("matplotlib") is None:
        raise InputError("--picture needs matplotlib; install it with: pip install 'backpath[plot]'")


def draw_study(
    path: str,
    title: str,
    costs: NDArray[np.floating],
    found: list[Plateau],
    solved_after: NDArray[np.int64],
    epochs: int,
) -> None:
    """Two panels: the final costs, and the number of networks that have solved the task by each epoch."""

    def draw(figure: Figure) -> None:
        panels = figure.subplots(1, 2 if epochs else 1, squeeze=False)[0]
        _draw_costs(panels[0], costs[np.isfinite(costs)].astype(np.float64), found, len(costs))
        if epochs:
            _draw_solved(panels[1], np.sort(solved_after[solved_after >= 0]), epochs, len(costs))
        figure.suptitle(title, fontsize=11)

    _save(path, (8, 3.4) if epochs else (5, 3.4), draw)


def _draw_solved(axes: Axes, when: NDArray[np.int64], epochs: int, networks: int) -> None:
    """The share of networks that have solved the task, by epoch."""
    shown = np.unique(np.linspace(0, epochs, _POINTS).astype(np.int64))
    axes.plot(shown, np.searchsorted(when, shown, side="right") / networks, color=BLUE)
    axes.set(xlabel="epochs", xlim=(0, epochs))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    _as_share(axes, "networks that have solved it")


def _draw_costs(axes: Axes, costs: NDArray[np.float64], found: list[Plateau], networks: int) -> None:
    top = max(float(np.quantile(costs, 0.995)), *(plateau.cost for plateau in found), 0.0) * 1.1 or 1.0
    counts, edges = np.histogram(costs, bins=_BINS, range=(0, top))
    axes.bar(edges[:-1], counts / networks, np.diff(edges), align="edge", color=BLUE)
    for plateau in found:
        place = min(int(plateau.cost / top * _BINS), _BINS - 1)
        height = counts[place] / networks
        axes.annotate(
            plateau.name,
            (edges[place] + edges[1] / 2, height),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            color=ORANGE,
        )
    axes.set(xlabel="final cost")
    _as_share(axes, "networks")


def draw_curve(path: str, title: str, sweep: Sweep, points: list[tuple[float, Success]]) -> None:
    """The share solved, with its 95% interval, against the varied setting."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        values = [value for value, _ in points]
        axes.fill_between(
            values, [s.low for _, s in points], [s.high for _, s in points], color=BLUE, alpha=0.3, linewidth=0
        )
        axes.plot(values, [s.share for _, s in points], color=BLUE, marker="o", markersize=3)
        axes.set(xlabel=sweep.shown, xscale="log" if sweep.log else "linear")
        axes.xaxis.set_major_formatter("{x:g}")
        _as_share(axes, "networks that solved it")
        figure.suptitle(title, fontsize=11)

    _save(path, (6, 3.6), draw)


def _as_share(axes: Axes, label: str) -> None:
    from matplotlib.ticker import PercentFormatter

    axes.set(ylabel=label, ylim=(0, 1.05))
    axes.yaxis.set_major_formatter(PercentFormatter(1))


def _save(path: str, size: tuple[float, float], draw: Any) -> None:
    import matplotlib
    from matplotlib.figure import Figure

    kind = Path(path).suffix[1:].lower()
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        write_atomically(
            path, lambda file: figure.savefig(file, format=kind, dpi=150, transparent=True, metadata=undated)
        )
