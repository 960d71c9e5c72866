"""The compiled engine: the same training as ``engines.numpy``, by the native kernels."""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.maths.arrays import Array, Integers
from backpath.training.engines.layout import lay_out
from backpath.training.job import Job, SolverState
from backpath.training.native.calls import CProgress, CSettings, CState, CTraining
from backpath.training.native.library import address, buffer, kernels, part
from backpath.training.state import Stateful, put_back, taken, thinned, with_gaps
from backpath.training.threads import Pace, shared, team_of, threads_for

ORDERS_AT_ONCE = 2**20  # numbers
# Fused products; with more, sharing a batch in parts, one in blocks, or a call, can be faster: about 10, 40 and 80
# microseconds of one core. If a batch has even more, it surely is.
SHARED_PARTS, SHARED_BLOCKS, SHARED_CALL, SURELY_SHARED = 30_000, 150_000, 300_000, 1_000_000

STATE_BYTES = ctypes.sizeof(CState)
WEIGHT_COPIES = {"gd": 1, "momentum": 2, "adam": 3}  # arrays per weight: w; w, m; w, m, v


class Reached:
    """The state of training.

    Attributes
    ----------
    flat, place : array, int
        The weights w, then the solver's m and v for each; and their address.
    state : CState
        The kernel's state.
    epochs : int
    """

    def __init__(self, flat: Array, place: int):
        self.flat, self.place, self.state, self.epochs = flat, place, CState(best=math.inf), 0
        self.state_place = ctypes.addressof(self.state)

    def take(self, other: Reached) -> Reached:
        """Copy another state."""
        self.flat[:] = other.flat
        ctypes.memmove(self.state_place, other.state_place, STATE_BYTES)
        self.epochs = other.epochs
        return self


