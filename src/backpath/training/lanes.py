"""Trains many networks of the same sizes side by side, each in a lane of the compiled kernels, over all cores.

A population is arrays whose columns are networks: weights (weights, networks), what the solver remembers, and what is
known of each. An engine for other hardware is another way to `_sweep` such arrays.

Networks train in sweeps of some epochs; in a sweep they are parted among the threads, which share nothing that they
write, and each network's arithmetic is its own. So its bits do not depend on how many threads or other networks there
are. After a sweep the networks that stopped are left out of the next.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.maths.activations import activation
from backpath.maths.costs import cost_function
from backpath.training import kernels
from backpath.training.job import REMEMBERED, Array, Job

SOLVER_CODES = {"gd": kernels.GD, "momentum": kernels.MOMENTUM, "adam": kernels.ADAM}
BLOCK_BYTES = 64_000  # working memory of a block, near a first-level cache
MOST_STEPS = 33  # lanes of a block, in steps
SWEEP_SECONDS, PART_SECONDS = 0.02, 0.02  # of one core, by `_seconds`: work that is worth handing out
LONGEST_SWEEP = 4096  # epochs

Report = Callable[[float, float], object]


def check_threads(threads: int | None) -> int:
    """How many threads: those the process may use, unless given."""
    if threads is None:
        try:
            return len(os.sched_getaffinity(0))
        except AttributeError:  # not on this system
            return os.cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or threads < 1:
        raise InputError(f"threads must be a whole number of at least 1, or None for all cores, but is {threads!r}")
    return int(threads)


def records(epochs: int, history_every: int | None) -> int:
    """How many epochs' costs are kept."""
    return -(-epochs // history_every) if history_every else 0


class Lanes:
    """Many networks in training.

    Parameters
    ----------
    job : Job
        What to train on and how; its network says sizes and activations.
    weights : array (weights, networks) of the job's dtype
        Where each network starts, a column of weights in the order of their names; trained in place.
    rates, momenta : arrays (networks,)
        η and μ of each.
    epochs : int
    solved_error, stop_when_solved : float, bool
        A network is solved once all its errors |A - y| are below that; whether it stops then.
    history_every : int | None
        The costs of epochs 0, history_every, 2 history_every … are kept; None: of none.
    threads : int

    Attributes
    ----------
    weights : array (weights, networks)
    epochs_done, solved_after, status : int64 arrays (networks,)
        Updates of each; after how many it was first solved (-1: never); `kernels.IS_TRAINING` or why it stopped.
    cost, worst : arrays (networks,)
        Cost and largest error of the weights as they are now, once `run` is done.
    history, history_epochs : arrays (records, networks), (records,)
        Costs, NaN where a network was not trained any more; the epochs, counted from 1, whose they are.
    """

    def __init__(
        self,
        job: Job,
        weights: Array,
        rates: Array,
        momenta: Array,
        *,
        epochs: int,
        solved_error: float = 0.4,
        stop_when_solved: bool = False,
        history_every: int | None = None,
        threads: int = 1,
    ):
        self.job, self.weights, self.epochs, self.threads = job, weights, epochs, threads
        self.solved_error, self.stop_when_solved = solved_error, stop_when_solved
        count, size = weights.shape
        self._memory = np.zeros((REMEMBERED[job.solver.name] * count, size), weights.dtype)
        self._numbers = np.zeros((kernels.OF_WAITED + 1, size), weights.dtype)
        self._numbers[kernels.OF_RATE], self._numbers[kernels.OF_MU] = rates, momenta
        self._numbers[kernels.OF_BEST] = np.inf
        self._counts = np.zeros((kernels.COUNT_STATUS + 1, size), np.int64)
        self._counts[kernels.COUNT_SOLVED_AFTER] = -1
        self._every = history_every or 0
        self.history = np.full((records(epochs, history_every), size), np.nan, weights.dtype)
        self.history_epochs = 1 + np.arange(len(self.history)) * self._every
        self.cost, self.worst = self._numbers[kernels.OF_COST], self._numbers[kernels.OF_WORST]
        self.epochs_done = self._counts[kernels.COUNT_EPOCHS]
        self.solved_after = self._counts[kernels.COUNT_SOLVED_AFTER]
        self.status = self._counts[kernels.COUNT_STATUS]
        self._sizes = np.array(job.network.sizes, np.int64)
        self._codes = np.array([activation(name).code for name in job.network.activations], np.int64)
        self._free = np.ones(count, bool) if job.free is None else np.concatenate([m.ravel() for m in job.free])
        self._X, self._Y = np.ascontiguousarray(job.X), np.ascontiguousarray(job.y)
        self._orders = job.orders()

    def run(self, report: Report | None = None) -> bool:
        """Train; whether Ctrl-C ended it, which leaves every network whole.

        ``report`` gets the epochs done, averaged over the networks, and the share of them solved, after each part of
        the work.
        """
        interrupted, begin = False, 0
        running = np.arange(self.weights.shape[1])
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                while begin < self.epochs and len(running):
                    epochs = min(self._sweep_length(len(running)), self.epochs - begin)
                    self._sweep(pool, running, begin, epochs, report)
                    running = running[self.status[running] == kernels.IS_TRAINING]
                    begin += epochs
            except KeyboardInterrupt:
                interrupted = True
            self._evaluate(pool)
        return interrupted

    def _sweep(
        self, pool: ThreadPoolExecutor, running: NDArray[np.intp], begin: int, epochs: int, report: Report | None
    ) -> None:
        """``epochs`` epochs of the networks that run, the first of them epoch ``begin``."""
        samples = len(self._X)
        orders = (
            np.array(list(itertools.islice(self._orders, epochs))) if self.job.shuffle else np.arange(samples)[None]
        )
        parts = self._parts(running, epochs * self._seconds())
        with _handed_out(pool, [(self._train, part, begin, epochs, orders) for part in parts]) as finished:
            done = self.weights.shape[1] - len(running)
            for networks in finished:
                done += networks
                if report:
                    report(begin + epochs * done / self.weights.shape[1], float((self.solved_after >= 0).mean()))

    def _train(self, networks: NDArray[np.intp], begin: int, epochs: int, orders: NDArray[np.intp]) -> int:
        job, solver = self.job, self.job.solver
        lanes = self._lanes(len(networks))
        kernels.train_lanes_compiled(
            self._buffer(lanes, len(self._memory)),
            self.weights,
            self._memory,
            self._numbers,
            self._counts,
            self.history,
            networks,
            self._free,
            self._sizes,
            self._codes,
            self._X,
            self._Y,
            orders,
            cost_function(job.cost).code,
            SOLVER_CODES[solver.name],
            job.batch_size,
            begin,
            epochs,
            self._every,
            self.solved_error,
            self.stop_when_solved,
            -1.0 if job.tol is None else float(job.tol),
            job.patience,
            (solver.beta_1, solver.beta_2, solver.epsilon),
            lanes,
        )
        return len(networks)

    def _evaluate(self, pool: ThreadPoolExecutor) -> None:
        """The cost and worst error of every network as it is now; infinite where it diverged."""
        parts = self._parts(np.arange(self.weights.shape[1]), self._seconds())
        with _handed_out(pool, [(self._measure, part) for part in parts]) as finished:
            for _ in finished:
                pass
        self.status[~np.isfinite(self.cost)] = kernels.IS_DIVERGED
        diverged = self.status == kernels.IS_DIVERGED
        self.cost[diverged] = self.worst[diverged] = np.inf
        solved = (self.worst < self.solved_error) & (self.solved_after < 0)
        self.solved_after[solved] = self.epochs_done[solved]

    def _measure(self, networks: NDArray[np.intp]) -> int:
        lanes = self._lanes(len(networks))
        kernels.evaluate_lanes_compiled(
            self._buffer(lanes, 0),
            self.weights,
            self._numbers,
            networks,
            self._sizes,
            self._codes,
            self._X,
            self._Y,
            cost_function(self.job.cost).code,
            lanes,
        )
        return len(networks)

    def _buffer(self, lanes: int, memory: int) -> Array:
        return kernels.buffer(kernels._places(self._sizes, len(self.weights), memory, lanes)[-1], self.weights.dtype)

    def _lanes(self, networks: int) -> int:
        """Networks of a block: as many as keep its working memory near, in an odd number of steps, so that rows do not
        fall upon each other in the cache."""
        rows = kernels._places(self._sizes, len(self.weights), len(self._memory), 1)[-1]
        steps = min(MOST_STEPS, max(1, BLOCK_BYTES // (rows * kernels.STEP_BYTES)))
        step = kernels.STEP_BYTES // self.weights.itemsize
        return step * min(steps - (steps + 1) % 2, -(-networks // step))

    def _seconds(self) -> float:
        """About what an epoch of one network takes one core."""
        return 4e-11 * len(self._X) * (6 * len(self.weights) + 40 * int(self._sizes[1:].sum()))

    def _sweep_length(self, networks: int) -> int:
        """Epochs until the networks that stopped are left out: so many that handing out and copying hardly count."""
        copying = int(3e-7 * len(self.weights) / self._seconds())
        handing = int(SWEEP_SECONDS / (self._seconds() * networks))
        most = LONGEST_SWEEP if not self.job.shuffle else 10**6 // len(self._X)
        return max(1, min(max(copying, handing), most))

    def _parts(self, networks: NDArray[np.intp], seconds: float) -> list[NDArray[np.intp]]:
        """The networks in parts of about ``PART_SECONDS``, at ``seconds`` each; as many as there are threads at least."""
        per_part = max(1, min(int(PART_SECONDS / seconds), -(-len(networks) // self.threads)))
        lanes = self._lanes(per_part)
        part = -(-per_part // lanes) * lanes
        return [networks[first : first + part] for first in range(0, len(networks), part)]


@contextmanager
def _handed_out(pool: ThreadPoolExecutor, work: list[tuple]) -> Iterator[Iterator[int]]:  # type: ignore[type-arg]
    """The results of the work as they come; whatever ends that early, nothing is left running."""
    futures: list[Future[int]] = [pool.submit(*task) for task in work]
    try:
        yield (future.result() for future in as_completed(futures))
    finally:
        for future in futures:
            future.cancel()
        wait(futures)
