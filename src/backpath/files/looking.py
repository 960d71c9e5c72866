"""Summarises a table column by column, and how training would use it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from backpath.errors import InputError
from backpath.files.choices import Choices
from backpath.files.classes import looks_like_counts, taken_as_classes
from backpath.files.column_inputs import CategoryInput, DateInput, NumberInput, shown_day
from backpath.files.decision import MOST_CLASSES, Decision
from backpath.files.dialect import Dialect
from backpath.files.file_paths import PathLike
from backpath.files.memory_budget import Budget
from backpath.files.opening import open_table
from backpath.files.reading import cell_sql
from backpath.files.sources import Column, Source
from backpath.files.usable import check_usable, choose, decide_all

_BINS = 10
MOST_COUNTED = 1_000_000  # cells at a time; with more, distinct numbers are estimated
_KINDS = {"number": "number", "categories": "text", "date": "date"}


@dataclass(frozen=True)
class ColumnLook:
    """One column.

    Attributes
    ----------
    kind : "number" | "text" | "date", or ""
    use : "input" | "target" | "left out" | "refused"
    says : why it is left out or refused, or its special features
    missing, distinct : missing cells, and distinct values
    low, high : the range; "" for text
    histogram : counts in ten parts of the range, or of the most frequent texts
    estimated : whether ``distinct`` is an estimate, for numbers in a large table
    """

    name: str
    kind: str
    use: str
    says: str
    missing: int
    distinct: int
    low: str
    high: str
    histogram: tuple[int, ...]
    estimated: bool = False


@dataclass(frozen=True)
class Look:
    """A table: its columns, the findings about its file, and why train would refuse it ("" if it would not)."""

    path: str
    rows: int
    columns: tuple[ColumnLook, ...]
    notes: tuple[str, ...]
    refusal: str = ""
    options: tuple[str, ...] = ()


def look(
    path: PathLike | Sequence[PathLike],
    target: str | None = None,
    choices: Choices | None = None,
    dialect: Dialect | None = None,
    memory: Budget | None = None,
) -> Look:
    """The contents of a table, and how ``train`` would use it.

    Raises
    ------
    InputError
        If the files cannot be read as a table, or lack a column.
    """
    wanted = choices or Choices()
    with open_table(path, dialect, wanted=() if target is None else (target,), memory=memory) as source:
        goal, inputs = (None, list(source.columns)) if target is None else choose(source, target, wanted)
        decisions = decide_all(source, inputs if goal is None else [*inputs, goal], wanted, goal)
        columns = _columns(source, decisions, goal, wanted)
        refusal, options = ("", ()) if goal is None else _refusal(source, decisions, wanted)
        return Look(source.path, decisions[0].profile.rows, columns, source.notes, refusal, options)


def _columns(
    source: Source, decisions: Sequence[Decision], goal: Column | None, choices: Choices
) -> tuple[ColumnLook, ...]:
    """All columns in the file's order, then those that are ignored."""
    numbers = _numbers(source, [d for d in decisions if d.kind and not isinstance(d.kind, CategoryInput)])
    found = {}
    for decision in decisions:
        is_target = decision.column is goal
        shown = _with_task(source, decision, choices) if is_target else decision
        found[shown.name] = _column(shown, numbers.get(shown.name), is_target)
    ignored = {
        name: ColumnLook(name, "", "left out", "--ignore", 0, 0, "", "", ())
        for name in source.names
        if name not in found
    }
    return (*(found[name] for name in source.names if name in found), *ignored.values())


def _refusal(source: Source, decisions: Sequence[Decision], choices: Choices) -> tuple[str, tuple[str, ...]]:
    """Why training would refuse the table ("" if it would not), and the options that help."""
    try:
        check_usable(source, decisions, choices)
    except InputError as error:
        return str(error), error.options
    return "", ()


