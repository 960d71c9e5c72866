"""The kinds of columns in a model: how cells become inputs of the network.

Each kind has the same members: ``labels`` (of its inputs), ``encode`` (values to inputs), ``unusable`` (cells without
inputs) and ``describe``. The module ``reading`` reads the cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from backpath.files.forms import PLAIN_NUMBER, NumberForm
from backpath.files.wording import listed, plain
from backpath.maths.arrays import Floats

MISSING, OTHER = -1, -2  # codes of missing cells, and of cells that are not one of the categories

# the labels of a date's inputs, by part; the cyclic parts are a sine and a cosine
DATE_LABELS = {
    "days": ("days",),
    "year": ("year",),
    "month": ("month (sin)", "month (cos)"),
    "weekday": ("weekday (sin)", "weekday (cos)"),
    "hour": ("hour (sin)", "hour (cos)"),
}


@dataclass(frozen=True)
class NumberInput:
    """A column of numbers: X = (value - mean) / scale (0 and 1 where it is not standardised).

    A missing value counts as ``fill`` (None: it cannot be used); if some were missing in training, a second input is 1
    if the value is missing, otherwise 0. Among the values, NaN means missing and infinity an unreadable cell.
    """

    kind: ClassVar[str] = "number"
    name: str
    mean: float = 0.0
    scale: float = 1.0
    fill: float | None = None
    missing: bool = False
    form: NumberForm = PLAIN_NUMBER

    @property
    def labels(self) -> tuple[str, ...]:
        return _with_missing(plain(self.name), self.missing, (plain(self.name),))

    @property
    def is_plain(self) -> bool:
        """Whether its only input is the value itself."""
        return (self.mean, self.scale, self.missing) == (0.0, 1.0, False)

    def encode(self, values: NDArray[np.floating]) -> Floats:
        """Inputs of shape (N, labels)."""
        numbers: Floats = values.astype(np.float64, copy=False)
        if np.isfinite(numbers).all():
            inputs = scaled(numbers, self.mean, self.scale)
        else:
            inputs = scaled(filled(numbers, self.fill), self.mean, self.scale)
        return _columns(inputs, np.isnan(numbers) if self.missing else None)

    def unusable(self, values: Floats) -> NDArray[np.bool_]:
        return unusable_numbers(values, self.fill)

    def describe(self) -> str:
        said = [number_scale(self.mean, self.scale)]
        said += [self.form.describe()] if self.form != PLAIN_NUMBER else []
        said += [f"missing cells count as {self.fill:.6g}"] if self.missing else []
        return ", ".join(said)


@dataclass(frozen=True)
class CategoryInput:
    """A column of text with one input per category (one-hot): 1 if the cell is that category, otherwise 0.

    With ``other``, a further input is 1 for all other texts; with ``missing``, one for missing cells. Without them, all
    inputs of such a cell are 0. Values are codes: places in ``categories``, MISSING or OTHER.
    """

    kind: ClassVar[str] = "categories"
    name: str
    categories: tuple[str, ...]
    other: bool = False
    missing: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        name = plain(self.name)
        found = [f"{name} = {plain(category)}" for category in self.categories]
        found += [f"{name}: other"] if self.other else []
        return _with_missing(name, self.missing, tuple(found))

    @property
    def is_plain(self) -> bool:
        return False

    def encode(self, values: NDArray[np.integer]) -> Floats:
        """Inputs of shape (N, labels)."""
        inputs = np.zeros((len(values), len(self.labels)))
        known = np.flatnonzero(values >= 0)
        inputs[known, values[known]] = 1
        if self.other:
            inputs[values == OTHER, len(self.categories)] = 1
        if self.missing:
            inputs[values == MISSING, -1] = 1
        return inputs

    def unusable(self, values: NDArray[np.integer]) -> NDArray[np.bool_]:
        return np.zeros(len(values), dtype=bool)

    def describe(self) -> str:
        said = f"one of {listed(self.categories)}"
        more = [word for word, is_there in (("other", self.other), ("missing", self.missing)) if is_there]
        return " or ".join([said, *more])


@dataclass(frozen=True)
class DateInput:
    """A column of dates or times, as the ``parts`` that vary among its rows (see ``DATE_LABELS``).

    ``days`` and ``year`` have the same scale: (days - mean) / scale, counted from 1970; a year is its first day. Month,
    weekday and hour are points on a circle. Values are days since 1970; NaN and infinity are used as for numbers.
    """

    kind: ClassVar[str] = "date"
    name: str
    form: str
    parts: tuple[str, ...]
    mean: float = 0.0
    scale: float = 1.0
    fill: float | None = None
    missing: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        name = plain(self.name)
        found = tuple(f"{name}: {label}" for part in self.parts for label in DATE_LABELS[part])
        return _with_missing(name, self.missing, found)

    @property
    def is_plain(self) -> bool:
        return False

    def encode(self, values: Floats) -> Floats:
        """Inputs of shape (N, labels)."""
        days = filled(values, self.fill)
        calendar = date_parts(np.where(np.isfinite(days), days, 0.0))
        found = []
        for part in self.parts:
            if part == "days":
                found.append(scaled(days, self.mean, self.scale))
            elif part == "year":
                found.append(scaled(calendar["year's first day"], self.mean, self.scale))
            else:
                angle = 2 * np.pi * calendar[part]
                found += [np.sin(angle), np.cos(angle)]
        return _columns(np.stack(found, axis=1), np.isnan(values) if self.missing else None)

    def unusable(self, values: Floats) -> NDArray[np.bool_]:
        return unusable_numbers(values, self.fill)

    def describe(self) -> str:
        said = f"{'time' if self.form == 'time of day' else 'date'} ({self.form}) as {', '.join(self.parts)}"
        return f"{said}, missing cells count as {shown_day(self.fill)}" if self.missing else said


ColumnInput = NumberInput | CategoryInput | DateInput
KINDS: dict[str, type[ColumnInput]] = {kind.kind: kind for kind in (NumberInput, CategoryInput, DateInput)}


def date_parts(days: Floats) -> dict[str, Floats]:
    """For days since 1970: the first day of the year, and month, weekday and hour as fractions of a turn.

    >>> {part: values.tolist() for part, values in date_parts(np.array([31.25])).items()}
    {"year's first day": [0.0], 'month': [0.08333333333333333], 'weekday': [0.8571428571428571], 'hour': [0.25]}
    """
    whole = np.floor(days)
    dates = whole.astype("datetime64[D]")
    return {
        "year's first day": dates.astype("datetime64[Y]").astype("datetime64[D]").astype(np.float64),
        "month": (dates.astype("datetime64[M]").astype(np.int64) % 12) / 12,
        "weekday": (whole + 3) % 7 / 7,  # 1970-01-01 was a Thursday; Monday is 0
        "hour": days - whole,
    }


def shown_day(days: float | None) -> str:
    """
    >>> shown_day(0.5)
    '1970-01-01 12:00'
    """
    moment = np.datetime64(round((days or 0.0) * 1440), "m")
    return str(moment).replace("T", " ").removesuffix(" 00:00")


def scaled(values: Floats, mean: float, scale: float) -> Floats:
    """(values - mean) / scale; infinite if that overflows."""
    with np.errstate(over="ignore"):
        result: Floats = values - mean
        result /= scale
    return result


def filled(values: Floats, fill: float | None) -> Floats:
    """Replaces NaN by ``fill``, and unusable values by NaN."""
    missing = np.isnan(values)
    return np.where(missing | np.isinf(values), np.where(missing, np.nan if fill is None else fill, np.nan), values)


def unusable_numbers(values: Floats, fill: float | None) -> NDArray[np.bool_]:
    return np.isinf(values) | (np.isnan(values) & (fill is None))


def number_scale(mean: float, scale: float) -> str:
    if (mean, scale) == (0.0, 1.0):
        return "number, unscaled"
    return f"number, mean {mean:.6g}, standard deviation {scale:.6g}"


def _with_missing(name: str, missing: bool, labels: tuple[str, ...]) -> tuple[str, ...]:
    return (*labels, f"{name}: missing") if missing else labels


def _columns(inputs: Floats, missing: NDArray[np.bool_] | None) -> Floats:
    columns = inputs if inputs.ndim == 2 else inputs[:, np.newaxis]
    return columns if missing is None else np.column_stack([columns, missing])
