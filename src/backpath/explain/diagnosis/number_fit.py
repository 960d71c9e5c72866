"""Fits the number of a family of mistakes to the claimed figures, from several starts, by the Gauss-Newton method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np

from backpath.explain.diagnosis.bits import roundest
from backpath.explain.diagnosis.comparison import Comparison
from backpath.explain.diagnosis.mistakes import Family, Mistake
from backpath.explain.diagnosis.passes import Index, PassEdits
from backpath.maths.arrays import Array


@dataclass(frozen=True, eq=False)
class Task:
    """A family, a second mistake, and the constant on all gradients."""

    family: Family
    partner: Mistake | None = None
    constant: float = 1.0


_MOST_HINTS = 12  # inputs implied by the figures
_BEST = 2  # starts to follow for each family
_STEPS = 10
_APART = 1e-6  # the relative step for a slope


def implied_inputs(c: Comparison) -> list[float]:
    """Implied inputs: with one sample, ∂C/∂W11_1 / ∂C/∂W1~_1 is the value that X1 was read as."""
    if c.q.samples > 1:
        return []
    gradient = dict(zip(c.claims.positions.tolist(), c.claims.value.tolist(), strict=True))
    inputs, found = c.q.width(0), []
    for j in range(1, c.q.width(1) + 1):
        bias = gradient.get(c.q.position(1, j, None))
        figures = (gradient.get(c.q.position(1, j, i)) for i in range(1, inputs + 1))
        found += [figure / bias for figure in figures if bias and figure is not None]
    return found[:_MOST_HINTS]


def fitted_numbers(c: Comparison, tasks: Sequence[Task]) -> list[tuple[float, float] | None]:
    """For each task the roundest number that fits the figures, and its bits; or None."""
    found: list[tuple[float, float] | None] = [None] * len(tasks)
    owners, numbers = _best_starts(c, tasks, _possible(c, tasks))
    distance = np.full(len(numbers), np.inf)
    for _ in range(_STEPS):
        if not len(owners):
            break
        numbers, before, width = _step(c, tasks, owners, numbers)
        fits = c.met(_figures(c, tasks, owners, numbers)).all(axis=1)
        for k in np.flatnonzero(fits):
            if found[owners[k]] is None and not _is_right(tasks[owners[k]].family, float(numbers[k])):
                found[owners[k]] = _roundest(c, tasks[owners[k]], float(numbers[k]), float(width[k]))
        nearer = before < 0.5 * distance
        going = np.isfinite(numbers) & nearer & np.array([found[owner] is None for owner in owners])
        owners, numbers, distance = owners[going], numbers[going], before[going]
    return found


def _roundest(c: Comparison, task: Task, number: float, width: float) -> tuple[float, float]:
    """The number with the fewest digits near the one that fits."""
    width = max(width, 1e-12 * abs(number)) if np.isfinite(width) else 1e-9 * abs(number)
    for share in (1.0, 0.5, 0.1):
        value, bits = roundest(number - share * width, number + share * width, task.family.likely or task.family.starts)
        if c.met(_figures(c, [task], np.array([0]), np.array([value]))).all() and not _is_right(task.family, value):
            return value, bits
    ends = sorted((number * (1 - 1e-9), number * (1 + 1e-9)))
    return number, roundest(ends[0], ends[1], task.family.likely or task.family.starts)[1]


def _is_right(family: Family, number: float) -> bool:
    """The smallest difference that counts as a misreading; smaller ones are rounding, for example to float32."""
    return abs(number - family.right) <= 1e-6 * max(1.0, abs(family.right))


def _figures(c: Comparison, tasks: Sequence[Task], owners: Index, numbers: Array) -> Array:
    """The figures with each number, for the tasks at the places ``owners``."""
    families, family_of = _distinct([task.family for task in tasks])
    partners, partner_of = _distinct([task.partner for task in tasks])
    constants = np.array([task.constant for task in tasks])
    found = []
    for block in c.blocks(len(owners)):
        chosen, values = owners[block], numbers[block]
        runs: list[PassEdits] = [(families[k].edits(values[h]), h) for k, h in _where(family_of[chosen])]
        for k, h in _where(partner_of[chosen]):
            partner = partners[k]
            if partner is not None:
                runs.append((partner.edits, h))
        figures = c.figures(len(chosen), runs)
        if (constants != 1).any():
            places, base = c.claims.positions[c.is_weight], c.claims.base[c.is_weight]
            figures[:, places] = base + constants[chosen, None] * (figures[:, places] - base)
        found.append(figures)
    return np.concatenate(found)


T = TypeVar("T")


def _distinct(things: Sequence[T]) -> tuple[list[T], Index]:
    """The distinct tasks, and for each task its place among them."""
    places: dict[int, int] = {}
    which = [places.setdefault(id(thing), len(places)) for thing in things]
    return list({id(thing): thing for thing in things}.values()), np.array(which, dtype=np.intp)


def _where(which: Index) -> Iterator[tuple[int, Index]]:
    """Each number with its places."""
    order = np.argsort(which, kind="stable")
    ends = [*np.flatnonzero(np.diff(which[order], prepend=-1)), len(order)]
    return ((int(which[order[a]]), order[a:b]) for a, b in pairwise(ends) if a < b)


def _possible(c: Comparison, tasks: Sequence[Task]) -> list[int]:
    """Tasks whose number changes every figure that does not fit, tried at the smallest, the middle and the largest
    start, because a neuron may be dead between two of them."""
    if not tasks:
        return []
    owners = np.repeat(np.arange(len(tasks)), 3)
    starts = [task.family.starts for task in tasks]
    numbers = np.array([number for s in starts for number in (s[0], s[len(s) // 2], s[-1])])
    figures = _figures(c, tasks, owners, numbers)
    fixed = c.still(figures[::3], figures[1::3]) & c.still(figures[::3], figures[2::3])
    return [int(k) for k in np.flatnonzero((c.met(figures[::3]) | ~fixed).all(axis=1))]


def _residuals(c: Comparison, figures: Array) -> Array:
    """The differences between figures and claims, in units of the layer's largest change or of the last digit."""
    claims = c.claims
    unit = np.maximum(claims.last, np.maximum(c.size, c.largest)) + 1e-300
    found: Array = (figures[:, claims.positions] - claims.value) / unit
    return found


