"""Distinguishes failed training from training with a poor result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from backpath.errors import DivergenceError
from backpath.maths import backprop
from backpath.maths.activations import activation
from backpath.maths.arrays import Array
from backpath.maths.samples import large_parts
from backpath.training.job import Job
from backpath.training.prediction import outputs

FAR_WORSE = 100  # relative to the cost of the constant output σ(0); noise in a good run does not reach it
STUCK = 1e-9  # if no gradient is larger, the network is too saturated to move
_SAMPLES, FEW_SAMPLES = 1000, 100  # enough to compare with
PRODUCTS = 2e7  # at most about this many, to compute the initial cost of a large network


class RunState(Protocol):
    """The attributes of a run that are checked; engines have them (see ``training.job.Engine``)."""

    @property
    def weights(self) -> list[Array]: ...
    @property
    def costs(self) -> Sequence[float] | NDArray[np.float64]: ...
    @property
    def overflow(self) -> int | None: ...


def raise_if_diverged(job: Job, engine: RunState) -> None:
    """Raise the error if the run diverged."""
    error = divergence(job, engine)
    if error is not None:
        raise error


def divergence(job: Job, engine: RunState) -> DivergenceError | None:
    """The problem of a run: numbers that are not finite, or a cost that only rose.

    Saturated activations keep all numbers finite with any learning rate. Then the cost decides, if it is above the
    initial one: the run has failed if the cost is far above that of the constant output σ(0), or no longer changes.
    """
    costs = engine.costs
    epochs = len(costs)
    last = float(costs[-1]) if epochs else None
    if engine.overflow is not None:
        lm = job.solver.name == "lm"  # its steps always lower the cost
        epoch, layer = (max(epochs, 1), None) if lm else (epochs + 1, engine.overflow or None)
        return DivergenceError(epoch, layer, last, job.reached(engine.weights), advice(job))
    if last is None or last <= (start := _cost_at_start(job, engine)):
        return None
    far = last > FAR_WORSE * _cost_of_zero(job)
    if far or _is_stuck(job, engine):
        return DivergenceError(epochs, None, last, job.reached(engine.weights), advice(job), start, stuck=not far)
    return None


def advice(job: Job, has_rate: bool = True) -> str:
    """Advice after failed training."""
    ways = ["try a smaller learning rate"] if has_rate and job.solver.name != "lm" else []
    if large := large_parts(job.X, job.y):
        ways.append(f"standardise the {large}")
    if job.solver.name == "lm":
        return f"no step can be computed from its weights; {', or '.join([*ways, 'start elsewhere'])}"
    return ", or ".join(ways or ["start from other weights"])


def is_good(job: Job, engine: RunState) -> bool:
    """Whether a run is worth resuming from its present state; a quick check of its weights, because their cost is not
    known before the next epoch."""
    if engine.overflow is not None:
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        cost, cost_of_zero = _cost_of(job, engine.weights, FEW_SAMPLES), _cost_of_zero(job)
    return bool(cost <= cost_of_zero or (cost <= FAR_WORSE * cost_of_zero and not _is_stuck(job, engine)))


def _cost_at_start(job: Job, engine: RunState) -> float:
    if job.batch_size >= len(job.y):
        return engine.costs[0]  # taken before the first update
    some = int(max(FEW_SAMPLES, min(_SAMPLES, PRODUCTS / sum(W.size for W in job.network.weights))))
    with np.errstate(over="ignore", invalid="ignore"):
        cost = _cost_of(job, job.network.weights, some)
    if not job.l2:
        return cost
    weight = job.sample_weight if job.sample_weight is not None else np.ones(len(job.y))
    batches = -(-len(job.y) // job.batch_size)  # each divides the penalty by the weight of its samples
    squares = sum(float((W[:, :-1].astype(np.float64) ** 2).sum()) for W in job.network.weights)
    return cost + job.l2 / 2 * squares * batches / float(weight.sum(dtype=np.float64))


def _cost_of(job: Job, weights: Sequence[Array], samples: int) -> float:
    """The cost of the first samples with these weights."""
    return _weighted_cost(job, *outputs(weights, job.network.activations, job.X[:samples]))


def _cost_of_zero(job: Job) -> float:
    """The cost of a network whose weights are all 0."""
    u = np.zeros_like(job.y[:_SAMPLES])
    return _weighted_cost(job, u, activation(job.network.activations[-1]).value(u))


def _weighted_cost(job: Job, u: Array, A: Array) -> float:
    """The cost of the first samples' outputs, without the penalty; of all samples if the first ones have no weight."""
    weight = None if job.sample_weight is None else job.sample_weight[: len(A)]
    if weight is not None and not weight.any():
        weight = None
    return job.cost_share * backprop.batch_cost(job.cost, u, A, job.y[: len(A)], weight)


def _is_stuck(job: Job, engine: RunState) -> bool:
    weights, activations = engine.weights, job.network.activations
    u, a = backprop.forward(weights, activations, job.X[:_SAMPLES])
    gradient = backprop.gradients(backprop.deltas(weights, activations, job.cost, u, a, job.y[:_SAMPLES]), a)
    return all(np.abs(G if job.biases else G[:, :-1]).max() < STUCK for G in gradient)
