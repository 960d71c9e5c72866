"""Training on samples that come in pools: each by the usual engine, which goes on from where the last one ended."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backpath.maths.arrays import Array
from backpath.training.job import Convergence, Job
from backpath.training.streams import Pool, Samples, ahead


class StreamEngine:
    """Trains on pools of samples.

    Between two pools everything is known that a run needs to go on: the weights, what the solver remembers of them, and
    ``position``, for which pools come in which order depends on the seed and the epoch only.

    Attributes
    ----------
    position : (int, int)
        Epochs done, and pools done of the next one.
    """

    bayesian = None

    def __init__(self, name: str, job: Job, samples: Samples):
        self.job, self.samples, self._name = job, samples, name
        self.weights: list[Array] = list(job.network.weights)
        self.costs: list[float] = []
        self.converged = False
        self.overflow: int | None = None
        self.solver_state = job.solver_state
        self.position = (0, 0)
        self._convergence = Convergence(job.tol, job.patience, job.solver_state)
        self._sum = 0.0
        drawn = np.random.default_rng().integers(2**32)
        self._seed = int(drawn) if job.seed is None else job.seed

    def run(self, epochs: int) -> None:
        for _ in range(epochs):
            epoch, first = self.position
            pools = self.samples.pools(self._seed, epoch, self.job.batch_size, self.job.shuffle, first)
            for pool in ahead(pools):
                self._train(pool)
                if self.overflow is not None:
                    return
                self.position = (epoch, self.position[1] + 1)
            self.costs.append(self._sum / self.samples.rows)
            self.position, self._sum = (epoch + 1, 0), 0.0
            self.converged = self._convergence.reached(self.costs[-1])
            if self.converged:
                return

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
            order=iter([pool.order]),
            tol=None,
            solver_state=self.solver_state,
        )
        engine = start_descent(self._name, job)
        engine.run(1)
        self.overflow, self.weights, self.solver_state = engine.overflow, engine.weights, engine.solver_state
        if self.overflow is None:
            self._sum += float(engine.costs[0]) * len(pool.order)
