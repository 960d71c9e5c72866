"""Permutation importance of a table's columns for a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backpath.files.preparation import Target
from backpath.maths import backprop
from backpath.maths.activations import activation
from backpath.maths.arrays import Array, Floats
from backpath.maths.network import Network
from backpath.tabular.measures import classes_of, log_loss, probabilities

_MOST_ROWS = 2_000  # rows to predict again for each column
REPEATS = 3


def importance(
    network: Network, X: Floats, y: Floats, target: Target, widths: Sequence[int], seed: int = 0
) -> list[float]:
    """The increase of the error when a column's cells are permuted among the rows, by column. The error is the root
    mean square error in the target's units, or the log loss. A column that the model does not use has 0.

    Parameters
    ----------
    X, y : (N, inputs), (N, outputs)
        Rows that the model was not trained on.
    widths : the number of inputs of each column

    >>> net = Network.from_weights([[[1.0, 0.0, 0.0]]], activations="identity")
    >>> X = np.array([[0.0, 5.0], [1.0, 3.0], [2.0, 4.0]])
    >>> found = importance(net, X, X[:, :1], Target("y", "regression"), [1, 1])
    >>> found[0] > 0, found[1]
    (True, 0.0)
    """
    rng = np.random.default_rng(seed)
    X, y = X[:_MOST_ROWS].astype(network.dtype, copy=False), y[:_MOST_ROWS]
    W = network.weights[0]
    with np.errstate(over="ignore", invalid="ignore"):
        u = backprop.net_inputs(X, W)
        (usual,) = _errors(network, u, y, target)
        found, place = [], 0
        for width in widths:
            cells = X[:, place : place + width]
            moved = np.concatenate([cells[rng.permutation(len(X))] - cells for _ in range(REPEATS)])
            # only this column's contribution to the first layer's net inputs changes
            shuffled = np.tile(u, (REPEATS, 1)) + moved @ W[:, place : place + width].T
            found.append(float(np.mean(_errors(network, shuffled, y, target)) - usual))
            place += width
    return found


def _errors(network: Network, u: Array, y: Floats, target: Target) -> list[float]:
    """The error for the first layer's net inputs, which may repeat the rows several times."""
    a = activation(network.activations[0]).value(u)
    outputs = backprop.forward(network.weights[1:], network.activations[1:], a)[1][-1].astype(np.float64)
    found = []
    for A in outputs.reshape(-1, *y.shape):
        if target.task == "regression":
            found.append(float(np.sqrt((((A - y) * target.scale) ** 2).mean())))
        else:
            found.append(log_loss(probabilities(A, target), classes_of(y, target)))
    return found
