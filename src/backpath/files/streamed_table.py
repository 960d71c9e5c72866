"""A table whose rows do not fit in memory: some of them there, all of them in a temporary file, read in blocks."""

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
    """A table to train on, of which only some rows are in memory.

    Attributes
    ----------
    sample : TrainingTable
        The rows in memory, drawn at random, which also knows the moments of all the others.
    places : (rows of the sample,)
        Which rows of all these are, in rising order.
    spooled : all rows
    """

    sample: TrainingTable
    places: Indices = field(repr=False)
    spooled: SpooledRows = field(repr=False)

    @property
    def rows(self) -> int:
        return self.spooled.rows

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

    def pools(self, *arguments: Any, **more: Any) -> Iterator[ShuffledRows]:
        """See ``Stream.pools``; of all rows."""
        return self._everything.pools(*arguments, **more)

    @cached_property
    def _everything(self) -> Stream:
        return Stream(self.spooled, self.sample.preparation, self.places[:0], self.places)

    def division(self, share: float, seed: int, scale_target: bool = True) -> Division:
        """A share of all rows, but no more than of those in memory can be spared, held out; the others to train on."""
        order = np.random.default_rng(seed).permutation(self.sample.rows)
        held_out = min(int(self.rows * share), int(self.sample.rows * MOST_HELD_OUT))
        found = self.sample.divided(order[held_out:], order[:held_out], scale_target)
        stream = Stream(self.spooled, found.preparation, np.sort(self.places[found.held_out]), self.places[found.rows])
        return replace(found, stream=stream)

    def weighed(self, name: str, path: str) -> StreamedTable:
        """Each row counts as much as that column says, which is then no input."""
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
        """Every class counts as much as any other; None where the target is no class."""
        if not isinstance(self.target, Categories):
            return None
        counts = self.spooled.counts(len(self.target.categories))
        each = self.rows / np.count_nonzero(counts) / counts
        weight = each[self.target.values]
        if self.sample.weight is not None:
            weight = weight * self.sample.weight
        spooled = replace(self.spooled, class_weight=each)
        return replace(self, sample=replace(self.sample, weight=weight), spooled=spooled)
