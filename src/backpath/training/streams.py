"""Samples that do not fit in memory, in pools: training uses one while the next is read."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar, runtime_checkable

from backpath.errors import InputError
from backpath.maths.arrays import Array, Indices

T = TypeVar("T")
HEAD = 1000  # samples, at least, to check before training


class Pool(Protocol):
    """Some samples X (N, inputs), y (N, outputs), their weights (N,), and their order."""

    @property
    def X(self) -> Array: ...
    @property
    def y(self) -> Array: ...
    @property
    def weight(self) -> Array | None: ...
    @property
    def order(self) -> Indices: ...


@runtime_checkable
class StreamedSamples(Protocol):
    """Samples in pools, such as a streamed table (see ``files.stream``)."""

    @property
    def rows(self) -> int: ...

    def pools(self, seed: int, epoch: int, batch: int, shuffle: bool, first: int = 0) -> Iterator[Pool]:
        """All samples of an epoch, in pools of whole batches, from pool ``first`` on; the same for the same seed."""


def of_table(
    table: Any, sample_weight: Any, batch_size: int | None, solver: str, restarts: int
) -> tuple[Any, Any, Any, StreamedSamples | None]:
    """(X, y, sample_weight, samples) of a table: all samples in memory, or the first ones of a stream."""
    if not isinstance(table, StreamedSamples):
        if not hasattr(table, "whole"):
            raise InputError("y is missing; give inputs X and targets y, or a table from read_table", "y")
        return *table.whole()[:2], table.weight if sample_weight is None else sample_weight, None
    if sample_weight is not None:
        raise InputError("a streamed table has its own column of weights; leave sample_weight out")
    check_streamable(batch_size, solver, restarts)
    first = next(table.pools(0, 0, 1, False))
    few = min(len(first.X), max(HEAD, 2 * int(batch_size or 0)))
    return first.X[:few].copy(), first.y[:few].copy(), None if first.weight is None else first.weight[:few], table


def check_streamable(batch_size: int | None, solver: str, restarts: int = 1) -> None:
    """Refuse settings that need all samples at once."""
    if solver == "lm" or restarts != 1:
        what = "lm uses all samples in each step" if solver == "lm" else "restarts need all samples at once"
        raise InputError(f"{what}, but the table is streamed; train with gd, momentum or adam, from one start")
    if batch_size is None:
        raise InputError("a streamed table is trained on in batches; give batch_size, such as 256", "batch_size")


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, each produced by a thread while the previous one is in use.

    >>> list(ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    end = object()
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield item  # type: ignore[misc]
