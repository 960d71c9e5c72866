"""The report of ``backpath study``, for terminals of 80 columns."""

from __future__ import annotations

import math
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from backpath.cli.describe import BARS, table
from backpath.cli.study.sweep import Sweep
from backpath.population.statistics import Plateau, Success

EIGHTHS = " ▏▎▍▌▋▊▉"
_BINS, _SHOWN = 20, 0.995  # approximate rows of a histogram; share of the costs in them
_BAR = 26
LINE = 30  # the most bars of a curve
HIDDEN_ROWS = 3  # consecutive empty rows to leave out


def percent(share: float) -> str:
    """A share with one digit after the point, or with two digits if it is small.

    >>> percent(0.828), percent(0.00054), percent(0)
    ('82.8%', '0.054%', '0.0%')
    """
    return f"{100 * share:.2g}%" if 0 < share < 0.01 else f"{share:.1%}"


def bytes_shown(count: int) -> str:
    """
    >>> bytes_shown(16_800_000), bytes_shown(3 * 2**30)
    ('16.0 MiB', '3.0 GiB')
    """
    units = ("B", "KiB", "MiB", "GiB")
    k = min((max(count, 1).bit_length() - 1) // 10, 3)
    return f"{count / 1024**k:,.{min(k, 1)}f} {units[k]}"


def bar(share: float, width: int = _BAR) -> str:
    """A bar in eighths of a character; any share above 0 is visible.

    >>> bar(0.5, 4), bar(0.0001, 4), bar(0, 4)
    ('██', '▏', '')
    """
    eighths = max(round(share * width * 8), share > 0)
    return ("█" * (eighths // 8) + EIGHTHS[eighths % 8]).rstrip()


def describe_success(success: Success, error: float, epochs: int) -> str:
    rare = f", 1 in {success.networks / success.solved:,.0f}" if 0 < success.share < 0.01 else ""
    lines = [
        f"  {percent(success.share)}{rare}: {success.solved:,} of {success.networks:,} networks "
        f"(95% interval {percent(success.low)} to {percent(success.high)})",
        f"  that is: all errors under {error:g} "
        + (f"after {epochs:,} epochs" if epochs else "with the initial weights"),
    ]
    if epochs and success.solved:
        lines.append(f"  median {success.median_epochs:,.0f} epochs until a network first solved it")
    if success.diverged:
        lines.append(
            f"  diverged: {success.diverged:,} networks, counted as not solved; a smaller learning rate may help"
        )
    return "\n".join(lines)


def histogram(costs: NDArray[np.floating], found: list[Plateau]) -> str:
    """A histogram of the networks' final costs, with the plateaus named beside their rows."""
    finite = costs[np.isfinite(costs)].astype(np.float64)
    top = max(float(np.quantile(finite, _SHOWN)), *(plateau.cost for plateau in found), 0.0)
    width = _bin_width(top)
    places = np.minimum(finite / width, _BINS + 1).astype(np.int64)  # so that no cost is too large for a whole number
    last = int(top / width) + 1
    counts = np.bincount(np.minimum(places, last), minlength=last + 1)
    names = {int(plateau.cost / width): plateau.name for plateau in reversed(found)}
    rows, kinds = [], []
    for place, count in enumerate(counts.tolist()):
        if place == last and not count:
            break
        end = f"to {_edge(place + 1, width)}" if place < last else "or more"
        share = count / len(costs)
        drawn = f"{bar(share):{_BAR}}  {names.get(place, '')}".rstrip()
        rows.append([f"{_edge(place, width)} {end}", f"{count:,}", percent(share), drawn])
        kinds.append(count == 0)
    return table(_without_runs(rows, kinds), left=(0, 3))


def _edge(place: int, width: float) -> str:
    digits = max(0, -math.floor(math.log10(width)))
    return f"{place * width:.{digits}f}" if digits <= 6 and width < 1e6 else f"{place * width:.3g}"


def _bin_width(top: float) -> float:
    """A round width such that ``_BINS`` of them reach ``top``."""
    if top < 1e-300:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(top / _BINS))
    return next(step * unit for step in (1, 2, 5, 10) if step * unit * _BINS >= top)


def _without_runs(rows: list[list[str]], empty: list[bool]) -> list[list[str]]:
    """The rows, without runs of empty ones."""
    kept: list[list[str]] = []
    for none, group in groupby(zip(rows, empty, strict=True), key=lambda pair: pair[1]):
        members = [row for row, _ in group]
        kept += [["⋮", "", "", ""]] if none and len(members) >= HIDDEN_ROWS else members
    return kept


def describe_plateaus(found: list[Plateau], unsolved: int) -> str:
    """Each plateau with its share of the unsolved networks."""
    return table(
        [
            [plateau.name, f"cost {plateau.cost:.4g}", f"{plateau.count:,} networks", percent(plateau.count / unsolved)]
            for plateau in found
        ]
    )


def describe_speed(networks: int, epochs: int, seconds: float) -> str:
    nanoseconds = 1e9 * seconds / (networks * max(1, epochs))
    each = f"; {nanoseconds:,.{1 if nanoseconds < 100 else 0}f} ns per network and epoch" if epochs else ""
    return f"  {networks / seconds:,.0f} networks/s: {networks:,} in {seconds:.1f} s{each}"


def describe_curve(sweep: Sweep, points: list[tuple[float, Success]]) -> str:
    """The share solved for each value of the varied setting, one per row, and the curve as a line of bars."""
    rows = [[sweep.shown, "solved", "95% interval", "median epochs", ""]]
    for value, success in points:
        median = f"{success.median_epochs:,.0f}" if success.solved else "-"
        interval = f"{percent(success.low)} to {percent(success.high)}"
        rows.append([f"{value:.4g}", percent(success.share), interval, median, bar(success.share, 20)])
    parts = np.array_split([success.share for _, success in points], min(len(points), LINE))
    curve = "".join(BARS[round(part.mean() * (len(BARS) - 1))] for part in parts)
    line = f"  {curve}   {sweep.shown} {points[0][0]:.4g} to {points[-1][0]:.4g}{', even ratios' * sweep.log}"
    return table(rows, left=(4,)) + "\n\n" + line
