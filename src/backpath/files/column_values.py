"""The values of a table's columns, before anything is scaled; and what training rows say of a column."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.column_inputs import MISSING, CategoryInput, DateInput, NumberInput
from backpath.files.forms import PLAIN, NumberForm
from backpath.files.wording import quoted
from backpath.maths.arrays import Floats

Rows = NDArray[np.intp] | slice


@dataclass(frozen=True)
class Numbers:
    """The values of a number column; NaN is a missing one."""

    name: str
    values: Floats
    form: NumberForm = PLAIN

    @property
    def missing(self) -> NDArray[np.bool_]:
        return np.isnan(self.values)

    def take(self, rows: NDArray[np.bool_]) -> Numbers:
        return replace(self, values=self.values[rows])

    def fit(self, rows: Rows, standardize: bool) -> NumberInput:
        fill, gap, mean, scale = _fit(self.values[rows], self.name, standardize)
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

    def fit(self, rows: Rows, standardize: bool) -> CategoryInput:
        return CategoryInput(self.name, self.categories, self.other, bool((self.values[rows] == MISSING).any()))


@dataclass(frozen=True)
class Dates:
    """The values of a column of dates: days since 1970; NaN is a missing one."""

    name: str
    values: Floats
    form: str
    parts: tuple[str, ...]

    @property
    def missing(self) -> NDArray[np.bool_]:
        return np.isnan(self.values)

    def take(self, rows: NDArray[np.bool_]) -> Dates:
        return replace(self, values=self.values[rows])

    def fit(self, rows: Rows, standardize: bool) -> DateInput:
        fill, gap, mean, scale = _fit(self.values[rows], self.name, "days" in self.parts)
        if not standardize:
            mean, scale = float(np.nanmin(self.values[rows])), 1.0
        return DateInput(self.name, self.form, self.parts, mean, scale, fill, gap)


ColumnValues = Numbers | Categories | Dates


def _fit(values: Floats, name: str, standardize: bool) -> tuple[float, bool, float, float]:
    """The value that stands for missing ones, whether there are such, mean, and scale."""
    missing = np.isnan(values)
    gap = bool(missing.any())
    fill = 2 * float(np.median((values[~missing] if gap else values) / 2))  # halved, so that no sum overflows
    if not standardize:
        return fill, gap, 0.0, 1.0
    return fill, gap, *mean_and_scale(np.where(missing, fill, values) if gap else values, name)


def mean_and_scale(values: Floats, name: str) -> tuple[float, float]:
    """The mean and the standard deviation of a column that is not constant, computed so that no square overflows."""
    largest = float(np.abs(values).max())
    relative = values / largest
    mean, scale = float(relative.mean()) * largest, float(relative.std()) * largest
    with np.errstate(over="ignore"):
        extreme = np.array([values.min(), values.max()]) - mean
    if not np.isfinite(extreme).all() or scale < np.finfo(np.float64).tiny:
        raise InputError(
            f"column {quoted(name)} cannot be standardised: its numbers go from {values.min():g} to {values.max():g}; "
            "give it in another unit"
        )
    return mean, scale
