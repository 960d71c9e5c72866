"""The chain rule for one weight as plain data, in symbols and with numbers; ``written`` turns it into text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from backpath.errors import InputError
from backpath.explain.backward import Backward, in_float64
from backpath.explain.escape import printable
from backpath.explain.expression import Partial
from backpath.explain.factors import Chain, Factor
from backpath.explain.paths import FEW_PATHS, Paths, all_paths, evaluated, path_count, sample_gradient
from backpath.explain.symbols import C
from backpath.explain.symbols import weight as weight_symbol
from backpath.maths.network import Network
from backpath.maths.notation import neuron_index, weight_index, weight_name
from backpath.maths.values import Value


class DerivationData(Value):
    """∂C/∂W of one weight as a chain of partial derivatives (see ``Derivation``)."""

    def __init__(self, net: Network, weight: str, cost: str, labels: Mapping[str, str]):
        self.network, self.cost, self.labels = net, cost, labels
        index = weight_index(weight, net.sizes, net.biases)
        self.weight = weight_name(*index)
        self.chain = Chain(in_float64(net), cost, index, labels)
        self.path_count = path_count(self.chain)
        self.factors = tuple(self._factors())

    def _factors(self) -> list[Factor]:
        chain = self.chain
        if self.path_count == 1:
            return chain.path(next(all_paths(chain)))
        paths = list(all_paths(chain)) if self.path_count <= FEW_PATHS else None
        return [chain.of_neuron(paths), chain.slope(chain.index.layer, chain.index.neuron), chain.last()]

    def _parts(self) -> tuple[object, ...]:
        return self.network, self.weight, self.cost, self.labels

    @property
    def partial(self) -> Partial:
        """∂C/∂W"""
        return Partial(C, weight_symbol(self.weight))


@dataclass(frozen=True, eq=False)
class Sample(Value):
    """The chain rule with the numbers of one sample.

    Attributes
    ----------
    derivation : Derivation
        The derivation without numbers.
    place : int
        The number of the sample in the batch, from 0.
    """

    derivation: DerivationData
    numbers: Backward
    place: int

    @property
    def gradient(self) -> float:
        """∂C/∂W of this sample alone."""
        return sample_gradient(self.derivation.chain, self.numbers, self.place)

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """The derivation's factors with their values; their product is the gradient."""
        return tuple(factor.at(self.numbers, self.place) for factor in self.derivation.factors)

    @property
    def values(self) -> list[float]:
        """The values of the factors."""
        return [factor.number(self.numbers, self.place) for factor in self.derivation.factors]

    @cached_property
    def paths(self) -> Paths:
        """The paths; their values sum to the gradient."""
        return evaluated(self.derivation.chain, self.numbers, self.place)


class EvaluationData(Value):
    """A derivation with numbers (see ``Evaluation``)."""

    def __init__(self, derivation: DerivationData, numbers: Backward):
        self.derivation, self.numbers = derivation, numbers
        layer, j, i = derivation.chain.index
        self.gradient = float(numbers.gradients[layer - 1][j - 1, -1 if i is None else i - 1])
        self.samples = tuple(Sample(derivation, numbers, place) for place in range(len(numbers.x)))

    def _parts(self) -> tuple[object, ...]:
        return self.derivation, self.numbers

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """The derivation's factors with their values; for a batch, each value is an array (N,)."""
        return tuple(factor.at(self.numbers, self._place) for factor in self.derivation.factors)

    @cached_property
    def paths(self) -> Paths:
        """The paths with their factors' values; for a batch, a factor's value is an array (N,), and a path's is a mean.

        Raises
        ------
        InputError
            For a batch, if there are too many paths to compute all; ``samples[0].paths`` finds those of one sample.
        """
        return evaluated(self.derivation.chain, self.numbers, self._place)

    @property
    def _place(self) -> int | None:
        return 0 if len(self.samples) == 1 else None


def checked_labels(net: Network, labels: Mapping[str, str]) -> dict[str, str]:
    """Labels of inputs, made printable; InputError for a neuron that is not an input."""
    found = {}
    for name, label in labels.items():
        if neuron_index(name, net.sizes)[0] != 0:
            raise InputError(f"labels are for the inputs X1…X{net.sizes[0]}, but one is for {name}")
        found[name] = printable(str(label))
    return found
