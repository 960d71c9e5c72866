"""How people hand over gradients: layers of (neurons, inputs + 1), bias last, in another layout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import backpath as bp

Objects = np.ndarray


def by_name(net: bp.Network, layers: Sequence[Objects]) -> dict[str, Any]:
    return dict(zip(net.weight_names, [v for G in layers for v in G.ravel()], strict=True))


def bias_first(G: Objects) -> Objects:
    return np.concatenate([G[:, -1:], G[:, :-1]], axis=1)


def one_row(arrays: Sequence[Objects]) -> list[Any]:
    return [v for a in arrays for v in a.ravel()]


LAYOUTS: dict[str, Callable[[bp.Network, Sequence[Objects]], Any]] = {
    "by name": by_name,
    "by name again": by_name,  # the usual one, so more often
    "arrays": lambda net, layers: list(layers),
    "a column per neuron": lambda net, layers: [G.T for G in layers],
    "bias first": lambda net, layers: [bias_first(G) for G in layers],
    "pairs": lambda net, layers: [(G[:, :-1], G[:, -1]) for G in layers],
    "pairs, a column per neuron": lambda net, layers: [(G[:, :-1].T, G[:, -1]) for G in layers],
    "named": lambda net, layers: {
        f"{letter}{k}": part for k, G in enumerate(layers, 1) for letter, part in (("dW", G[:, :-1]), ("db", G[:, -1]))
    },
    "scikit-learn's": lambda net, layers: {
        "coefs_": [G[:, :-1].T for G in layers],
        "intercepts_": [G[:, -1] for G in layers],
    },
    "one row": lambda net, layers: one_row(layers),
    "lists": lambda net, layers: [G.tolist() for G in layers],
}