def _best_starts(c: Comparison, tasks: Sequence[Task], possible: Sequence[int]) -> tuple[Index, Array]:
    """The best few numbers of each task."""
    pairs = [(k, number) for k in possible for number in tasks[k].family.starts]
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


def _step(c: Comparison, tasks: Sequence[Task], owners: Index, numbers: Array) -> tuple[Array, Array, Array]:
    """A better number for each, the squared distance before, and the tolerance of the number. The better number is the
    middle of the interval in which all figures would fit to first order, or, if that is empty, a Gauss-Newton step."""
    apart = _APART * np.maximum(1.0, np.abs(numbers))
    figures = _figures(c, tasks, owners, numbers)
    moved = _figures(c, tasks, owners, numbers + apart)
    with np.errstate(all="ignore"):
        here = _residuals(c, figures)
        slope = (_residuals(c, moved) - here) / apart[:, None]
        newton = numbers - (slope * here).sum(axis=1) / (slope * slope).sum(axis=1)
        middle, width = _middle(c, figures, (moved - figures)[:, c.claims.positions] / apart[:, None])
        distance = (here * here).sum(axis=1)
    return np.where(np.isfinite(middle), numbers + middle, newton), distance, width


def _middle(c: Comparison, figures: Array, slope: Array) -> tuple[Array, Array]:
    """The change of each number that brings its figures within bounds, and its tolerance; NaN if there is none."""
    predicted = figures[:, c.claims.positions]
    flat = np.abs(slope) <= 1e-9 * np.abs(slope).max(axis=1, keepdims=True)
    ends = np.stack([(c.low - predicted) / slope, (c.high - predicted) / slope])
    lower = np.where(flat, -np.inf, ends.min(axis=0)).max(axis=1)
    upper = np.where(flat, np.inf, ends.max(axis=0)).min(axis=1)
    return np.where(lower <= upper, (lower + upper) / 2, np.nan), (upper - lower) / 2
