"""Trains many networks in the lanes of the native kernels, which process a group of networks together."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.maths.activations import activation
from backpath.maths.arrays import Array, Indices
from backpath.maths.costs import cost_function
from backpath.training.job import REMEMBERED, Job, record_count
from backpath.training.native import calls
from backpath.training.native.library import address, buffer, kernels
from backpath.training.state import put_back

_BLOCK_BYTES = 32_000  # bytes of a block's rows, which should stay in or near a first-level cache


@dataclass(frozen=True)
class Standing:
    """Many networks and the state of each.

    Attributes
    ----------
    weights : array (weights, networks)
        A column of weights for each network, in the order of their names.
    rates, momenta : float64 arrays (networks,)
        η and μ of each.
    solved_error, stop_when_solved : float, bool
        A network has solved the task when all its errors |A - y| are below this; whether it then stops.
    every : int
        The epochs between two recorded costs; 0: no costs are recorded.
    numbers : array (numbers per network, networks)
        The rows of ``calls.RATE`` and so on.
    counts : int64 array (counts per network, networks)
        The rows of ``calls.EPOCHS`` and so on.
    history : array (records, networks)
        The recorded costs; NaN if a network did not train.
    """

    job: Job
    weights: Array
    rates: NDArray[np.float64]
    momenta: NDArray[np.float64]
    solved_error: float
    stop_when_solved: bool
    every: int
    numbers: Array
    counts: NDArray[np.int64]
    history: Array

    @classmethod
    def at_start(
        cls,
        job: Job,
        weights: Array,
        rates: Array,
        momenta: Array,
        epochs: int,
        solved_error: float,
        stop_when_solved: bool,
        history_every: int | None,
    ) -> Standing:
        size = weights.shape[1]
        numbers = np.zeros((calls.WAITED + 1, size), weights.dtype)
        numbers[calls.RATE], numbers[calls.MU], numbers[calls.BEST] = rates, momenta, np.inf
        counts = np.zeros((calls.STATUS + 1, size), np.int64)
        counts[calls.SOLVED_AFTER] = -1
        history = np.full((record_count(epochs, history_every), size), np.nan, weights.dtype)
        of_each = np.ascontiguousarray(rates, np.float64), np.ascontiguousarray(momenta, np.float64)
        return cls(job, weights, *of_each, solved_error, stop_when_solved, history_every or 0, numbers, counts, history)


class Populated:
    """The arguments of the kernels for many networks, and the objects that must stay alive.

    Parameters
    ----------
    standing : Standing
    block : int
        Samples that are processed at a time.
    weights, moments : int
        The numbers that the kernels keep per network.
    arrays : arrays
        Working memory, weights, and the solver's memory; None: not needed.
    """

    def __init__(
        self, standing: Standing, block: int, weights: int, moments: int, arrays: Sequence[Array | None] = (None,) * 3
    ):
        job, solver, network = standing.job, standing.job.solver, standing.job.network
        self._population = calls.CPopulation(
            layers=len(network.activations),
            weights=weights,
            moments=moments,
            networks=standing.weights.shape[1],
            samples=len(job.X),
            cost=cost_function(job.cost).code,
            solver=calls.SOLVER_CODES[solver.name],
            batch=job.batch_size,
            every=standing.every,
            stop_when_solved=standing.stop_when_solved,
            block=block,
            solved_error=standing.solved_error,
            tol=-1.0 if job.tol is None else job.tol,
            patience=job.patience,
            beta_1=solver.beta_1,
            beta_2=solver.beta_2,
            epsilon=solver.epsilon,
        )
        sizes = np.array(network.sizes, np.int64)
        codes = np.array([activation(name).code for name in network.activations], np.int64)
        free = np.ones(len(standing.weights), np.int64)
        if job.free is not None:
            free = np.concatenate([mask.ravel() for mask in job.free]).astype(np.int64)
        X, Y = np.ascontiguousarray(job.X), np.ascontiguousarray(job.y)
        self._arrays: list[NDArray[Any] | None] = [sizes, codes, free, *arrays, standing.numbers, standing.counts]
        self._arrays += [standing.history, X, Y]
        places = [None if a is None else address(a, a.dtype, a.size) for a in self._arrays]
        self._structure = calls.CPopulated(ctypes.addressof(self._population), *places)
        self.place = ctypes.addressof(self._structure)


class Groups:
    """Trains networks in groups, one in each lane, and measures them."""

    def __init__(self, standing: Standing):
        self.standing, number = standing, standing.weights.dtype
        self._kernels, self._order = kernels(number), np.arange(len(standing.job.X))
        self.networks_at_once = calls.STEP_BYTES // number.itemsize
        count, size = standing.weights.shape
        self._moments = np.zeros((REMEMBERED[standing.job.solver.name] * count, size), number)
        outputs, neurons = standing.job.network.sizes[-1], sum(standing.job.network.sizes[1:])
        self._rows_of_sample = 2 * neurons + outputs + 3
        near = _BLOCK_BYTES // (self._rows_of_sample * calls.STEP_BYTES)  # the bits do not depend on it
        self._block = min(max(4, near - near % 4), standing.job.batch_size)

    def train(self, networks: Indices, begin: int, epochs: int, orders: Indices) -> None:
        """Train these networks for some epochs, starting with epoch ``begin``."""
        populated = self._populated(len(self._moments))
        given = address(networks, np.int64, len(networks)), len(networks), begin, epochs
        self._kernels.train_many(populated.place, *given, address(orders, np.int64, orders.size), len(orders))

    def measure(self, networks: Indices) -> None:
        """The current cost and largest error of these networks."""
        populated = self._populated(0)
        given = address(networks, np.int64, len(networks)), len(networks)
        self._kernels.evaluate_many(populated.place, *given, address(self._order, np.int64, len(self._order)))

    def conclude(self) -> None:
        """Nothing: the state always has the current weights."""

    def state(self) -> dict[str, Any]:
        s = self.standing
        arrays = {"weights": s.weights, "numbers": s.numbers, "counts": s.counts, "moments": self._moments}
        return {**{name: array.copy() for name, array in arrays.items()}, "history": s.history.copy()}

    def restore(self, state: dict[str, Any]) -> None:
        """All settings except η and μ, which may change; the number of recorded costs may change too."""
        s, settings = self.standing, [calls.RATE, calls.MU]
        given = s.numbers[settings]
        for name, array in (("weights", s.weights), ("numbers", s.numbers), ("counts", s.counts)):
            array[...] = put_back(array, state[name])
        self._moments[...] = put_back(self._moments, state["moments"])
        s.numbers[settings] = given
        kept = min(len(s.history), len(state["history"]))
        s.history[:kept] = state["history"][:kept]

    def _populated(self, moments: int) -> Populated:
        """The kernels' arguments, with separate working memory for each thread (see ``many.hpp``)."""
        weights = self.standing.weights
        rows = 2 * len(weights) + moments + calls.STATE_ROWS + self._rows_of_sample * self._block
        room = buffer(rows * self.networks_at_once, weights.dtype)
        return Populated(self.standing, self._block, len(weights), moments, (room, weights, self._moments))
