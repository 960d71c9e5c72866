"""The values of a table's columns before scaling, and the kinds fitted to training rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.column_inputs import MISSING, CategoryInput, DateInput, NumberInput
from backpath.files.forms import PLAIN_NUMBER, NumberForm
from backpath.files.moments import Moments
from backpath.files.wording import quoted
from backpath.maths.arrays import Floats

Rows = NDArray[np.intp] | slice
NO_MOMENTS = Moments()


@dataclass(frozen=True)
class Numbers:
    """The values of a numeric column, in the shortest float type that is exact; NaN means missing."""

    name: str
    values: NDArray[np.floating]
    form: NumberForm = PLAIN_NUMBER

    @property
    def missing(self) -> NDArray[np.bool_]:
        return np.isnan(self.values)

    def take(self, rows: NDArray[np.bool_]) -> Numbers:
        return replace(self, values=self.values[rows])

    def fit(self, rows: Rows, standardize: bool, beyond: Moments = NO_MOMENTS) -> NumberInput:
        """The column's input fitted to these rows and to those with the moments ``beyond``."""
        fill, gap, mean, scale = _fit(self.values[rows].astype(np.float64), self.name, standardize, beyond)
        return NumberInput(self.name, mean, scale, fill, gap, self.form)


@dataclass(frozen=True)
class Categories:
    """The values of a text column: ``values[row]`` is a place in ``categories``, MISSING or OTHER."""

    name: str
    values: NDArray[np.integer]
    categories: tuple[str, ...]
    other: bool = False

    @property
    def missing(self) -> NDArray[np.bool_]:
        return self.values == MISSING

    def take(self, rows: NDArray[np.bool_]) -> Categories:
        return replace(self, values=self.values[rows])

    def fit(self, rows: Rows, standardize: bool, beyond: Moments = NO_MOMENTS) -> CategoryInput:
        missing = bool((self.values[rows] == MISSING).any()) or beyond.missing > 0
        return CategoryInput(self.name, self.categories, self.other, missing)


@dataclass(frozen=True)
class Dates:
    """The values of a column of dates: days since 1970; NaN means missing."""

    name: str
    values: Floats
    form: str
    parts: tuple[str, ...]

    @property
    def missing(self) -> NDArray[np.bool_]:
        return np.isnan(self.values)

    def take(self, rows: NDArray[np.bool_]) -> Dates:
        return replace(self, values=self.values[rows])

    def fit(self, rows: Rows, standardize: bool, beyond: Moments = NO_MOMENTS) -> DateInput:
        fill, gap, mean, scale = _fit(self.values[rows], self.name, "days" in self.parts, beyond)
        if not standardize:
            mean, scale = min(float(np.nanmin(self.values[rows])), beyond.low), 1.0
        return DateInput(self.name, self.form, self.parts, mean, scale, fill, gap)


ColumnValues = Numbers | Categories | Dates


def with_values(column: ColumnValues, values: NDArray[Any]) -> ColumnValues:
    """The column with other values."""
    same: Any = column
    return replace(same, values=values)


def _fit(values: Floats, name: str, standardize: bool, beyond: Moments) -> tuple[float, bool, float, float]:
    """The value for missing cells, whether there are any, the mean, and the scale."""
    missing = np.isnan(values)
    gap = bool(missing.any()) or beyond.missing > 0
    present = values[~missing] if gap else values
    fill = 2 * float(np.median(present / 2)) if len(present) else beyond.mean  # halved, so that the sum cannot overflow
    if not standardize:
        return fill, gap, 0.0, 1.0
    if beyond.count:
        seen = Moments.of(values) + beyond
        seen += Moments.same(fill, seen.missing)
        return fill, gap, *_checked(name, seen.low, seen.high, seen.mean, seen.deviation)
    return fill, gap, *mean_and_scale(np.where(missing, fill, values) if gap else values, name)


def mean_and_scale(values: Floats, name: str, beyond: Moments = NO_MOMENTS) -> tuple[float, float]:
    """The mean and standard deviation of a column that is not constant, computed so that no square overflows."""
    if beyond.count:
        seen = Moments.of(values) + beyond
        return _checked(name, seen.low, seen.high, seen.mean, seen.deviation)
    largest = float(np.abs(values).max())
    relative = values / largest
    mean, scale = float(relative.mean()) * largest, float(relative.std()) * largest
    return _checked(name, float(values.min()), float(values.max()), mean, scale)


def _checked(name: str, low: float, high: float, mean: float, scale: float) -> tuple[float, float]:
    if not np.isfinite([high - mean, low - mean]).all() or scale < np.finfo(np.float64).tiny:
        raise InputError(
            f"column {quoted(name)} cannot be standardised: its numbers go from {low:g} to {high:g}; "
            "give it in another unit"
        )
    return mean, scale


def shortest(values: Floats) -> NDArray[np.floating]:
    """The values in the shortest type that is exact for all of them; small whole numbers take a quarter of the memory.

    >>> shortest(np.array([1.0, 255.0])).dtype.name, shortest(np.array([0.5, 1e5])).dtype.name
    ('float16', 'float32')
    """
    for kind in (np.float16, np.float32):
        with np.errstate(over="ignore"):
            short: NDArray[np.floating] = values.astype(kind)
        if np.array_equal(short.astype(np.float64), values, equal_nan=True):
            return short
    return values
