"""Builds the table in memory from the columns that are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from backpath.errors import InputError
from backpath.files.choices import Choices
from backpath.files.classes import as_classes
from backpath.files.column_inputs import date_parts
from backpath.files.column_values import NOTHING, Categories, ColumnValues, Dates
from backpath.files.decision import Decision
from backpath.files.moments import Moments
from backpath.files.notices import far_notes, left_out_notes, missing_note
from backpath.files.reading import ReadPlan, read_values, with_kind
from backpath.files.sources import Source
from backpath.files.training_table import TrainingTable
from backpath.files.wording import counted


def plan_of(decisions: Sequence[Decision]) -> ReadPlan:
    """The columns to read with their kinds; the target is the last."""
    return [(d.column, d.kind) for d in decisions if d.kind is not None]


def assembled(source: Source, decisions: Sequence[Decision], choices: Choices) -> TrainingTable:
    """The table in memory."""
    plan = plan_of(decisions)
    complete = {d.name for d in decisions if d.profile.numbers == d.profile.rows}
    values = read_values(source, plan, complete)
    if len({len(v) for v in values}) != 1 or len(values[0]) != decisions[0].profile.rows:
        raise InputError(f"{source.path} changed while it was read; read it again")
    *columns, goal = [with_kind(kind, v) for (_, kind), v in zip(plan, values, strict=True)]
    rows = len(goal.values)
    keep = ~goal.missing
    with_target = int(keep.sum())
    whole = keep.copy()
    for column in columns:
        whole &= ~column.missing
    gaps = [(column, int(column.missing[keep].sum())) for column in columns]
    notes = row_notes(source, gaps, rows, with_target, int(whole.sum()), choices)
    keep = whole if choices.missing == "drop" else keep
    if not keep.all():
        columns, goal = [c.take(keep) for c in columns], goal.take(keep)
    found = finished(source, decisions, choices, columns, goal, notes)
    return found if keep.all() else replace(found, numbers=np.flatnonzero(keep) + 1)


def row_notes(
    source: Source,
    gaps: Sequence[tuple[ColumnValues, int]],
    rows: int,
    with_target: int,
    whole: int,
    choices: Choices,
) -> list[str]:
    """Notes on missing cells; refuses a table with fewer than two rows left.

    Parameters
    ----------
    gaps : columns, each with the number of its missing cells in rows with a target
    rows, with_target, whole : the numbers of all rows, of those with a target, and of those without missing cells
    """
    notes = []
    if with_target < rows:
        notes.append(f"left out {counted(rows - with_target, 'row')} of {rows:,} in which the target is missing")
    gaps = [(column, count) for column, count in gaps if count]
    if gaps:
        notes.append(missing_note(gaps, whole, with_target, choices.missing))
    left = whole if choices.missing == "drop" else with_target
    if left < 2:
        raise InputError(
            f"{source.path}: {counted(left, 'row')} of {rows:,} would be left, because the others have missing cells; "
            "training needs at least 2",
            options=("--missing", "fill") if choices.missing == "drop" else (),
        )
    return notes


def finished(
    source: Source,
    decisions: Sequence[Decision],
    choices: Choices,
    columns: Sequence[ColumnValues],
    goal: ColumnValues,
    notes: Sequence[str],
    beyond: Sequence[Moments] = (),
    distinct: np.ndarray | None = None,
) -> TrainingTable:
    """The table of the remaining rows, without columns that are constant in them.

    Parameters
    ----------
    beyond : for each column and the target, the moments of rows that are not in memory
    distinct : the distinct values of the target; None: those in memory
    """
    beyond = tuple(beyond) or (NOTHING,) * (len(columns) + 1)
    columns = [_with_parts(column) if isinstance(column, Dates) else column for column in columns]
    kept = [k for k, column in enumerate(columns) if not _is_constant(column, beyond[k])]
    shown = [columns[k] for k in kept]
    names = {column.name for column in shown}
    constant = [column.name for column in columns if column.name not in names]
    if not kept:
        raise InputError(f"{source.path}, columns {', '.join(map(repr, constant))}: the same in every row that is left")
    if distinct is None:
        distinct = np.unique(goal.values)
    rows = len(goal.values) + beyond[-1].count
    target, said = as_classes(source, decisions[-1].column, goal, choices.task, distinct, rows)
    left = [(d.name, d.left_out) for d in decisions if d.left_out]
    left += [(name, "the same in every row") for name in constant]
    used = [d for d in decisions if d.kind is not None]
    return TrainingTable(
        tuple(shown),
        target,
        choices.standardize,
        (*source.notes, *left_out_notes(left), *(n for d in used for n in d.notes), *notes, *far_notes(shown), *said),
        tuple(name for name in source.names if name not in names - {goal.name}),
        source.dialect,
        tuple(beyond[k] for k in (*kept, -1)) if any(m.count for m in beyond) else (),
    )


def _is_constant(column: ColumnValues, beyond: Moments) -> bool:
    if isinstance(column, Dates) and not column.parts:
        return True
    values = column.values if isinstance(column, Categories) else column.values[~column.missing]
    if len(values) == 0:
        return beyond.count == 0 or beyond.low == beyond.high
    return bool(min(values.min(), beyond.low) == max(values.max(), beyond.high))


def _with_parts(column: Dates) -> Dates:
    """The parts of a date that differ among its rows."""
    days = column.values[np.isfinite(column.values)]
    if len(days) == 0 or days.min() == days.max():
        return column
    found = date_parts(days)
    moments = ["hour"] if len(np.unique(found["hour"])) > 1 else []
    if column.form == "time of day":
        return replace(column, parts=tuple(moments))
    dates = np.floor(days).astype("datetime64[D]")
    years, months = len(np.unique(found["year's first day"])), len(np.unique(found["month"]))
    if (np.floor(days) == found["year's first day"]).all():
        return replace(column, parts=("year", *moments))
    monthly = bool((dates == dates.astype("datetime64[M]")).all())
    parts = ["days"]
    parts += ["year"] if years > 1 else []
    parts += ["month"] if months > 2 else []
    parts += ["weekday"] if not monthly and len(np.unique(found["weekday"])) > 1 else []
    return replace(column, parts=(*parts, *moments))
