"""The layout of one network in the native kernels' flat buffers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.maths.activations import activation
from backpath.maths.arrays import Array, Integers
from backpath.maths.costs import cost_function
from backpath.training.job import Job
from backpath.training.native.calls import SOLVER_CODES, STEP_BYTES, CPlan
from backpath.training.native.library import buffer

NARROW_LANES, NARROW_WEIGHTS = 4, 256

# A block is as large as fits in the processor's cache.
_BLOCK_BYTES, _LEAST_BLOCK, MOST_BLOCK = 131_072, 128, 512
# A large batch is divided into parts, each with its own gradient, if the gradients are small; into a power of two, so
# that two or four threads get the same number.
LEAST_PART, BYTES_PER_SAMPLE, MOST_PARTS, PARTS_BYTES = 96, 2048, 64, 4 << 20
UPDATED = 512  # weights that are updated in one unit


@dataclass(frozen=True)
class Layout:
    """The layout of the kernels' flat buffers.

    Attributes
    ----------
    layers : int64 array (layers, columns of ``calls.LAYER``)
    weights, numbers : int
        The lengths of the buffer of the weights and of the working memory.
    costs : int
        The number of costs that the kernels store: of a block's panels, a batch's parts, or ranges of weights.
    step : int
        The neurons in a panel of weights.
    plan : CPlan
        The plan of the kernels.
    products : float
        Roughly the number of fused products of whole steps per batch.
    shapes : tuple of (inputs, neurons, place in the weights, length of a narrow network's rows), one per layer
    places : int64 array (weights without padding,) or None
    For a narrow network, the place of each weight.
    """

    layers: Integers
    weights: int
    numbers: int
    costs: int
    step: int
    plan: CPlan
    products: float
    shapes: tuple[tuple[int, int, int, int], ...]
    places: Integers | None

    @classmethod
    def of(cls, layers: Sequence[Sequence[int]], numbers: int, costs: int, step: int, plan: CPlan) -> Layout:
        products = 3 * plan.batch * sum(layer[1] * (layer[0] + 1) for layer in layers) / step
        shapes = tuple((inputs, neurons, place, row) for inputs, neurons, _, place, row, *_ in layers)
        places = None
        if plan.narrow:
            narrow = [place + j * row + i for n, m, place, row in shapes for j in range(m) for i in range(n + 1)]
            places = np.array(narrow, np.int64)
        return cls(np.array(layers, np.int64), int(plan.weights), numbers, costs, step, plan, products, shapes, places)

    def arrays(self, flat: Array) -> list[Array]:
        """The layers' weights in a flat array, as new arrays of the network's shapes."""
        found, first = [], 0
        if self.places is not None:
            weights = flat[self.places]
            for inputs, neurons, *_ in self.shapes:
                end = first + neurons * (inputs + 1)
                found.append(weights[first:end].reshape(neurons, inputs + 1))
                first = end
            return found
        for parts in self._parts(flat):
            views = [view.reshape(-1, view.shape[-1]) for view in parts]  # copies for panels
            found.append(np.concatenate(views) if len(views) > 1 else np.array(views[0], order="C"))
        return found

    def put(self, arrays: Iterable[NDArray[Any]], flat: Array) -> None:
        """The inverse; padding in the flat array does not change."""
        if self.places is not None:
            flat[self.places] = np.concatenate([W.ravel() for W in arrays])
            return
        for parts, W in zip(self._parts(flat), arrays, strict=True):
            first = 0
            for view in parts:
                neurons = view.size // view.shape[-1]
                view[:] = W[first : first + neurons].reshape(view.shape)
                first += neurons

    def flat(self, arrays: Iterable[NDArray[Any]], dtype: np.dtype[Any]) -> Array:
        """Arrays of the network's shapes as one flat array, padded with zeros."""
        flat: Array = buffer(self.weights, dtype)
        self.put(arrays, flat)
        return flat

    def _parts(self, flat: Array) -> Iterator[list[Array]]:
        """For each layer of a wide network: the neurons of whole panels, and of the last panel, (…, inputs + 1)."""
        for inputs, neurons, place, _ in self.shapes:
            panels, rest = divmod(neurons, self.step)
            size = (inputs + 1) * self.step
            last = place + panels * size
            parts = [flat[place:last].reshape(panels, inputs + 1, self.step).transpose(0, 2, 1)] if panels else []
            if rest:
                parts.append(flat[last : last + size].reshape(inputs + 1, self.step).T[:rest])
            yield parts


def lay_out(job: Job, members: int = 1, laid: bool | None = None) -> Layout:
    """The layout for a job that this many threads may share. ``laid``: lay out all samples at once, which needs a fixed
    order; by default, this is done if the order is fixed."""
    network, solver = job.network, job.solver.name
    plain = solver == "gd" and job.free is None and not job.l2 and job.clip_norm is None
    laid = not job.shuffle if laid is None else laid
    kind = network.sizes, network.activations, network.dtype.itemsize, len(job.X), job.batch_size
    return _laid_out(*kind, laid, job.cost, solver, plain, members)


@lru_cache(maxsize=64)
def _laid_out(
    sizes: tuple[int, ...],
    activations: tuple[str, ...],
    itemsize: int,
    samples: int,
    batch: int,
    laid: bool,
    cost: str,
    solver: str,
    plain: bool,
    members: int,
) -> Layout:
    few = sum(neurons * (inputs + 1) for inputs, neurons in itertools.pairwise(sizes)) <= NARROW_WEIGHTS
    squared = cost.endswith("squared_error") and activations[-1] != "softmax"
    codes = tuple(activation(name).code for name in activations)
    what = sizes, codes, itemsize, samples, batch, laid, cost_function(cost).code, SOLVER_CODES[solver], plain
    return _narrow(*what) if few and squared and batch <= NARROW_LANES else _wide(*what, members)


def lay_out_prediction(sizes: tuple[int, ...], activations: Sequence[str], itemsize: int) -> Layout:
    """The layout for a forward pass of rows; a member's working memory is ``plan.slot`` numbers."""
    codes = tuple(activation(name).code for name in activations)
    panel = 2 * STEP_BYTES // itemsize
    return _wide(sizes, codes, itemsize, panel, panel, False, 0, 0, False, 1)


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
    """The layout with one block per batch, with the samples in four lanes."""
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
    return Layout.of(layers, numbers, 0, STEP_BYTES // itemsize, plan)


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
    """The layout with the samples in panels of two steps (see ``native/wide.hpp``)."""
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
    most = min(max(_LEAST_BLOCK, _BLOCK_BYTES // ((known + working) // panel * itemsize)), MOST_BLOCK)
    block = min(_up(batch, panel), _up(most, panel))
    slot = working * (block // panel)
    for layer in layers:
        if 2 * layer[1] >= step:  # for few neurons, sums over the lanes are cheaper than transposing δ
            layer[-1], slot = slot, slot + _up(layer[1], step) * block
    data = slot
    if not laid:
        slot += known * (block // panel)
    size = weights * itemsize
    most_parts = min(batch // max(LEAST_PART, size // BYTES_PER_SAMPLE), MOST_PARTS, PARTS_BYTES // size)
    parts = 1 << max(1, most_parts).bit_length() - 1  # the next lower power of two
    numbers = slot * (members if parts > 1 else 1)
    if laid:
        whole, rest = divmod(samples, batch)
        data, numbers = numbers, numbers + known * (whole * -(-batch // panel) + -(-rest // panel))
    sums, numbers = numbers, numbers + (parts * weights if parts > 1 else 0)
    fused = plain and (batch <= block or parts > 1)
    sizes_and_batches = (len(layers), weights, samples, batch, block)
    plan = CPlan(cost, solver, *sizes_and_batches, place, data, laid, False, fused, 0, slot, working, parts, sums)
    return Layout.of(layers, numbers, max(parts, block // panel, -(-weights // UPDATED)), step, plan)


def _up(count: int, unit: int) -> int:
    """The next multiple of ``unit``."""
    return -(-count // unit) * unit
