"""Training in turns of a few milliseconds, so that many sessions can share the machine without long waits."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backpath.errors import DivergenceError
from backpath.explorer.scene import Scene
from backpath.maths.arrays import Array
from backpath.maths.network import Network
from backpath.training.divergence import raise_if_diverged
from backpath.training.engines import start_descent
from backpath.training.job import Job, Solver, check_batch_size, with_bias_columns

GROWTH = 8  # a turn has at most this many times the epochs of the previous one


@dataclass(frozen=True)
class Turn:
    """The result of a turn: the costs of its epochs, and the network after them."""

    costs: NDArray[np.float64]
    network: Network
    diverged: DivergenceError | None = None


@dataclass(frozen=True)
class _Seen:
    """The part of a run that ``raise_if_diverged`` reads: the first cost and the last."""

    weights: list[Array]
    costs: Sequence[float]
    overflow: int | None


class Run:
    """Trains a scene's network; not safe for two threads at once."""

    def __init__(self, scene: Scene) -> None:
        s = scene.settings
        network = scene.network
        network.check_trainable()
        X, y = network.samples(scene.data.X, scene.data.y, s.cost)
        wide, free = with_bias_columns(network, None)
        self.job = Job(
            network=wide,
            free=free,
            biases=network.biases,
            X=X,
            y=y,
            cost=s.cost,
            solver=Solver.checked(s.solver, s.learning_rate),
            batch_size=check_batch_size(s.batch_size, len(X)),
            shuffle=s.shuffle,
            seed=s.seed,
        )
        self.epochs = 0
        self._start = network.cost(X, y, s.cost)
        self._engine = start_descent("auto", self.job)
        self._count = 1

    def turn(self, seconds: float, most: int) -> Turn:
        """Train for about this time, and at most this many epochs."""
        began = time.perf_counter()
        self._engine.run(min(self._count, most))
        took = time.perf_counter() - began
        costs = np.array(self._engine.costs, np.float64)
        diverged = self._diverged(costs)
        self._engine.forget_costs()
        self.epochs += len(costs)
        if took < seconds and len(costs) == self._count:
            self._count = int(self._count * min(GROWTH, max(1.0, seconds / (took + 1e-9)))) + 1
        elif took > seconds:
            self._count = max(1, int(self._count * seconds / took))
        network = diverged.network if diverged else None
        return Turn(costs, network or self.job.reached(self._engine.weights), diverged)

    def _diverged(self, costs: NDArray[np.float64]) -> DivergenceError | None:
        last = [self._start, float(costs[-1])] if len(costs) else [self._start]
        seen = _Seen(self._engine.weights, last, self._engine.overflow)
        try:
            raise_if_diverged(self.job, seen)
        except DivergenceError as error:
            epoch = self.epochs + len(costs) + (seen.overflow is not None)
            return error.but(epoch=epoch)
        return None
