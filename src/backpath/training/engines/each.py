"""Trains many networks one after the other with the native kernels for one, with the samples in the lanes."""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.maths.arrays import Array, Indices
from backpath.training.engines.compiled import WEIGHT_COPIES
from backpath.training.engines.groups import Populated, Standing
from backpath.training.engines.layout import Layout, lay_out
from backpath.training.job import Job
from backpath.training.native import calls
from backpath.training.native.library import address, buffer, kernels
from backpath.training.state import put_back

FEW_WEIGHTS = 400  # with fewer, the weights and gradients of 16 networks stay in or near a first-level cache
LAID_BYTES = 2**26  # the most bytes of samples that are laid out once for all networks
_STEP = calls.STEP_BYTES // 4  # numbers, at most


def samples_in_lanes(job: Job) -> bool:
    """Whether to put the samples of a batch in the lanes rather than networks. This does not depend on the number of
    networks, so that a network's bits do not depend on the other ones."""
    weights = sum(W.size for W in job.network.weights)
    return weights > FEW_WEIGHTS and job.batch_size >= calls.STEP_BYTES // job.network.dtype.itemsize


class Each:
    """Trains many networks, each bit for bit like ``CompiledEngine``."""

    networks_at_once = 1

    def __init__(self, standing: Standing):
        job, size = standing.job, standing.weights.shape[1]
        self.standing, self._kernels = standing, kernels(job.network.dtype)
        self._layout = lay_out(job, laid=len(job.X) * sum(job.network.sizes) * job.X.itemsize <= LAID_BYTES)
        copies = WEIGHT_COPIES[job.solver.name]
        flat = buffer(size * copies * self._layout.weights, job.network.dtype)
        self._flat: Array = flat.reshape(size, copies * self._layout.weights)
        self._places = _places(self._layout)
        self._flat[:, self._places] = standing.weights.T
        self._states = (calls.CState * size)(*(calls.CState(best=math.inf) for _ in range(size)))
        self._workspaces: list[EachWorkspace] = []

    def train(self, networks: Indices, begin: int, epochs: int, orders: Indices) -> None:
        """Train these networks for some epochs, starting with epoch ``begin``."""
        try:
            workspace = self._workspaces.pop()
        except IndexError:  # all workspaces are in use
            workspace = EachWorkspace(self.standing, self._layout, self._flat, self._states)
        given = address(networks, np.int64, len(networks)), len(networks), begin, epochs
        self._kernels.train_each(workspace.place(epochs), *given, address(orders, np.int64, orders.size), len(orders))
        self._workspaces.append(workspace)

    def conclude(self) -> None:
        """Copy the final weights to the networks' state."""
        self.standing.weights[:] = self._flat[:, self._places].T

    def state(self) -> dict[str, Any]:
        copies = self._flat.reshape(len(self._flat), -1, self._layout.weights)
        states = np.frombuffer(self._states, np.float64).reshape(len(self._flat), -1)
        return {"each": copies[..., self._places], "states": states.copy()}

    def restore(self, state: dict[str, Any]) -> None:
        copies = self._flat.reshape(len(self._flat), -1, self._layout.weights)
        copies[..., self._places] = put_back(copies[..., self._places], state["each"])
        states = np.frombuffer(self._states, np.float64).reshape(len(self._flat), -1)
        states[...] = put_back(states, state["states"])


class EachWorkspace:
    """The arguments of one thread's kernel call, and the objects that must stay alive."""

    def __init__(self, standing: Standing, layout: Layout, flat: Array, states: ctypes.Array[calls.CState]):
        job, s, number = standing.job, standing.job.solver, flat.dtype
        self._plan = calls.CPlan.from_buffer_copy(layout.plan)
        self._plan.fused = self._plan.fused and not standing.stop_when_solved
        tol = -1.0 if job.tol is None else job.tol
        rates = (0.0, 0.0, s.nesterov, s.beta_1, s.beta_2, s.epsilon, job.l2, tol, job.patience)
        self._settings = calls.CSettings(*rates, job.cost_share, 0.0, standing.solved_error, standing.stop_when_solved)
        room = buffer(layout.weights + flat.shape[1] + _STEP + layout.numbers, number)
        aside = np.empty(layout.costs)
        gradient, before, worst, memory = np.split(room, np.cumsum([layout.weights, flat.shape[1], _STEP]))
        free = None if job.free is None else layout.flat(job.free, number)
        X, Y = np.ascontiguousarray(job.X), np.ascontiguousarray(job.y)
        self._training = calls.CTraining(
            ctypes.addressof(self._plan),
            ctypes.addressof(self._settings),
            address(layout.layers, np.int64, layout.layers.size),
            address(memory, number, layout.numbers),
            address(gradient, number, layout.weights),
            None if free is None else address(free, number, layout.weights),
            address(X, number, X.size),
            address(Y, number, Y.size),
            None,
            address(aside, np.float64, layout.costs),
            address(worst, number, 1),
        )
        self._populated = Populated(standing, 0, layout.weights, flat.shape[1] - layout.weights)
        self._each = calls.CEach(
            self._populated.place,
            ctypes.addressof(self._training),
            address(standing.rates, np.float64, len(flat)),
            address(standing.momenta, np.float64, len(flat)),
            address(flat, number, flat.size),
            address(before, number, flat.shape[1]),
            ctypes.addressof(states),
        )
        self._kept = standing, layout, flat, states, room, free, X, Y, aside

    def place(self, epochs: int) -> int:
        """The arguments, with room for the costs of this many epochs."""
        self._costs = np.empty(epochs)
        self._each.costs = address(self._costs, np.float64, epochs)
        return ctypes.addressof(self._each)


def _places(layout: Layout) -> NDArray[np.intp]:
    """The place of each weight, in the order of their names, in a flat padded row."""
    places = layout.arrays(np.arange(layout.weights, dtype=np.float64))
    return np.concatenate([array.ravel() for array in places]).astype(np.intp)
