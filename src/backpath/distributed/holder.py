"""The part of a worker: holds blocks of samples, and returns sums over them and over its followers' blocks."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from backpath.distributed.summing import Nodes, Terms, merged
from backpath.errors import InputError
from backpath.maths.arrays import Array, Floats, Indices
from backpath.maths.network import Network
from backpath.training.engines import start_descent
from backpath.training.engines.normal_equations import NormalEquations, single_threaded
from backpath.training.engines.numpy import cost_and_gradient
from backpath.training.fingerprints import fingerprint
from backpath.training.job import Descent, Job, Solver

SampleBlock = tuple[Array, Array]
WORKER_LOOK_SECONDS = 2.0  # between checks of whether a worker still exists


def called(actor: Any, method: str, *arguments: Any) -> Any:
    """The future of an actor's result; None if its worker is known to be lost."""
    try:
        return getattr(actor, method)(*arguments)
    except RuntimeError:  # Dask's error
        return None


def answered(future: Any, worker: str, workers: Callable[[], Collection[str]]) -> dict[Any, Any]:
    """The result of a worker's actor; empty if it is no longer among the workers."""
    while future is not None:
        try:
            answer: dict[Any, Any] = future.result(timeout=WORKER_LOOK_SECONDS)
            return answer
        except TimeoutError:
            if worker not in workers():
                break
        except (OSError, ValueError) as error:  # Dask's errors for a lost actor
            if isinstance(error, InputError) or not _is_gone(worker, workers):
                raise
            break
    return {}


def _is_gone(worker: str, workers: Callable[[], Collection[str]]) -> bool:
    """Whether the worker is no longer among the workers; the scheduler gets some time to notice."""
    end = time.monotonic() + WORKER_LOOK_SECONDS
    while worker in workers():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


class Holder:
    """A Dask actor with blocks of samples, by their numbers."""

    def __init__(self, blocks: Mapping[int, Any], read: Callable[[Any], SampleBlock]):
        self.blocks: dict[int, SampleBlock] = {}
        for number, block in blocks.items():
            X, y = read(block)
            X, y = np.asarray(X), np.asarray(y)
            self.blocks[number] = np.ascontiguousarray(X), np.ascontiguousarray(y.reshape(len(y), -1))
        self.jobs: dict[int, Job] = {}
        self._engines: dict[int, Descent] = {}
        self._equations: dict[int, NormalEquations] = {}
        self._followers: Sequence[tuple[Any, str]] = ()

    def follow(self, followers: Sequence[tuple[Any, str]]) -> dict[int, Any]:
        """Ask these actors, each with its worker's address, for the sums over their blocks, too."""
        self._followers = followers
        return {}

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

    def summed(self, method: str, places: Mapping[int, int], count: int, *arguments: Any) -> Nodes:
        """The sums of a method's results over the blocks in ``places``, here and of the followers, as far as they can
        be added (see ``merged``)."""
        asked = [
            (called(actor, "summed", method, places, count, *arguments), worker) for actor, worker in self._followers
        ]
        mine = [number for number in self.jobs if number in places]
        with np.errstate(over="ignore", invalid="ignore"), single_threaded():
            nodes: Nodes = {(0, places[number]): getattr(self, method)(number, *arguments) for number in mine}
        for future, worker in asked:
            nodes |= answered(future, worker, _workers)
        return merged(nodes, count)

    def gradient(self, number: int, weights: list[Array]) -> Terms:
        """The sums over all samples of a block, see ``_terms``."""
        if number not in self._engines:
            self._engines[number] = start_descent("auto", self.jobs[number])
        cost, gradient = self._engines[number].cost_and_gradient(weights)
        return _terms(len(self.jobs[number].X), cost, gradient)

    def batch_gradient(self, number: int, weights: list[Array], rows: Mapping[int, Indices]) -> Terms:
        """The sums over these rows of a block."""
        job = self.jobs[number]
        X, y = job.X[rows[number]], job.y[rows[number]]
        cost, gradient = cost_and_gradient(job, weights, X, y, np.ones(len(X), X.dtype))
        return _terms(len(X), cost, gradient)

    def equations(self, number: int, flat: Floats, squared_error_only: bool) -> Terms:
        """JᵀJ, Jᵀe and Σ e² of a block, or Σ e² alone."""
        if number not in self._equations:
            self._equations[number] = NormalEquations(self.jobs[number])
        of = self._equations[number]
        return [of.squared_error(flat)] if squared_error_only else list(of.at(flat))


def _terms(count: int, cost: float, gradient: list[Array]) -> Terms:
    """The number of samples, and the sums of their costs and gradients."""
    return [float(count), cost * count, *(g.astype(np.float64) * count for g in gradient)]


def _workers() -> Collection[str]:
    """The cluster's workers, from a worker."""
    from distributed import get_client

    return set(get_client().nthreads())
