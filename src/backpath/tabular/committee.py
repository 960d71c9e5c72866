"""Joins several networks side by side into one, whose outputs have the average of their net inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backpath.maths.arrays import Array
from backpath.maths.network import Network


def side_by_side(networks: Sequence[Network]) -> Network:
    """One network with the hidden layers of all ``networks``, which have the same sizes.

    The net inputs of its outputs are the averages of theirs: with identity outputs it predicts the average, with
    sigmoid or softmax outputs the normalised geometric mean of the probabilities.

    >>> a, b = Network((2, 3, 1), "tanh", seed=0), Network((2, 3, 1), "tanh", seed=1)
    >>> both = side_by_side([a, b])
    >>> u = [float(net.forward([1, 2])["u_A1"]) for net in (a, b, both)]
    >>> both.sizes, bool(np.isclose(u[2], (u[0] + u[1]) / 2))
    ((2, 6, 1), True)
    """
    first = networks[0]
    if len(networks) == 1:
        return first
    layers = [[net.weights[k] for net in networks] for k in range(len(first.weights))]
    count = len(networks)
    weights: list[Array] = [np.vstack(layers[0])] if len(layers) > 1 else [np.mean(layers[0], axis=0)]
    for parts in layers[1:-1]:
        weights.append(_blocks(parts))
    if len(layers) > 1:
        slopes = np.hstack([W[:, :-1] for W in layers[-1]])
        bias = np.sum([W[:, -1:] for W in layers[-1]], axis=0)
        weights.append(np.hstack([slopes, bias]) / count)
    return Network.from_weights(weights, activations=first.activations, dtype=first.dtype)


def _blocks(parts: Sequence[Array]) -> Array:
    """Layers as blocks on the diagonal, with their biases in the last column."""
    rows, columns = sum(len(W) for W in parts), sum(W.shape[1] - 1 for W in parts)
    found = np.zeros((rows, columns + 1), dtype=parts[0].dtype)
    row = column = 0
    for W in parts:
        found[row : row + len(W), column : column + W.shape[1] - 1] = W[:, :-1]
        found[row : row + len(W), -1] = W[:, -1]
        row, column = row + len(W), column + W.shape[1] - 1
    return found
