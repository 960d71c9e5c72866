"""Trains on samples that come in pools, each with the usual engine, which continues from the last pool."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from backpath.maths.arrays import Array, Indices
from backpath.training.job import Convergence, Job, SolverState
from backpath.training.state import Stateful
from backpath.training.streams import Pool, StreamedSamples, ahead

AT_ONCE = 1.0  # seconds of a long epoch, after which control returns to the caller


class PoolOrder(Stateful):
    """The order of a pool's samples."""

    def __init__(self, order: Indices):
        self.order = order

    def __next__(self) -> Indices:
        return self.order


class StreamEngine(Stateful):
    """Trains on pools of samples.

    Between two pools everything is known that a run needs to go on: the weights, what the solver remembers of them, and
    the position, because the order of the pools depends only on the seed and the epoch.

    Attributes
    ----------
    position : [int, int]
        Epochs done, and pools done of the next one.
    """

    bayesian = None
    _given = ("job", "samples", "_name", "_pools")

    def __init__(self, name: str, job: Job, samples: StreamedSamples):
        self.job, self.samples, self._name = job, samples, name
        self.weights: list[Array] = list(job.network.weights)
        self.costs: list[float] = []
        self.converged = False
        self.overflow: int | None = None
        self.position = [0, 0]
        self._updates = 0
        self._m, self._v = ([np.zeros_like(W) for W in self.weights] for _ in "mv")
        self._convergence = Convergence(job.tol, job.patience)
        self._sum = 0.0  # of the costs of the samples so far in this epoch
        self._seed = int(np.random.default_rng().integers(2**32)) if job.seed is None else job.seed
        self._pools: Iterator[Pool] | None = None

    def run(self, epochs: int) -> None:
        """Train on for so many epochs, or until about a second is over, in the midst of one."""
        until, wanted = time.perf_counter() + AT_ONCE, len(self.costs) + epochs
        while len(self.costs) < wanted and not self.converged and self.overflow is None:
            self._go_on(until)
            if time.perf_counter() > until:
                return

    def _go_on(self, until: float) -> None:
        """Train to the end of an epoch, or until the time is up."""
        if self._pools is None:
            epoch, first = self.position
            batch, shuffle = self.job.batch_size, self.job.shuffle
            self._pools = ahead(self.samples.pools(self._seed, epoch, batch, shuffle, first))
        for pool in self._pools:
            self._train(pool)
            if self.overflow is not None:
                return
            self.position[1] += 1
            if time.perf_counter() > until:
                return
        self.costs.append(self._sum / self.samples.rows)
        self.position, self._sum, self._pools = [self.position[0] + 1, 0], 0.0, None
        self.converged = self._convergence.reached(self.costs[-1])

    def _train(self, pool: Pool) -> None:
        """One epoch on a pool."""
        from backpath.training.engines import start_descent

        number = self.job.network.dtype
        job = replace(
            self.job,
            network=self.job.network.with_finite(self.weights),
            X=np.asarray(pool.X, number),
            y=np.asarray(pool.y, number),
            sample_weight=None if pool.weight is None else np.asarray(pool.weight, number),
            batch_size=min(self.job.batch_size, len(pool.order)),
            shuffle=True,
            order=PoolOrder(pool.order),
            tol=None,
            solver_state=SolverState(self._updates, self._m, self._v),
        )
        engine = start_descent(self._name, job)
        engine.run(1)
        state = engine.solver_state
        self.overflow, self.weights = engine.overflow, engine.weights
        self._updates, self._m, self._v = state.updates, state.m, state.v
        if self.overflow is None:
            self._sum += float(engine.costs[0]) * len(pool.order)
