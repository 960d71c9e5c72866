"""The compiled engine: the training of ``engines.numpy`` done by the native kernels."""

from __future__ import annotations

import ctypes
import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.maths.activations import activation
from backpath.maths.costs import cost_function
from backpath.training.job import Array, Job, Memory
from backpath.training.native.calls import SOLVERS, STEP_BYTES, Plan, Settings, State, Training
from backpath.training.native.library import address, buffer, kernels

CACHED_BYTES = 200_000  # of the rows that a block of samples works with: they stay in the processor's cache
MOST_STEPS = 32  # of a block
NARROW_LANES, NARROW_WEIGHTS = 4, 256
TRANSPOSED_NEURONS = 8  # from as many on, transposing a layer's inputs costs less than it saves
ORDERS_AT_ONCE = 2**20  # numbers

COPIES = {"gd": 1, "momentum": 2, "adam": 3}  # of the weights' room: w; w, m; w, m, v

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """Where everything is in the kernels' flat buffers.

    Attributes
    ----------
    layers : int64 array (layers, columns of ``calls.LAYER``)
    weights, numbers : int
        How long the buffer of the weights is, and that of the rows.
    plan : Plan
        What the kernels are to do.
    """

    layers: Indices
    weights: int
    numbers: int
    plan: Plan

    def rows(self, flat: Array) -> Iterator[Array]:
        """The layers' weights in a flat array, as arrays of the network's shapes."""
        for inputs, neurons, _, place, row, *_ in self.layers.tolist():
            yield flat[place : place + neurons * row].reshape(neurons, row)[:, : inputs + 1]

    def flat(self, arrays: Iterable[NDArray[Any]], dtype: np.dtype[Any], copies: int = 1) -> Array:
        """Arrays of the network's shapes as one flat array, with room for as much again behind it."""
        flat: Array = buffer(copies * self.weights, dtype)
        for rows, W in zip(self.rows(flat), arrays, strict=True):
            rows[:] = W
        return flat


def lay_out(job: Job) -> Layout:
    network, solver = job.network, job.solver.name
    plain = solver == "gd" and job.free is None and not job.l2 and job.clip_norm is None
    batches = (len(job.X), job.batch_size, not job.shuffle)
    return _lay_out(network.sizes, network.activations, network.dtype.itemsize, job.cost, solver, *batches, plain)


@lru_cache(maxsize=64)
def _lay_out(
    sizes: tuple[int, ...],
    activations: tuple[str, ...],
    itemsize: int,
    cost: str,
    solver: str,
    samples: int,
    batch: int,
    laid: bool,
    plain: bool,
) -> Layout:
    few = sum(rows * (inputs + 1) for inputs, rows in itertools.pairwise(sizes)) <= NARROW_WEIGHTS
    squared = cost.endswith("squared_error") and activations[-1] != "softmax"
    narrow = few and batch <= NARROW_LANES and squared
    step = STEP_BYTES // itemsize
    unit = NARROW_LANES if narrow else step
    most = CACHED_BYTES // (3 * sum(sizes) * itemsize) // unit * unit
    block = min(_up(batch, unit), max(most, 2 * unit), MOST_STEPS * unit)  # samples that go through at a time
    layers, place, weights = [], 0, 0
    for (inputs, neurons), name in zip(itertools.pairwise(sizes), activations, strict=True):
        transposed = not narrow and neurons >= TRANSPOSED_NEURONS and inputs + 1 >= step / 2
        row = _up(inputs + 1, step if transposed else 4)
        deltas = place + neurons * block
        end = deltas + neurons * block
        layers.append((inputs, neurons, activation(name).code, weights, row, place, deltas, end if transposed else -1))
        place = end + (row * block if transposed else 0)
        weights += neurons * row
    spare, data = place, place + 3 * block
    per_lane = sizes[0] + sizes[-1] + 1 + (layers[0][4] if layers[0][-1] >= 0 else 0)
    numbers = data + per_lane * (_lanes(samples, batch, block, unit) if laid else block)
    weights = _up(weights, step)
    fused = plain and batch <= block
    codes = (cost_function(cost).code, SOLVERS[solver])
    plan = Plan(*codes, len(layers), weights, samples, batch, block, spare, data, laid, narrow, fused)
    return Layout(np.array(layers, np.int64), weights, numbers, plan)


