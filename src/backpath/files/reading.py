"""Reads the cells of a column: SQL for each kind of column, and the resulting arrays."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.column_inputs import CategoryInput, ColumnInput, DateInput, NumberInput
from backpath.files.column_values import Categories, ColumnValues, Dates, Numbers, shortest
from backpath.files.dates import DATE_FORMS
from backpath.files.forms import MISSING_AMONG_NUMBERS, MISSING_TEXTS, is_missing, literal
from backpath.files.sources import Column, Source


def missing_text(column: Column, own: Sequence[str], is_target: bool = False, known: Collection[str] = ()) -> str:
    """SQL: whether a text cell that is not a known category is missing. Python's None is missing in inputs; in a target
    it may be a class."""
    words = [word for word in (*MISSING_TEXTS, "-") if word not in known]
    return is_missing(column.text, tuple(words), (*own, *(() if is_target else ("None",))))


def missing_number(column: Column, own: Sequence[str]) -> str:
    return is_missing(column.text, MISSING_AMONG_NUMBERS, tuple(own))


def number_sql(column: Column, kind: NumberInput, own: Sequence[str]) -> str:
    """SQL: a number; NULL if the cell is not a number, or is one of the user's words for "missing"."""
    number = column.number or kind.form.sql(column.text)
    if not own:
        return number
    words = ", ".join(map(literal, own))
    return f"CASE WHEN trim({column.text}) IN ({words}) THEN NULL ELSE {number} END"


def cell_sql(column: Column, kind: ColumnInput, own: Sequence[str], place: int, is_target: bool = False) -> str:
    """SQL for the values of a column of this kind; categories are the parameter ``$k<place>``."""
    if isinstance(kind, CategoryInput):
        gap = missing_text(column, own, is_target, kind.categories)
        known = f"coalesce(nullif(list_position($k{place}, {_as_spelled(column.text, kind)}), 0) - 1, -2)"
        return f"CAST(CASE WHEN {gap} THEN -1 ELSE {known} END AS SMALLINT)"
    gap = missing_number(column, own)
    if isinstance(kind, DateInput):
        value, strange = DATE_FORMS[kind.form].sql(column.text), "'infinity'"
    else:
        value, strange = number_sql(column, kind, own), "'nan'" if kind.form.lenient else "'infinity'"
        gap = f"{gap} OR isnan({value})" if column.number else gap
    return f"(CASE WHEN isfinite({value}) THEN {value} WHEN {gap} THEN 'nan'::DOUBLE ELSE {strange}::DOUBLE END)"


def _as_spelled(text: str, kind: CategoryInput) -> str:
    """SQL: a cell in the spelling of the categories, if these are true and false, so that TRUE equals True."""
    spelled = {name.lower(): name for name in kind.categories}
    if len(spelled) != len(kind.categories) or not set(spelled) <= {"true", "false"}:
        return text
    cases = " ".join(f"WHEN {literal(lower)} THEN {literal(name)}" for lower, name in spelled.items())
    return f"CASE lower(trim({text})) {cases} ELSE {text} END"


ReadPlan = Sequence[tuple[Column, ColumnInput]]


def _cells(
    source: Source, plan: ReadPlan, start: int, complete: Collection[str] = ()
) -> tuple[list[str], dict[str, object]]:
    """SQL for the values of some columns of a plan that ends with the target, and its parameters."""
    own, cells, lists = source.dialect.missing, [], {}
    for k, (column, kind) in enumerate(plan[start : start + source.batch]):
        is_target = start + k == len(plan) - 1
        if isinstance(kind, NumberInput) and column.name in complete:
            cells.append(f"{number_sql(column, kind, own)} AS v{k}")
            continue
        cells.append(f"{cell_sql(column, kind, own, k, is_target)} AS v{k}")
        if isinstance(kind, CategoryInput):
            lists[f"k{k}"] = list(kind.categories)
    return cells, dict(lists)


def read_values(source: Source, plan: ReadPlan, complete: Collection[str] = ()) -> list[NDArray[Any]]:
    """The values of columns according to their kinds, the target's last, in passes of some columns each.

    Parameters
    ----------
    complete : names of columns in which all cells are known to be numbers
    """
    found: list[NDArray[Any]] = []
    for start in range(0, len(plan), source.batch):
        cells, lists = _cells(source, plan, start, complete)
        # the arrays are not bound to a name, so they are freed before the next pass
        for place, array in enumerate(source.arrays(f"SELECT {', '.join(cells)} FROM {{table}}", **lists), start):
            if np.ma.is_masked(array):
                raise InputError(f"{source.path} changed while it was read; read it again")
            is_input_of_numbers = place < len(plan) - 1 and isinstance(plan[place][1], NumberInput)
            found.append(shortest(np.asarray(array)) if is_input_of_numbers else np.asarray(array))
    return found


def row_blocks(source: Source, plan: ReadPlan, rows: int) -> Iterator[list[NDArray[Any]]]:
    """The same for blocks of rows; other files are first converted to a temporary Parquet file."""
    parts = [_cells(source, plan, start) for start in range(0, len(plan), source.batch)]
    for numbered in source.by_number([column for column, _ in plan]):
        count = numbered.rows("SELECT count(*) FROM {table}")[0][0]
        for first in range(0, count, rows):
            chosen = f"file_row_number >= {first} AND file_row_number < {first + rows}"
            yield [
                np.asarray(array)
                for cells, lists in parts
                for array in numbered.arrays(f"SELECT {', '.join(cells)} FROM {{table}} WHERE {chosen}", **lists)
            ]


def with_kind(kind: ColumnInput, values: NDArray[Any]) -> ColumnValues:
    """Wraps values as a column of their kind."""
    if isinstance(kind, CategoryInput):
        return Categories(kind.name, values, kind.categories, kind.other)
    if isinstance(kind, DateInput):
        return Dates(kind.name, values, kind.form, kind.parts)
    return Numbers(kind.name, values, kind.form)
