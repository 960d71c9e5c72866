"""The NumPy engine, which is the reference: the notes' formulas from ``maths.backprop``, update after update."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from backpath.maths import backprop
from backpath.maths.arrays import Array
from backpath.training.engines.dropout import Dropout
from backpath.training.job import Convergence, Job, Solver, SolverState
from backpath.training.state import Stateful


class Propagation(Protocol):
    """The two passes of ``maths.backprop``, or those with `Dropout`."""

    def forward(
        self, weights: Sequence[Array], activations: Sequence[str], X: Array
    ) -> tuple[list[Array], list[Array]]: ...

    def deltas(
        self,
        weights: Sequence[Array],
        activations: Sequence[str],
        cost: str,
        u: Sequence[Array],
        a: Sequence[Array],
        y: Array,
    ) -> list[Array]: ...


class Updates(Stateful):
    """A solver with its state between updates."""

    _given = ("solver",)

    def __init__(self, solver: Solver, weights: Sequence[Array], solver_state: SolverState | None):
        self.solver = solver
        self.t = solver_state.updates if solver_state else 0
        self.m = solver_state.m if solver_state else [np.zeros_like(W) for W in weights]  # momentum's v, Adam's m
        self.v = solver_state.v if solver_state else [np.zeros_like(W) for W in weights]

    def __call__(self, weights: Sequence[Array], gradient: Sequence[Array]) -> list[Array]:
        self.t += 1
        return {"gd": self._gd, "momentum": self._momentum, "adam": self._adam}[self.solver.name](weights, gradient)

    def is_finite(self) -> bool:
        return all(np.isfinite(array).all() for array in (*self.m, *self.v))

    def _gd(self, weights: Sequence[Array], gradient: Sequence[Array]) -> list[Array]:
        return backprop.update(weights, gradient, self.solver.learning_rate)

    def _momentum(self, weights: Sequence[Array], gradient: Sequence[Array]) -> list[Array]:
        mu, eta = self.solver.momentum, self.solver.learning_rate
        self.m = [mu * v - eta * g for v, g in zip(self.m, gradient, strict=True)]
        if self.solver.nesterov:
            return [W + mu * v - eta * g for W, v, g in zip(weights, self.m, gradient, strict=True)]
        return [W + v for W, v in zip(weights, self.m, strict=True)]

    def _adam(self, weights: Sequence[Array], gradient: Sequence[Array]) -> list[Array]:
        s = self.solver
        self.m = [s.beta_1 * m + (1 - s.beta_1) * g for m, g in zip(self.m, gradient, strict=True)]
        self.v = [s.beta_2 * v + (1 - s.beta_2) * (g * g) for v, g in zip(self.v, gradient, strict=True)]
        rate = s.learning_rate * math.sqrt(1 - s.beta_2**self.t) / (1 - s.beta_1**self.t)
        kept = 1 - s.learning_rate * s.decay
        shrunk = (
            [W * np.append(np.full(W.shape[1] - 1, kept), 1).astype(W.dtype) for W in weights] if s.decay else weights
        )
        return [W - rate * m / (np.sqrt(v) + s.epsilon) for W, m, v in zip(shrunk, self.m, self.v, strict=True)]


class NumpyEngine(Stateful):
    """Trains with NumPy. Every update makes new arrays, so the weights are consistent at any interrupt.

    Attributes
    ----------
    at_once : float
        Seconds after which `run` returns within an epoch, between two updates.
    """

    bayesian = None
    _given: ClassVar[tuple[str, ...]] = ("job", "_pass", "at_once", "_order", "_drawn_from", "_is_drawn")

    def __init__(self, job: Job):
        self.job = job
        self.weights: list[Array] = list(job.network.weights)
        self.costs: list[float] = []
        self.converged = False
        self.overflow: int | None = None
        self._updates = Updates(job.solver, self.weights, job.solver_state)
        self._orders = job.orders()
        self._convergence = Convergence(job.tol, job.patience, job.solver_state)
        self._dropout = Dropout(job.dropout, job.seed) if job.dropout else None
        self._pass: Propagation = self._dropout or backprop
        self.at_once = math.inf
        self._start, self._total, self._before = 0, 0.0, self.weights  # in an epoch: position, costs, initial weights
        self._order: NDArray[np.intp] | None = None
        self._drawn_from: dict[str, Any] | None = None  # the state that the order of the current epoch is drawn from
        self._is_drawn = False

    def state(self) -> dict[str, Any]:
        return super().state() | ({} if self._drawn_from is None else {"_orders": self._drawn_from})

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self._is_drawn = False

    @property
    def solver_state(self) -> SolverState:
        updates, c = self._updates, self._convergence
        return SolverState(updates.t, updates.m, updates.v, c.best, c.waited)

    def change_rate(self, learning_rate: float) -> None:
        self._updates.solver = replace(self._updates.solver, learning_rate=learning_rate)
        if self.converged:
            self.converged, self._convergence.waited = False, 0

    def cost_and_gradient(self, weights: list[Array]) -> tuple[float, list[Array]]:
        X, y, weight = self.job.X, self.job.y, self.job.sample_weight
        return cost_and_gradient(self.job, weights, X, y, np.ones(len(y), X.dtype) if weight is None else weight)

    def run(self, epochs: int) -> None:
        until = time.perf_counter() + self.at_once
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(epochs):
                if not self._to_its_end(until):
                    return
                cost, self._start = self._total / len(self.job.y), 0
                self.overflow = _overflow(cost if self._updates.is_finite() else math.nan, self.weights)
                if self.overflow is not None:
                    self.weights = self._before
                    return
                self.costs.append(cost)
                self.converged = self._convergence.reached(cost)
                if self.converged:
                    return

    def forget_costs(self) -> None:
        """Empty ``costs``, for callers that train endlessly and keep the costs themselves."""
        self.costs = []

    def _to_its_end(self, until: float) -> bool:
        """Begin or continue an epoch; False if the time is over before its end."""
        job, samples = self.job, len(self.job.y)
        if self._start == 0:
            self._total, self._before, self._is_drawn = 0.0, self.weights, False
        if not self._is_drawn:
            self._drawn_from = self._orders.state() if self.at_once < math.inf else None
            self._order, self._is_drawn = next(self._orders), True
        while self._start < samples:
            batch: slice | NDArray[np.intp] = slice(self._start, self._start + job.batch_size)
            cost, gradient, count = self._of_batch(batch if self._order is None else self._order[batch])
            self._step(gradient)
            self._total += cost * count
            self._start += job.batch_size
            if self._start < samples and time.perf_counter() > until:
                return False
        self._drawn_from = None
        return True

    def _of_batch(self, rows: slice | NDArray[np.intp]) -> tuple[float, list[Array], int]:
        """The cost of these samples, its gradient, and the number of samples."""
        job = self.job
        X, y = job.X[rows], job.y[rows]
        share = np.ones(len(y), X.dtype) if job.sample_weight is None else job.sample_weight[rows]
        return *cost_and_gradient(job, self.weights, X, y, share, self._pass), len(y)

    def _step(self, gradient: list[Array]) -> None:
        """One update."""
        job = self.job
        if job.clip_norm is not None:
            norm = math.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradient))
            gradient = [g * g.dtype.type(min(1.0, job.clip_norm / norm)) for g in gradient] if norm else gradient
        updated = self._updates(self.weights, gradient)
        if job.free is not None:
            updated = [np.where(f, new, W) for f, new, W in zip(job.free, updated, self.weights, strict=True)]
        self.weights = updated


def cost_and_gradient(
    job: Job, weights: Sequence[Array], X: Array, y: Array, share: Array, way: Propagation = backprop
) -> tuple[float, list[Array]]:
    """The function that a job minimises, and its gradient: the cost of a batch, whose samples have the weights
    ``share``, plus the penalty."""
    activations, whole = job.network.activations, float(share.sum())
    if not whole:
        return 0.0, [np.zeros_like(W) for W in weights]
    u, a = way.forward(weights, activations, X)
    delta = way.deltas(weights, activations, job.cost, u, a, y)
    weighted = job.sample_weight is not None
    if weighted:
        delta = [d * (share / share.mean())[:, None] for d in delta]
    gradient = backprop.gradients(delta, a)
    cost = job.cost_share * backprop.batch_cost(job.cost, u[-1], a[-1], y, share if weighted else None)
    if job.l2:
        decay = job.l2 / whole
        cost += decay / 2 * sum(float((W[:, :-1] ** 2).sum()) for W in weights)
        for g, W in zip(gradient, weights, strict=True):
            g[:, :-1] += decay * W[:, :-1]
    return cost, gradient


def _overflow(cost: float, weights: Sequence[Array]) -> int | None:
    """The first layer whose weights are not finite, 0 if only the cost is not, None if all is well."""
    for layer, W in enumerate(weights, 1):
        if not np.isfinite(W).all():
            return layer
    return None if math.isfinite(cost) else 0
