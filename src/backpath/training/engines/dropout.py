"""Dropout: each update leaves out some hidden neurons, which are drawn at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backpath.maths.activations import activation
from backpath.maths.arrays import Array
from backpath.maths.costs import cost_function
from backpath.training.state import Stateful


class Dropout(Stateful):
    """The passes of ``maths.backprop`` with hidden neurons left out.

    a_H = σ(u_H) r / (1 - p), where r is 0 for a share p of the neurons, drawn for every sample, and otherwise 1, so
    that the mean of a_H is its value without dropout. So ∂a_H/∂u_H = σ′(u_H) r / (1 - p).

    Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15 (2014).
    """

    _given = ("share", "_kept")

    def __init__(self, share: float | Sequence[float], seed: int | None):
        self.share, self._rng = share, np.random.default_rng(seed)
        self._kept: list[Array] = []

    def forward(
        self, weights: Sequence[Array], activations: Sequence[str], X: Array
    ) -> tuple[list[Array], list[Array]]:
        """Like ``backprop.forward``."""
        u: list[Array] = []
        a, self._kept = [X], []
        hidden = len(weights) - 1
        shares = self.share if isinstance(self.share, Sequence) else [self.share] * hidden
        for W, name in zip(weights, activations, strict=True):
            u.append(a[-1] @ W[:, :-1].T + W[:, -1])
            a.append(activation(name).value(u[-1]))
            if len(self._kept) < hidden:
                share = shares[len(self._kept)]
                r = self._rng.random(a[-1].shape) >= share
                self._kept.append((r / (1 - share)).astype(X.dtype))
                a[-1] = a[-1] * self._kept[-1]
        return u, a

    def deltas(
        self,
        weights: Sequence[Array],
        activations: Sequence[str],
        cost: str,
        u: Sequence[Array],
        a: Sequence[Array],
        y: Array,
    ) -> list[Array]:
        """Like ``backprop.deltas``, without the neurons that the forward pass left out."""
        delta = cost_function(cost).output_delta(activations[-1], u[-1], a[-1], y)
        found = [delta]
        for layer in range(len(weights) - 1, 0, -1):
            dC_da = (delta @ weights[layer][:, :-1]) * self._kept[layer - 1]
            delta = activation(activations[layer - 1]).chain(u[layer - 1], dC_da)
            found.insert(0, delta)
        return found
