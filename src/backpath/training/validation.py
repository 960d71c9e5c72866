"""Keeps the network with the lowest cost on held-out rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from backpath.errors import DivergenceError, InputError
from backpath.maths import backprop
from backpath.maths.arrays import Array
from backpath.maths.checks import check_count, check_sample_weight
from backpath.maths.network import Network
from backpath.training.prediction import outputs
from backpath.training.state import Stateful


def check_patience(patience: int | None) -> int | None:
    return None if patience is None else check_count(patience, "patience")


class Validation(Stateful):
    """The cost on held-out samples after each epoch, and the weights with the lowest cost.

    Parameters
    ----------
    samples : (X, y) or (X, y, sample_weight)
        With shapes (N, inputs), (N, outputs), (N,), checked against the network.
    patience : int | None
        Epochs in a row without a lower cost after which training stops.
    """

    _given = ("X", "y", "network", "activations", "cost", "weight", "patience")

    def __init__(self, network: Network, samples: tuple[ArrayLike, ...], cost: str, patience: int | None = None):
        try:
            X, y, *weight = samples
            if len(weight) > 1:
                raise ValueError
        except (TypeError, ValueError):
            raise InputError("validation must be a pair (X, y) of held-out samples") from None
        self.X, self.y = network.samples(X, y, cost)
        self.network, self.activations, self.cost = network, network.activations, cost
        self.weight = check_sample_weight(weight[0], self.X) if weight else None
        self.patience, self.waited = patience, 0
        self.costs: list[float] = []
        self.lowest, self.weights = math.inf, list(network.weights)

    def look(self, weights: Sequence[Array]) -> None:
        """Measure these weights, and keep a copy if they are the best so far."""
        with np.errstate(over="ignore", invalid="ignore"):
            u, A = outputs(weights, self.activations, self.X)
            self.costs.append(backprop.batch_cost(self.cost, u, A, self.y, self.weight))
        self.waited += 1
        if self.costs[-1] < self.lowest:
            self.lowest, self.weights, self.waited = self.costs[-1], [W.copy() for W in weights], 0

    @property
    def is_patience_over(self) -> bool:
        return self.patience is not None and self.waited >= self.patience

    def best(self) -> list[Array]:
        """The weights with the lowest cost; DivergenceError if no cost was finite."""
        if not math.isfinite(self.lowest):
            raise DivergenceError(len(self.costs), None, None, self.network)
        return self.weights
