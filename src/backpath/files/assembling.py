"""Builds the table in memory from the columns that are used."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from backpath.errors import InputError
from backpath.files.choices import Choices
from backpath.files.classes import as_classes
from backpath.files.column_inputs import date_parts
from backpath.files.column_values import NO_MOMENTS, Categories, ColumnValues, Dates
from backpath.files.decision import Decision
from backpath.files.moments import Moments
from backpath.files.notices import far_notes, left_out_notes, missing_note
from backpath.files.reading import ReadPlan, read_values, with_kind
from backpath.files.sources import Source
from backpath.files.training_table import TrainingTable
from backpath.files.wording import counted
from backpath.maths.arrays import Floats


def plan_of(decisions: Sequence[Decision]) -> ReadPlan:
    """The columns to read with their kinds; the target is the last."""
    return [(d.column, d.kind) for d in decisions if d.kind is not None]


def assembled(source: Source, decisions: Sequence[Decision], choices: Choices) -> TrainingTable:
    """The table in memory."""
    *columns, goal = _read_columns(source, decisions)
    keep = ~goal.missing
    whole = keep.copy()
    for column in columns:
        whole &= ~column.missing
    gaps = [(column, int(column.missing[keep].sum())) for column in columns]
    notes = row_notes(source, gaps, len(keep), int(keep.sum()), int(whole.sum()), choices)
    if choices.missing == "drop":
        keep = whole
    if keep.all():
        return finished(source, decisions, choices, columns, goal, notes)
    columns, goal = [column.take(keep) for column in columns], goal.take(keep)
    return replace(finished(source, decisions, choices, columns, goal, notes), numbers=np.flatnonzero(keep) + 1)


def _read_columns(source: Source, decisions: Sequence[Decision]) -> list[ColumnValues]:
    """All rows of the columns that are used, the target's last."""
    plan = plan_of(decisions)
    complete = {d.name for d in decisions if d.profile.numbers == d.profile.rows}
    values = read_values(source, plan, complete)
    if {len(v) for v in values} != {decisions[0].profile.rows}:
        raise InputError(f"{source.path} changed while it was read; read it again")
    return [with_kind(kind, v) for (_, kind), v in zip(plan, values, strict=True)]


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
    others = beyond or (NO_MOMENTS,) * (len(columns) + 1)
    columns = [_with_parts(column) for column in columns]
    kept = _varying(source, columns, others)
    shown = [columns[k] for k in kept]
    names = {column.name for column in shown}
    if distinct is None:
        distinct = np.unique(goal.values)
    rows = len(goal.values) + others[-1].count
    target, said = as_classes(source, decisions[-1].column, goal, choices.task, distinct, rows)
    return TrainingTable(
        tuple(shown),
        target,
        choices.standardize,
        (*source.notes, *_column_notes(decisions, names), *notes, *far_notes(shown), *said),
        tuple(name for name in source.names if name not in names - {goal.name}),
        source.dialect,
        tuple(beyond[k] for k in (*kept, -1)) if beyond else (),
    )


def _varying(source: Source, columns: Sequence[ColumnValues], beyond: Sequence[Moments]) -> list[int]:
    """The places of the columns that are not constant; refuses a table without any."""
    kept = [k for k, column in enumerate(columns) if not _is_constant(column, beyond[k])]
    if not kept:
        names = ", ".join(repr(column.name) for column in columns)
        raise InputError(f"{source.path}, columns {names}: the same in every row that is left")
    return kept


def _column_notes(decisions: Sequence[Decision], names: Collection[str]) -> list[str]:
    """The notes on columns that are left out, then those on columns that are used.

    Parameters
    ----------
    names : the inputs that vary among the rows that are left
    """
    left = [(d.name, d.left_out) for d in decisions if d.left_out]
    *inputs, target = [d for d in decisions if d.kind is not None]
    left += [(d.name, "the same in every row") for d in inputs if d.name not in names]
    return [*left_out_notes(left), *(note for d in (*inputs, target) for note in d.notes)]


def _is_constant(column: ColumnValues, beyond: Moments) -> bool:
    if isinstance(column, Dates) and not column.parts:
        return True
    values = column.values if isinstance(column, Categories) else column.values[~column.missing]
    if len(values) == 0:
        return beyond.count == 0 or beyond.low == beyond.high
    return bool(min(values.min(), beyond.low) == max(values.max(), beyond.high))


def _with_parts(column: ColumnValues) -> ColumnValues:
    """A column of dates with the parts that differ among its rows; other columns as they are."""
    if not isinstance(column, Dates):
        return column
    days = column.values[np.isfinite(column.values)]
    if len(days) == 0 or days.min() == days.max():
        return column
    found = date_parts(days)
    hours = ["hour"] if len(np.unique(found["hour"])) > 1 else []
    parts = [] if column.form == "time of day" else _parts_of_days(np.floor(days), found)
    return replace(column, parts=(*parts, *hours))


def _parts_of_days(days: Floats, found: Mapping[str, Floats]) -> list[str]:
    """The parts that differ among some days, except the hour; only the year if all are first days of a year."""
    if (days == found["year's first day"]).all():
        return ["year"]
    dates = days.astype("datetime64[D]")
    monthly = bool((dates == dates.astype("datetime64[M]")).all())
    years, months, weekdays = (len(np.unique(found[part])) for part in ("year's first day", "month", "weekday"))
    differ = {"year": years > 1, "month": months > 2, "weekday": weekdays > 1 and not monthly}
    return ["days", *(part for part, does in differ.items() if does)]
