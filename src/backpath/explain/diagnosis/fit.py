"""Fits the number of a family of mistakes to the claimed figures: by trying, then by Gauss and Newton."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from backpath.explain.diagnosis.comparison import Comparison
from backpath.explain.diagnosis.mistakes import Family, Mistake
from backpath.explain.diagnosis.passes import Index, Run

Array = NDArray[np.floating]
Task = tuple[Family, Mistake | None]  # a family, and the other mistake that is made too

_BEST = 2  # starts of each family that are followed
_STEPS = 10
_APART = 1e-6  # of a number, for its slope


def fitted_numbers(c: Comparison, tasks: Sequence[Task]) -> list[float | None]:
    """For each task the number with which the figures fit, or None."""
    found: list[float | None] = [None] * len(tasks)
    owners, numbers = _best_starts(c, tasks, _possible(c, tasks))
    distance = np.full(len(numbers), np.inf)
    for _ in range(_STEPS):
        if not len(owners):
            break
        numbers, before = _step(c, tasks, owners, numbers)
        fits = c.met(_figures(c, tasks, owners, numbers)).all(axis=1)
        for k in np.flatnonzero(fits):
            number = float(numbers[k])
            if found[owners[k]] is None and not _is_right(tasks[owners[k]][0], number):
                found[owners[k]] = number
        nearer = before < 0.5 * distance
        going = np.isfinite(numbers) & nearer & np.array([found[owner] is None for owner in owners])
        owners, numbers, distance = owners[going], numbers[going], before[going]
    return found


def _is_right(family: Family, number: float) -> bool:
    """Nobody misreads a number by less: that is rounding, as to float32."""
    return abs(number - family.right) <= 1e-6 * max(1.0, abs(family.right))


def _figures(c: Comparison, tasks: Sequence[Task], owners: Index, numbers: Array) -> Array:
    """The figures of each task, whose places are ``owners``, with each number."""
    found = []
    for block in c.blocks(len(owners)):
        chosen, values = [tasks[owner] for owner in owners[block]], numbers[block]
        runs: list[Run] = [(family.edits(values[h]), h) for family, h in _alike([family for family, _ in chosen])]
        others = _alike([partner for _, partner in chosen])
        runs += [(partner.edits, h) for partner, h in others if partner is not None]
        found.append(c.figures(len(chosen), runs))
    return np.concatenate(found)


T = TypeVar("T")


def _alike(things: Sequence[T]) -> list[tuple[T, Index]]:
    """Each thing with the places where it stands."""
    places: dict[int, list[int]] = {}
    for k, thing in enumerate(things):
        places.setdefault(id(thing), []).append(k)
    return [(things[where[0]], np.array(where, dtype=np.intp)) for where in places.values()]


def _possible(c: Comparison, tasks: Sequence[Task]) -> list[int]:
    """Tasks whose number moves every figure that does not fit; told from the least, the middle and the largest start,
    as between two of them a neuron may be dead."""
    if not tasks:
        return []
    owners = np.repeat(np.arange(len(tasks)), 3)
    starts = [family.starts for family, _ in tasks]
    numbers = np.array([number for s in starts for number in (s[0], s[len(s) // 2], s[-1])])
    figures = _figures(c, tasks, owners, numbers)
    fixed = c.still(figures[::3], figures[1::3]) & c.still(figures[::3], figures[2::3])
    return [int(k) for k in np.flatnonzero((c.met(figures[::3]) | ~fixed).all(axis=1))]


def _residuals(c: Comparison, figures: Array) -> Array:
    """What is left between figures and claims, in units of the layer's largest change or of the last printed digit."""
    claims = c.claims
    unit = np.maximum(claims.last, c.largest) + 1e-300
    found: Array = (figures[:, claims.positions] - claims.value) / unit
    return found


def _best_starts(c: Comparison, tasks: Sequence[Task], possible: Sequence[int]) -> tuple[Index, Array]:
    """The few numbers of each task that come nearest."""
    pairs = [(k, number) for k in possible for number in tasks[k][0].starts]
    owners, numbers = np.array([k for k, _ in pairs], dtype=np.intp), np.array([number for _, number in pairs])
    if not pairs:
        return owners, numbers
    with np.errstate(all="ignore"):
        distance = (_residuals(c, _figures(c, tasks, owners, numbers)) ** 2).sum(axis=1)
    distance = np.where(np.isfinite(distance), distance, np.inf)
    order = np.lexsort((distance, owners))
    rank = np.arange(len(order)) - np.searchsorted(owners[order], owners[order], side="left")
    kept = order[(rank < _BEST) & np.isfinite(distance[order])]
    return owners[kept], numbers[kept]


def _step(c: Comparison, tasks: Sequence[Task], owners: Index, numbers: Array) -> tuple[Array, Array]:
    """A better number for each, and the squared distance before: the middle of those with which, by their slopes, all
    figures would fit, or if there is none, a step of Gauss and Newton."""
    apart = _APART * np.maximum(1.0, np.abs(numbers))
    figures = _figures(c, tasks, owners, numbers)
    moved = _figures(c, tasks, owners, numbers + apart)
    with np.errstate(all="ignore"):
        here = _residuals(c, figures)
        slope = (_residuals(c, moved) - here) / apart[:, None]
        newton = numbers - (slope * here).sum(axis=1) / (slope * slope).sum(axis=1)
        middle = numbers + _middle(c, figures, (moved - figures)[:, c.claims.positions] / apart[:, None])
        distance = (here * here).sum(axis=1)
    return np.where(np.isfinite(middle), middle, newton), distance


def _middle(c: Comparison, figures: Array, slope: Array) -> Array:
    """By how much each number must change for its figures to lie within their bounds; NaN where nothing does it."""
    low, high = c.claims.bounds(figures, c.largest)
    predicted = figures[:, c.claims.positions]
    flat = np.abs(slope) <= 1e-9 * np.abs(slope).max(axis=1, keepdims=True)
    ends = np.stack([(low - predicted) / slope, (high - predicted) / slope])
    lower = np.where(flat, -np.inf, ends.min(axis=0)).max(axis=1)
    upper = np.where(flat, np.inf, ends.max(axis=0)).min(axis=1)
    return np.where(lower <= upper, (lower + upper) / 2, np.nan)
