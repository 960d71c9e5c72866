"""The problem that claims refer to: a network, samples, a cost, and the update of the weights."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from backpath.explain.diagnosis.update_rules import UpdateRule
from backpath.maths.arrays import Array
from backpath.maths.backprop import forward
from backpath.maths.network import Network
from backpath.maths.notation import neuron_name, neuron_names, weight_name

T = TypeVar("T")


@dataclass(frozen=True)
class Procedure:
    """Several updates: the samples of each step, a description, its length in bits, the rule if it is not gradient
    descent, and a constant on each step."""

    steps: tuple[tuple[int, ...], ...]
    words: str
    bits: float
    rule: UpdateRule | None = None
    scale: float = 1.0


@dataclass(frozen=True, eq=False)
class Problem:
    """A problem. Layers, neurons and inputs count from 1; input ``None`` is the bias neuron.

    Attributes
    ----------
    net : Network
        In float64; without biases, it has zeros instead.
    X, y : arrays (N, inputs), (N, outputs)
    learning_rate : float | None
        η of the update; None if unknown.
    free : list of bool arrays in the weights' shapes
        Weights that are updated.
    updates : bool
        Whether there are claims about updated weights.
    procedure : Procedure | None
        The updates, if there is not just one step with the whole batch.
    has_biases : bool
        Whether the network has biases; otherwise there can be no claims about them.
    """

    net: Network
    X: Array
    y: Array
    cost: str
    learning_rate: float | None
    free: list[NDArray[np.bool_]]
    updates: bool = False
    procedure: Procedure | None = None
    has_biases: bool = True
    _memo: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def once(self, what: str, compute: Callable[[], T]) -> T:
        """A result that is the same for all claims about this problem, computed at the first call. It is kept here and
        freed with the problem: mistakes refer to their problem, so a table of problems would keep all of them."""
        if what not in self._memo:
            self._memo[what] = compute()
        found: T = self._memo[what]
        return found

    @cached_property
    def layers(self) -> int:
        return len(self.net.sizes) - 1

    @cached_property
    def outputs(self) -> list[Array]:
        """The right activations by layer, (N, neurons); the first are the inputs."""
        return forward(self.net.weights, self.net.activations, self.X)[1]

    @cached_property
    def mean_cost(self) -> float:
        return self.net.cost(self.X, self.y, self.cost)

    @property
    def samples(self) -> int:
        return len(self.X)

    @property
    def hidden(self) -> range:
        """The hidden layers."""
        return range(1, self.layers)

    @property
    def every(self) -> range:
        """All layers."""
        return range(1, self.layers + 1)

    @property
    def all_and_each(self) -> list[tuple[int, ...]]:
        """All layers together, and each layer."""
        each: list[tuple[int, ...]] = [(layer,) for layer in self.every]
        return [tuple(self.every), *each] if len(each) > 1 else each

    def width(self, layer: int) -> int:
        return self.net.sizes[layer]

    def neurons(self, layer: int) -> tuple[str, ...]:
        return neuron_names(self.net.sizes, layer)

    def neurons_of(self, layers: Iterable[int]) -> tuple[str, ...]:
        return tuple(name for layer in layers for name in self.neurons(layer))

    def biases_of(self, layers: Iterable[int]) -> tuple[str, ...]:
        return tuple(name for layer in layers for name in self.biases(layer))

    def neuron(self, layer: int, j: int) -> str:
        return neuron_name(layer, j, self.layers)

    def weights_of(self, layer: int) -> tuple[str, ...]:
        """The names of a layer's weights."""
        return self._names[layer - 1]

    @cached_property
    def _names(self) -> list[tuple[str, ...]]:
        rows = [range(1, self.width(layer) + 1) for layer in self.every]
        inputs = [[*range(1, self.width(layer - 1) + 1), None] for layer in self.every]
        return [
            tuple(weight_name(layer, j, i) for j, i in itertools.product(rows[layer - 1], inputs[layer - 1]))
            for layer in self.every
        ]

    def biases(self, layer: int) -> tuple[str, ...]:
        return tuple(weight_name(layer, j, None) for j in range(1, self.width(layer) + 1))

    @cached_property
    def shapes(self) -> list[tuple[int, int]]:
        return [W.shape for W in self.net.weights]

    @cached_property
    def ends(self) -> list[int]:
        """The end of each layer's weights among all weights."""
        return list(itertools.accumulate(rows * columns for rows, columns in self.shapes))

    def position(self, layer: int, j: int, i: int | None) -> int:
        """A weight's place among all weights."""
        rows, columns = self.shapes[layer - 1]
        start = self.ends[layer - 1] - rows * columns
        return start + (j - 1) * columns + (columns - 1 if i is None else i - 1)
