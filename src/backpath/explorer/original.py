"""Samples in the units of their table: what its cells held, and what an answer of the network means in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backpath.explain.digits import shown
from backpath.files.column_inputs import DATE_LABELS, CategoryInput, ColumnInput, DateInput, NumberInput, shown_day
from backpath.files.predicting import encode_texts
from backpath.files.preparation import Preparation
from backpath.files.single_rows import encode_targets
from backpath.files.wording import plain
from backpath.maths.arrays import Array, Floats

DIGITS = 6  # a standardised number is restored except for the last bits of a float
NOISE = 1e-12
MISSING = "missing"


def columns(preparation: Preparation) -> list[dict[str, Any]]:
    """The table's columns of inputs, then the target, with what may stand in them."""
    found = [
        {"name": plain(column.name), "choices": _choices(column), "date": isinstance(column, DateInput)}
        for column in preparation.inputs
    ]
    target = preparation.target
    return [*found, {"name": plain(target.name), "choices": list(target.classes), "date": False}]


def _choices(column: ColumnInput) -> list[str]:
    return list(column.categories) if isinstance(column, CategoryInput) else []


def cells(preparation: Preparation, X: Array) -> list[list[str]]:
    """The cells of each row that X was made of.

    >>> from backpath.files.column_inputs import NumberInput
    >>> from backpath.files.preparation import Target
    >>> prepared = Preparation((NumberInput("size", 70.0, 10.0), CategoryInput("fuel", ("gas", "oil"))),
    ...                        Target("price", "regression"))
    >>> cells(prepared, np.array([[-2.0, 0, 1]]))
    [['50', 'oil']]
    """
    found, place = [], 0
    for column in preparation.inputs:
        width = len(column.labels)
        found.append([_cell(column, values) for values in X[:, place : place + width]])
        place += width
    return [list(row) for row in zip(*found, strict=True)]


def _cell(column: ColumnInput, values: Array) -> str:
    if column.missing and values[-1]:
        return MISSING
    if isinstance(column, CategoryInput):
        known = [*column.categories, "other"]
        return known[int(values.argmax())] if values.any() else "unknown"
    if isinstance(column, DateInput):
        if "days" in column.parts:
            return shown_day(float(values[column.parts.index("days")]) * column.scale + column.mean)
        labels = [label for part in column.parts for label in DATE_LABELS[part]]
        return ", ".join(f"{label} {shown(float(v), 3)}" for label, v in zip(labels, values, strict=False))
    return _number(float(values[0]), column.mean, column.scale)


def _number(value: float, mean: float, scale: float) -> str:
    """A number in its own units; what is only the rounding of floats is 0."""
    found = value * scale + mean
    return shown(found if abs(found) > NOISE * (abs(mean) + scale) else 0.0, DIGITS)


def sources(preparation: Preparation, x: Array) -> dict[str, str]:
    """The cell that each input of a sample comes from: ``{"X1": "size = 50"}``."""
    found, place = {}, 0
    for column, cell in zip(preparation.inputs, cells(preparation, x[np.newaxis])[0], strict=True):
        for _ in column.labels:
            place += 1
            found[f"X{place}"] = f"{plain(column.name)} = {plain(cell)}"
    return found


def scales(preparation: Preparation) -> dict[str, list[float]]:
    """By input that is a scaled number its mean and scale, and of a number to predict those of "A1"."""
    found, place = {}, 0
    for column in preparation.inputs:
        if isinstance(column, NumberInput):
            found[f"X{place + 1}"] = [column.mean, column.scale]
        place += len(column.labels)
    if preparation.target.task == "regression":
        found["A1"] = [preparation.target.mean, preparation.target.scale]
    return found


def targets(preparation: Preparation, y: Array) -> list[str]:
    """What each row's target is: a number in its own units, or a class by its name."""
    target = preparation.target
    if target.task == "regression":
        return [_number(float(value), target.mean, target.scale) for value in y[:, 0]]
    codes = y[:, 0] >= 0.5 if target.task == "binary" else y.argmax(axis=1)
    return [plain(target.classes[int(code)]) for code in codes]


def encoded(preparation: Preparation, given: Sequence[str]) -> tuple[Floats, Floats]:
    """x and y of a row that was typed, target last; an empty target is the mean, or the first class.

    Raises
    ------
    InputError
        If a cell is no number, date, or none of its categories.
    """
    *row, goal = given
    target = preparation.target
    x = encode_texts(preparation, [row], "the row")[0]
    if not goal.strip():
        goal = target.classes[0] if target.classes else repr(target.mean)
    return x, encode_targets(preparation, [goal], "the row")[0]
