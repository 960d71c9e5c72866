"""What a table's columns hold: numbers or categories, decided by all of their cells; and their values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backpath.errors import InputError
from backpath.files.preparation import Categories, ColumnValues, Numbers
from backpath.files.sources import Column, Source
from backpath.files.wording import listed, quoted

MOST_CATEGORIES = 1000
_GROUPED = re.compile(r"\s*[+-]?\d{1,3}([,. '’]\d{3})+([.,]\d+)?\s*")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*")
_LOOKS_LIKE_NUMBER = r"\s*[+-]?[0-9][0-9.,'’ _]*\s*"


@dataclass(frozen=True)
class Profile:
    """How many cells of a column are what; ``distinct`` is an estimate (within a few per cent)."""

    rows: int
    blank: int
    finite: int
    not_finite: int
    distinct: int

    @property
    def text(self) -> int:
        return self.rows - self.blank - self.finite - self.not_finite


def profiles(source: Source, columns: Sequence[Column]) -> list[Profile]:
    """One pass over the table."""
    for column in columns:
        if column.problem:
            raise InputError(
                f"{source.path}, column {quoted(column.name)}: {column.problem}; expected numbers or text: convert it, "
                f"or leave it out (--ignore {quoted(column.name)})"
            )
    cells = ", ".join(f"{c.text} AS t{k}, {c.number} AS n{k}" for k, c in enumerate(columns))
    counts = ", ".join(
        f"count(*) FILTER (WHERE {_blank(f't{k}')}), count(*) FILTER (WHERE isfinite(n{k})), "
        f"count(*) FILTER (WHERE NOT isfinite(n{k})), {f'approx_count_distinct(t{k})' if c.is_text else '0'}"
        for k, c in enumerate(columns)
    )
    rows, *found = source.rows(f"SELECT count(*), {counts} FROM (SELECT {cells} FROM {{table}})")[0]
    return [Profile(rows, *found[k : k + 4]) for k in range(0, len(found), 4)]


def _blank(text: str) -> str:
    return f"{text} IS NULL OR trim({text}, E' \\t\\r\\n') = ''"


def is_categorical(source: Source, column: Column, profile: Profile, wanted: bool) -> bool:
    """Whether a column holds categories (else numbers); refuses a blank cell, and a mixture that is not ``wanted``."""
    if profile.blank:
        where, _ = source.first(_blank(column.text), column)
        raise InputError(f"{where}: the cell is blank; fill it in, or leave the row out")
    if wanted:
        return True
    if profile.finite == profile.rows:
        return False
    if profile.finite + profile.not_finite == 0:
        _refuse_unread_numbers(source, column)
        return True
    if profile.finite + profile.not_finite >= profile.text:
        where, value = source.first(_not_number(column), column)
        raise InputError(f"{where}: {not_a_number(value)}{_or_categorical(column, profile)}")
    where, value = source.first(f"{column.number} IS NOT NULL", column)
    raise InputError(f"{where}: {quoted(value)} is a number among text; correct it{_or_categorical(column, profile)}")


def _or_categorical(column: Column, profile: Profile) -> str:
    return f", or take the column's cells as categories (--categorical {quoted(column.name)})" if profile.text else ""


def _not_number(column: Column) -> str:
    return f"coalesce(NOT isfinite({column.number}), true)"


def not_a_number(value: str | None) -> str:
    """What is wrong with a cell of a number column, and what would do."""
    if value is None or not value.strip():
        return "the cell is blank; fill it in, or leave the row out"
    found = f"expected a finite number, but found {quoted(value)}"
    if _GROUPED.fullmatch(value):
        return f"{found}; write it without the thousands separators"
    if _DECIMAL_COMMA.fullmatch(value):
        return f"{found}; if ',' is the decimal mark, try --decimal ','"
    return f"{found}; correct it or leave the row out"


def _refuse_unread_numbers(source: Source, column: Column) -> None:
    """Cells such as 1,000 or 1.5.2024 are text, but hardly meant as categories."""
    if source.rows(
        f"SELECT count(*) FROM {{table}} WHERE regexp_full_match({column.text}, $pattern)", pattern=_LOOKS_LIKE_NUMBER
    )[0][0]:
        where, value = source.first(f"regexp_full_match({column.text}, $pattern)", column, pattern=_LOOKS_LIKE_NUMBER)
        raise InputError(
            f"{where}: {not_a_number(value)}, or take the column's cells as categories "
            f"(--categorical {quoted(column.name)})"
        )


def check_category_count(source: Source, column: Column, distinct: int, rows: int, is_target: bool) -> None:
    """Refuse categories (or classes, in the target) that are as good as a name for each row, or a single class."""
    where = f"{source.path}, column {quoted(column.name)}"
    if distinct == 1 and is_target:
        _, value = source.first("true", column)
        raise InputError(f"{where}: every row is of the same class, {quoted(value)}; there must be at least two")
    if distinct > MOST_CATEGORIES or (distinct > 20 and distinct > rows / 2):
        remedy = f"leave the column out (--ignore {quoted(column.name)})"
        if is_target:
            remedy = "give a target with few, or --task regression if they are numbers"
        raise InputError(
            f"{where}: about {distinct:,} different values in {rows:,} rows are too many for "
            f"{'classes' if is_target else 'categories'}; {remedy}"
        )


def check_not_constant(source: Source, inputs: Sequence[ColumnValues], target: ColumnValues) -> None:
    """Refuse columns that hold the same in every row, all of them at once."""
    if _is_constant(target) and isinstance(target, Numbers):
        where = f"{source.path}, column {quoted(target.name)}"
        raise InputError(f"{where}: the target is {target.values[0]:g} in every row; there is nothing to learn")
    names = [quoted(column.name) for column in inputs if _is_constant(column)]
    if names:
        which = "column" if len(names) == 1 else "columns"
        raise InputError(
            f"{source.path}, {which} {', '.join(names)}: every row holds the same, so nothing can be learnt from it; "
            f"leave it out ({' '.join(f'--ignore {name}' for name in names)})"
        )


def is_zero(column: ColumnValues) -> bool:
    """Whether a column of numbers is 0 in every row, as a pixel is that no image sets: it says nothing, and nobody
    mistook anything."""
    return isinstance(column, Numbers) and not column.values.any()


def _is_constant(column: ColumnValues) -> bool:
    if isinstance(column, Categories):
        return len(column.categories) == 1
    return bool(column.values.min() == column.values.max())


def categories_of(source: Source, columns: Sequence[Column]) -> list[tuple[str, ...]]:
    """The distinct cells of text columns, sorted; one pass over the table."""
    if not columns:
        return []
    lists = ", ".join(f"list(DISTINCT {column.text})" for column in columns)
    return [tuple(sorted(found)) for found in source.rows(f"SELECT {lists} FROM {{table}}")[0]]


def read_values(source: Source, columns: Sequence[tuple[Column, tuple[str, ...] | None]]) -> list[ColumnValues]:
    """The values of columns, one pass over the table: with categories as codes (-1: none of them), else as numbers
    (NaN: not a finite one)."""
    parts, parameters = [], {}
    for k, (column, categories) in enumerate(columns):
        if categories is None:
            parts.append(
                f"coalesce(CASE WHEN isfinite({column.number}) THEN {column.number} END, 'nan'::DOUBLE) AS v{k}"
            )
        else:
            parts.append(f"CAST(coalesce(list_position($k{k}, {column.text}), 0) - 1 AS SMALLINT) AS v{k}")
            parameters[f"k{k}"] = list(categories)
    arrays = source.arrays(f"SELECT {', '.join(parts)} FROM {{table}}", **parameters)
    return [
        Numbers(column.name, array) if categories is None else Categories(column.name, array, categories)
        for (column, categories), array in zip(columns, arrays, strict=True)
    ]


def check_values(source: Source, column: Column, values: ColumnValues) -> None:
    """Refuse a cell that is no finite number, or none of the categories."""
    if isinstance(values, Numbers):
        if np.isnan(values.values).any():
            where, value = source.first(_not_number(column), column)
            raise InputError(f"{where}: {not_a_number(value)}")
        return
    if (values.codes < 0).any():
        known = list(values.categories)
        where, value = source.first(f"coalesce(NOT list_contains($known, {column.text}), true)", column, known=known)
        if value is None or not value.strip():
            raise InputError(f"{where}: {not_a_number(value)}")
        raise InputError(
            f"{where}: {quoted(value)} was not among the categories in training, which were {listed(known)}; "
            "correct it, or train again with rows that have it"
        )
