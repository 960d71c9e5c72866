"""One step of gradient descent as plain data; ``written`` turns it into text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backpath.explain.backward import backward, in_float64
from backpath.explain.batch_matrices import batch_matrices
from backpath.explain.factors import Chain
from backpath.maths.named import Gradients
from backpath.maths.network import Network
from backpath.maths.notation import WeightIndex
from backpath.maths.values import Value


@dataclass(frozen=True)
class Update:
    """The update of one weight: after = before - η × gradient, or no change if it is frozen.

    Attributes
    ----------
    weight : str
        Its name.
    before : float
        W before the step.
    gradient : float
        ∂C/∂W.
    after : float
        W after the step.
    frozen : bool
        Whether the weight is frozen.
    """

    weight: str
    before: float
    gradient: float
    after: float
    frozen: bool


class StepData(Value):
    """One step of gradient descent with all its numbers (see ``Step``)."""

    def __init__(
        self,
        net: Network,
        X: ArrayLike,
        y: ArrayLike,
        cost: str,
        learning_rate: float,
        frozen: Iterable[str],
        labels: Mapping[str, str],
    ):
        self.frozen = frozen = tuple(frozen)
        self.network, self.cost, self.learning_rate, self.labels = in_float64(net), cost, learning_rate, labels
        self.numbers = backward(self.network, X, y, cost)
        self.cost_value = float(self.numbers.costs.sum(axis=1, dtype=np.float64).mean(dtype=np.float64))
        self.gradients = Gradients(net.sizes, [g.copy() for g in self.numbers.gradients])
        self.after = self.network.step(self.numbers.x, self.numbers.y, learning_rate, cost, frozen)
        free = [flag for mask in self.network.free_weights(frozen) for flag in mask.ravel()]
        self.updates = tuple(
            Update(name, self.network[name], self.gradients[name], self.after[name], not is_free)
            for name, is_free in zip(net.weight_names, free, strict=True)
        )
        self.matrices = batch_matrices(self.network, self.numbers)

    def _parts(self) -> tuple[object, ...]:
        return self.network, self.numbers.x, self.numbers.y, self.cost, self.learning_rate, self.frozen, self.labels

    @property
    def chain(self) -> Chain:
        """A chain, for the names of neurons."""
        return Chain(self.network, self.cost, WeightIndex(1, 1, 1), self.labels)
