"""The compiled engine: the same training as ``numpy_engine``, by the kernels of ``kernels.py``."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.maths.activations import activation
from backpath.maths.costs import cost_function
from backpath.training import kernels
from backpath.training.job import Array, Job

SOLVER_CODES = {"gd": kernels.GD, "momentum": kernels.MOMENTUM, "adam": kernels.ADAM}
CACHED_BYTES = 24_000  # of working memory, so that it stays in a first-level cache of 32 KB


class CompiledEngine:
    """Trains with the compiled kernels, in chunks; what is published is always whole and finite."""

    def __init__(self, job: Job):
        self.job = job
        self.converged = False
        self.overflow: int | None = None
        self._prepare()

    def _prepare(self) -> None:
        job, network = self.job, self.job.network
        number = network.dtype
        step = kernels.STEP_BYTES // number.itemsize
        rows = sum(network.sizes) + 1 + 2 * sum(network.sizes[1:]) + 3 + network.sizes[-1]
        most = max(step, CACHED_BYTES // number.itemsize // rows // step * step)
        block = min(_up(job.batch_size, step), most, 32 * step)
        narrow = (
            job.batch_size <= 4
            and sum(W.size for W in network.weights) <= 256
            and job.cost.endswith("squared_error")
            and network.activations[-1] != "softmax"
        )
        if narrow:
            block = step = 4
        layers, place, first = [], 0, 0
        for (inputs, neurons), name in zip(itertools.pairwise(network.sizes), network.activations, strict=True):
            turn = not narrow and neurons >= 8 and inputs + 1 >= step / 2
            row = _up(inputs + 1, step if turn else 4)
            turned = place + 2 * neurons * block if turn else -1
            layers.append((inputs, neurons, activation(name).code, first, row, place, place + neurons * block, turned))
            place += (2 * neurons + (row if turn and layers[1:] else 0)) * block
            first += neurons * row
        spare, data = place, place + 3 * block
        laid = not job.shuffle
        per_sample = network.sizes[0] + network.sizes[-1] + 1 + (layers[0][4] if layers[0][-1] >= 0 else 0)
        size = data + per_sample * block
        if laid:
            size = data
            for start in range(0, len(job.X), job.batch_size):
                count = min(job.batch_size, len(job.X) - start)
                size += per_sample * (count // block * block + _up(count % block, step))
        s = job.solver
        fused = s.name == "gd" and job.free is None and not job.l2 and job.batch_size <= block
        self._layers = np.array(layers, np.int64).ravel()
        self._plan = np.array(
            [
                cost_function(job.cost).code,
                SOLVER_CODES[s.name],
                len(layers),
                _up(first, step),
                len(job.X),
                job.batch_size,
                block,
                spare,
                data,
                laid,
                narrow,
                fused,
            ],
            np.int64,
        )
        tol = -1.0 if job.tol is None else job.tol
        self._rates = np.array(
            [s.learning_rate, s.momentum, s.nesterov, s.beta_1, s.beta_2, s.epsilon, job.l2, tol, job.patience],
            np.float64,
        )
        self._b = kernels.buffer(size, number)
        padded = _up(first, kernels.STEP_BYTES // number.itemsize)
        self._w, self._g, self._m, self._v = (kernels.buffer(padded, number) for _ in range(4))
        self._fill(self._w, network.weights)
        self._free = kernels.buffer(0 if job.free is None else padded, number)
        if job.free is not None:
            self._fill(self._free, job.free)
        self._weight = np.ones(0, number) if job.sample_weight is None else job.sample_weight.astype(number)
        self._X, self._Y = job.X.ravel(), job.y.ravel()
        self._orders = job.orders()
        self._still = np.arange(len(job.X))
        self._state = np.array([0.0, np.inf, 0.0, 0.0])
        self.costs: list[float] = []
        if laid:
            kernels.lay_samples_compiled(self._b, self._layers, self._X, self._Y, self._weight, self._still, self._plan)

    def _fill(self, flat: Array, arrays: Iterable[NDArray[Any]]) -> None:
        for rows, W in zip(_rows(flat, self._layers), arrays, strict=True):
            rows[:] = W

    @property
    def weights(self) -> list[Array]:
        return [W.copy() for W in _rows(self._w, self._layers)]

    def run(self, epochs: int) -> None:
        costs = np.empty(epochs)
        orders = np.concatenate([next(self._orders) for _ in range(epochs)]) if self.job.shuffle else self._still
        done = kernels.train_network_compiled(
            self._b,
            self._w,
            self._g,
            self._m,
            self._v,
            self._free,
            self._layers,
            self._X,
            self._Y,
            self._weight,
            orders,
            self._plan,
            self._rates,
            self._state,
            costs,
        )
        self.costs.extend(costs[:done].tolist())
        self.converged = bool(self._state[3])


def _up(count: int, step: int) -> int:
    """The next multiple of ``step``."""
    return -(-count // step) * step


def _rows(flat: Array, layers: NDArray[np.int64]) -> Iterator[Array]:
    """The layers' weights in the flat array, as arrays of the network's shapes."""
    for inputs, neurons, _, place, row, *_ in layers.reshape(-1, kernels.COLUMNS).tolist():
        yield flat[place : place + neurons * row].reshape(neurons, row)[:, : inputs + 1]
