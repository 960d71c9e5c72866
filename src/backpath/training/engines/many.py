"""Trains many networks of the same sizes side by side with the native kernels, over all cores.

Where there are none, NumPy does the work (see ``plain``).

A population is arrays whose columns are networks: weights (weights, networks), and what is known of each (see
``groups.Standing``). The networks are handed out to threads in parts. A part goes through its epochs in chunks, after
each of which the networks that stopped are left out. Threads share nothing that they write, and each network's
arithmetic is its own: so its bits do not depend on how many threads or other networks there are.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
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
from backpath.training.progress import ProgressCallback
from backpath.training.state import Stateful

CHUNK_SECONDS, CHUNK_NETWORKS, LONGEST_CHUNK = 0.005, 512, 4096  # of one core; networks at least; epochs
PART_SECONDS, PARTS_PER_THREAD = 0.02, 16  # the longest time for a chunk of a part
REPORT_SECONDS = 0.1


class ManyNetworks(Stateful):
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
    together : int | None
        How many networks there are, if these are only some of them.

    Attributes
    ----------
    until : int
        Epochs gone through with all networks that still train.
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
        self._worked = np.zeros(weights.shape[1], np.int64)  # epochs passed, whether trained in or not
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
        """What was given besides the networks, the job and the threads."""
        return {name: getattr(self, name) for name in ("epochs", "solved_error", "stop_when_solved", "history_every")}

    @property
    def through(self) -> int:
        """Epochs that the networks still in training have gone through, on average."""
        worked = self._worked[self.status == calls.IS_TRAINING]
        return int(worked.mean()) if len(worked) else self.until

    @property
    def is_whole(self) -> bool:
        """Whether the networks in training are all at the same epoch, as in a state that is saved."""
        worked = self._worked[self.status == calls.IS_TRAINING]
        return not len(worked) or bool((worked == worked[0]).all())

    def run(self, epochs: int | None = None, report: ProgressCallback | None = None) -> bool:
        """Train ``epochs`` epochs more, or all that are left, and measure what was reached; whether Ctrl-C ended it,
        which leaves each network whole."""
        interrupted = self.advance(epochs, report)
        return self.measure() or interrupted

    def advance(self, epochs: int | None = None, report: ProgressCallback | None = None) -> bool:
        """Train as `run` does, without measuring: `measure` has to follow in the end. In steps of whole chunks (see
        `chunk`) it comes to the same bits as at once.

        ``report`` gets the epochs done, averaged over the networks, and the share of them solved, now and then.
        """
        with ThreadPoolExecutor(self.threads) as pool:
            self._stopping = False
            self.until = self.epochs if epochs is None else min(self.epochs, self.until + epochs)
            return self._wait([pool.submit(self._train, *part, self.until) for part in self._parts], report)

    def measure(self) -> bool:
        """Update cost, worst error and status; whether there was a Ctrl-C meanwhile."""
        interrupted = False
        self._kernels.conclude()
        with ThreadPoolExecutor(self.threads) as pool:
            while self._wait([pool.submit(self._groups.measure, networks) for networks, _ in self._parts], None):
                interrupted = True
        self.status[~np.isfinite(self.cost)] = calls.IS_DIVERGED
        self.cost[self.diverged] = self.worst[self.diverged] = np.inf
        solved = (self.worst < self.solved_error) & (self.solved_after < 0)
        self.solved_after[solved] = self.epochs_done[solved]
        return interrupted

    def state(self) -> dict[str, Any]:
        """After an `advance` that nothing interrupted: all networks in training are at the same epoch."""
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

    def _wait(self, futures: list[Future[None]], report: ProgressCallback | None) -> bool:
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

    def _train(self, part: Indices, orders: Order, until: int) -> None:
        """A part of the networks up to epoch ``until``, chunk by chunk."""
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
        """How many the kernels train together."""
        return self._kernels.networks_at_once

    @property
    def epoch_seconds(self) -> float:
        """The approximate time of an epoch of one network on one core."""
        return 1.5e-11 * len(self.job.X) * (6 * len(self.weights) + 40 * sum(self.job.network.sizes[1:]))

    @property
    def chunk(self) -> int:
        """Epochs between two looks at what stopped: many enough that these hardly count. The number of threads has no
        say in it, for a network that diverges is what it was when last looked at."""
        longest = min(LONGEST_CHUNK, 10**6 // len(self.job.X)) if self.job.shuffle else LONGEST_CHUNK
        return max(1, min(int(CHUNK_SECONDS / (self.epoch_seconds * self._together)), longest))

    def _parted(self) -> list[tuple[Indices, Order]]:
        """The networks in parts of whole blocks, several for each thread and none too long to wait for; and for each
        the orders of the samples."""
        size = self.weights.shape[1]
        most = int(PART_SECONDS / (self.chunk * self.epoch_seconds))
        part = max(1, min(most, -(-size // (PARTS_PER_THREAD * self.threads))))
        part = -(-part // self.networks_at_once) * self.networks_at_once
        return [(np.arange(first, min(first + part, size)), self.job.orders()) for first in range(0, size, part)]
