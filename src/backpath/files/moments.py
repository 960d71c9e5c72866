"""Mean and standard deviation of values that arrive in parts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from backpath.maths.arrays import Floats


@dataclass(frozen=True)
class Moments:
    """Moments of some numbers, and the number of missing ones; ``a + b`` has those of both.

    >>> both = Moments.of(np.array([1.0, 2.0])) + Moments.of(np.array([6.0, np.nan]))
    >>> both.count, both.missing, both.mean, round(both.deviation, 6), both.high
    (3, 1, 3.0, 2.160247, 6.0)
    """

    count: int = 0
    missing: int = 0
    mean: float = 0.0
    deviation: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    @classmethod
    def of(cls, values: Floats) -> Moments:
        """The moments of an array; NaN means missing."""
        present = values[~np.isnan(values)]
        missing = len(values) - len(present)
        if len(present) == 0:
            return cls(missing=missing)
        low, high = float(present.min()), float(present.max())
        unit = max(abs(low), abs(high)) or 1.0  # so that no square overflows
        relative = present / unit
        return cls(len(present), missing, float(relative.mean()) * unit, float(relative.std()) * unit, low, high)

    @classmethod
    def same(cls, value: float, count: int) -> Moments:
        """The moments of one value repeated ``count`` times."""
        return cls(count, 0, value, 0.0, value, value) if count else cls()

    def __add__(self, other: Moments) -> Moments:
        missing = self.missing + other.missing
        if not self.count or not other.count:
            return replace(self if self.count else other, missing=missing)
        count, step = self.count + other.count, other.mean - self.mean
        unit = max(self.deviation, other.deviation, abs(step)) or 1.0
        variance = (
            self.count / count * (self.deviation / unit) ** 2
            + other.count / count * (other.deviation / unit) ** 2
            + self.count / count * (other.count / count) * (step / unit) ** 2
        )
        return Moments(
            count,
            missing,
            self.mean + step * (other.count / count),
            unit * math.sqrt(variance),
            min(self.low, other.low),
            max(self.high, other.high),
        )
