"""The compiled engine: the training of ``numpy_engine`` done by the kernels of ``kernels.py``."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.maths.activations import activation
from backpath.maths.costs import cost_function
from backpath.training import kernels
from backpath.training.job import Array, Job
from backpath.training.kernel_cache import told

SOLVER_CODES = {"gd": kernels.GD, "momentum": kernels.MOMENTUM, "adam": kernels.ADAM}
CACHED_BYTES = 200_000  # of the rows that a block of samples works with: they stay in the processor's cache
MOST_STEPS = 32  # of a block
NARROW_LANES, NARROW_WEIGHTS = 4, 256
TURNED_NEURONS = 8  # from as many on, turning a layer's inputs costs less than it saves
ORDERS_AT_ONCE = 2**20  # numbers

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """Where everything is in the kernels' flat buffers.

    Attributes
    ----------
    layers : int64 array (layers, kernels.COLUMNS)
    weights, numbers : int
        How long the buffer of the weights is, and that of the rows.
    plan : int64 array
        What `kernels.train_network` is to do.
    """

    layers: Numbers
    weights: int
    numbers: int
    plan: Numbers

    def rows(self, flat: Array) -> Iterator[Array]:
        """The layers' weights in a flat array, as arrays of the network's shapes."""
        for inputs, neurons, _, place, row, *_ in self.layers.tolist():
            yield flat[place : place + neurons * row].reshape(neurons, row)[:, : inputs + 1]

    def flat(self, arrays: Iterable[NDArray[Any]], dtype: np.dtype[Any]) -> Array:
        """Arrays of the network's shapes as one flat array."""
        flat: Array = kernels.buffer(self.weights, dtype)
        for rows, W in zip(self.rows(flat), arrays, strict=True):
            rows[:] = W
        return flat


def lay_out(job: Job) -> Layout:
    sizes, itemsize = job.network.sizes, job.network.dtype.itemsize
    step = kernels.STEP_BYTES // itemsize
    narrow = _is_narrow(job)
    unit = NARROW_LANES if narrow else step
    block = _block(job, unit)
    layers, place, weights = [], 0, 0
    for (inputs, neurons), name in zip(itertools.pairwise(sizes), job.network.activations, strict=True):
        turned = not narrow and neurons >= TURNED_NEURONS and inputs + 1 >= step / 2
        row = _up(inputs + 1, step if turned else 4)
        deltas = place + neurons * block
        end = deltas + neurons * block
        layers.append((inputs, neurons, activation(name).code, weights, row, place, deltas, end if turned else -1))
        place = end + (row * block if turned else 0)
        weights += neurons * row
    spare, data = place, place + 3 * block
    per_lane = sizes[0] + sizes[-1] + 1 + (layers[0][4] if layers[0][-1] >= 0 else 0)
    laid = not job.shuffle
    numbers = data + per_lane * (_lanes(job, block, unit) if laid else block)
    gd = job.solver.name == "gd"
    fused = gd and job.free is None and not job.l2 and job.batch_size <= block
    code, solver, samples = cost_function(job.cost).code, SOLVER_CODES[job.solver.name], len(job.X)
    weights = _up(weights, step)
    plan = (code, solver, len(layers), weights, samples, job.batch_size, block, spare, data, laid, narrow, fused)
    return Layout(np.array(layers, np.int64), weights, numbers, np.array(plan, np.int64))


def _is_narrow(job: Job) -> bool:
    """Whether `kernels._narrow` does this job's batches."""
    few = sum(W.size for W in job.network.weights) <= NARROW_WEIGHTS and job.batch_size <= NARROW_LANES
    return few and job.cost.endswith("squared_error") and job.network.activations[-1] != "softmax"


def _block(job: Job, unit: int) -> int:
    """How many samples go through the network at a time."""
    rows = sum(job.network.sizes) * 3
    most = CACHED_BYTES // (rows * job.network.dtype.itemsize) // unit * unit
    return min(_up(job.batch_size, unit), max(most, 2 * unit), MOST_STEPS * unit)


