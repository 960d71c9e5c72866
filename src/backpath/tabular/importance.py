"""Permutation importance of a table's columns for a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backpath.files.preparation import Target
from backpath.maths.arrays import Floats
from backpath.maths.network import Network
from backpath.tabular.measures import NumberMeasures, measured

MOST_ROWS = 2_000  # rows to predict again for each column
REPEATS = 3


def importance(
    network: Network, X: Floats, y: Floats, target: Target, widths: Sequence[int], seed: int = 0
) -> list[float]:
    """By column, how much the error rises when its cells change places among the rows: the root mean square error in
    the target's units, or the log loss. A column that the model does not use has 0.

    Parameters
    ----------
    X, y : (N, inputs), (N, outputs)
        Rows that the model was not trained on.
    widths : how many inputs each column has

    >>> net = Network.from_weights([[[1.0, 0.0, 0.0]]], activations="identity")
    >>> X = np.array([[0.0, 5.0], [1.0, 3.0], [2.0, 4.0]])
    >>> found = importance(net, X, X[:, :1], Target("y", "regression"), [1, 1])
    >>> found[0] > 0, found[1]
    (True, 0.0)
    """
    rng = np.random.default_rng(seed)
    X, y = X[:MOST_ROWS], y[:MOST_ROWS]
    usual = _error(network, X, y, target)
    found, place = [], 0
    for width in widths:
        rises = []
        for _ in range(REPEATS):
            shuffled = X.copy()
            shuffled[:, place : place + width] = X[rng.permutation(len(X)), place : place + width]
            rises.append(_error(network, shuffled, y, target) - usual)
        found.append(float(np.mean(rises)))
        place += width
    return found


def _error(network: Network, X: Floats, y: Floats, target: Target) -> float:
    measures = measured(network.predict(X).astype(np.float64), y, target)
    return measures.rmse if isinstance(measures, NumberMeasures) else measures.log_loss
