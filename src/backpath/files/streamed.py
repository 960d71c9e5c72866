"""A table whose rows do not fit in memory: some of them there, all of them in a temporary file, read in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.preparation import Preparation
from backpath.files.spool import Columns, Spool, joined_rows
from backpath.files.training_table import Division, TrainingTable
from backpath.files.values import Categories, ColumnValues, with_values
from backpath.files.wording import column_index, quoted
from backpath.maths.arrays import Floats, Indices

MOST_HELD_OUT = 0.4  # of the rows in memory


@dataclass(frozen=True)
class Pool:
    """Some rows as a network takes them, and the order in which to take them.

    Attributes
    ----------
    X, y, weight : (N, inputs), (N, outputs), (N,) or None
    order : (N,)
    """

    X: Floats
    y: Floats
    weight: Floats | None
    order: Indices


@dataclass(frozen=True)
class StreamedTable:
    """A table to train on, of which only some rows are in memory.

    Attributes
    ----------
    sample : TrainingTable
        The rows in memory, drawn at random, which also knows the moments of all the others.
    places : (rows of the sample,)
        Which rows of all these are, in rising order.
    spool : the values of all rows: the columns of training, the target, and the weight if there is one
    columns_of : places of the sample's columns, and of its target, in the spool
    distinct : the values in the spool that are the target's classes, or None
    pool_bytes : of the rows that are shuffled together
    weights_from : place of a column of weights in the spool; or None
    class_weight : how much each row of a class counts, by class; or None
    """

    sample: TrainingTable
    places: Indices = field(repr=False)
    spool: Spool = field(repr=False)
    columns_of: tuple[int, ...]
    distinct: NDArray[Any] | None
    pool_bytes: int
    weights_from: int | None = None
    class_weight: Floats | None = None

    @property
    def rows(self) -> int:
        return self.spool.rows

    @property
    def columns(self) -> tuple[ColumnValues, ...]:
        """The columns, with the values of the rows in memory."""
        return self.sample.columns

    @property
    def target(self) -> ColumnValues:
        return self.sample.target

    @property
    def notes(self) -> tuple[str, ...]:
        return self.sample.notes

    @property
    def preparation(self) -> Preparation:
        """How the columns become inputs, by all rows."""
        return self._everything.preparation

    def blocks(self, seed: int = 0, epoch: int = 0) -> Iterator[tuple[Floats, Floats]]:
        """(X, y) of some rows at a time, all of them, in an order drawn for that epoch.

        Blocks of neighbouring rows come in random order, and the rows of those that are in memory together are
        shuffled. The same seed and epoch give the same order.
        """
        for pool in self._everything.pools(seed, epoch):
            yield pool.X[pool.order], pool.y[pool.order]

    def pools(self, *arguments: Any, **more: Any) -> Iterator[Pool]:
        """See ``Stream.pools``; of all rows."""
        return self._everything.pools(*arguments, **more)

    @cached_property
    def _everything(self) -> Stream:
        return Stream(self, self.sample.preparation, self.places[:0])

    def division(self, share: float, seed: int, scale_target: bool = True) -> Division:
        """A share of all rows, but no more than of those in memory can be spared, held out; the others to train on."""
        order = np.random.default_rng(seed).permutation(self.sample.rows)
        held_out = min(int(self.rows * share), int(self.sample.rows * MOST_HELD_OUT))
        found = self.sample.divided(order[held_out:], order[:held_out], scale_target)
        stream = Stream(self, found.preparation, np.sort(self.places[found.held_out]), self.places[found.rows])
        return replace(found, stream=stream)

    def weighed(self, name: str, path: str) -> StreamedTable:
        """Each row counts as much as that column says, which is then no input."""
        sample = self.sample.weighed(name, path)
        place = column_index(name, [column.name for column in self.columns], path, "to weigh rows by")
        beyond = self.sample.beyond[place] if self.sample.beyond else None
        if beyond is not None and (beyond.missing or (beyond.count and beyond.low < 0)):
            raise InputError(f"--weights takes a column of numbers of at least 0, but {quoted(name)} is not")
        left = tuple(at for k, at in enumerate(self.columns_of) if k != place)
        return replace(self, sample=sample, columns_of=left, weights_from=self.columns_of[place])

    def balanced(self) -> StreamedTable | None:
        """Every class counts as much as any other; None where the target is no class."""
        if not isinstance(self.target, Categories):
            return None
        counts = np.zeros(len(self.target.categories))
        for number in range(self.spool.blocks):
            codes = self.codes(self.spool.block(number)[self.columns_of[-1]])
            counts += np.bincount(codes, minlength=len(counts))
        each = self.rows / np.count_nonzero(counts) / counts
        weight = each[self.target.values]
        if self.sample.weight is not None:
            weight = weight * self.sample.weight
        return replace(self, sample=replace(self.sample, weight=weight), class_weight=each)

    def codes(self, target: NDArray[Any]) -> NDArray[Any]:
        """The target as the spool has it, as numbers or as places of classes."""
        return target if self.distinct is None else np.searchsorted(self.distinct, target)


class Stream:
    """The rows of a streamed table but some that are held out, as a network takes them.

    ``in_memory`` are the places of those that are in memory too.
    """

    def __init__(
        self, table: StreamedTable, preparation: Preparation, held_out: Indices, in_memory: Indices | None = None
    ):
        self.table, self.preparation, self.held_out = table, preparation, held_out
        self.in_memory = table.places if in_memory is None else in_memory
        self.rows = table.rows - len(held_out)
        self.inputs, self.outputs = len(preparation.input_labels), preparation.target.outputs
        bytes_of_row = 8 * (self.inputs + self.outputs) + table.spool.row_bytes
        self.pool_rows = max(1, table.pool_bytes // bytes_of_row)

    def __len__(self) -> int:
        return self.rows

    def without(self, rows: Indices) -> Stream:
        """Also without some of those in memory, by their places there."""
        held_out = np.union1d(self.held_out, self.in_memory[rows])
        return Stream(self.table, self.preparation, held_out, np.delete(self.in_memory, rows))

    def pools(self, seed: int, epoch: int, batch: int = 1, shuffle: bool = True, first: int = 0) -> Iterator[Pool]:
        """All rows once, in pools that hold a whole number of batches, the last one apart.

        Blocks are drawn in random order; the rows of the blocks in one pool are shuffled. What is drawn depends on the
        seed, the epoch and the pool only, so that a run can be taken up again at any pool.

        Parameters
        ----------
        first : the number of the pool to begin with
        """
        spool, size = self.table.spool, max(batch, self.pool_rows // batch * batch)
        blocks = np.arange(spool.blocks)
        if shuffle:
            blocks = np.random.default_rng([seed, epoch]).permutation(spool.blocks)
        skip, number, ready = first * size, first, 0
        waiting: list[Columns] = []
        for block in blocks.tolist():
            rows = self._rows_of(block)
            if skip >= rows:
                skip -= rows
                continue
            waiting.append([column[skip:] for column in self._block(block)])
            ready, skip = ready + rows - skip, 0
            while ready >= size:
                joined = joined_rows(waiting)
                yield self._pool([column[:size] for column in joined], seed, epoch, number, shuffle)
                waiting, ready, number = [[column[size:] for column in joined]], ready - size, number + 1
        if ready:
            yield self._pool(joined_rows(waiting), seed, epoch, number, shuffle)

    def _held_out_of(self, block: int) -> Indices:
        """Rows of a block that are held out, by their places in it."""
        start = block * self.table.spool.block_rows
        low, high = np.searchsorted(self.held_out, [start, start + self.table.spool.block_rows])
        return self.held_out[low:high] - start

    def _rows_of(self, block: int) -> int:
        spool = self.table.spool
        return min(spool.block_rows, spool.rows - block * spool.block_rows) - len(self._held_out_of(block))

    def _block(self, block: int) -> Columns:
        columns, without = self.table.spool.block(block), self._held_out_of(block)
        if not len(without):
            return columns
        kept = np.ones(len(columns[0]), bool)
        kept[without] = False
        return [column[kept] for column in columns]

    def _pool(self, columns: Columns, seed: int, epoch: int, number: int, shuffle: bool) -> Pool:
        table, rows = self.table, len(columns[0])
        *inputs, target = table.columns_of
        X = self.preparation.encode([columns[k] for k in inputs])
        codes = table.codes(columns[target])
        y = self.preparation.transform_target(with_values(table.target, codes))
        weight = None
        if table.weights_from is not None:
            weight = columns[table.weights_from].astype(np.float64)
        if table.class_weight is not None:
            by_class = table.class_weight[codes]
            weight = by_class if weight is None else weight * by_class
        order = np.arange(rows)
        if shuffle:
            order = np.random.default_rng([seed, epoch, number + 1]).permutation(rows)
        return Pool(X, y, weight, order)
