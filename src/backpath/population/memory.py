"""The memory that a population needs, checked before it is drawn."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from numpy.typing import DTypeLike

from backpath.errors import InputError
from backpath.maths.checks import check_count, check_sizes, float_type, machine_memory
from backpath.training.job import REMEMBERED, Solver, check_side_by_side, record_count

KNOWN = 6  # numbers per network in addition to its weights: learning rate, momentum, cost and so on
COUNTED = 72  # bytes of its counters, and of its place in the queue


def memory_needed(
    sizes: Sequence[int],
    size: int,
    *,
    dtype: DTypeLike = "float64",
    solver: str = "gd",
    epochs: int = 0,
    history_every: int | None = None,
) -> int:
    """The bytes of a population of ``size`` networks and its training: the initial weights, the weights in training,
    the solver's memory, the records of the history, and about 100 further bytes per network.

    >>> memory_needed((2, 2, 1), 1_000_000, dtype="float32") / 1e6
    168.0
    """
    sizes, number = check_sizes(sizes), float_type(dtype)
    check_count(size, "the size of a population")
    check_side_by_side(solver)
    Solver.checked(solver, None)
    weights = sum(n_out * (n_in + 1) for n_in, n_out in itertools.pairwise(sizes))
    if history_every is not None:
        check_count(history_every, "history_every")
    numbers = weights * (2 + REMEMBERED[solver]) + record_count(epochs, history_every) + KNOWN
    return int(size) * (numbers * number.itemsize + COUNTED)


def check_population_memory(needed: int, size: int, sizes: Sequence[int]) -> None:
    """Refuse a population that does not fit into memory, before it is drawn."""
    memory = machine_memory()
    if needed > memory:
        raise InputError(
            f"a population of {size:,} networks {'-'.join(map(str, sizes))} needs {_gib(needed)} GiB, and this machine "
            f"has {_gib(memory)}; use fewer networks, float32, or a thinner history"
        )


def _gib(count: int) -> str:
    return f"{count / 2**30:,.1f}" if count < 2**70 else "more than 10¹²"
