"""The compiled engine: the training of ``engines.numpy`` done by the native kernels."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.maths.arrays import Array, Integers
from backpath.training.engines.layout import lay_out
from backpath.training.job import Job, SolverState
from backpath.training.native.calls import STEP_BYTES, CProgress, CSettings, CState, CTeam, CTraining
from backpath.training.native.library import address, buffer, kernels
from backpath.training.state import Stateful, filled, put_back, taken, thinned
from backpath.training.threads import available_cores, check_threads, give_way, shared

ORDERS_AT_ONCE = 2**20  # numbers
# Fused products of whole steps, from which on it pays to share a batch, a call: some 15 and 80 microseconds of a core.
SHARED_BATCH, SHARED_CALL = 50_000, 300_000

COPIES = {"gd": 1, "momentum": 2, "adam": 3}  # of the weights' room: w; w, m; w, m, v


@dataclass(frozen=True)
class Reached:
    """What training has come to: never written to again.

    Attributes
    ----------
    flat : array
        The weights w, then what the solver remembers of each: m and v.
    state : CState
        What the kernel goes on with.
    epochs : int
    """

    flat: Array
    state: CState
    epochs: int

    def copy(self) -> Reached:
        flat: Array = buffer(len(self.flat), self.flat.dtype)
        flat[:] = self.flat
        return Reached(flat, self.state.copy(), self.epochs)


class CompiledEngine(Stateful):
    """Trains with the native kernels.

    They look at the end of a call only whether the weights are finite. Where they are not, the way there is gone again
    from the last point known to be good, in halves, until the epoch is found: so the check costs nothing while all is
    well, and an interrupt always finds a whole set of weights.
    """

    bayesian = None

    def __init__(self, job: Job):
        self._products = _products(job)
        self._members = 1 if self._products < SHARED_BATCH else check_threads(job.threads)
        self.job, self.layout = job, lay_out(job, self._members)
        self._kernels = kernels(job.network.dtype)
        self.overflow: int | None = None
        number, s = job.network.dtype, job.solver
        room = buffer(self.layout.weights + self.layout.numbers, number)
        self._g, self._b = room[: self.layout.weights], room[self.layout.weights :]
        flat = self.layout.flat(job.network.weights, number, COPIES[s.name])
        self._now = Reached(flat, CState(best=math.inf), 0)
        if job.solver_state is not None:
            self._remember(job.solver_state)
        tol = -1.0 if job.tol is None else job.tol
        rates = (s.learning_rate, s.momentum, s.nesterov, s.beta_1, s.beta_2, s.epsilon, job.l2, tol, job.patience)
        self._settings = CSettings(*rates, job.cost_share, job.clip_norm or 0.0, decay=s.decay)
        self._training = self._pointers()
        self._orders, self._drawn = job.orders(), list[Integers]()
        self._in_order = np.arange(len(job.X))
        self._costs = np.empty(64)
        if not job.shuffle:
            self._kernels.lay_samples(ctypes.addressof(self._training), address(self._in_order, np.int64, len(job.X)))

    def _pointers(self) -> CTraining:
        job, layout, number = self.job, self.layout, self.job.network.dtype
        samples, free, weight = len(job.X), None, None
        if job.free is not None:
            free = layout.flat(job.free, number)
        if job.sample_weight is not None:
            weight = np.ascontiguousarray(job.sample_weight, number)
        X, Y = np.ascontiguousarray(job.X), np.ascontiguousarray(job.y)
        aside = np.zeros(layout.costs)
        self._kept = free, weight, X, Y, aside  # as long as their addresses are used
        return CTraining(
            ctypes.addressof(layout.plan),
            ctypes.addressof(self._settings),
            address(layout.layers, np.int64, layout.layers.size),
            address(self._b, number, layout.numbers),
            address(self._g, number, layout.weights),
            None if free is None else address(free, number, layout.weights),
            address(X, number, samples * job.network.sizes[0]),
            address(Y, number, samples * job.network.sizes[-1]),
            None if weight is None else address(weight, number, samples),
            address(aside, np.float64, layout.costs),
        )

    def _remember(self, solver_state: SolverState) -> None:
        flat, n, state = self._now.flat, self.layout.weights, self._now.state
        for k, arrays in zip(range(n, len(flat), n), (solver_state.m, solver_state.v), strict=False):
            self.layout.put(arrays, flat[k : k + n])
        state.updates, state.best, state.waited = solver_state.updates, solver_state.best, solver_state.waited

    @property
    def solver_state(self) -> SolverState:
        flat, state, n = self._now.flat, self._now.state, self.layout.weights
        places = [k if k < len(flat) else 0 for k in (n, 2 * n)]
        m, v = ([W if k else np.zeros_like(W) for W in self.layout.arrays(flat[k : k + n])] for k in places)
        return SolverState(int(state.updates), m, v, state.best, int(state.waited))

    def state(self) -> dict[str, Any]:
        now, n = self._now, self.layout.weights
        return {
            "arrays": [W for k in range(0, len(now.flat), n) for W in self.layout.arrays(now.flat[k : k + n])],
            "state": taken(now.state),
            "costs": thinned(self.costs),
            "overflow": self.overflow,
            "orders": self._orders.state(),
            "drawn": taken(self._drawn),
        }

    def restore(self, state: dict[str, Any]) -> None:
        layers, n = len(self.layout.layers), self.layout.weights
        flat: Array = buffer(len(self._now.flat), self.job.network.dtype)
        for copy, k in enumerate(range(0, len(flat), n)):
            self.layout.put(
                put_back(self.weights, state["arrays"][copy * layers : (copy + 1) * layers]), flat[k : k + n]
            )
        self._costs = filled(state["costs"])
        self._now = Reached(flat, put_back(self._now.state, state["state"]), len(self._costs))
        self.overflow, self._drawn = state["overflow"], list(state["drawn"])
        self._orders.restore(state["orders"])

    def change_rate(self, learning_rate: float) -> None:
        self._settings.learning_rate = learning_rate
        if self.converged:
            self._now = self._now.copy()
            self._now.state.waited = self._now.state.converged = 0

    def _train(self, reached: Reached, orders: Integers, costs: NDArray[np.float64]) -> int:
        """Train on in place, an epoch for each place in ``costs``; gives the epochs done."""
        flat, epochs, samples = reached.flat, len(costs), len(self.job.X)
        ordered = samples * epochs if len(orders) > samples else samples
        progress, team = CProgress(), None
        if self._members > 1 and epochs * -(-samples // self.job.batch_size) * self._products >= SHARED_CALL:
            team = CTeam(patient=self._members <= available_cores(), give_way=give_way())
        arguments = (
            ctypes.addressof(self._training),
            address(flat, self.job.network.dtype, COPIES[self.job.solver.name] * self.layout.weights),
            ctypes.addressof(reached.state),
            address(orders, np.int64, ordered),
            ordered,
            epochs,
            address(costs, np.float64, epochs),
            None if team is None else ctypes.addressof(team),
            ctypes.addressof(progress),
        )
        kept = self, reached, orders, costs, progress, team
        work = partial(_call, self._kernels.train, arguments, kept)
        if team is None:
            return work()
        return shared(partial(self._kernels.begin, *arguments), work, self._members)

    @property
    def weights(self) -> list[Array]:
        return self.layout.arrays(self._now.flat)

    @property
    def costs(self) -> NDArray[np.float64]:
        return self._costs[: self._now.epochs]

    @property
    def converged(self) -> bool:
        return bool(self._now.state.converged)

    def cost_and_gradient(self, weights: list[Array]) -> tuple[float, list[Array]]:
        flat = self.layout.flat(weights, self.job.network.dtype, COPIES[self.job.solver.name])
        cost = np.empty(1)
        self._train(Reached(flat, CState(best=math.inf), 0), self._in_order, cost)  # an epoch leaves its gradient
        return float(cost[0]), self.layout.arrays(self._g)

    def run(self, epochs: int) -> None:
        most = max(1, ORDERS_AT_ONCE // len(self.job.X)) if self.job.shuffle else epochs
        while epochs > 0 and not self.converged and self.overflow is None:
            count, before = min(most, epochs), self._now.epochs
            orders = self._in_order
            if self.job.shuffle:
                self._drawn += [np.asarray(next(self._orders)) for _ in range(count - len(self._drawn))]
                orders = np.concatenate(self._drawn[:count])
            self._run(orders, count)
            epochs -= count
            del self._drawn[: self._now.epochs - before]  # those left over, if it converged, are for whoever goes on

    def forget_costs(self) -> None:
        """Start ``costs`` again: a caller that trains without an end keeps those so far itself."""
        self._now, self._costs = replace(self._now, epochs=0), np.empty(64)

    def _run(self, orders: Integers, epochs: int) -> None:
        if self._go(orders, epochs):
            return
        good, bad = 0, epochs
        while bad - good > 1:
            half = (bad - good) // 2
            if self._go(orders[good * len(self.job.X) :] if self.job.shuffle else orders, half):
                good += half
            else:
                bad = good + half
        after = self._now.copy()
        self._train(after, orders[good * len(self.job.X) :] if self.job.shuffle else orders, np.empty(1))
        self.overflow = _overflow(self.layout.arrays(after.flat))

    def _go(self, orders: Integers, epochs: int) -> bool:
        """Go on for some epochs, unless that leads to numbers that are not finite; says whether it did not."""
        before, after = self._now, self._now.copy()
        costs = self._room_for_costs(epochs)
        done = self._train(after, orders[: epochs * len(self.job.X)], costs)
        if not (math.isfinite(costs[done - 1]) and after.state.finite):
            return False
        self._now = Reached(after.flat, after.state, before.epochs + done)
        return True

    def _room_for_costs(self, epochs: int) -> NDArray[np.float64]:
        """Where the costs of the next epochs go."""
        done = self._now.epochs
        if done + epochs > len(self._costs):
            larger = np.empty(max(done + epochs, 2 * len(self._costs)))
            larger[:done] = self.costs
            self._costs = larger
        return self._costs[done : done + epochs]


def _call(kernel: Callable[..., int], arguments: tuple[int | None, ...], kept: object) -> int:
    """Call a kernel; what is kept stays alive as long as the last thread is at it."""
    return kernel(*arguments)


def _products(job: Job) -> float:
    """About how many fused products of whole steps a batch takes."""
    return 3 * job.batch_size * sum(W.nbytes for W in job.network.weights) / STEP_BYTES


def _overflow(weights: Iterable[Array]) -> int:
    """The first layer whose weights are not finite, 0 if they all are."""
    return next((layer for layer, W in enumerate(weights, 1) if not np.isfinite(W).all()), 0)
