"""Statistics of a population: a share with its interval, and the plateaus where networks are stuck."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from backpath.maths.intervals import wilson_interval

_WIDTH = 0.02  # width of a plateau relative to its cost, because networks approach it slowly
_LEAST_SHARE, LEAST_COUNT = 0.01, 5  # the least share of networks on a plateau
STEEPNESS = 4.0  # times as many networks as in a range of the same width on either side
AROUND, DEVIATIONS = 0.25, 6.0  # width of the neighbourhood that estimates chance, relative to the cost
MOST_LOOKS = 8
LARGEST_DENOMINATOR = 8


@dataclass(frozen=True)
class Plateau:
    """A final cost that many networks share.

    Attributes
    ----------
    cost : float
        Their median.
    count : int
    """

    cost: float
    count: int

    @property
    def name(self) -> str:
        """The closest simple fraction, such as ``1/8``, if there is one; else the cost itself.

        >>> Plateau(0.1252, 30).name, Plateau(0.137, 30).name
        ('1/8', '0.137')
        """
        near = Fraction(self.cost).limit_denominator(LARGEST_DENOMINATOR)
        if near and near.denominator > 1 and abs(float(near) - self.cost) <= _WIDTH * self.cost:
            return str(near)
        return f"{self.cost:.3g}"


def plateaus(costs: NDArray[np.floating]) -> list[Plateau]:
    """The plateaus among the final costs of networks that have not solved their task, the fullest first.

    A plateau is a range of costs, 2% wide, that holds 1% of the networks; at least 4 times as many as the ranges of
    that width beside it; and many more (6 standard deviations) than the costs around it would put there by chance.

    >>> plateaus(np.concatenate([np.full(90, 0.1251), np.full(30, 0.1667), np.linspace(0.1, 0.3, 20)]))
    [Plateau(cost=0.1251, count=90), Plateau(cost=0.1667, count=30)]
    """
    around = np.sort(costs[np.isfinite(costs) & (costs > 0)].astype(np.float64))  # except for plateaus found
    left, found = around, []  # except for ranges looked at
    least = max(LEAST_COUNT, _LEAST_SHARE * len(left))
    for _ in range(MOST_LOOKS):
        ends = np.searchsorted(left, left * (1 + _WIDTH), side="right")
        counts = ends - np.arange(len(left))
        if not len(left) or counts.max() < least:
            break
        first = int(counts.argmax())
        low, plateau = left[first], Plateau(float(np.median(left[first : ends[first]])), int(counts[first]))
        if _stands_out(plateau.count, low, around):
            found.append(plateau)
            around = _without(around, low)
        left = _without(left, low)
    return sorted(found, key=lambda plateau: -plateau.count)


def _stands_out(count: int, low: float, around: NDArray[np.float64]) -> bool:
    bounds = [low * (1 - _WIDTH), low, low * (1 + _WIDTH), low * (1 + _WIDTH) ** 2]
    before, start, end, after = np.searchsorted(around, bounds)
    near = np.diff(np.searchsorted(around, [low * (1 - AROUND), low * (1 + AROUND)]))[0]
    chance = (near - count) * _WIDTH / (2 * AROUND)
    steep = count >= STEEPNESS * max(start - before, after - end)
    return bool(steep and count >= chance + DEVIATIONS * math.sqrt(chance + 1))


def _without(costs: NDArray[np.float64], low: float) -> NDArray[np.float64]:
    """The costs outside the range from ``low`` and its neighbours."""
    before, after = np.searchsorted(costs, [low * (1 - _WIDTH), low * (1 + _WIDTH) ** 2])
    return np.concatenate([costs[:before], costs[after:]])


@dataclass(frozen=True)
class Success:
    """The share of networks that learned a task.

    Attributes
    ----------
    networks, solved, diverged : int
        How many there are; of them solved, and no longer finite.
    low, high : float
        The 95% interval of the share solved.
    median_epochs : float
        Of those solved, after how many epochs they first were; NaN if none is.
    """

    networks: int
    solved: int
    diverged: int
    low: float
    high: float
    median_epochs: float

    @property
    def share(self) -> float:
        return self.solved / self.networks

    @classmethod
    def of(
        cls, solved: NDArray[np.bool_], solved_after: NDArray[np.int64], diverged: NDArray[np.bool_] | None = None
    ) -> Success:
        """Counted over networks.

        >>> success = Success.of(np.array([True, True, False]), np.array([100, 300, -1]))
        >>> success.solved, success.median_epochs, round(success.low, 2), round(success.high, 2)
        (2, 200.0, 0.21, 0.94)
        """
        count, total = int(solved.sum()), len(solved)
        median = float(np.median(solved_after[solved])) if count else math.nan
        lost = 0 if diverged is None else int(diverged.sum())
        return cls(total, count, lost, *wilson_interval(count, total), median)
