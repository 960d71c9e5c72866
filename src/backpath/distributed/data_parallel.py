"""``distributed.train`` trains one network on the samples of many machines.

In each round the workers get the weights and return sums over their blocks, which are added along a tree over the
blocks; the driver takes the step. So the result depends neither on the number of workers nor on which holds a block.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backpath.distributed.lbfgs_engine import LbfgsEngine, check_lbfgs
from backpath.distributed.parts import DistributedSamples
from backpath.errors import InputError
from backpath.maths.arrays import Array, Floats
from backpath.maths.checks import check_count, check_number, check_seed, check_truth
from backpath.maths.network import Network
from backpath.training.callbacks import Callbacks, Watched
from backpath.training.engines.lm import LMEngine, check_lm
from backpath.training.engines.numpy import NumpyEngine
from backpath.training.job import Engine, Job, Solver, check_batch_size, check_tol, with_bias_columns
from backpath.training.progress import Progress, ProgressCallback, check_progress, progress_bar
from backpath.training.result import TrainingResult
from backpath.training.training_run import TrainingRun
from backpath.training.validation import Validation, check_patience

if TYPE_CHECKING:
    from backpath.training.checkpoints import Checkpoints


def train(
    net: Network,
    samples: DistributedSamples,
    *,
    epochs: int = 1000,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    shuffle: bool = False,
    solver: str = "gd",
    cost: str = "squared_error",
    tol: float | None = None,
    frozen: str | Iterable[str] = (),
    seed: int | None = 0,
    progress: Progress = False,
    momentum: float = 0.9,
    validation: tuple[ArrayLike, ...] | None = None,
    patience: int | None = None,
    l2: float = 0.0,
    checkpoint: str | os.PathLike[str] | Checkpoints | None = None,
    every: int | str | None = None,
    callbacks: Callbacks = None,
) -> TrainingResult:
    """Train a network on samples that many workers hold, like ``backpath.train`` on all of them.

    Parameters
    ----------
    net : Network
        The initial network.
    samples : DistributedSamples
        The samples, in blocks on the workers.
    solver
        As for ``backpath.train``, or ``lbfgs``, SciPy's L-BFGS.
    batch_size
        As for ``backpath.train``; each batch takes a round, so small batches are slow.
    progress
        As for ``backpath.train``; the bar shows rounds and rows a second, and the number of workers.
    validation
        As for ``backpath.train``; these samples are on the driver.
    epochs, learning_rate, momentum, shuffle, cost, tol, frozen, seed, patience, l2, checkpoint, every, callbacks
        As for ``backpath.train``.

    Returns
    -------
    TrainingResult
        Equal within rounding to ``backpath.train`` on the concatenated blocks, and bit for bit the same for any number
        of workers.

    Raises
    ------
    InputError
        If the call or a block is not valid.
    DivergenceError
        As for ``backpath.train``.
    """
    if not isinstance(samples, DistributedSamples):
        raise InputError(f"samples must be DistributedSamples, but are of type {type(samples).__name__}")
    net.check_trainable()
    check_seed(seed)
    check_progress(progress)
    free = net.free_weights(frozen) if frozen else None
    network, free = with_bias_columns(net, free)
    samples.prepare(network, cost)
    head_X, head_y = samples.head()
    X, y = Blocks(samples, head_X, net.dtype), Blocks(samples, head_y, net.dtype)
    job = Job(
        network=network,
        X=X,  # type: ignore[arg-type] # only the first rows and the length are known here
        y=y,  # type: ignore[arg-type]
        cost=cost,
        solver=_solver(solver, learning_rate, momentum),
        batch_size=check_batch_size(batch_size, len(samples)),
        shuffle=check_truth(shuffle, "shuffle"),
        seed=seed,
        free=free,
        tol=check_tol(tol),
        biases=net.biases,
        l2=check_number(l2, "l2", least=0),
    )
    watch = None if validation is None else Validation(net, validation, cost, check_patience(patience))
    if solver == "lm":
        check_lm(job, "auto")
        engine: Engine = LMEngine(job, DistributedEquations(job, samples))  # type: ignore[arg-type] # has the same methods
    elif solver == "lbfgs":
        check_lbfgs(job)
        engine = LbfgsEngine(job, lambda weights: _of_all(job, samples, weights)[:2])
    else:
        engine = DistributedEngine(job, samples)
    training = TrainingRun(job, engine, check_count(epochs, "epochs"), watch)
    shown = _bar(samples, training.epochs) if progress is True else progress
    return training.saved(checkpoint, every, shown, Watched(callbacks, job.solver.learning_rate))


def _solver(name: str, learning_rate: float | None, momentum: float) -> Solver:
    if name != "lbfgs":
        return Solver.checked(name, learning_rate, momentum)
    if learning_rate is not None:
        raise InputError("lbfgs chooses its step lengths; leave learning_rate out", "learning_rate")
    return Solver(name, 0.0)


@contextmanager
def _bar(samples: DistributedSamples, epochs: int) -> Iterator[ProgressCallback]:
    """A progress bar with the speed of the rounds."""
    with progress_bar(epochs, shown="{}") as report:
        began, before, start = time.perf_counter(), samples.rounds, None

        def shown(done: float, cost: float) -> None:
            nonlocal start
            start = done if start is None else start  # a resumed run does not begin at 0
            seconds = max(time.perf_counter() - began, 1e-9)
            rounds, rows = (samples.rounds - before) / seconds, (done - start) * len(samples) / seconds
            text: Any = f"cost {cost:.3g}, {rounds:,.0f} rounds/s, {rows:,.0f} rows/s, {samples.workers} workers"
            report(done, text)

        yield shown


class Blocks:
    """Stands in for the samples of a job; only the first rows are local."""

    def __init__(self, samples: DistributedSamples, head: Array, number: np.dtype[Any]):
        self._samples, self._head = samples, np.asarray(head, number)
        self.dtype, self.shape = number, (len(samples), self._head.shape[1])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> Array:
        return self._head[rows]

    def __repr__(self) -> str:
        return f"{len(self._samples.lengths)} blocks of {self.shape[1]} columns with digest {self._samples.digest}"


class DistributedEngine(NumpyEngine):
    """Gradient descent with gradients that the workers sum."""

    _given = (*NumpyEngine._given, "samples")

    def __init__(self, job: Job, samples: DistributedSamples):
        super().__init__(job)
        self.samples = samples

    def _of_batch(self, rows: slice | NDArray[np.intp]) -> tuple[float, list[Array], int]:
        job, samples = self.job, self.samples
        if job.batch_size >= len(samples):
            return _of_all(job, samples, self.weights)
        places = np.arange(len(samples))[rows] if isinstance(rows, slice) else rows
        block = np.searchsorted(samples.starts, places, side="right") - 1
        chosen = {int(k): places[block == k] - samples.starts[k] for k in np.unique(block)}
        return averaged(job, self.weights, *samples.summed("batch_gradient", self.weights, chosen, only=chosen))


def _of_all(job: Job, samples: DistributedSamples, weights: list[Array]) -> tuple[float, list[Array], int]:
    """The cost and gradient of all samples, and their number."""
    return averaged(job, weights, *samples.summed("gradient", weights))


def averaged(job: Job, weights: list[Array], count: float, cost: float, *sums: Array) -> tuple[float, list[Array], int]:
    """The cost and gradient from the sums over the samples, and the number of these."""
    cost, gradient = cost / count, [g / count for g in sums]
    if job.l2:
        decay = job.l2 / count
        cost += decay / 2 * sum(float((W[:, :-1].astype(np.float64) ** 2).sum()) for W in weights)
        for g, W in zip(gradient, weights, strict=True):
            g[:, :-1] += decay * W[:, :-1]
    return cost, [g.astype(W.dtype) for g, W in zip(gradient, weights, strict=True)], int(count)


class DistributedEquations:
    """The methods of ``engines.normal_equations.NormalEquations``, with sums over blocks."""

    def __init__(self, job: Job, samples: DistributedSamples):
        self._samples = samples
        self._shapes = [W.shape for W in job.network.weights]
        self._ends = np.cumsum([W.size for W in job.network.weights]).tolist()
        self.free: slice | NDArray[np.intp] = slice(None)
        if job.free is not None:
            self.free = np.flatnonzero(np.concatenate([f.ravel() for f in job.free]))
        self.count = len(np.arange(self._ends[-1])[self.free])

    def layers(self, flat: Floats) -> list[Floats]:
        """Flat weights as arrays of the network's shapes."""
        parts = np.split(flat, self._ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def squared_error(self, flat: Floats) -> float:
        """Σ e²."""
        return float(self._samples.summed("equations", flat, True)[0])

    def at(self, flat: Floats) -> tuple[Floats, Floats, float]:
        """Jᵀ J, Jᵀ e and Σ e²."""
        JJ, Je, E = self._samples.summed("equations", flat, False)
        return JJ[self.free][:, self.free], Je[self.free], E
