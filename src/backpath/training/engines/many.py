"""Trains many networks of the same sizes side by side, each in a lane of the native kernels, over all cores.

A population is arrays whose columns are networks: weights (weights, networks), what the solver remembers, and what is
known of each. An engine for other hardware is another way to train such arrays.

The networks are handed out to threads in parts. A part goes through its epochs in chunks, after each of which the
networks that stopped are left out. Threads share nothing that they write, and each network's arithmetic is its own: so
its bits do not depend on how many threads or other networks there are.
"""

from __future__ import annotations

import ctypes
import itertools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.maths.activations import activation
from backpath.maths.costs import cost_function
from backpath.training.job import REMEMBERED, Array, Job, records
from backpath.training.native import calls
from backpath.training.native.library import address, buffer, kernels

BLOCK_BYTES = 64_000  # working memory of a block, near a first-level cache
MOST_STEPS = 33  # lanes of a block, in steps
CHUNK_SECONDS, CHUNK_NETWORKS, LONGEST_CHUNK = 0.005, 512, 4096  # of one core; networks at least; epochs
PART_SECONDS, PARTS_PER_THREAD = 0.02, 16  # a chunk of a part takes at most that long
REPORT_SECONDS = 0.1

Indices = NDArray[np.intp]
Report = Callable[[float, float], object]


class Populated:
    """What the kernels are handed of many networks, and what that needs to stay alive."""

    def __init__(self, population: calls.Population, memory: Array, *addresses: int):
        self._kept = population, memory
        self._structure = calls.Populated(ctypes.addressof(population), *addresses)
        self.place = ctypes.addressof(self._structure)


def check_threads(threads: int | None) -> int:
    """How many threads: those the process may use, unless given."""
    if threads is None:
        try:
            return len(os.sched_getaffinity(0))
        except AttributeError:  # not on this system
            return os.cpu_count() or 1
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or threads < 1:
        raise InputError(f"threads must be a whole number of at least 1, but is {threads!r}", "threads")
    return int(threads)