def _with_task(source: Source, goal: Decision, choices: Choices) -> Decision:
    """The target, with the task that training would choose for a number."""
    if goal.problem or not isinstance(goal.kind, NumberInput):
        return goal
    cell = cell_sql(goal.column, goal.kind, source.dialect.missing, 0, is_target=True)
    found = source.rows(
        f"SELECT v, count(*) FROM (SELECT {cell} AS v FROM {{table}}) WHERE isfinite(v) "
        f"GROUP BY v ORDER BY v LIMIT {MOST_CLASSES + 1}"
    )
    if not found or len(found) > MOST_CLASSES:
        return goal
    values, counts = (np.array(column, dtype=np.float64) for column in zip(*found, strict=True))
    said = []
    if len(values) > 1 and taken_as_classes(values, counts.sum(), choices.task):
        said.append(f"treated as {len(values)} classes")
        said += [] if choices.task else ["--task regression treats it as a number"]
    if looks_like_counts(values, counts):
        said.append("looks like counts: try --cost poisson")
    return replace(goal, notes=(*goal.notes, *said))


@dataclass(frozen=True)
class _Range:
    distinct: int
    low: float | None
    high: float | None
    histogram: tuple[int, ...]
    estimated: bool


def _numbers(source: Source, decisions: Sequence[Decision]) -> dict[str, _Range]:
    """Ranges and histograms of columns of numbers and dates, in two passes for each group of columns."""
    found: dict[str, _Range] = {}
    for start in range(0, len(decisions), source.batch):
        found |= _ranges(source, decisions[start : start + source.batch])
    return found


def _ranges(source: Source, decisions: Sequence[Decision]) -> dict[str, _Range]:
    own = source.dialect.missing
    cells = [f"{cell_sql(d.column, d.kind, own, 0)} AS v{k}" for k, d in enumerate(decisions) if d.kind]
    relation = f"(SELECT {', '.join(cells)} FROM {{table}})"
    finite = [f"CASE WHEN isfinite(v{k}) THEN v{k} END" for k in range(len(decisions))]
    estimated = decisions[0].profile.rows * len(decisions) > MOST_COUNTED
    different = "approx_count_distinct({})" if estimated else "count(DISTINCT {})"
    ranges = ", ".join(f"min({v}), max({v}), {different.format(v)}" for v in finite)
    row = source.rows(f"SELECT {ranges} FROM {relation}")[0]
    triples = [row[k : k + 3] for k in range(0, len(row), 3)]
    bins = [_bin(v, low, high) for v, (low, high, _) in zip(finite, triples, strict=True)]
    return {
        decision.name: _Range(min(int(distinct), decision.profile.rows), low, high, counts, estimated)
        for decision, (low, high, distinct), counts in zip(
            decisions, triples, _histograms(source, relation, bins), strict=True
        )
    }


def _histograms(source: Source, relation: str, bins: Sequence[str]) -> list[tuple[int, ...]]:
    places = ", ".join(f"{place} AS b{k}" for k, place in enumerate(bins))
    each = ", ".join(f"count(CASE WHEN b{k} = {j} THEN 1 END)" for k in range(len(bins)) for j in range(_BINS))
    counts = source.rows(f"SELECT {each} FROM (SELECT {places} FROM {relation})")[0]
    return [counts[start : start + _BINS] for start in range(0, len(counts), _BINS)]


def _bin(value: str, low: float | None, high: float | None) -> str:
    """SQL: the part of a range (None: of no numbers) that contains a value."""
    low, high = low or 0.0, high or 0.0
    place = f"floor(({value} - {low!r}) * {_BINS / ((high - low) or 1.0)!r})"
    return f"CAST(CASE WHEN {value} IS NOT NULL THEN least({place}, {_BINS - 1}) END AS TINYINT)"


def _column(decision: Decision, numbers: _Range | None, is_target: bool) -> ColumnLook:
    kind = _KINDS[decision.kind.kind] if decision.kind else ""
    use = "target" if is_target else "input"
    use = "refused" if decision.problem else "left out" if decision.left_out else use
    says = decision.problem or decision.left_out or "; ".join(decision.notes)
    if numbers is None:
        return ColumnLook(decision.name, kind, use, says, decision.missing, decision.distinct or 0, "", "", ())
    shown = shown_day if isinstance(decision.kind, DateInput) else _shown_number
    return ColumnLook(
        decision.name,
        kind,
        use,
        says,
        decision.missing,
        numbers.distinct,
        shown(numbers.low),
        shown(numbers.high),
        numbers.histogram,
        numbers.estimated,
    )


def _shown_number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
