"""A network with its samples: the numbers from which the reasons are derived."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from backpath.explain.backward import Backward, backward, in_float64
from backpath.maths import backprop
from backpath.maths.arrays import Array
from backpath.maths.costs import cost_function
from backpath.maths.network import Network
from backpath.maths.notation import neuron_name

_MOST_SAMPLES = 5000  # with more, this many are used, evenly spread


@dataclass(frozen=True)
class Reason:
    """One reason why a network does not learn.

    Attributes
    ----------
    mistake : str
        Its code, such as ``"dead_relu"``; docs/diagnose.md lists all of them.
    where : tuple of str
        The neurons, inputs or weights that it concerns.
    message : str
        The same in a sentence, with the numbers.
    """

    mistake: str
    where: tuple[str, ...]
    message: str


@dataclass(frozen=True, eq=False)
class Situation:
    """``net`` in float64, its forward and backward pass over the samples, and the learning rate, if there is one."""

    net: Network
    cost_name: str
    rate: float | None
    numbers: Backward

    @classmethod
    def of(cls, net: Network, X: ArrayLike, y: ArrayLike, cost: str, rate: float | None) -> Situation:
        wide = in_float64(net)
        inputs, targets = wide.samples(X, y, cost)
        if len(inputs) > _MOST_SAMPLES:
            chosen = np.linspace(0, len(inputs) - 1, _MOST_SAMPLES).astype(np.intp)
            inputs, targets = inputs[chosen], targets[chosen]
        return cls(wide, cost, rate, backward(wide, inputs, targets, cost))

    @property
    def X(self) -> Array:
        return self.numbers.x

    @property
    def y(self) -> Array:
        return self.numbers.y

    @property
    def A(self) -> Array:
        """The answers, (N, outputs)."""
        return self.numbers.a[-1]

    @property
    def layers(self) -> int:
        return len(self.net.sizes) - 1

    @property
    def hidden(self) -> range:
        return range(1, self.layers)

    def neuron(self, layer: int, j: int) -> str:
        """The name of a neuron by its number from 0."""
        return neuron_name(layer, j + 1, self.layers)

    def incoming(self, layer: int) -> Array:
        """A layer's weights without its biases, (neurons, inputs)."""
        return self.net.weights[layer - 1][:, : self.net.sizes[layer - 1]]

    @cached_property
    def cost(self) -> float:
        return float(self.numbers.costs.sum(axis=1).mean())

    def cost_of(self, weights: Sequence[Array]) -> float:
        """The cost with other weights; infinite if it overflows."""
        with np.errstate(all="ignore"):
            u, a = backprop.forward(weights, self.net.activations, self.X)
            found = backprop.batch_cost(self.cost_name, u[-1], a[-1], self.y)
        return found if math.isfinite(found) else math.inf

    def cost_after(self, rate: float) -> float:
        """The cost after one step W = W - η ∂C/∂W over all samples."""
        return self.cost_of([W - rate * g for W, g in zip(self.net.weights, self.numbers.gradients, strict=True)])

    @cached_property
    def slope(self) -> float:
        """The length of the gradient."""
        return math.sqrt(sum(float((g * g).sum()) for g in self.numbers.gradients))

    @cached_property
    def curvature(self) -> float:
        """κ, the curvature along the gradient: gᵀ H g / gᵀ g, from a central difference of gradients."""
        if not self.slope:
            return 0.0
        apart = 1e-4 / self.slope
        slopes = []
        for sign in (1, -1):
            moved = [W + sign * apart * g for W, g in zip(self.net.weights, self.numbers.gradients, strict=True)]
            there = self.net.with_weights(moved).gradients(self.X, self.y, self.cost_name).layers
            slopes.append(sum(float((a * b).sum()) for a, b in zip(there, self.numbers.gradients, strict=True)))
        return (slopes[0] - slopes[1]) / (2 * apart) / self.slope**2

    @cached_property
    def unlearned(self) -> float:
        """The cost relative to the best constant answer's: 1 if nothing is learned, close to 0 if nearly all is."""
        constant = self.cost_of_answers(np.broadcast_to(self.y.mean(axis=0), self.y.shape))
        return self.cost / constant if constant > 0 else (1.0 if self.cost > 0 else 0.0)

    def cost_of_answers(self, A: Array) -> float:
        """The mean cost for given outputs."""
        with np.errstate(all="ignore"):
            output, a = self.net.activations[-1], np.clip(A, 1e-15, None)
            u = np.log(a / (1 - a)) if output == "sigmoid" else np.log(a)  # only costs of a single such output use u
            costs = cost_function(self.cost_name).value(u, A, self.y)
        return float(np.nan_to_num(costs, nan=0.0, posinf=1e300).sum(axis=1).mean())