class ManyNetworks:
    """Many networks in training.

    Parameters
    ----------
    job : Job
        What to train on and how; its network says sizes and activations. Sample weights, an l2 penalty, Nesterov's
        momentum, clipping and dropout are not known here.
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
        Updates of each; after how many it was first solved (-1: never); `calls.IS_TRAINING` or why it stopped.
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
        self._numbers = np.zeros((calls.WAITED + 1, size), weights.dtype)
        self._numbers[calls.RATE], self._numbers[calls.MU] = rates, momenta
        self._numbers[calls.BEST] = np.inf
        self._counts = np.zeros((calls.STATUS + 1, size), np.int64)
        self._counts[calls.SOLVED_AFTER] = -1
        self._every = history_every or 0
        self.history = np.full((records(epochs, history_every), size), np.nan, weights.dtype)
        self.history_epochs = 1 + np.arange(len(self.history)) * self._every
        self.cost, self.worst = self._numbers[calls.COST], self._numbers[calls.WORST]
        self.epochs_done = self._counts[calls.EPOCHS]
        self.solved_after = self._counts[calls.SOLVED_AFTER]
        self.status = self._counts[calls.STATUS]
        self._sizes = np.array(job.network.sizes, np.int64)
        self._codes = np.array([activation(name).code for name in job.network.activations], np.int64)
        free = np.ones(count) if job.free is None else np.concatenate([m.ravel() for m in job.free])
        self._free = free.astype(np.int64)
        self._kernels = kernels(weights.dtype)
        self._X, self._Y = np.ascontiguousarray(job.X), np.ascontiguousarray(job.y)
        self._worked = np.zeros(size, np.int64)  # epochs gone through, trained in or not any more
        self._until, self._stopping = 0, False
        self._parts = self._parted()

    @property
    def diverged(self) -> NDArray[np.bool_]:
        return self.status == calls.IS_DIVERGED

    @property
    def converged(self) -> NDArray[np.bool_]:
        return self.status == calls.IS_CONVERGED

    @property
    def running(self) -> bool:
        """Whether any network has epochs left to train."""
        return bool((self._worked < self.epochs).any())

    def run(self, epochs: int | None = None, report: Report | None = None) -> bool:
        """Train ``epochs`` epochs more, or all that are left; whether Ctrl-C ended it, which leaves each network whole.

        ``report`` gets the epochs done, averaged over the networks, and the share of them solved, now and then.
        """
        with ThreadPoolExecutor(self.threads) as pool:
            self._stopping = False
            self._until = self.epochs if epochs is None else min(self.epochs, self._until + epochs)
            interrupted = self._wait([pool.submit(self._train, *part, self._until) for part in self._parts], report)
            while self._wait([pool.submit(self._measure, networks) for networks, _ in self._parts], None):
                interrupted = True
        self.status[~np.isfinite(self.cost)] = calls.IS_DIVERGED
        self.cost[self.diverged] = self.worst[self.diverged] = np.inf
        solved = (self.worst < self.solved_error) & (self.solved_after < 0)
        self.solved_after[solved] = self.epochs_done[solved]
        return interrupted

    def _wait(self, futures: list[Future[None]], report: Report | None) -> bool:
        """Until all is done, or Ctrl-C: then until the chunks under way are."""
        pending, interrupted = set(futures), False
        try:
            while pending:
                pending = wait(pending, timeout=REPORT_SECONDS).not_done
                if report:
                    report(float(self._worked.mean()), float((self.solved_after >= 0).mean()))
        except KeyboardInterrupt:
            interrupted = True
        finally:
            self._stopping = True
            for future in futures:
                future.cancel()
            wait(futures)
        for future in futures:
            if not future.cancelled():
                future.result()
        return interrupted

    def _train(self, part: Indices, orders: Iterator[Indices | None], until: int) -> None:
        """A part of the networks up to epoch ``until``, chunk by chunk."""
        running = part[self.status[part] == calls.IS_TRAINING]
        begin, chunk, still = int(self._worked[part[0]]), self._chunk(), np.arange(len(self._X))[None]
        while begin < until and len(running) and not self._stopping:
            epochs = min(chunk, until - begin)
            order = np.array(list(itertools.islice(orders, epochs))) if self.job.shuffle else still
            self._train_chunk(running, begin, epochs, order)
            begin += epochs
            self._worked[part] = begin
            running = running[self.status[running] == calls.IS_TRAINING]
        if not len(running):
            self._worked[part] = self.epochs

    def _train_chunk(self, networks: Indices, begin: int, epochs: int, orders: Indices) -> None:
        populated = self._populated(len(networks), len(self._memory))
        given = address(networks, np.int64, len(networks)), len(networks), begin, epochs
        self._kernels.train_many(populated.place, *given, address(orders, np.int64, orders.size), len(orders))

    def _measure(self, networks: Indices) -> None:
        """The cost and worst error of networks as they are now."""
        populated = self._populated(len(networks), 0)
        self._kernels.evaluate_many(populated.place, address(networks, np.int64, len(networks)), len(networks))

    def _populated(self, networks: int, moments: int) -> Populated:
        """What the kernels are handed, for a thread of its own."""
        job, solver, lanes = self.job, self.job.solver, self._lanes(networks)
        population = calls.Population(
            layers=len(self._codes),
            weights=len(self.weights),
            moments=moments,
            networks=self.weights.shape[1],
            samples=len(self._X),
            cost=cost_function(job.cost).code,
            solver=calls.SOLVERS[solver.name],
            batch=job.batch_size,
            every=self._every,
            stop_when_solved=self.stop_when_solved,
            lanes=lanes,
            solved_error=self.solved_error,
            tol=-1.0 if job.tol is None else job.tol,
            patience=job.patience,
            beta_1=solver.beta_1,
            beta_2=solver.beta_2,
            epsilon=solver.epsilon,
        )
        room = buffer(self._rows(moments) * lanes, self.weights.dtype)
        counts = [self._sizes, self._codes, self._free]
        numbers = [room, self.weights, self._memory, self._numbers]
        data = [self.history, self._X, self._Y]
        return Populated(
            population,
            room,
            *(
                address(array, kind, array.size)
                for kind, arrays in (
                    (np.int64, counts),
                    (self.weights.dtype, numbers),
                    (np.int64, [self._counts]),
                    (self.weights.dtype, data),
                )
                for array in arrays
            ),
        )

    def _rows(self, moments: int) -> int:
        """Rows of a block's working memory (see ``many.hpp``)."""
        neurons, outputs = int(self._sizes[1:].sum()), int(self._sizes[-1])
        return 2 * len(self.weights) + moments + 2 * neurons + outputs + 2 + calls.STATE_ROWS

    def _lanes(self, networks: int) -> int:
        """Networks of a block: as many as keep its working memory near, in an odd number of steps, so that rows do not
        fall upon each other in the cache."""
        rows = self._rows(len(self._memory))
        steps = min(MOST_STEPS, max(1, BLOCK_BYTES // (rows * calls.STEP_BYTES)))
        step = calls.STEP_BYTES // self.weights.itemsize
        return step * min(steps - (steps + 1) % 2, max(1, -(-networks // step)))

    def _seconds(self) -> float:
        """About what an epoch of one network takes one core."""
        return 4e-11 * len(self._X) * (6 * len(self.weights) + 40 * int(self._sizes[1:].sum()))

    def _chunk(self) -> int:
        """Epochs between two looks at what stopped: many enough that these hardly count. The number of threads has no
        say in it, for a network that diverges is what it was when last looked at."""
        together = min(self.weights.shape[1], CHUNK_NETWORKS)
        longest = min(LONGEST_CHUNK, 10**6 // len(self._X)) if self.job.shuffle else LONGEST_CHUNK
        return max(1, min(int(CHUNK_SECONDS / (self._seconds() * together)), longest))

    def _parted(self) -> list[tuple[Indices, Iterator[Indices | None]]]:
        """The networks in parts of whole blocks, several for each thread and none too long to wait for; and for each
        the orders of the samples."""
        size = self.weights.shape[1]
        most = int(PART_SECONDS / (self._chunk() * self._seconds()))
        part = max(1, min(most, -(-size // (PARTS_PER_THREAD * self.threads))))
        lanes = self._lanes(min(-(-size // self.threads), size))
        part = -(-part // lanes) * lanes
        return [(np.arange(first, min(first + part, size)), self.job.orders()) for first in range(0, size, part)]
