"""Samples and answers in the units of the table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from backpath.errors import InputError
from backpath.explain.digits import shown
from backpath.explorer import fields
from backpath.files.column_inputs import DATE_LABELS, CategoryInput, ColumnInput, DateInput, NumberInput, shown_day
from backpath.files.predicting import encode_texts
from backpath.files.preparation import Preparation, Target
from backpath.files.single_rows import encode_targets
from backpath.files.wording import plain
from backpath.maths.arrays import Array, Floats

# digits of an answer, and of a cell: rescaling a standardised number restores all but the last bits of a float
_DIGITS, OF_CELLS = 6, 9
EXACT = 12  # decimal places below the mean and scale of a column after which there are only such bits
_MISSING = "missing"


def columns(preparation: Preparation) -> list[dict[str, Any]]:
    """The table's input columns, then the target, with the values allowed in them."""
    found = [
        {"name": plain(column.name), "choices": _choices(column), "date": isinstance(column, DateInput)}
        for column in preparation.inputs
    ]
    target = preparation.target
    return [*found, {"name": plain(target.name), "choices": list(target.classes), "date": False}]


def _choices(column: ColumnInput) -> list[str]:
    return list(column.categories) if isinstance(column, CategoryInput) else []


def cells(preparation: Preparation, X: Array) -> list[list[str]]:
    """The cells of each row that became X.

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
        return _MISSING
    if isinstance(column, CategoryInput):
        known = [*column.categories, "other"]
        return known[int(values.argmax())] if values.any() else "unknown"
    if isinstance(column, DateInput):
        if "days" in column.parts:
            return shown_day(float(values[column.parts.index("days")]) * column.scale + column.mean)
        labels = [label for part in column.parts for label in DATE_LABELS[part]]
        return ", ".join(f"{label} {shown(float(v), 3)}" for label, v in zip(labels, values, strict=False))
    return _number(float(values[0]), column, OF_CELLS)


def _number(value: float, column: NumberInput | Target, digits: int) -> str:
    """A number in its units, with the decimal mark of its column."""
    found = value * column.scale + column.mean
    places = EXACT - math.ceil(math.log10(abs(column.mean) + column.scale))
    return shown(round(found, places), digits).replace(".", column.form.decimal)


def sources(preparation: Preparation, x: Array) -> dict[str, str]:
    """The cell of each input of a sample: ``{"X1": "size = 50"}``."""
    found, place = {}, 0
    for column, cell in zip(preparation.inputs, cells(preparation, x[np.newaxis])[0], strict=True):
        for _ in column.labels:
            place += 1
            found[f"X{place}"] = f"{plain(column.name)} = {plain(cell)}"
    return found


def scales(preparation: Preparation) -> dict[str, list[float]]:
    """Mean and scale of each input that is a scaled number, and of "A1" in a regression."""
    found, place = {}, 0
    for column in preparation.inputs:
        if isinstance(column, NumberInput):
            found[f"X{place + 1}"] = [column.mean, column.scale]
        place += len(column.labels)
    if preparation.target.task == "regression":
        found["A1"] = [preparation.target.mean, preparation.target.scale]
    return found


def targets(preparation: Preparation, y: Array, digits: int = _DIGITS) -> list[str]:
    """Each row's target: a number in its units, or the name of a class."""
    target = preparation.target
    if target.task == "regression":
        return [_number(float(value), target, digits) for value in y[:, 0]]
    codes = y[:, 0] >= 0.5 if target.task == "binary" else y.argmax(axis=1)
    return [plain(target.classes[int(code)]) for code in codes]


def encoded(preparation: Preparation, given: Sequence[str]) -> tuple[Floats, Floats]:
    """x and y of a typed row, target last; an empty target means the mean, or the first class.

    Cells are read as in the table; a number in another form is read as people usually type it.

    Raises
    ------
    InputError
        If a cell is not a number or date, or not one of its categories.
    """
    *row, goal = given
    target = preparation.target
    cells = [_as_in_table(*pair, preparation) for pair in zip(row, preparation.inputs, strict=True)]
    x = encode_texts(preparation, [cells], "the row")[0]
    if not target.classes:
        number = NumberInput(target.name, target.mean, target.scale, form=target.form)
        goal = _as_in_table(goal, number, preparation) if goal.strip() else _written(target.mean, number)
    goal = goal if goal.strip() else target.classes[0]
    return x, encode_targets(preparation, [goal], "the row")[0]


def _as_in_table(cell: str, column: ColumnInput, preparation: Preparation) -> str:
    """The cell in the form of the table, so that "1/4" and "−0,5" are numbers there too."""
    if not isinstance(column, NumberInput) or not set(cell) & set(",./\N{MINUS SIGN}"):
        return cell
    with suppress(InputError):
        encode_texts(replace(preparation, inputs=(column,)), [[cell]], "the row")
        return cell
    with suppress(InputError):
        return _written(fields.number(cell, column.name), column)
    return cell


def _written(value: float, column: NumberInput) -> str:
    return repr(value).replace(".", column.form.decimal)
