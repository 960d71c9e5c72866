"""Trains on pools of samples with the usual engine, which continues from the previous pool."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np

from backpath.maths.arrays import Array, Indices
from backpath.training.job import Convergence, Descent, Job, SolverState
from backpath.training.state import Stateful
from backpath.training.streams import Pool, StreamedSamples, ahead


class PoolOrder(Stateful):
    """The order of a pool's samples."""

    def __init__(self, order: Indices):
        self.order = order

    def __next__(self) -> Indices:
        return self.order


class StreamEngine(Stateful):
    """Trains on pools of samples, each with the engine that ``start`` returns for its job.

    Between two pools, the weights, the solver's memory and the position are enough to resume, because the order of the
    pools depends only on the seed and the epoch.

    Attributes
    ----------
    position : [int, int]
        The epochs done, and the pools done of the next one.
    at_once : float
        Seconds after which `run` returns within an epoch.
    """

    bayesian = None
    _given: ClassVar[tuple[str, ...]] = ("job", "samples", "_start", "_pools", "_all", "at_once")

    def __init__(self, start: Callable[[Job], Descent], job: Job, samples: StreamedSamples | None = None):
        self.job, self.samples, self._start = job, samples, start
        self._all = samples.rows if samples else len(job.X)
        self.weights: list[Array] = list(job.network.weights)
        self.costs: list[float] = []
        self.converged = False
        self.overflow: int | None = None
        self.position = [0, 0]
        self._updates = 0
        self._m, self._v = ([np.zeros_like(W) for W in self.weights] for _ in "mv")
        self._convergence = Convergence(job.tol, job.patience)
        self.at_once = math.inf
        self._sum = 0.0  # the sum of the samples' costs so far in this epoch
        self._seed = int(np.random.default_rng().integers(2**32)) if job.seed is None else job.seed
        self._pools: Iterator[Pool] | None = None

    def run(self, epochs: int) -> None:
        """Train for this many more epochs, or until `at_once` is over within one."""
        until, wanted = time.perf_counter() + self.at_once, len(self.costs) + epochs
        while len(self.costs) < wanted and not self.converged and self.overflow is None:
            self._go_on(until)
            if time.perf_counter() > until:
                return

    def _go_on(self, until: float) -> None:
        """Train to the end of an epoch, or until the time is up."""
        if self._pools is None:
            self._pools = ahead(self._coming(*self.position))
        for pool in self._pools:
            self._train(pool)
            if self.overflow is not None:
                return
            self.position[1] += 1
            if time.perf_counter() > until:
                return
        self.costs.append(self._sum / self._all)
        self.position, self._sum, self._pools = [self.position[0] + 1, 0], 0.0, None
        self.converged = self._convergence.reached(self.costs[-1])

    def _coming(self, epoch: int, first: int) -> Iterator[Pool]:
        """The pools of an epoch, beginning with this one."""
        assert self.samples is not None
        return self.samples.pools(self._seed, epoch, self.job.batch_size, self.job.shuffle, first)

    def _train(self, pool: Pool) -> None:
        """Train one epoch on a pool."""
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
        engine = self._start(job)
        engine.run(1)
        state = engine.solver_state
        self.overflow, self.weights = engine.overflow, engine.weights
        self._updates, self._m, self._v = state.updates, state.m, state.v
        if self.overflow is None:
            self._sum += float(engine.costs[0]) * len(pool.order)
