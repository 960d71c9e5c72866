"""A table that does not fit in memory: some of its rows are in memory, and all are in a temporary file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from backpath.errors import InputError
from backpath.files.column_values import Categories, ColumnValues
from backpath.files.preparation import Preparation
from backpath.files.stream import ShuffledRows, SpooledRows, Stream
from backpath.files.training_table import Division, TrainingTable
from backpath.files.wording import column_index, quoted
from backpath.maths.arrays import Floats, Indices

MOST_HELD_OUT = 0.4  # of the rows in memory


@dataclass(frozen=True)
class StreamedTable:
    """A training table with only some of its rows in memory.

    Attributes
    ----------
    sample : TrainingTable
        The rows in memory, drawn at random, with the moments of all others.
    places : array (rows of the sample,)
        The places of these rows among all rows, in ascending order.
    spooled : SpooledRows
        All rows.
    """

    sample: TrainingTable
    places: Indices = field(repr=False)
    spooled: SpooledRows = field(repr=False)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.spooled.rows

    @property
    def columns(self) -> tuple[ColumnValues, ...]:
        """The columns with the values of the rows in memory."""
        return self.sample.columns

    @property
    def target(self) -> ColumnValues:
        """The column to predict, with the values of the rows in memory."""
        return self.sample.target

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks for the user on how the table was read."""
        return self.sample.notes

    @property
    def preparation(self) -> Preparation:
        """How the columns become inputs, fitted to all rows."""
        return self._everything.preparation

    def blocks(self, seed: int = 0, epoch: int = 0) -> Iterator[tuple[Floats, Floats]]:
        """All rows in blocks, in an order drawn for this epoch.

        Blocks of neighbouring rows are read in random order, and rows that are in memory at the same time are shuffled.

        Parameters
        ----------
        seed, epoch : int
            The same values give the same order.

        Yields
        ------
        X, y : arrays
            (rows, inputs) and (rows, outputs).
        """
        for pool in self._everything.pools(seed, epoch):
            yield pool.X[pool.order], pool.y[pool.order]

    def pools(self, *arguments: Any, **more: Any) -> Iterator[ShuffledRows]:
        """See ``Stream.pools``, for all rows."""
        return self._everything.pools(*arguments, **more)

    @cached_property
    def _everything(self) -> Stream:
        return Stream(self.spooled, self.sample.preparation, self.places[:0], self.places)

    def division(self, share: float, seed: int, scale_target: bool = True) -> Division:
        """Holds out a share of all rows, limited by the rows in memory; the others are for training."""
        order = np.random.default_rng(seed).permutation(self.sample.rows)
        held_out = min(int(self.rows * share), int(self.sample.rows * MOST_HELD_OUT))
        found = self.sample.divided(order[held_out:], order[:held_out], scale_target)
        stream = Stream(self.spooled, found.preparation, np.sort(self.places[found.held_out]), self.places[found.rows])
        return replace(found, stream=stream)

    def weighed(self, name: str, path: str) -> StreamedTable:
        """Weight each row by that column, which is then not an input."""
        sample = self.sample.weighed(name, path)
        place = column_index(name, [column.name for column in self.columns], path, "to weigh rows by")
        beyond = self.sample.beyond[place] if self.sample.beyond else None
        if beyond is not None and (beyond.missing or (beyond.count and beyond.low < 0)):
            raise InputError(f"--weights takes a column of numbers of at least 0, but {quoted(name)} is not")
        *inputs, target = self.spooled.columns_of
        weights_from = inputs.pop(place)
        spooled = replace(self.spooled, columns_of=(*inputs, target), weights_from=weights_from)
        return replace(self, sample=sample, spooled=spooled)

    def balanced(self) -> StreamedTable | None:
        """Weights that give all classes the same total; None if the target is not a class."""
        if not isinstance(self.target, Categories):
            return None
        counts = self.spooled.counts(len(self.target.categories))
        each = self.rows / np.count_nonzero(counts) / counts
        weight = each[self.target.values]
        if self.sample.weight is not None:
            weight = weight * self.sample.weight
        spooled = replace(self.spooled, class_weight=each)
        return replace(self, sample=replace(self.sample, weight=weight), spooled=spooled)
