"""Fits the number of a family of mistakes to the claimed figures: by trying, then by Gauss and Newton."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from backpath.explain.diagnosis.mistakes import Family, Mistake
from backpath.explain.diagnosis.passes import Edits

if TYPE_CHECKING:
    from backpath.explain.diagnosis.search import Search

Array = NDArray[np.floating]
Task = tuple[Family, Mistake | None]  # a family, and the other mistake that is made too

_BEST = 2  # starts of each family that are followed
_STEPS = 10
_APART = 1e-6  # of a number, for its slope


def fitted_numbers(search: Search, tasks: Sequence[Task]) -> list[float | None]:
    """For each task the number with which the figures fit, or None."""
    found: list[float | None] = [None] * len(tasks)
    owners, numbers = _best_starts(search, tasks, _possible(search, tasks))
    distance = np.full(len(numbers), np.inf)
    for _ in range(_STEPS):
        if not len(owners):
            break
        numbers, before = _step(search, tasks, owners, numbers)
        fits = search.fits(_figures(search, tasks, owners, numbers))
        for k in np.flatnonzero(fits):
            number = float(numbers[k])
            if found[owners[k]] is None and not _is_right(tasks[owners[k]][0], number):
                found[owners[k]] = number
        nearer = before < 0.5 * distance
        going = np.isfinite(numbers) & nearer & np.array([found[owner] is None for owner in owners])
        owners, numbers, distance = owners[going], numbers[going], before[going]
    return found


def _possible(search: Search, tasks: Sequence[Task]) -> list[int]:
    """Tasks whose number moves every figure that does not fit; told from two numbers."""
    if not tasks:
        return []
    owners = np.repeat(np.arange(len(tasks)), 2)
    numbers = np.array([number for family, _ in tasks for number in family.starts[:2]])
    figures = _figures(search, tasks, owners, numbers)
    claimed = figures[:, search.claims.positions]
    with np.errstate(all="ignore"):
        still = np.abs(claimed[::2] - claimed[1::2]) <= 1e-12 * (search.largest + np.abs(search.claims.base))
        met = search.misfit(figures[::2]) <= 1
    return [int(k) for k in np.flatnonzero((met | ~still).all(axis=1))]


def _is_right(family: Family, number: float) -> bool:
    return abs(number - family.right) <= 1e-9 * max(1.0, abs(family.right))


def _edits(task: Task, number: float) -> Edits:
    family, partner = task
    return (*family.edits(number), *(partner.edits if partner else ()))


def _figures(search: Search, tasks: Sequence[Task], owners: NDArray[np.intp], numbers: Array) -> Array:
    return search.figures([_edits(tasks[owner], float(number)) for owner, number in zip(owners, numbers, strict=True)])


def _residuals(search: Search, figures: Array) -> Array:
    """What is left between figures and claims, each in units of its own precision or of its layer's largest change."""
    claims = search.claims
    unit = np.maximum(claims.last, search.largest) + 1e-300
    found: Array = (figures[:, claims.positions] - claims.value) / unit
    return found


def _best_starts(search: Search, tasks: Sequence[Task], possible: Sequence[int]) -> tuple[NDArray[np.intp], Array]:
    """The few numbers of each task that come nearest."""
    pairs = [(k, number) for k in possible for number in tasks[k][0].starts]
    owners, numbers = np.array([k for k, _ in pairs], dtype=np.intp), np.array([number for _, number in pairs])
    if not pairs:
        return owners, numbers
    with np.errstate(all="ignore"):
        distance = (_residuals(search, _figures(search, tasks, owners, numbers)) ** 2).sum(axis=1)
    distance = np.where(np.isfinite(distance), distance, np.inf)
    order = np.lexsort((distance, owners))
    rank = np.arange(len(order)) - np.searchsorted(owners[order], owners[order], side="left")
    kept = order[(rank < _BEST) & np.isfinite(distance[order])]
    return owners[kept], numbers[kept]


def _step(search: Search, tasks: Sequence[Task], owners: NDArray[np.intp], numbers: Array) -> tuple[Array, Array]:
    """One step of Gauss and Newton for each number, and the squared distance before it."""
    apart = _APART * np.maximum(1.0, np.abs(numbers))
    with np.errstate(all="ignore"):
        here = _residuals(search, _figures(search, tasks, owners, numbers))
        there = _residuals(search, _figures(search, tasks, owners, numbers + apart))
        slope = (there - here) / apart[:, None]
        moved: Array = numbers - (slope * here).sum(axis=1) / (slope * slope).sum(axis=1)
    return moved, (here * here).sum(axis=1)
