"""Keeps the network that did best on rows it was not trained on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backpath.errors import DivergenceError, InputError
from backpath.maths import backprop
from backpath.maths.network import Network

Array = NDArray[np.floating]


class Validation:
    """The cost on held-out samples after each epoch, and the weights with which it was lowest.

    Parameters
    ----------
    samples : (X, y)
        Of shapes (N, inputs), (N, outputs), checked against the network.
    """

    def __init__(self, network: Network, samples: tuple[ArrayLike, ArrayLike], cost: str):
        try:
            X, y = samples
        except (TypeError, ValueError):
            raise InputError("validation must be a pair (X, y) of held-out samples") from None
        self.X, self.y = network.samples(X, y, cost)
        self.network, self.activations, self.cost = network, network.activations, cost
        self.costs: list[float] = []
        self.lowest, self.weights = math.inf, list(network.weights)

    def look(self, weights: Sequence[Array]) -> None:
        """Measure these weights; keep a copy of them if none were better."""
        with np.errstate(over="ignore", invalid="ignore"):
            u, a = backprop.forward(weights, self.activations, self.X)
            self.costs.append(backprop.batch_cost(self.cost, u[-1], a[-1], self.y))
        if self.costs[-1] < self.lowest:
            self.lowest, self.weights = self.costs[-1], [W.copy() for W in weights]

    def best(self) -> list[Array]:
        """The weights with the lowest cost; DivergenceError if none had a finite one."""
        if not math.isfinite(self.lowest):
            raise DivergenceError(len(self.costs), None, None, self.network)
        return self.weights
