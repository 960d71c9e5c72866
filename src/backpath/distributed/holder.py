"""The part of a worker: holds blocks of samples, and returns sums over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from backpath.errors import InputError
from backpath.maths.arrays import Array, Floats, Indices
from backpath.maths.network import Network
from backpath.training.engines import start_descent
from backpath.training.engines.normal_equations import NormalEquations, single_threaded
from backpath.training.engines.numpy import cost_and_gradient
from backpath.training.fingerprints import fingerprint
from backpath.training.job import Descent, Job, Solver

SampleBlock = tuple[Array, Array]
Sums = tuple[float, float, list[Array]]  # total weight of the samples, and the sums of the cost and of its gradient


class Holder:
    """A Dask actor with blocks of samples, by their numbers.

    Results are by block, so that they are always added in the same order.
    """

    def __init__(self, blocks: Mapping[int, Any], read: Callable[[Any], SampleBlock]):
        self.blocks: dict[int, SampleBlock] = {}
        for number, block in blocks.items():
            X, y = read(block)
            X, y = np.asarray(X), np.asarray(y)
            self.blocks[number] = np.ascontiguousarray(X), np.ascontiguousarray(y.reshape(len(y), -1))
        self.jobs: dict[int, Job] = {}
        self._engines: dict[int, Descent] = {}
        self._equations: dict[int, NormalEquations] = {}

    def described(self) -> dict[int, tuple[tuple[int, ...], tuple[int, ...], str]]:
        """Shapes and digests of the blocks."""
        return {k: (X.shape, y.shape, f"{fingerprint(X)}, {fingerprint(y)}") for k, (X, y) in self.blocks.items()}

    def head(self, rows: int) -> dict[int, SampleBlock]:
        """The first rows of the first block."""
        return {k: (X[:rows].copy(), y[:rows].copy()) for k, (X, y) in self.blocks.items() if k == 0}

    def prepare(self, network: Network, cost: str, settings: Mapping[str, Any]) -> dict[int, str]:
        """Set the settings of training, and check the blocks; returns the problem of each, or ""."""
        wrong = dict.fromkeys(self.blocks, "")
        for number, (X, y) in self.blocks.items():
            try:
                X, y = network.samples(X, y, cost)
            except InputError as error:
                wrong[number] = str(error)
                continue
            self.jobs[number] = Job(network, X, y, cost, Solver("momentum", 1.0), len(X), **settings)
        self._engines, self._equations = {}, {}
        return wrong

    def sums(self, weights: list[Array]) -> dict[int, Sums]:
        """Sums over all samples of each block."""
        found = {}
        with np.errstate(over="ignore", invalid="ignore"):
            for number, job in self.jobs.items():
                if number not in self._engines:
                    self._engines[number] = start_descent("auto", job)
                cost, gradient = self._engines[number].cost_and_gradient(weights)
                found[number] = _summed(cost, gradient, float(len(job.X)))
        return found

    def batch_sums(self, weights: list[Array], rows: Mapping[int, Indices]) -> dict[int, Sums]:
        """Sums over these rows of each block."""
        found = {}
        with np.errstate(over="ignore", invalid="ignore"), single_threaded():
            for number, places in rows.items():
                job = self.jobs.get(number)
                if job is not None:
                    X, y = job.X[places], job.y[places]
                    cost, gradient = cost_and_gradient(job, weights, X, y, np.ones(len(X), X.dtype))
                    found[number] = _summed(cost, gradient, float(len(X)))
        return found

    def equations(self, flat: Floats, squared_error_only: bool) -> dict[int, Any]:
        """JᵀJ, Jᵀe and Σ e² of each block, or Σ e² alone."""
        found: dict[int, Any] = {}
        with np.errstate(over="ignore", invalid="ignore"), single_threaded():
            for number, job in self.jobs.items():
                if number not in self._equations:
                    self._equations[number] = NormalEquations(job)
                of = self._equations[number]
                found[number] = of.squared_error(flat) if squared_error_only else of.at(flat)
        return found


def _summed(cost: float, gradient: list[Array], count: float) -> Sums:
    return count, cost * count, [g.astype(np.float64) * count for g in gradient]
