"""Trains many networks one after the other with the NumPy engine, if there are no native kernels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.maths import backprop
from backpath.maths.arrays import Array, Indices
from backpath.training.engines.groups import Standing
from backpath.training.engines.numpy import NumpyEngine
from backpath.training.native import calls
from backpath.training.state import Stateful, put_back, taken


class GivenOrder(Stateful):
    """The given order of the samples for an epoch."""

    _given = ("next",)

    def __init__(self) -> None:
        self.next: NDArray[np.intp] | None = None

    def __next__(self) -> NDArray[np.intp] | None:
        return self.next


class PlainNetworks:
    """Trains many networks like ``Groups`` and ``Each``, but slowly.

    A network has solved the task after the first epoch that begins with all its errors below the limit.
    """

    networks_at_once = 1

    def __init__(self, standing: Standing):
        self.standing, job = standing, standing.job
        self._shapes = [W.shape for W in job.network.weights]
        self._ends = np.cumsum([rows * columns for rows, columns in self._shapes])[:-1]
        size = standing.weights.shape[1]
        self._orders = [GivenOrder() for _ in range(size)]
        self._engines = [self._engine(network, self._orders[network]) for network in range(size)]

    def _engine(self, network: int, order: GivenOrder) -> NumpyEngine:
        s, job = self.standing, self.standing.job
        solver = replace(job.solver, learning_rate=float(s.rates[network]), momentum=float(s.momenta[network]))
        start = job.network.with_finite(self._layers(s.weights[:, network].copy()))
        return NumpyEngine(replace(job, network=start, solver=solver, order=order))

    def _layers(self, flat: Array) -> list[Array]:
        return [W.reshape(shape) for W, shape in zip(np.split(flat, self._ends), self._shapes, strict=True)]

    def train(self, networks: Indices, begin: int, epochs: int, orders: Indices) -> None:
        """Train these networks for some epochs, starting with epoch ``begin``."""
        for network in networks.tolist():
            self._train(network, begin, epochs, orders)

    def _train(self, network: int, begin: int, epochs: int, orders: Indices) -> None:
        s, engine = self.standing, self._engines[network]
        count, status = s.counts[:, network], calls.IS_TRAINING
        for epoch in range(begin, begin + epochs):
            self._note_solved(count, epoch, engine)
            if s.stop_when_solved and count[calls.SOLVED_AFTER] >= 0:
                status = calls.IS_SOLVED
                break
            self._orders[network].next = orders[(epoch - begin) % len(orders)]
            engine.run(1)
            if engine.overflow is not None:
                status = calls.IS_DIVERGED
                break
            count[calls.EPOCHS] = epoch + 1
            if s.every and epoch % s.every == 0:
                s.history[epoch // s.every, network] = engine.costs[-1]
            engine.forget_costs()
            if engine.converged:
                status = calls.IS_CONVERGED
                break
        count[calls.STATUS] = status
        s.weights[:, network] = np.concatenate([W.ravel() for W in engine.weights])

    def _note_solved(self, count: NDArray[np.int64], epoch: int, engine: NumpyEngine) -> None:
        if count[calls.SOLVED_AFTER] < 0 and self._worst(engine) < self.standing.solved_error:
            count[calls.SOLVED_AFTER] = epoch

    def _outputs(self, engine: NumpyEngine) -> tuple[Array, Array]:
        job = engine.job
        with np.errstate(over="ignore", invalid="ignore"):
            u, a = backprop.forward(engine.weights, job.network.activations, job.X)
        return u[-1], a[-1]

    def _worst(self, engine: NumpyEngine) -> float:
        return float(np.abs(self._outputs(engine)[1] - engine.job.y).max())

    def measure(self, networks: Indices) -> None:
        """The current cost and largest error of these networks."""
        for network in networks.tolist():
            engine = self._engines[network]
            job, (u, A) = engine.job, self._outputs(engine)
            self.standing.numbers[calls.COST, network] = backprop.batch_cost(job.cost, u, A, job.y)
            self.standing.numbers[calls.WORST, network] = np.abs(A - job.y).max()

    def conclude(self) -> None:
        """Nothing: the state always has the current weights."""

    def state(self) -> dict[str, Any]:
        s = self.standing
        known = {"weights": s.weights, "numbers": s.numbers, "counts": s.counts, "history": s.history}
        return {**{name: array.copy() for name, array in known.items()}, "engines": taken(self._engines)}

    def restore(self, state: dict[str, Any]) -> None:
        s = self.standing
        for name, array in (("weights", s.weights), ("numbers", s.numbers), ("counts", s.counts)):
            array[...] = put_back(array, state[name])
        kept = min(len(s.history), len(state["history"]))
        s.history[:kept] = state["history"][:kept]
        put_back(self._engines, state["engines"])
