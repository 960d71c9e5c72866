"""The rows of a table that do not fit in memory, as shuffled pools of inputs and targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.files.column_values import ColumnValues, with_values
from backpath.files.preparation import Preparation
from backpath.files.spool import Spool, SpooledColumns, joined_rows
from backpath.maths.arrays import Floats, Indices


@dataclass(frozen=True)
class ShuffledRows:
    """Some rows as inputs and targets, and their order.

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
class SpooledRows:
    """All rows of a table in a temporary file.

    Attributes
    ----------
    spool : the values of the training columns, the target, and the weight if there is one
    columns_of : the places of the inputs' columns, and last of the target, in the spool
    target : the target's kind
    distinct : the values in the spool that are the target's classes, or None
    pool_bytes : bytes of the rows that are shuffled together
    weights_from : the place of a column of weights in the spool, or None
    class_weight : the weight of each class's rows, or None
    """

    spool: Spool
    columns_of: tuple[int, ...]
    target: ColumnValues
    distinct: NDArray[Any] | None
    pool_bytes: int
    weights_from: int | None = None
    class_weight: Floats | None = None

    @property
    def rows(self) -> int:
        return self.spool.rows

    def codes(self, target: NDArray[Any]) -> NDArray[Any]:
        """The target in the spool, as numbers or as places of classes."""
        return target if self.distinct is None else np.searchsorted(self.distinct, target)

    def counts(self, classes: int) -> NDArray[np.intp]:
        """The number of rows of each class."""
        found = np.zeros(classes, np.intp)
        for number in range(self.spool.blocks):
            codes = self.codes(self.spool.block(number)[self.columns_of[-1]])
            found += np.bincount(codes, minlength=classes)
        return found


class Stream:
    """The rows of a streamed table, without some that are held out, as inputs and targets.

    ``in_memory`` are the places of the rows that are also in memory.
    """

    def __init__(self, source: SpooledRows, preparation: Preparation, held_out: Indices, in_memory: Indices):
        self.source, self.preparation, self.held_out = source, preparation, held_out
        self.in_memory = in_memory
        self.rows = source.rows - len(held_out)
        self.inputs, self.outputs = len(preparation.input_labels), preparation.target.outputs
        bytes_of_row = 8 * (self.inputs + self.outputs) + source.spool.row_bytes
        self.pool_rows = max(1, source.pool_bytes // bytes_of_row)

    def __len__(self) -> int:
        return self.rows

    def without(self, rows: Indices) -> Stream:
        """Also without some of the rows in memory, by their places there."""
        held_out = np.union1d(self.held_out, self.in_memory[rows])
        return Stream(self.source, self.preparation, held_out, np.delete(self.in_memory, rows))

    def pools(
        self, seed: int, epoch: int, batch: int = 1, shuffle: bool = True, first: int = 0
    ) -> Iterator[ShuffledRows]:
        """All rows once, in pools of a whole number of batches, except the last pool.

        Blocks are drawn in random order, and the rows of the blocks in one pool are shuffled. The draw depends only on
        the seed, the epoch and the pool, so that a run can resume at any pool.

        Parameters
        ----------
        first : the number of the first pool
        """
        spool, size = self.source.spool, max(batch, self.pool_rows // batch * batch)
        blocks = np.arange(spool.blocks)
        if shuffle:
            blocks = np.random.default_rng([seed, epoch]).permutation(spool.blocks)
        skip, number, ready = first * size, first, 0
        waiting: list[SpooledColumns] = []
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
        """The held-out rows of a block, by their places in it."""
        start = block * self.source.spool.block_rows
        low, high = np.searchsorted(self.held_out, [start, start + self.source.spool.block_rows])
        return self.held_out[low:high] - start

    def _rows_of(self, block: int) -> int:
        spool = self.source.spool
        return min(spool.block_rows, spool.rows - block * spool.block_rows) - len(self._held_out_of(block))

    def _block(self, block: int) -> SpooledColumns:
        columns, without = self.source.spool.block(block), self._held_out_of(block)
        if not len(without):
            return columns
        kept = np.ones(len(columns[0]), bool)
        kept[without] = False
        return [column[kept] for column in columns]

    def _pool(self, columns: SpooledColumns, seed: int, epoch: int, number: int, shuffle: bool) -> ShuffledRows:
        source, rows = self.source, len(columns[0])
        *inputs, target = source.columns_of
        X = self.preparation.encode([columns[k] for k in inputs])
        codes = source.codes(columns[target])
        y = self.preparation.transform_target(with_values(source.target, codes))
        weight = None
        if source.weights_from is not None:
            weight = columns[source.weights_from].astype(np.float64)
        if source.class_weight is not None:
            by_class = source.class_weight[codes]
            weight = by_class if weight is None else weight * by_class
        order = np.arange(rows)
        if shuffle:
            order = np.random.default_rng([seed, epoch, number + 1]).permutation(rows)
        return ShuffledRows(X, y, weight, order)
