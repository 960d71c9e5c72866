"""Long epochs in memory, in pieces, so that they can be reported, stopped and saved before they end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from backpath.maths.arrays import Array, Indices
from backpath.training.engines.compiled import CompiledEngine
from backpath.training.engines.stream_engine import StreamEngine
from backpath.training.job import Convergence, Job, SolverState
from backpath.training.streams import Pool

# Approximate seconds of the kernels on one core, for a batch, for a sample, and for a weight per sample.
BATCH, SAMPLE, WEIGHT = 5e-7, 5e-8, 2e-10
LONG, PIECE = 4.0, 0.5  # approximate seconds of a long epoch, and of a piece
MOST_BYTES = 64 << 20  # in the rows of a piece


def rows_of_piece(job: Job) -> int:
    """The number of samples, in whole batches, in a piece of this job's epochs; all samples if epochs are short.

    It depends only on the job, and so do the bits.
    """
    weights, batch, rows = sum(W.size for W in job.network.weights), job.batch_size, len(job.X)
    each = BATCH / batch + SAMPLE + WEIGHT * weights
    if batch >= rows or each * rows < LONG:
        return rows
    bytes_of_row = (job.X[:1].nbytes + job.y[:1].nbytes) or 1
    return max(1, int(min(PIECE / each, MOST_BYTES / bytes_of_row)) // batch) * batch


@dataclass(frozen=True)
class PieceOfEpoch:
    """Some samples in their order."""

    X: Array
    y: Array
    weight: Array | None
    order: Indices


class InPieces(StreamEngine):
    """Trains on the pieces of an epoch's samples in order, with the compiled engine.

    The numbers are those of that engine, except for the last digits of the costs, which are added in another order.
    """

    _given: ClassVar[tuple[str, ...]] = (*StreamEngine._given, "_rows", "_drawn_from")

    def __init__(self, job: Job):
        super().__init__(CompiledEngine, job)
        self._rows, self._orders = rows_of_piece(job), job.orders()
        self._drawn_from: dict[str, Any] | None = None  # the state that the order of the current epoch is drawn from
        if (known := job.solver_state) is not None:
            self._updates, self._m, self._v = known.updates, known.m, known.v
            self._convergence = Convergence(job.tol, job.patience, known)

    def state(self) -> dict[str, Any]:
        under_way = self._pools is not None
        return super().state() | ({"_orders": self._drawn_from} if under_way else {})

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self._pools = None

    @property
    def solver_state(self) -> SolverState:
        return SolverState(self._updates, self._m, self._v, self._convergence.best, self._convergence.waited)

    def change_rate(self, learning_rate: float) -> None:
        """See ``Descent``."""
        self.job = replace(self.job, solver=replace(self.job.solver, learning_rate=learning_rate))
        if self.converged:
            self.converged, self._convergence.waited = False, 0

    def forget_costs(self) -> None:
        """See ``Descent``."""
        self.costs = []

    def cost_and_gradient(self, weights: list[Array]) -> tuple[float, list[Array]]:
        """See ``Descent``."""
        return CompiledEngine(self.job).cost_and_gradient(weights)

    def _coming(self, epoch: int, first: int) -> Iterator[Pool]:
        self._drawn_from = self._orders.state()
        return self._pieces(next(self._orders), first)

    def _pieces(self, order: Indices | None, first: int) -> Iterator[Pool]:
        job = self.job
        for start in range(first * self._rows, len(job.X), self._rows):
            rows: Any = slice(start, start + self._rows) if order is None else order[start : start + self._rows]
            X, y = job.X[rows], job.y[rows]
            weight = None if job.sample_weight is None else job.sample_weight[rows]
            yield PieceOfEpoch(X, y, weight, np.arange(len(X)))
