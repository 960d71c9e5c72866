"""The paths from the cost to a weight, and the strongest ones if there are very many."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.explain.backward import Backward
from backpath.explain.factors import Chain, Factor
from backpath.maths.arrays import Array
from backpath.maths.notation import weight_name

FEW_PATHS = 6  # paths that a derivation writes out; with more, it uses the recursion in δ
LISTED = 64  # paths that are all evaluated; with more, only the strongest are
STRONGEST = 5
_MOST_ASKED = 1000


@dataclass(frozen=True)
class Path:
    """One path from the cost down to a weight, with numbers.

    Attributes
    ----------
    neurons : tuple of str
        The names from the output to the weight's source, ``("A1", "H1", "X1")``; ``"1"`` is the bias neuron.
    factors : tuple of Factor
        The factors along it, with their values.
    value : float
        Their product, averaged over the batch; the paths' values add up to the gradient.
    share : float | None
        value / gradient, negative or above 1 if paths cancel; None if the gradient is 0 except for rounding.
    """

    neurons: tuple[str, ...]
    factors: tuple[Factor, ...]
    value: float
    share: float | None

    @property
    def values(self) -> list[float]:
        """The factors' values for one sample."""
        return [float(factor.value) for factor in self.factors if factor.value is not None]


class Paths(Sequence[Path]):
    """The paths of an evaluated derivation: all of them, in order, or the strongest if there are very many.

    ``paths(top=3)`` returns the three strongest without computing all.

    Attributes
    ----------
    total : int
        The number of paths in the network.
    share : float | None
        The combined share of the listed paths in the gradient.
    """

    def __init__(self, listed: Sequence[Path], total: int, strongest: Callable[[int], Paths]):
        self._listed, self.total, self._strongest = tuple(listed), total, strongest
        shares = [path.share for path in listed]
        self.share = None if None in shares else math.fsum(s for s in shares if s is not None)

    def __call__(self, top: int) -> Paths:
        """The strongest paths: those with the largest absolute values, in descending order.

        Parameters
        ----------
        top : int
            How many, from 1 to 1000.

        Returns
        -------
        Paths
            That many, or all if there are fewer.

        Raises
        ------
        InputError
            If ``top`` is another number.
        """
        if not isinstance(top, int) or not 1 <= top <= _MOST_ASKED:
            raise InputError(f"top must be a whole number from 1 to {_MOST_ASKED}, but is {top!r}")
        return self._strongest(top)

    def __len__(self) -> int:
        return len(self._listed)

    def __getitem__(self, place):  # type: ignore[no-untyped-def]  # an index or a slice, as in a tuple
        """A path by its place in the list, or the paths of a slice."""
        return self._listed[place]

    def __repr__(self) -> str:
        return f"Paths({len(self)} of {self.total:,})"


def path_count(chain: Chain) -> int:
    return math.prod(chain.net.sizes[chain.index.layer + 1 :])


def all_paths(chain: Chain) -> Iterator[tuple[int, ...]]:
    """All paths, as neuron numbers from the output down to the weight's neuron."""
    above = [range(1, n + 1) for n in chain.net.sizes[: chain.index.layer : -1]]
    return ((*neurons, chain.index.neuron) for neurons in itertools.product(*above))


def evaluated(chain: Chain, numbers: Backward, sample: int | None) -> Paths:
    """All paths with their values for one sample, or with None for the whole batch."""
    count = path_count(chain)
    if sample is None and count > LISTED:
        raise InputError(
            f"{weight_name(*chain.index)} has {count:,} paths; the strongest are found per sample: use samples[0].paths"
        )
    layer, j, i = chain.index
    mean = float(numbers.gradients[layer - 1][j - 1, -1 if i is None else i - 1])
    gradient = mean if sample is None else sample_gradient(chain, numbers, sample)

    def strongest(top: int) -> Paths:
        if sample is None:
            ranked = sorted(listed, key=lambda path: -abs(path.value))[:top]
            return Paths(ranked, count, strongest)
        found = _strongest(chain, numbers, sample, min(top, count))
        return Paths([_path(chain, numbers, sample, way, gradient) for way in found], count, strongest)

    if count > LISTED:
        return strongest(STRONGEST)
    listed = [_path(chain, numbers, sample, way, gradient) for way in all_paths(chain)]
    return Paths(listed, count, strongest)


def sample_gradient(chain: Chain, numbers: Backward, sample: int) -> float:
    """∂C/∂W for one sample: δ times the quantity that the weight multiplies."""
    layer, j, i = chain.index
    before = 1.0 if i is None else float(numbers.a[layer - 1][sample, i - 1])
    return float(numbers.delta[layer - 1][sample, j - 1]) * before


def _path(chain: Chain, numbers: Backward, sample: int | None, neurons: tuple[int, ...], gradient: float) -> Path:
    factors = chain.path(neurons)
    products = np.prod([factor.numbers(numbers) for factor in factors], axis=0)
    value = float(products.mean() if sample is None else products[sample])
    names = [chain.name(chain.layers - step, j) for step, j in enumerate(neurons)]
    layer, _, i = chain.index
    names.append("1" if i is None else chain.name(layer - 1, i))
    evaluated_factors = tuple(factor.at(numbers, sample) for factor in factors)
    return Path(tuple(names), evaluated_factors, value, _share(value, gradient))


def _share(value: float, gradient: float) -> float | None:
    return None if abs(gradient) <= 1e-14 * abs(value) else value / gradient


def _strongest(chain: Chain, numbers: Backward, sample: int, top: int) -> list[tuple[int, ...]]:
    """The k best paths, by dynamic programming: the k best to a neuron continue the k best to the neurons above it.

    From the outputs down, ``strength[j]`` has the |products| of the best paths to neuron j, and ``ways[layer]`` the
    neuron above and its path that each one continues. This takes k·n² products per layer instead of nᴸ paths.
    """
    layer, j, _ = chain.index
    strength: Array = np.abs(numbers.delta[-1][sample])[:, None]
    ways: list[tuple[Array, Array]] = []
    for below in range(chain.layers - 1, layer - 1, -1):
        steps = np.abs(chain.net.weights[below][:, : chain.net.sizes[below]]) * np.abs(
            numbers.slopes[below - 1][sample]
        )
        products = (steps[:, :, None] * strength[:, None, :]).transpose(1, 0, 2)
        kept = strength.shape[1]
        flat = products.reshape(len(products), -1)
        best = _largest(flat, top)
        strength = np.take_along_axis(flat, best, axis=1)
        ways.append((best // kept, best % kept))
    found = []
    for rank in range(strength.shape[1]):
        neurons, place, way = [j], j - 1, rank
        for above, rank_above in reversed(ways):
            place, way = int(above[place, way]), int(rank_above[place, way])
            neurons.insert(0, place + 1)
        found.append(tuple(neurons))
    return found


def _largest(rows: Array, count: int) -> NDArray[np.intp]:
    """The places of the largest numbers in each row, in descending order."""
    if count < rows.shape[1]:
        best = np.argpartition(-rows, count - 1, axis=1)[:, :count]
    else:
        best = np.broadcast_to(np.arange(rows.shape[1]), rows.shape)
    order = np.argsort(-np.take_along_axis(rows, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)
