"""Reads a table that does not fit in memory: in one pass, all rows go to a temporary file and some to memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.assembling import finished, plan_of, row_notes
from backpath.files.choices import Choices
from backpath.files.column_inputs import MISSING, CategoryInput, ColumnInput
from backpath.files.column_values import Categories, ColumnValues
from backpath.files.decision import MOST_CLASSES, Decision
from backpath.files.memory_budget import Budget, shown_bytes
from backpath.files.moments import Moments
from backpath.files.reading import ReadPlan, row_blocks, with_kind
from backpath.files.sources import Source
from backpath.files.spool import Spool, SpooledColumns, joined_rows
from backpath.files.stream import SpooledRows
from backpath.files.streamed_table import StreamedTable

INPUT_COPIES = 2.5  # copies of the inputs in memory during training, roughly
MOST_SAMPLED = 300_000  # rows that stay in memory
BLOCKS_OF_POOL = 16  # more blocks mix the rows better
LEAST_BLOCK = 256  # rows


def table_memory(decisions: Sequence[Decision]) -> float:
    """Roughly the bytes that a table and training on it would take in memory."""
    plan = plan_of(decisions)
    return decisions[0].profile.rows * (_value_bytes(plan) + INPUT_COPIES * 8 * _width(plan))


def _value_bytes(plan: ReadPlan) -> int:
    return sum(dtype_of(kind).itemsize for _, kind in plan)


def _width(plan: ReadPlan) -> int:
    """Roughly the number of inputs and outputs."""
    return sum(len(kind.labels) for _, kind in plan)


def dtype_of(kind: ColumnInput) -> np.dtype[Any]:
    return np.dtype(np.int16 if isinstance(kind, CategoryInput) else np.float64)


def streamed(source: Source, decisions: Sequence[Decision], choices: Choices, memory: Budget) -> StreamedTable:
    """The table, read once."""
    plan = plan_of(decisions)
    each = _value_bytes(plan) + 8 * _width(plan)
    block = max(LEAST_BLOCK, memory.pool // each // BLOCKS_OF_POOL)
    rows = decisions[0].profile.rows
    count = min(rows, MOST_SAMPLED, max(1000, memory.sample // (2 * each)))
    taker = _Taker(plan, rows, count, block, choices)
    for arrays in row_blocks(source, plan, max(1000, memory.block // _value_bytes(plan))):
        taker.take(arrays)
    if taker.read != rows:
        raise InputError(f"{source.path} changed while it was read; read it again")
    taker.spool.finish()
    *columns, goal = taker.in_memory()
    gaps = [(column, int(gap)) for column, gap in zip(columns, taker.gaps, strict=True)]
    notes = row_notes(source, gaps, rows, taker.with_target, taker.whole, choices)
    sample = finished(source, decisions, choices, columns, goal, notes, taker.moments, taker.distinct)
    left = {column.name for column in sample.columns}
    places = tuple(k for k, (column, _) in enumerate(plan[:-1]) if column.name in left)
    said = (
        f"training in memory would need about {shown_bytes(table_memory(decisions))}, but only "
        f"{shown_bytes(memory.table)} of memory is available for it (--memory); rows are read in blocks from a "
        f"temporary file of {shown_bytes(taker.spool.rows * taker.spool.row_bytes)}"
    )
    return StreamedTable(
        replace(sample, notes=(*sample.notes, said)),
        np.array(taker.places, np.intp),
        SpooledRows(
            taker.spool,
            (*places, len(plan) - 1),
            sample.target,
            taker.distinct if isinstance(sample.target, Categories) else None,
            memory.pool,
        ),
    )


class _Taker:
    """Collects the values of all rows, block by block."""

    def __init__(self, plan: ReadPlan, rows: int, sampled: int, block: int, choices: Choices):
        self.plan, self.choices = plan, choices
        self.sampled = np.sort(np.random.default_rng(0).choice(rows, sampled, replace=False))
        self.spool = Spool([dtype_of(kind) for _, kind in plan], block)
        self.read = self.with_target = self.whole = self.kept = 0
        self.gaps = np.zeros(len(plan) - 1, np.int64)
        self.moments = [Moments() for _ in plan]
        self.distinct: NDArray[Any] = np.empty(0, dtype_of(plan[-1][1]))
        self.places: list[int] = []
        self._in_memory: list[SpooledColumns] = []

    def take(self, arrays: SpooledColumns) -> None:
        count = len(arrays[0])
        gaps = [with_kind(kind, values).missing for (_, kind), values in zip(self.plan, arrays, strict=True)]
        keep = ~gaps[-1]
        whole = keep & ~np.logical_or.reduce(gaps[:-1])
        self.with_target += int(keep.sum())
        self.whole += int(whole.sum())
        self.gaps += [int(gap[keep].sum()) for gap in gaps[:-1]]
        keep = whole if self.choices.missing == "drop" else keep
        low, high = np.searchsorted(self.sampled, [self.read, self.read + count])
        in_memory = np.zeros(count, bool)
        in_memory[self.sampled[low:high] - self.read] = True
        self.read += count
        self._put([values[keep] for values in arrays], in_memory[keep])

    def _put(self, arrays: SpooledColumns, in_memory: NDArray[np.bool_]) -> None:
        """Rows that stay in the table."""
        self.spool.write(arrays)
        self.places += (np.flatnonzero(in_memory) + self.kept).tolist()
        self.kept += len(in_memory)
        self._in_memory.append([values[in_memory] for values in arrays])
        for k, ((_, kind), values) in enumerate(zip(self.plan, arrays, strict=True)):
            self.moments[k] += _moments(kind, values[~in_memory])
        if len(self.distinct) <= MOST_CLASSES:
            self.distinct = np.unique(np.concatenate([self.distinct, np.unique(arrays[-1])]))

    def in_memory(self) -> list[ColumnValues]:
        joined = joined_rows(self._in_memory)
        return [with_kind(kind, values) for (_, kind), values in zip(self.plan, joined, strict=True)]


def _moments(kind: ColumnInput, values: NDArray[Any]) -> Moments:
    """The moments of categories' codes, and the number of missing ones."""
    found = Moments.of(values.astype(np.float64, copy=False))
    return replace(found, missing=int((values == MISSING).sum())) if isinstance(kind, CategoryInput) else found
