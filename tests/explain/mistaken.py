"""An independent plain backprop, written from the notes with textbook formulas, in which mistakes can be made.

Every step of the pass can be edited, so that two mistakes meet as they would in a user's code: weights that were
"already updated" were updated with the mistaken gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

Array = np.ndarray
_erf = np.vectorize(math.erf, otypes=[float])


def _sigmoid(u: Array) -> Array:
    return 1 / (1 + np.exp(-u))


def _normal(u: Array) -> Array:
    return (1 + _erf(u / math.sqrt(2))) / 2


def _softmax(u: Array) -> Array:
    e = np.exp(u - u.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


VALUES: dict[str, Callable[[Array], Array]] = {
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "relu": lambda u: np.maximum(u, 0),
    "leaky_relu": lambda u: np.where(u > 0, u, 0.01 * u),
    "elu": lambda u: np.where(u > 0, u, np.exp(np.minimum(u, 0)) - 1),
    "gelu": lambda u: u * _normal(u),
    "silu": lambda u: u * _sigmoid(u),
    "softplus": lambda u: np.log(1 + np.exp(u)),
    "identity": lambda u: u,
    "softmax": _softmax,
}
DERIVATIVES: dict[str, Callable[[Array], Array]] = {
    "sigmoid": lambda u: _sigmoid(u) * (1 - _sigmoid(u)),
    "tanh": lambda u: 1 - np.tanh(u) ** 2,
    "relu": lambda u: np.where(u > 0, 1.0, 0.0),
    "leaky_relu": lambda u: np.where(u > 0, 1.0, 0.01),
    "elu": lambda u: np.where(u > 0, 1.0, np.exp(np.minimum(u, 0))),
    "gelu": lambda u: _normal(u) + u * np.exp(-u * u / 2) / math.sqrt(2 * math.pi),
    "silu": lambda u: _sigmoid(u) * (1 + u * (1 - _sigmoid(u))),
    "softplus": _sigmoid,
    "identity": np.ones_like,
}
COSTS: dict[str, Callable[[Array, Array], Array]] = {
    "squared_error": lambda A, y: (A - y) ** 2,
    "half_squared_error": lambda A, y: (A - y) ** 2 / 2,
    "binary_cross_entropy": lambda A, y: -(y * np.log(A) + (1 - y) * np.log(1 - A)),
}
SLOPES: dict[str, Callable[[Array, Array], Array]] = {
    "squared_error": lambda A, y: 2 * (A - y),
    "half_squared_error": lambda A, y: A - y,
    "binary_cross_entropy": lambda A, y: (1 - y) / (1 - A) - y / A,
    "categorical_cross_entropy": lambda A, y: -y / A,
    "huber": lambda A, y: np.where(np.abs(A - y) > 1, np.sign(A - y), A - y),
    "absolute_error": lambda A, y: np.where(y < A, 1.0, -1.0),
    "poisson": lambda A, y: 1 - y / A,
}


def through(name: str, u: Array, dC_da: Array) -> Array:
    """∂C/∂u = ∂C/∂a × σ′(u); for softmax with all of its Jacobian."""
    if name == "softmax":
        a = _softmax(u)
        return a * (dC_da - (a * dC_da).sum(axis=1, keepdims=True))
    return dC_da * DERIVATIVES[name](u)


class Impossible(Exception):
    """That mistake cannot be made in this network, or not together with the one before."""


class Pass:
    """One backward pass over a batch; a mistake edits its attributes before it runs.

    Attributes
    ----------
    weights, X, y, cost, slope : what is read in the whole pass; slope is ∂C/∂A of (A, y)
    forward, backward : per layer, edits of the weights (neurons, inputs + 1) as used there
    activate : per layer, σ of u
    chain : per layer, ∂C/∂u of (u, a, ∂C/∂a)
    factors : per layer, edits of the gradient's factor [X1 X2 1], given the net inputs before it
    updated : the layers whose weights are updated before the layer below is computed
    rows, divisor : the samples that count, and what their sum is divided by
    each, whole : edits of one layer's gradient, and of the list of them all
    u, a : after gradients(), the net inputs and outputs by layer, X first among the outputs
    """

    def __init__(
        self, weights: Sequence[Array], activations: Sequence[str], cost: str, X: Array, y: Array, learning_rate: float
    ) -> None:
        self.weights = [np.array(W) for W in weights]
        self.activations, self.cost, self.learning_rate = tuple(activations), cost, learning_rate
        self.X, self.y = np.array(X), np.array(y)
        self.layers = range(len(weights))
        self.sizes = (self.X.shape[1], *(len(W) for W in weights))
        self.slope = SLOPES[cost]
        self.activate = [VALUES[name] for name in activations]
        self.chain = [lambda u, a, dC_da, name=name: through(name, u, dC_da) for name in activations]
        self.forward: list[list] = [[] for _ in weights]
        self.backward: list[list] = [[] for _ in weights]
        self.factors: list[list] = [[] for _ in weights]
        self.each: list[list] = [[] for _ in weights]
        self.whole: list = []
        self.updated: set[int] = set()
        self.rows, self.divisor = np.arange(len(self.X)), float(len(self.X))
        self._taken: set = set()

    @property
    def output(self) -> int:
        return len(self.layers) - 1

    def take(self, *keys: object) -> None:
        """Claims a part of the pass for one mistake: a second cannot get the same part wrong."""
        if self._taken & set(keys):
            raise Impossible
        self._taken |= set(keys)

    def gradients(self) -> list[Array]:
        """∂C/∂W by layer, as the mistakes make them."""
        u, a = [], [self.X]
        for layer, W in enumerate(self.weights):
            for edit in self.forward[layer]:
                W = edit(W)
            u.append(a[-1] @ W[:, :-1].T + W[:, -1])
            a.append(self.activate[layer](u[-1]))
        self.u, self.a = u, a
        dC_da = self.slope(a[-1], self.y)
        found: list[Array] = []
        for layer in reversed(self.layers):
            delta = self.chain[layer](u[layer], a[layer + 1], dC_da)
            gradient = self._gradient(layer, delta, a[layer], u[layer - 1] if layer else None)
            found.insert(0, gradient)
            W = self.weights[layer] - (self.learning_rate * gradient if layer in self.updated else 0)
            for edit in self.backward[layer]:
                W = edit(W)
            dC_da = delta @ W[:, :-1]
        for edit in self.whole:
            found = edit(found)
        return found

    def _gradient(self, layer: int, delta: Array, inputs: Array, before: Array | None) -> Array:
        """1/N Σ δ × [X1 X2 1]"""
        factor = np.hstack([inputs, np.ones((len(inputs), 1), dtype=inputs.dtype)])
        for edit in self.factors[layer]:
            factor = edit(factor, before)
        gradient = delta[self.rows].T @ factor[self.rows] / self.divisor
        for edit in self.each[layer]:
            gradient = edit(gradient)
        return gradient
