"""Trains many networks of the same sizes side by side with the native kernels, over all cores.

Without kernels, NumPy is used (see ``plain``).

A population consists of arrays whose columns are networks: weights (weights, networks), and the state of each (see
``groups.Standing``). The networks are distributed to threads in parts. A part is trained in chunks of epochs; after
each chunk, networks that have stopped are left out. Threads share no data that they write, and networks are
independent, so a network's bits do not depend on the number of threads or of other networks.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.maths.arrays import Array, Indices
from backpath.training.engines import must_do_without
from backpath.training.engines.each import Each, samples_in_lanes
from backpath.training.engines.groups import Groups, Standing
from backpath.training.engines.plain import PlainNetworks
from backpath.training.job import Job, Order
from backpath.training.native import calls
from backpath.training.pool import run_on_threads
from backpath.training.progress import ProgressCallback
from backpath.training.state import Stateful

_CHUNK_SECONDS, CHUNK_NETWORKS, LONGEST_CHUNK = 0.005, 512, 4096  # seconds of one core; the fewest networks; epochs
PART_SECONDS, PARTS_PER_THREAD = 0.02, 16  # the most seconds for a chunk of a part


class ManyNetworks(Stateful):
    """Many networks in training.

    Parameters
    ----------
    job : Job
        The samples and settings; its network defines sizes and activations. Sample weights, l2, Nesterov's momentum,
        clipping and dropout are not supported.
    weights : array (weights, networks) of the job's dtype
        The initial weights, a column per network in the order of their names; trained in place.
    rates, momenta : arrays (networks,)
        η and μ of each.
    epochs : int
    solved_error, stop_when_solved : float, bool
        A network has solved the task when all its errors |A - y| are below this; whether it then stops.
    history_every : int | None
        The costs of epochs 0, history_every, 2 history_every … are recorded; None: no costs are recorded.
    threads : int
    together : int | None
        The number of all networks, if these are only some of them.

    Attributes
    ----------
    until : int
        The epochs done by all networks that are still in training.
    weights : array (weights, networks)
    epochs_done, solved_after, status : int64 arrays (networks,)
        Epochs; the epoch that first solved the task (-1: never); `calls.IS_TRAINING` or the reason for stopping.
    cost, worst : arrays (networks,)
        Cost and largest error of the final weights, after `run`.
    history, history_epochs : arrays (records, networks), (records,)
        The costs, NaN after a network has stopped; their epochs, counted from 1.
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
        together: int | None = None,
    ):
        self.job, self.weights, self.epochs, self.threads = job, weights, epochs, threads
        self._together = min(together or weights.shape[1], CHUNK_NETWORKS)
        self.rates, self.momenta, self.solved_error = rates, momenta, solved_error
        self.stop_when_solved, self.history_every = stop_when_solved, history_every
        standing = Standing.at_start(
            job, weights, rates, momenta, epochs, solved_error, stop_when_solved, history_every
        )
        self.history = standing.history
        self.history_epochs = 1 + np.arange(len(self.history)) * standing.every
        self.cost, self.worst = standing.numbers[calls.COST], standing.numbers[calls.WORST]
        self.epochs_done = standing.counts[calls.EPOCHS]
        self.solved_after = standing.counts[calls.SOLVED_AFTER]
        self.status = standing.counts[calls.STATUS]
        if must_do_without():
            self._groups: Groups | PlainNetworks = PlainNetworks(standing)
            self._kernels: Each | Groups | PlainNetworks = self._groups
        else:
            self._groups = Groups(standing)
            self._kernels = Each(standing) if samples_in_lanes(job) else self._groups
        self._worked = np.zeros(weights.shape[1], np.int64)  # epochs passed, with or without training
        self.until, self._stopping = 0, False
        self._still = np.arange(len(job.X))[None]
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

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments without the networks, the job and the threads."""
        return {name: getattr(self, name) for name in ("epochs", "solved_error", "stop_when_solved", "history_every")}

    @property
    def through(self) -> int:
        """The mean number of epochs of the networks still in training."""
        worked = self._worked[self.status == calls.IS_TRAINING]
        return int(worked.mean()) if len(worked) else self.until

    @property
    def is_whole(self) -> bool:
        """Whether all networks in training are at the same epoch, so that the state can be saved."""
        worked = self._worked[self.status == calls.IS_TRAINING]
        return not len(worked) or bool((worked == worked[0]).all())

    def run(self, epochs: int | None = None, report: ProgressCallback | None = None) -> bool:
        """Train for ``epochs`` more epochs, or all that remain, and measure the networks; returns whether Ctrl-C ended
        it, after which each network is in a valid state."""
        interrupted = self.advance(epochs, report)
        return self.measure() or interrupted

    def advance(self, epochs: int | None = None, report: ProgressCallback | None = None) -> bool:
        """Train like `run`, without measuring; call `measure` at the end. Steps of whole chunks (see `chunk`) give the
        same bits as one step.

        At intervals, ``report`` gets the mean epochs done, and the share of the networks that have solved the task.
        """

        def look() -> None:
            if report:
                report(float(self._worked.mean()), float((self.solved_after >= 0).mean()))

        self._stopping = False
        self.until = self.epochs if epochs is None else min(self.epochs, self.until + epochs)
        work = [partial(self._train, *part, self.until) for part in self._parts]
        return run_on_threads(work, self.threads, stop=self._stop, look=look)[1]

    def measure(self) -> bool:
        """Update cost, largest error and status; returns whether Ctrl-C was pressed meanwhile."""
        self._kernels.conclude()
        work = [partial(self._groups.measure, networks) for networks, _ in self._parts]
        _, interrupted = run_on_threads(work, self.threads)
        self.status[~np.isfinite(self.cost)] = calls.IS_DIVERGED
        self.cost[self.diverged] = self.worst[self.diverged] = np.inf
        solved = (self.worst < self.solved_error) & (self.solved_after < 0)
        self.solved_after[solved] = self.epochs_done[solved]
        return interrupted

    def state(self) -> dict[str, Any]:
        """Record that all networks in training are at the same epoch, after an uninterrupted `advance`."""
        running = self.status == calls.IS_TRAINING
        orders = next((orders for part, orders in self._parts if running[part].any()), self._parts[0][1])
        return {
            **self._groups.state(),
            **self._kernels.state(),
            "worked": self._worked.copy(),
            "until": self.until,
            "orders": orders.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._groups.restore(state)
        self._kernels.restore(state)
        self._worked[:], self.until = state["worked"], state["until"]
        for _, orders in self._parts:
            orders.restore(state["orders"])

    def _stop(self) -> None:
        """End training after the current chunk of each part."""
        self._stopping = True

    def _train(self, part: Indices, orders: Order, until: int) -> None:
        """Train a part of the networks up to epoch ``until``, chunk by chunk."""
        running = part[self.status[part] == calls.IS_TRAINING]
        begin, chunk, still = int(self._worked[part[0]]), self.chunk, self._still
        while begin < until and len(running) and not self._stopping:
            epochs = min(chunk, until - begin)
            order = np.array([next(orders) for _ in range(epochs)]) if self.job.shuffle else still
            self._kernels.train(running, begin, epochs, order)
            begin += epochs
            self._worked[part] = begin
            running = running[self.status[running] == calls.IS_TRAINING]
        if not len(running):
            self._worked[part] = self.epochs

    @property
    def networks_at_once(self) -> int:
        """The number of networks that the kernels train together."""
        return self._kernels.networks_at_once

    @property
    def epoch_seconds(self) -> float:
        """The approximate time of an epoch of one network on one core."""
        return 1.5e-11 * len(self.job.X) * (6 * len(self.weights) + 40 * sum(self.job.network.sizes[1:]))

    @property
    def chunk(self) -> int:
        """The epochs between checks for stopped networks, enough to make the checks cheap. It does not depend on the
        number of threads, because a network that diverges keeps its state from the last check."""
        longest = min(LONGEST_CHUNK, 10**6 // len(self.job.X)) if self.job.shuffle else LONGEST_CHUNK
        return max(1, min(int(_CHUNK_SECONDS / (self.epoch_seconds * self._together)), longest))

    def _parted(self) -> list[tuple[Indices, Order]]:
        """The networks in parts of whole blocks, several per thread and none too long; and for each the orders of the
        samples."""
        size = self.weights.shape[1]
        most = int(PART_SECONDS / (self.chunk * self.epoch_seconds))
        part = max(1, min(most, -(-size // (PARTS_PER_THREAD * self.threads))))
        part = -(-part // self.networks_at_once) * self.networks_at_once
        return [(np.arange(first, min(first + part, size)), self.job.orders()) for first in range(0, size, part)]
