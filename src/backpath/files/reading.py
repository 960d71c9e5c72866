"""How the cells of a column are read: SQL by the column's kind, and the arrays that it gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.files.column_inputs import CategoryInput, ColumnInput, DateInput, NumberInput
from backpath.files.column_values import Categories, ColumnValues, Dates, Numbers
from backpath.files.forms import DATE_FORMS, MISSING, MISSING_AMONG_NUMBERS, literal, missing
from backpath.files.sources import Column, Source


def missing_text(column: Column, own: Sequence[str], is_target: bool = False) -> str:
    """SQL: whether a cell of text is missing. Python's None is so among inputs; in a target it may be a class."""
    return missing(column.text, (*MISSING, "-"), (*own, *(() if is_target else ("None",))))


def missing_number(column: Column, own: Sequence[str]) -> str:
    return missing(column.text, MISSING_AMONG_NUMBERS, tuple(own))


def number_sql(column: Column, kind: NumberInput, own: Sequence[str]) -> str:
    """SQL: a number, NULL where the cell is none or one of the user's words for a missing one."""
    number = column.number or kind.form.sql(column.text)
    if not own:
        return number
    words = ", ".join(map(literal, own))
    return f"CASE WHEN trim({column.text}) IN ({words}) THEN NULL ELSE {number} END"


def cell_sql(column: Column, kind: ColumnInput, own: Sequence[str], place: int, is_target: bool = False) -> str:
    """SQL for the values of a column as its kind takes them; categories are the parameter ``$k<place>``."""
    if isinstance(kind, CategoryInput):
        gap = missing_text(column, own, is_target)
        known = f"coalesce(nullif(list_position($k{place}, {column.text}), 0) - 1, -2)"
        return f"CAST(CASE WHEN {gap} THEN -1 ELSE {known} END AS SMALLINT)"
    gap = missing_number(column, own)
    if isinstance(kind, DateInput):
        value, strange = DATE_FORMS[kind.form].sql(column.text), "'infinity'"
    else:
        value, strange = number_sql(column, kind, own), "'nan'" if kind.form.lenient else "'infinity'"
        gap = f"{gap} OR isnan({value})" if column.number else gap
    return f"(CASE WHEN isfinite({value}) THEN {value} WHEN {gap} THEN 'nan'::DOUBLE ELSE {strange}::DOUBLE END)"


def read_values(
    source: Source, columns: Sequence[tuple[Column, ColumnInput]], target: Column | None = None
) -> list[NDArray[Any]]:
    """The values of columns as their kinds take them, in passes over the table of some columns each."""
    own = source.dialect.missing
    found: list[NDArray[Any]] = []
    for start in range(0, len(columns), source.batch):
        batch = columns[start : start + source.batch]
        cells = [f"{cell_sql(c, kind, own, k, c is target)} AS v{k}" for k, (c, kind) in enumerate(batch)]
        lists = {f"k{k}": list(kind.categories) for k, (_, kind) in enumerate(batch) if isinstance(kind, CategoryInput)}
        found += source.arrays(f"SELECT {', '.join(cells)} FROM {{table}}", **lists)
    return found


def with_kind(kind: ColumnInput, values: NDArray[Any]) -> ColumnValues:
    """Values as read, with what they are."""
    if isinstance(kind, CategoryInput):
        return Categories(kind.name, values, kind.categories, kind.other)
    if isinstance(kind, DateInput):
        return Dates(kind.name, values, kind.form, kind.parts)
    return Numbers(kind.name, np.asarray(values, dtype=np.float64), kind.form)