def _lanes(samples: int, batch: int, block: int, unit: int) -> int:
    """Lanes of all samples together: each batch is filled up to a multiple of ``unit``."""
    whole, rest = divmod(samples, batch)
    return sum(n * (size // block * block + _up(size % block, unit)) for n, size in ((whole, batch), (1, rest)))


def _up(count: int, unit: int) -> int:
    """The next multiple of ``unit``."""
    return -(-count // unit) * unit


@dataclass(frozen=True)
class Checkpoint:
    """What training has come to: never written to again.

    Attributes
    ----------
    flat : array
        The weights w, then what the solver remembers of each: m and v.
    state : State
        What the kernel goes on with.
    epochs : int
    """

    flat: Array
    state: State
    epochs: int

    def copy(self) -> Checkpoint:
        flat: Array = buffer(len(self.flat), self.flat.dtype)
        flat[:] = self.flat
        return Checkpoint(flat, self.state.copy(), self.epochs)


class CompiledEngine:
    """Trains with the native kernels.

    They look at the end of a call only whether the weights are finite. Where they are not, the way there is gone again
    from the last point known to be good, in halves, until the epoch is found: so the check costs nothing while all is
    well, and an interrupt always finds a whole set of weights.
    """

    bayesian = None

    def __init__(self, job: Job):
        self.job, self.layout = job, lay_out(job)
        self._kernels = kernels(job.network.dtype)
        self.overflow: int | None = None
        number, s = job.network.dtype, job.solver
        room = buffer(self.layout.weights + self.layout.numbers, number)
        self._g, self._b = room[: self.layout.weights], room[self.layout.weights :]
        flat = self.layout.flat(job.network.weights, number, COPIES[s.name])
        self._now = Checkpoint(flat, State(best=math.inf), 0)
        if job.memory is not None:
            self._remember(job.memory)
        tol = -1.0 if job.tol is None else job.tol
        rates = (s.learning_rate, s.momentum, s.nesterov, s.beta_1, s.beta_2, s.epsilon, job.l2, tol, job.patience)
        self._settings = Settings(*rates, job.cost_share, job.clip_norm or 0.0)
        self._training = self._pointers()
        self._orders = job.orders()
        self._in_order = np.arange(len(job.X))
        self._costs = np.empty(64)
        if not job.shuffle:
            self._kernels.lay_samples(ctypes.addressof(self._training), address(self._in_order, np.int64, len(job.X)))

    def _pointers(self) -> Training:
        job, layout, number = self.job, self.layout, self.job.network.dtype
        samples, free, weight = len(job.X), None, None
        if job.free is not None:
            free = layout.flat(job.free, number)
        if job.sample_weight is not None:
            weight = np.ascontiguousarray(job.sample_weight, number)
        X, Y = np.ascontiguousarray(job.X), np.ascontiguousarray(job.y)
        self._kept = free, weight, X, Y  # as long as their addresses are used
        return Training(
            ctypes.addressof(layout.plan),
            ctypes.addressof(self._settings),
            address(layout.layers, np.int64, layout.layers.size),
            address(self._b, number, layout.numbers),
            address(self._g, number, layout.weights),
            None if free is None else address(free, number, layout.weights),
            address(X, number, samples * job.network.sizes[0]),
            address(Y, number, samples * job.network.sizes[-1]),
            None if weight is None else address(weight, number, samples),
        )

    def _remember(self, memory: Memory) -> None:
        flat, n, state = self._now.flat, self.layout.weights, self._now.state
        for k, arrays in zip(range(n, len(flat), n), (memory.m, memory.v), strict=False):
            for rows, kept in zip(self.layout.rows(flat[k : k + n]), arrays, strict=True):
                rows[:] = kept
        state.updates, state.best, state.waited = memory.updates, memory.best, memory.waited

    @property
    def memory(self) -> Memory:
        flat, state, n = self._now.flat, self._now.state, self.layout.weights
        places = [k if k < len(flat) else 0 for k in (n, 2 * n)]
        m, v = ([W.copy() if k else np.zeros_like(W) for W in self.layout.rows(flat[k : k + n])] for k in places)
        return Memory(int(state.updates), m, v, state.best, int(state.waited))

    def change_rate(self, learning_rate: float) -> None:
        self._settings.learning_rate = learning_rate
        if self.converged:
            self._now = self._now.copy()
            self._now.state.waited = self._now.state.converged = 0

    def _train(self, checkpoint: Checkpoint, orders: Indices, costs: NDArray[np.float64]) -> int:
        """Train on in place, an epoch for each place in ``costs``; gives the epochs done."""
        flat, epochs, samples = checkpoint.flat, len(costs), len(self.job.X)
        ordered = samples * epochs if len(orders) > samples else samples
        done: int = self._kernels.train(
            ctypes.addressof(self._training),
            address(flat, self.job.network.dtype, COPIES[self.job.solver.name] * self.layout.weights),
            ctypes.addressof(checkpoint.state),
            address(orders, np.int64, ordered),
            ordered,
            epochs,
            address(costs, np.float64, epochs),
        )
        return done

    @property
    def weights(self) -> list[Array]:
        return [W.copy() for W in self.layout.rows(self._now.flat)]

    @property
    def costs(self) -> NDArray[np.float64]:
        return self._costs[: self._now.epochs]

    @property
    def converged(self) -> bool:
        return bool(self._now.state.converged)

    def cost_and_gradient(self, weights: list[Array]) -> tuple[float, list[Array]]:
        flat = self.layout.flat(weights, self.job.network.dtype, COPIES[self.job.solver.name])
        cost = np.empty(1)
        self._train(Checkpoint(flat, State(best=math.inf), 0), self._in_order, cost)  # an epoch leaves its gradient
        return float(cost[0]), [g.copy() for g in self.layout.rows(self._g)]

    def run(self, epochs: int) -> None:
        most = max(1, ORDERS_AT_ONCE // len(self.job.X)) if self.job.shuffle else epochs
        while epochs > 0 and not self.converged and self.overflow is None:
            count, before = min(most, epochs), self._now.epochs
            orders = self._in_order
            if self.job.shuffle:
                orders = np.concatenate(list(itertools.islice(self._orders, count)))
            self._run(orders, count)
            epochs -= count
            if self.job.shuffle:  # those left over, if it converged, are for whoever goes on
                left = orders[(self._now.epochs - before) * len(self.job.X) :].reshape(-1, len(self.job.X))
                self._orders = itertools.chain(left, self._orders)

    def forget_costs(self) -> None:
        """Begin ``costs`` anew, for whoever has kept those so far: a run without an end does not fill the memory."""
        self._now, self._costs = replace(self._now, epochs=0), np.empty(64)

    def _run(self, orders: Indices, epochs: int) -> None:
        if self._go(orders, epochs):
            return
        good, bad = 0, epochs
        while bad - good > 1:
            half = (bad - good) // 2
            if self._go(orders[good * len(self.job.X) :] if self.job.shuffle else orders, half):
                good += half
            else:
                bad = good + half
        after = self._now.copy()
        self._train(after, orders[good * len(self.job.X) :] if self.job.shuffle else orders, np.empty(1))
        self.overflow = _overflow(self.layout.rows(after.flat))

    def _go(self, orders: Indices, epochs: int) -> bool:
        """Go on for some epochs, unless that leads to numbers that are not finite; says whether it did not."""
        before, after = self._now, self._now.copy()
        costs = self._room_for_costs(epochs)
        done = self._train(after, orders[: epochs * len(self.job.X)], costs)
        if not (math.isfinite(costs[done - 1]) and after.state.finite):
            return False
        self._now = Checkpoint(after.flat, after.state, before.epochs + done)
        return True

    def _room_for_costs(self, epochs: int) -> NDArray[np.float64]:
        """Where the costs of the next epochs go."""
        done = self._now.epochs
        if done + epochs > len(self._costs):
            larger = np.empty(max(done + epochs, 2 * len(self._costs)))
            larger[:done] = self.costs
            self._costs = larger
        return self._costs[done : done + epochs]


def _overflow(weights: Iterable[Array]) -> int:
    """The first layer whose weights are not finite, 0 if they all are."""
    return next((layer for layer, W in enumerate(weights, 1) if not np.isfinite(W).all()), 0)