def _lanes(job: Job, block: int, unit: int) -> int:
    """Lanes of all samples together: each batch is filled up to a multiple of ``unit``."""
    whole, rest = divmod(len(job.X), job.batch_size)
    return sum(
        n * (size // block * block + _up(size % block, unit)) for n, size in ((whole, job.batch_size), (1, rest))
    )


def _up(count: int, unit: int) -> int:
    """The next multiple of ``unit``."""
    return -(-count // unit) * unit


@dataclass(frozen=True)
class Reached:
    """What training has come to: never written to again. ``state`` is what `kernels.train_network` goes on with."""

    w: Array
    m: Array
    v: Array
    state: NDArray[np.float64]
    epochs: int

    def copy(self) -> Reached:
        return Reached(_copy(self.w), _copy(self.m), _copy(self.v), self.state.copy(), self.epochs)


def _copy(flat: Array) -> Array:
    new: Array = kernels.buffer(len(flat), flat.dtype)
    new[:] = flat
    return new


class CompiledEngine:
    """Trains with the compiled kernels.

    They run without looking whether the weights stay finite. Where they did not, the way there is gone again from the
    last point known to be good, in halves, until the epoch is found: so the check costs nothing while all is well, and
    an interrupt always finds a whole set of weights.
    """

    def __init__(self, job: Job, announce: bool = False):
        self.job, self.layout = job, lay_out(job)
        self.overflow: int | None = None
        number, solver = job.network.dtype, job.solver
        self._b, self._g = (kernels.buffer(n, number) for n in (self.layout.numbers, self.layout.weights))
        m, v = (kernels.buffer(self.layout.weights if solver.name in names else 0, number) for names in MEMORY)
        state = np.array([0.0, math.inf, 0.0, 0.0])
        self._reached = Reached(self.layout.flat(job.network.weights, number), m, v, state, 0)
        free = job.free
        self._free = kernels.buffer(0, number) if free is None else self.layout.flat(free, number)
        tol = -1.0 if job.tol is None else job.tol
        s = solver
        rates = (s.learning_rate, s.momentum, s.nesterov, s.beta_1, s.beta_2, s.epsilon, job.l2, tol, job.patience)
        self._rates = np.array(rates, np.float64)
        weight = np.zeros(0, number) if job.sample_weight is None else job.sample_weight.astype(number)
        self._samples = (np.ascontiguousarray(job.X).ravel(), np.ascontiguousarray(job.y).ravel(), weight)
        self._orders = job.orders()
        self._in_order = np.arange(len(job.X))
        self._costs = np.empty(64)
        with told(announce):
            self._prepare()

    def _prepare(self) -> None:
        """Lay the samples, and have the kernels compiled."""
        plan, layers = self.layout.plan, self.layout.layers.ravel()
        if not self.job.shuffle:
            kernels.lay_samples_compiled(self._b, layers, *self._samples, self._in_order, plan)
        self._train(self._reached, self._in_order, np.empty(0))

    def _train(self, reached: Reached, orders: Numbers, costs: NDArray[np.float64]) -> int:
        r = reached
        buffers = (self._b, r.w, self._g, r.m, r.v, self._free)
        data = (self.layout.layers.ravel(), *self._samples, orders)
        return kernels.train_network_compiled(*buffers, *data, self.layout.plan, self._rates, r.state, costs)

    @property
    def weights(self) -> list[Array]:
        return [W.copy() for W in self.layout.rows(self._reached.w)]

    @property
    def costs(self) -> NDArray[np.float64]:
        return self._costs[: self._reached.epochs]

    @property
    def converged(self) -> bool:
        return bool(self._reached.state[kernels.CONVERGED])

    def run(self, epochs: int) -> None:
        most = max(1, ORDERS_AT_ONCE // len(self.job.X)) if self.job.shuffle else epochs
        while epochs > 0 and not self.converged and self.overflow is None:
            count = min(most, epochs)
            orders = self._in_order
            if self.job.shuffle:
                orders = np.concatenate(list(itertools.islice(self._orders, count)))
            self._run(orders, count)
            epochs -= count

    def _run(self, orders: Numbers, epochs: int) -> None:
        if self._go(orders, epochs):
            return
        good, bad = 0, epochs
        while bad - good > 1:
            half = (bad - good) // 2
            if self._go(orders[good * len(self.job.X) :] if self.job.shuffle else orders, half):
                good += half
            else:
                bad = good + half
        after = self._reached.copy()
        self._train(after, orders[good * len(self.job.X) :] if self.job.shuffle else orders, np.empty(1))
        self.overflow = _overflow(self.layout.rows(after.w))

    def _go(self, orders: Numbers, epochs: int) -> bool:
        """Go on for some epochs, unless that leads to numbers that are not finite; says whether it did not."""
        before, costs = self._reached, np.empty(epochs)
        after = before.copy()
        done = self._train(after, orders[: epochs * len(self.job.X)], costs)
        if not (math.isfinite(costs[done - 1]) and np.isfinite(after.w).all()):
            return False
        total = before.epochs + done
        if total > len(self._costs):
            larger = np.empty(max(total, 2 * len(self._costs)))
            larger[: before.epochs] = self.costs
            self._costs = larger
        self._costs[before.epochs : total] = costs[:done]
        self._reached = Reached(after.w, after.m, after.v, after.state, total)
        return True


MEMORY = (("momentum", "adam"), ("adam",))  # the solvers that need m, v


def _overflow(weights: Iterable[Array]) -> int:
    """The first layer whose weights are not finite, 0 if they all are."""
    return next((layer for layer, W in enumerate(weights, 1) if not np.isfinite(W).all()), 0)
