"""The target as classes, if it is text or has few whole numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backpath.errors import InputError
from backpath.files.column_values import Categories, ColumnValues, Numbers
from backpath.files.decision import MOST_CLASSES
from backpath.files.sources import Column, Source
from backpath.files.wording import quoted
from backpath.maths.arrays import Floats

_FEW = 20  # distinct whole numbers, and fewer than a tenth of the rows: such a target is treated as classes
_TAIL = 0.05  # at most this share of the rows has the largest count


def taken_as_classes(distinct: Floats, rows: float, task: str | None) -> bool:
    """Whether a target with these distinct numbers, sorted, is treated as classes."""
    if task is not None:
        return task == "classification"
    few = len(distinct) <= _FEW and len(distinct) < rows / 10 and bool((distinct == np.floor(distinct)).all())
    return few or distinct.tolist() == [0.0, 1.0]


def looks_like_counts(values: Floats, counts: Floats) -> bool:
    """Whether numbers with these frequencies look like counts: whole numbers from 0, mostly small, with a thin tail.

    >>> looks_like_counts(np.arange(5.0), np.array([40, 30, 20, 9, 1]))
    True
    """
    if len(values) <= 3 or values[0] != 0 or (values % 1).any():
        return False
    median = values[np.searchsorted(np.cumsum(counts), counts.sum() / 2)]
    return bool(counts[-1] < _TAIL * counts.sum() and median <= values @ counts / counts.sum())


def as_classes(
    source: Source, goal: Column, y: ColumnValues, task: str | None, distinct: Floats, rows: int
) -> tuple[ColumnValues, tuple[str, ...]]:
    """The target, as classes if it is one of these or the caller says so, and the notes on that.

    Parameters
    ----------
    y : the target's values of all rows, or of some
    distinct, rows : the distinct values of all rows, sorted, and the number of rows
    """
    if isinstance(y, Categories):
        return _present_classes(source, y, distinct), ()
    if not isinstance(y, Numbers) or not taken_as_classes(distinct, rows, task):
        return y, ()
    binary = distinct.tolist() == [0.0, 1.0]
    if len(distinct) > MOST_CLASSES or (len(distinct) > 20 and len(distinct) > rows / 2):
        raise InputError(
            f"{source.path}, column {quoted(goal.name)}: {len(distinct):,} different values in {rows:,} rows "
            "are too many for classes; give a target with few, or --task regression if they are numbers",
            options=("--task", "regression"),
        )
    note = (
        f"target {goal.name!r} has {len(distinct)} different whole numbers and is treated as classes; "
        "--task regression treats it as a number"
    )
    chosen = Categories(
        y.name, np.searchsorted(distinct, y.values).astype(np.int16), _class_names(source, goal, y, distinct)
    )
    return chosen, () if binary or task else (note,)


def _class_names(source: Source, goal: Column, y: Numbers, distinct: Floats) -> tuple[str, ...]:
    """The numbers as written in the cells, in the most frequent form."""
    plain = tuple(str(int(v)) if v.is_integer() and abs(v) < 2**53 else repr(v) for v in distinct.tolist())
    if goal.number:
        return plain
    found = dict(
        source.rows(
            f"SELECT n, arg_max(trim(t), c) FROM (SELECT {y.form.sql(goal.text)} AS n, {goal.text} AS t, count(*) AS c "
            "FROM {table} GROUP BY ALL) WHERE n IS NOT NULL GROUP BY n"
        )
    )
    return tuple(found.get(value, name) for value, name in zip(distinct.tolist(), plain, strict=True))


def _present_classes(source: Source, y: Categories, codes: Floats) -> Categories:
    """Without classes that occur only in rows that are left out."""
    if len(codes) == 1:
        raise InputError(
            f"{source.path}, column {quoted(y.name)}: every row is of the same class, "
            f"{quoted(y.categories[int(codes[0])])}; there must be at least two"
        )
    names = tuple(y.categories[int(code)] for code in codes)
    return replace(y, values=np.searchsorted(codes, y.values).astype(np.int16), categories=names)