class CompiledEngine(Stateful):
    """Trains with the native kernels.

    There are two states: the present one, which is not written to, and the next one. The kernels check only at the end
    of a call whether the weights are finite. If they are not, training is repeated from the last good state, in halves,
    until the epoch is found. So the check costs nothing in the normal case, and the weights are consistent at any
    interrupt.
    """

    bayesian = None

    def __init__(self, job: Job):
        self.job, self.layout, self._members = job, lay_out(job), 1
        self._pace: Pace | None = None
        shared_batch = SHARED_PARTS if self.layout.plan.parts > 1 else SHARED_BLOCKS
        if self.layout.products >= shared_batch and (members := threads_for(job.threads)) > 1:
            self._members, self.layout = members, lay_out(job, members)
            self._pace = Pace(together=self.layout.products >= SURELY_SHARED)
        self._number, self._samples = job.network.dtype, len(job.X)
        self._kernels = kernels(self._number)
        self.overflow: int | None = None
        self._training = self._handed()
        self._training_place = ctypes.addressof(self._training)
        self.layout.put(job.network.weights, self._now.flat)
        if job.solver_state is not None:
            self._remember(job.solver_state)
        self._orders, self._drawn = job.orders(), list[Integers]()
        self._costs = np.empty(64)
        if not job.shuffle:
            self._kernels.lay_samples(self._training_place, None)

    def _handed(self) -> CTraining:
        """The arguments of the kernels: one block of memory in parts, and the addresses of the samples."""
        job, layout, number, samples = self.job, self.layout, self._number, self._samples
        s, n = job.solver, layout.weights
        tol = -1.0 if job.tol is None else job.tol
        rates = (s.learning_rate, s.momentum, s.nesterov, s.beta_1, s.beta_2, s.epsilon, job.l2, tol, job.patience)
        self._settings = CSettings(*rates, job.cost_share, job.clip_norm or 0.0, decay=s.decay)
        copies = WEIGHT_COPIES[s.name] * n
        room = buffer(2 * copies + n + layout.numbers, number)
        start = address(room, number, len(room))
        now, after = (Reached(room[k : k + copies], part(start, k, copies, number)) for k in (0, copies))
        self._places = now, after
        self._g = room[2 * copies : 2 * copies + n]
        free = None if job.free is None else layout.flat(job.free, number)
        weight = None if job.sample_weight is None else np.ascontiguousarray(job.sample_weight, number)
        aside = np.zeros(layout.costs) if layout.costs else None
        X, Y = np.ascontiguousarray(job.X), np.ascontiguousarray(job.y)
        self._kept = room, free, weight, aside, X, Y  # kept while their addresses are in use
        return CTraining(
            ctypes.addressof(layout.plan),
            ctypes.addressof(self._settings),
            address(layout.layers, np.int64, layout.layers.size),
            part(start, 2 * copies + n, layout.numbers, number),
            part(start, 2 * copies, n, number),
            None if free is None else address(free, number, n),
            address(X, number, samples * job.network.sizes[0]),
            address(Y, number, samples * job.network.sizes[-1]),
            None if weight is None else address(weight, number, samples),
            None if aside is None else address(aside, np.float64, layout.costs),
        )

    @property
    def _now(self) -> Reached:
        return self._places[0]

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
        layers, n, now = len(self.layout.layers), self.layout.weights, self._now
        for copy, k in enumerate(range(0, len(now.flat), n)):
            arrays = put_back(self.weights, state["arrays"][copy * layers : (copy + 1) * layers])
            self.layout.put(arrays, now.flat[k : k + n])
        self._costs = with_gaps(state["costs"])
        now.epochs = len(self._costs)
        for name, value in state["state"].items():
            setattr(now.state, name, value)
        self.overflow, self._drawn = state["overflow"], list(state["drawn"])
        self._orders.restore(state["orders"])

    def change_rate(self, learning_rate: float) -> None:
        self._settings.learning_rate = learning_rate
        self._now.state.waited = 0 if self.converged else self._now.state.waited
        self._now.state.converged = 0

    def _train(self, reached: Reached, order: Integers | None, costs: NDArray[np.float64]) -> int:
        """Continue training in place, one epoch per place in ``costs``; returns the epochs done."""
        epochs, samples = len(costs), self._samples
        ordered = samples if order is None else samples * epochs
        progress, team = CProgress(), None
        if self._pace and self._pace.together and self._is_worth_sharing(epochs):
            team = team_of(self._members)
        arguments = (
            self._training_place,
            reached.place,
            reached.state_place,
            None if order is None else address(order, np.int64, ordered),
            ordered,
            epochs,
            address(costs, np.float64, epochs),
            None if team is None else ctypes.addressof(team),
            ctypes.addressof(progress),
        )
        if team is None:
            return self._kernels.train(*arguments)
        kept = self, reached, order, costs, progress, team
        work = partial(_call, self._kernels.train, arguments, kept)
        return shared(partial(self._kernels.begin, *arguments), work, self._members)

    def _is_worth_sharing(self, epochs: int) -> bool:
        return epochs * -(-self._samples // self.job.batch_size) * self.layout.products >= SHARED_CALL

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
        after, cost = self._places[1].take(self._now), np.empty(1)
        self.layout.put(weights, after.flat)
        self._train(after, None, cost)  # leaves the epoch's gradient
        return float(cost[0]), self.layout.arrays(self._g)

    def run(self, epochs: int) -> None:
        most = max(1, ORDERS_AT_ONCE // self._samples) if self.job.shuffle else epochs
        while epochs > 0 and not self.converged and self.overflow is None:
            count, before = min(most, epochs), self._now.epochs
            if self._pace and self._is_worth_sharing(count):
                count = self._pace.trial(count) or count
            if not self.job.shuffle:
                self._run(None, count)
                epochs -= count
                continue
            self._drawn += [np.asarray(next(self._orders)) for _ in range(count - len(self._drawn))]
            self._run(np.concatenate(self._drawn[:count]), count)
            epochs -= count
            del self._drawn[: self._now.epochs - before]  # keep those left over after convergence for the next call

    def forget_costs(self) -> None:
        """Empty ``costs``, for callers that train endlessly and keep the costs themselves."""
        self._now.epochs, self._costs = 0, np.empty(64)

    def _run(self, orders: Integers | None, epochs: int) -> None:
        if self._go(orders, epochs):
            return
        good, bad = 0, epochs
        while bad - good > 1:
            half = (bad - good) // 2
            if self._go(self._from(orders, good), half):
                good += half
            else:
                bad = good + half
        after = self._places[1].take(self._now)
        self._train(after, self._from(orders, good), np.empty(1))
        self.overflow = _overflow(self.layout.arrays(after.flat))

    def _from(self, orders: Integers | None, epoch: int) -> Integers | None:
        return None if orders is None else orders[epoch * self._samples :]

    def _go(self, orders: Integers | None, epochs: int) -> bool:
        """Continue for some epochs, unless that leads to numbers that are not finite; False if it does."""
        before, after = self._places
        after.take(before)
        costs = self._room_for_costs(epochs)
        began = time.perf_counter()
        done = self._train(after, orders, costs)
        if self._pace and self._is_worth_sharing(epochs):
            self._pace.took((time.perf_counter() - began) / done)
        if not (math.isfinite(costs[done - 1]) and after.state.finite):
            return False
        after.epochs += done
        self._places = after, before
        return True

    def _room_for_costs(self, epochs: int) -> NDArray[np.float64]:
        """The buffer for the costs of the next epochs."""
        done = self._now.epochs
        if done + epochs > len(self._costs):
            larger = np.empty(max(done + epochs, 2 * len(self._costs)))
            larger[:done] = self.costs
            self._costs = larger
        return self._costs[done : done + epochs]


def _call(kernel: Callable[..., int], arguments: tuple[int | None, ...], kept: object) -> int:
    """Call a kernel; ``kept`` stays alive until the last thread has finished."""
    return kernel(*arguments)


def _overflow(weights: Iterable[Array]) -> int:
    """The first layer with weights that are not finite, or 0."""
    return next((layer for layer, W in enumerate(weights, 1) if not np.isfinite(W).all()), 0)
