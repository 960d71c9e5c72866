"""Where everything of one network is in the native kernels' flat buffers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.maths.activations import activation
from backpath.maths.arrays import Array, Integers
from backpath.maths.costs import cost_function
from backpath.maths.network import Network
from backpath.training.job import Job
from backpath.training.native.calls import SOLVERS, STEP_BYTES, CPlan
from backpath.training.native.library import buffer

NARROW_LANES, NARROW_WEIGHTS = 4, 256

# A block of samples: so many that its rows stay in the processor's cache, in reason.
BLOCK_BYTES, LEAST_BLOCK, MOST_BLOCK = 131_072, 128, 512
# A batch of many blocks goes through in parts, each with a gradient of its own, while these are small.
BLOCKS_OF_PART, MOST_PARTS, PARTS_BYTES = 4, 64, 4 << 20


@dataclass(frozen=True)
class Layout:
    """Where everything is in the kernels' flat buffers.

    Attributes
    ----------
    layers : int64 array (layers, columns of ``calls.LAYER``)
    weights, numbers : int
        The lengths of the buffer of the weights and of the working memory.
    costs : int
        How many costs the kernels keep aside: of a block's panels, of a batch's parts.
    step : int
        Neurons of a panel of weights.
    plan : CPlan
        What the kernels are to do.
    """

    layers: Integers
    weights: int
    numbers: int
    costs: int
    step: int
    plan: CPlan

    def arrays(self, flat: Array) -> list[Array]:
        """The layers' weights in a flat array, as arrays of the network's shapes."""
        views = zip(self._views(flat), self.layers[:, 1].tolist(), strict=True)
        return [view.reshape(-1, view.shape[-1])[:neurons].copy() for view, neurons in views]

    def put(self, arrays: Iterable[NDArray[Any]], flat: Array) -> None:
        """The other way round, into a flat array of zeros."""
        for view, W in zip(self._views(flat), arrays, strict=True):
            padded = np.zeros((view.shape[0] * view.shape[1], view.shape[2]), flat.dtype)
            padded[: len(W)] = W
            view[:] = padded.reshape(view.shape)

    def flat(self, arrays: Iterable[NDArray[Any]], dtype: np.dtype[Any], copies: int = 1) -> Array:
        """Arrays of the network's shapes as one flat array, with room for as much again behind it."""
        flat: Array = buffer(copies * self.weights, dtype)
        self.put(arrays, flat)
        return flat

    def _views(self, flat: Array) -> Iterator[Array]:
        """For each layer (groups of neurons, neurons of a group, inputs + 1)."""
        for inputs, neurons, _, place, row, *_ in self.layers.tolist():
            if self.plan.narrow:
                yield flat[place : place + neurons * row].reshape(neurons, 1, row)[..., : inputs + 1]
            else:
                panels, size = -(-neurons // self.step), (inputs + 1) * self.step
                yield flat[place : place + panels * size].reshape(panels, inputs + 1, self.step).transpose(0, 2, 1)


def lay_out(job: Job, members: int = 1, laid: bool | None = None) -> Layout:
    """For a job that so many threads may share. ``laid``: all samples are laid out at once, as where their order
    stays if it is None."""
    network, solver = job.network, job.solver.name
    few = sum(W.size for W in network.weights) <= NARROW_WEIGHTS
    squared = job.cost.endswith("squared_error") and network.activations[-1] != "softmax"
    plain = solver == "gd" and job.free is None and not job.l2 and job.clip_norm is None
    codes = tuple(activation(name).code for name in network.activations)
    batches = (len(job.X), job.batch_size, not job.shuffle if laid is None else laid)
    what = (cost_function(job.cost).code, SOLVERS[solver], plain)
    if few and squared and job.batch_size <= NARROW_LANES:
        return _narrow(network.sizes, codes, network.dtype.itemsize, *batches, *what)
    return _wide(network.sizes, codes, network.dtype.itemsize, *batches, *what, members)


def lay_out_prediction(network: Network) -> Layout:
    """For rows that go forward through a network; a member's working memory is ``plan.slot`` numbers."""
    codes = tuple(activation(name).code for name in network.activations)
    panel = 2 * STEP_BYTES // network.dtype.itemsize
    return _wide(network.sizes, codes, network.dtype.itemsize, panel, panel, False, 0, 0, False, 1)


@lru_cache(maxsize=64)
def _narrow(
    sizes: tuple[int, ...],
    codes: tuple[int, ...],
    itemsize: int,
    samples: int,
    batch: int,
    laid: bool,
    cost: int,
    solver: int,
    plain: bool,
) -> Layout:
    """A batch is one block, whose samples are in four lanes."""
    layers, place, weights = [], 0, 0
    for (inputs, neurons), code in zip(itertools.pairwise(sizes), codes, strict=True):
        row, rows = _up(inputs + 1, 4), neurons * NARROW_LANES
        layers.append((inputs, neurons, code, weights, row, place, place + rows, -1))
        place += 2 * rows
        weights += neurons * row
    known = (sizes[0] + sizes[-1] + 1) * NARROW_LANES
    numbers = place + known * (-(-samples // batch) if laid else 1)
    weights = _up(weights, STEP_BYTES // itemsize)
    plan = CPlan(cost, solver, len(layers), weights, samples, batch, NARROW_LANES, place, place, laid, True, plain)
    return Layout(np.array(layers, np.int64), weights, numbers, 0, 1, plan)


@lru_cache(maxsize=64)
def _wide(
    sizes: tuple[int, ...],
    codes: tuple[int, ...],
    itemsize: int,
    samples: int,
    batch: int,
    laid: bool,
    cost: int,
    solver: int,
    plain: bool,
    members: int,
) -> Layout:
    """The samples are in panels of two steps (see ``native/wide.hpp``)."""
    step = STEP_BYTES // itemsize
    panel = 2 * step
    known = (sizes[0] + sizes[-1] + 2) * panel
    layers, place, weights = [], 0, 0
    for (inputs, neurons), code in zip(itertools.pairwise(sizes), codes, strict=True):
        deltas = place + (neurons + 1) * panel
        layers.append([inputs, neurons, code, weights, 0, place, deltas, -1])
        place = deltas + _up(neurons, 4) * panel
        weights += _up(neurons, step) * (inputs + 1)
    working = place + 3 * panel
    most = min(max(LEAST_BLOCK, BLOCK_BYTES // ((known + working) // panel * itemsize)), MOST_BLOCK)
    block = min(_up(batch, panel), _up(most, panel))
    slot = working * (block // panel)
    for layer in layers:
        if 2 * layer[1] >= step:  # else few neurons' sums over the lanes cost less than transposing their δ
            layer[-1], slot = slot, slot + _up(layer[1], step) * block
    data = slot
    if not laid:
        slot += known * (block // panel)
    parts = max(1, min(batch // (BLOCKS_OF_PART * block), MOST_PARTS, PARTS_BYTES // (weights * itemsize)))
    numbers = slot * (members if parts > 1 else 1)
    if laid:
        whole, rest = divmod(samples, batch)
        data, numbers = numbers, numbers + known * (whole * -(-batch // panel) + -(-rest // panel))
    sums, numbers = numbers, numbers + (parts * weights if parts > 1 else 0)
    fused = plain and (batch <= block or parts > 1)
    sizes_and_batches = (len(layers), weights, samples, batch, block)
    plan = CPlan(cost, solver, *sizes_and_batches, place, data, laid, False, fused, 0, slot, working, parts, sums)
    return Layout(np.array(layers, np.int64), weights, numbers, max(parts, block // panel), step, plan)


def _up(count: int, unit: int) -> int:
    """The next multiple of ``unit``."""
    return -(-count // unit) * unit
