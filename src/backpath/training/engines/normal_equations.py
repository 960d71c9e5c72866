"""The sums for Levenberg-Marquardt: Jᵀ J, Jᵀ e and Σ e² over all samples, block by block.

J has a row for each output of each sample and a column for each free weight: ∂A_k/∂W, the notes' δ × [X1 X2 1] with δ
starting from A_k instead of C. It is never complete in memory. It is stored transposed, because then a weight's numbers
are contiguous, and one product with a hidden neuron's δ fills many of them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.maths import backprop
from backpath.maths.activations import activation
from backpath.maths.arrays import Array, Floats
from backpath.maths.checks import machine_memory
from backpath.training.job import Job

LEAST_ROWS = 1024  # rows of J in a block, even if the weights are fewer
MATRICES = 4  # matrices of weights × weights: Jᵀ J, a block's share of it, the damped one, and the solver's copy


class _SingleThreaded:
    """Limits NumPy's linear algebra to one thread while it is entered; the last caller restores the setting."""

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0
        self._limit: Any = None  # threadpoolctl has no types

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._limit = _libraries().limit(limits=1, user_api="blas")
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limit.restore_original_limits()


_SINGLE_THREADED = _SingleThreaded()


def single_threaded() -> AbstractContextManager[None]:
    """Limit NumPy's linear algebra to one thread, because sums split over several differ in the last digits."""
    return _SINGLE_THREADED


@lru_cache(maxsize=1)
def _libraries():  # type: ignore[no-untyped-def] # threadpoolctl has no types
    import threadpoolctl

    return threadpoolctl.ThreadpoolController()


def check_matrix_memory(free: int, weights: int) -> None:
    """Refuse, before training starts, a network whose matrices do not fit into memory."""
    needed = 8 * (MATRICES * free**2 + weights * max(free, LEAST_ROWS))
    if needed > machine_memory():
        raise InputError(
            f"lm solves for {free:,} weights at once, with matrices of {free:,} × {free:,}: it needs "
            f"{needed / 2**30:,.1f} GiB, and this machine has {machine_memory() / 2**30:,.1f}; use fewer neurons, or "
            f"another solver"
        )


class NormalEquations:
    """A job's residuals and their Jacobian, as a function of its weights.

    e = √s (A - y), with the sample weights s; J = ∂e/∂W. All in float64 for any network, because Jᵀ J squares the
    condition number of J.

    Parameters
    ----------
    block : int | None
        Samples per block; None: as many as make a block of J no larger than Jᵀ J, or 1,024 rows.

    Attributes
    ----------
    free : slice | array (free weights,)
        The flat weights that may change.
    """

    def __init__(self, job: Job, block: int | None = None):
        network = job.network
        self.job, self.activations = job, network.activations
        self._shapes = [W.shape for W in network.weights]
        self._ends = np.cumsum([W.size for W in network.weights]).tolist()
        self.free: slice | NDArray[np.intp] = slice(None)
        if job.free is not None:
            self.free = np.flatnonzero(np.concatenate([f.ravel() for f in job.free]))
        self.count = len(np.arange(self._ends[-1])[self.free])
        check_matrix_memory(self.count, self._ends[-1])
        outputs = network.sizes[-1]
        self._block = min(block or max(1, max(self.count, LEAST_ROWS) // outputs), len(job.X))
        self._room = np.empty(self._ends[-1] * outputs * self._block)

    def layers(self, flat: Floats) -> list[Floats]:
        """Flat weights as arrays of the network's shapes."""
        parts = np.split(flat, self._ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def squared_error(self, flat: Floats) -> float:
        """E = Σ e²; infinite or NaN if the weights are too large."""
        total = 0.0
        for _, _, e, _ in self._passes(self.layers(flat)):
            total += float(e.ravel() @ e.ravel())
        return total

    def at(self, flat: Floats) -> tuple[Floats, Floats, float]:
        """Jᵀ J of shape (free weights, free weights), Jᵀ e (free weights,), and E."""
        weights = self.layers(flat)
        JJ, Je, E = np.zeros((self.count, self.count)), np.zeros(self.count), 0.0
        for u, a, e, root in self._passes(weights):
            J = self._transposed_jacobian(weights, u, a, root)[self.free]
            JJ += J @ J.T
            Je += J @ e.T.ravel()
            E += float(e.ravel() @ e.ravel())
        return JJ, Je, E

    def _passes(self, weights: list[Floats]) -> Iterator[tuple[list[Array], list[Array], Floats, Floats]]:
        """u, a, e (samples, outputs) and √s (samples, 1) of each block."""
        job = self.job
        for start in range(0, len(job.X), self._block):
            block = slice(start, start + self._block)
            X, y = (part[block].astype(np.float64, copy=False) for part in (job.X, job.y))
            root = np.ones((len(X), 1))
            if job.sample_weight is not None:
                root = np.sqrt(job.sample_weight[block].astype(np.float64))[:, None]
            u, a = backprop.forward(weights, self.activations, X)
            yield u, a, root * (a[-1] - y), root

    def _transposed_jacobian(self, weights: list[Floats], u: list[Array], a: list[Array], root: Floats) -> Floats:
        """Jᵀ of one block, (weights, outputs × samples): √s ∂A_k/∂W = √s δ × [X1 X2 1], output by output."""
        outputs, samples = len(weights[-1]), len(root)
        J = self._room[: self._ends[-1] * outputs * samples].reshape(self._ends[-1], outputs, samples)
        inputs = [np.ascontiguousarray(rows.T) for rows in a[:-1]]
        for k in range(outputs):
            dA_dA = np.zeros_like(u[-1])
            dA_dA[:, k : k + 1] = root
            output_delta = activation(self.activations[-1]).chain(u[-1], dA_dA)
            delta = backprop.deltas_behind(weights, self.activations, u, output_delta)
            for d, x, shape, end in zip(delta, inputs, self._shapes, self._ends, strict=True):
                rows = J[end - shape[0] * shape[1] : end, k].reshape(*shape, samples)
                d = np.ascontiguousarray(d.T)
                np.multiply(d[:, None], x, out=rows[:, :-1])
                rows[:, -1] = d
        return J.reshape(self._ends[-1], -1)
