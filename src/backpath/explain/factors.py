"""The factors of a chain rule: partial derivatives with their expansion, meaning and value."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from backpath.explain import symbols as sy
from backpath.explain.backward import Backward
from backpath.explain.expression import (
    ONE,
    Expression,
    Partial,
    Product,
    Symbol,
    Total,
    minus,
    product,
    total,
)
from backpath.explain.formulas import of_output
from backpath.explain.printers import latex, text
from backpath.maths.activations import activation
from backpath.maths.arrays import Array
from backpath.maths.costs import cost_function
from backpath.maths.network import Network
from backpath.maths.notation import WeightIndex, neuron_name, weight_name


@dataclass(frozen=True)
class Factor:
    """One factor of a chain rule.

    Attributes
    ----------
    partial : Partial
        The partial derivative, ∂A1/∂u_A1, as a tree.
    expansion : Expression
        What it is, σ′(u_A1), as a tree.
    meaning : str
        Its meaning in words.
    places : names of neurons and weights
        The parts of a picture of the network that its value depends on.
    value : float | array (N,) | None
        Its value, for a batch one per sample; None if it has not been evaluated.
    """

    partial: Partial
    expansion: Expression
    meaning: str
    places: tuple[str, ...]
    _number: Callable[[Backward], Array] = field(repr=False, compare=False)
    value: float | Array | None = None

    @property
    def symbol(self) -> str:
        """The partial derivative as text, such as ``∂A1/∂u_A1``."""
        return text.formula(self.partial)

    @property
    def latex(self) -> str:
        r"""The partial derivative in LaTeX, such as ``\frac{\partial A1}{\partial u_{A1}}``."""
        return latex.formula(self.partial)

    @property
    def expanded(self) -> str:
        """The expansion as text, such as ``σ′(u_A1)``."""
        return text.formula(self.expansion)

    def numbers(self, numbers: Backward) -> Array:
        """Its values for all samples, (N,)."""
        return self._number(numbers)

    def number(self, numbers: Backward, sample: int) -> float:
        """Its value for one sample."""
        return float(self._number(numbers)[sample])

    def at(self, numbers: Backward, sample: int | None) -> Factor:
        """With its value for one sample, or with None for all samples of the batch."""
        return replace(self, value=self._number(numbers) if sample is None else self.number(numbers, sample))


@dataclass(frozen=True)
class Chain:
    """The factors of the chain rule for a network, a cost and a weight.

    ``neurons`` of a path are numbers from 1, from the output layer down to the weight's own neuron.
    """

    net: Network
    cost: str
    index: WeightIndex
    labels: Mapping[str, str]

    @property
    def layers(self) -> int:
        return len(self.net.sizes) - 1

    @property
    def joined(self) -> bool:
        """Whether ∂C/∂A and ∂A/∂u are combined into ∂C/∂u: they simplify, or softmax couples the outputs."""
        return cost_function(self.cost).delta is not None or activation(self.net.activations[-1]).jacobian is not None

    def name(self, layer: int, j: int | str) -> str:
        """A neuron's name; its number may also be a letter."""
        return neuron_name(layer, j, self.layers)  # type: ignore[arg-type]  # a letter stands for any number

    def path(self, neurons: tuple[int, ...]) -> list[Factor]:
        """All factors along a path."""
        if self.index.layer == self.layers:
            return [*self.output(neurons[0]), self.last()]
        return [*self.above(neurons), self.slope(self.index.layer, self.index.neuron), self.last()]

    def above(self, neurons: tuple[int, ...]) -> list[Factor]:
        """The factors of a path down to the output of the weight's neuron: ∂C/∂A1, ∂A1/∂u_A1, ∂u_A1/∂H1 …"""
        factors = self.output(neurons[0])
        for step, (j, i) in enumerate(itertools.pairwise(neurons)):
            layer = self.layers - step
            if step:
                factors.append(self.slope(layer, j))
            factors.append(self.weight(layer, j, i))
        return factors

    def output(self, j: int) -> list[Factor]:
        """∂C/∂A1 and ∂A1/∂u_A1, or ∂C/∂u_A1 for both."""
        if not self.joined:
            return [self.of_cost(j), self.slope(self.layers, j)]
        A, y = self.A_and_y(j)
        simple = cost_function(self.cost).delta is not None
        return [
            Factor(
                Partial(sy.C, sy.net_input(A.name)),
                minus(A, y) if simple else sy.delta(A.name),
                f"how the cost changes with the net input of {A.name}",
                (A.name,),
                lambda numbers: numbers.delta[-1][:, j - 1],
            )
        ]

    def A_and_y(self, j: int | str) -> tuple[Symbol, Symbol]:
        return sy.neuron(self.name(self.layers, j)), sy.target(j, self.net.sizes[-1])

    def of_cost(self, j: int) -> Factor:
        A, y = self.A_and_y(j)
        return Factor(
            Partial(sy.C, A),
            of_output(self.cost, j).slope(A, y, sy.u_cost(j, self.net.sizes[-1])),
            f"how the cost changes with {A.name}",
            (A.name,),
            lambda numbers: numbers.dC_da[-1][:, j - 1],
        )

    def slope(self, layer: int, j: int) -> Factor:
        name = self.name(layer, j)
        return Factor(
            Partial(sy.neuron(name), sy.net_input(name)),
            sy.slope(sy.net_input(name)),
            f"the slope of σ at {name}",
            (name,),
            lambda numbers: numbers.slopes[layer - 1][:, j - 1],
        )

    def weight(self, layer: int, j: int, i: int) -> Factor:
        to, source = self.name(layer, j), self.name(layer - 1, i)
        number = float(self.net.weights[layer - 1][j - 1, i - 1])
        name = weight_name(layer, j, i)
        return Factor(
            Partial(sy.net_input(to), sy.neuron(source)),
            sy.weight(name),
            f"the weight from {source} to {to}",
            (name,),
            lambda numbers: np.full(len(numbers.x), number),
        )

    def last(self) -> Factor:
        """∂u_H1/∂W11_1: the quantity that the weight multiplies."""
        layer, j, i = self.index
        partial = sy.by_weight(self.net.sizes, layer, j, i)
        if i is None:
            return Factor(partial, ONE, "the bias neuron's 1", ("1",), lambda numbers: np.ones(len(numbers.x)))
        name = self.name(layer - 1, i)
        label = f" ({self.labels[name]})" if name in self.labels else ""
        meaning = f"the input {name}{label}" if layer == 1 else f"the output of {name}"
        return Factor(partial, sy.neuron(name), meaning, (name,), lambda numbers: numbers.a[layer - 1][:, i - 1])

    def of_neuron(self, paths: list[tuple[int, ...]] | None) -> Factor:
        """∂C/∂H1 of the weight's neuron, as the sum over ``paths``, or from the δ of the layer above."""
        layer, j, _ = self.index
        name = self.name(layer, j)
        if paths is None:
            step = Product((sy.delta(self.name(layer + 1, "k")), self.letter_weight(layer + 1, "k", j)))
            expansion: Expression = Total("k", self.net.sizes[layer + 1], step)
        else:
            expansion = total(*(product(*(f.expansion for f in self.above(path))) for path in paths))
        return Factor(
            Partial(sy.C, sy.neuron(name)),
            expansion,
            f"how the cost changes with {name}",
            (name,),
            lambda numbers: numbers.dC_da[layer - 1][:, j - 1],
        )

    def letter_weight(self, layer: int, j: str, i: int | str) -> Symbol:
        """A weight with a letter in its name: Wk1_2."""
        comma = "," if isinstance(i, int) and i > 9 else ""
        return sy.weight(f"W{j}{comma}{i}_{layer}")
