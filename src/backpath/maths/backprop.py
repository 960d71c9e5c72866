"""The notes' forward pass, backpropagation and update, in their batch matrix form.

A layer's weights W have a row per neuron and its bias last, as in the notes' ``[W11 W12 W1~]``; its inputs are a row
per sample with the bias neuron's 1 last, ``[X1 X2 1]``. A network without bias neurons lacks that column in both. Read
this file beside the notes: each line is one formula.

Symbols: N samples, u net inputs, a activations σ(u) (the notes' X, H and A, by layer), δ = ∂C/∂u.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backpath.maths.activations import activation
from backpath.maths.arrays import Array
from backpath.maths.costs import cost_function


def with_bias(a: Array) -> Array:
    """``[X1 X2]`` -> ``[X1 X2 1]``: the bias neuron's output, for every sample."""
    rows = np.ones((a.shape[0], a.shape[1] + 1), dtype=a.dtype)
    rows[:, :-1] = a
    return rows


def net_inputs(a: Array, W: Array) -> Array:
    """u = W~·1 + a·W for every sample and neuron, (N, neurons); without W~·1 if W has no bias column."""
    return a @ W.T if W.shape[1] == a.shape[1] else a @ W[:, :-1].T + W[:, -1]


def forward(weights: Sequence[Array], activations: Sequence[str], X: Array) -> tuple[list[Array], list[Array]]:
    """The forward pass of a batch.

    u_H = W~·1 + X·W,  H = σ(u_H);  u_A = W~·1 + H·W,  A = σ(u_A).

    Parameters
    ----------
    weights : arrays of shape (neurons, inputs + 1), or all (neurons, inputs)
    activations : names, one per layer
    X : (N, inputs)

    Returns
    -------
    u, a : lists of (N, neurons)
        The net inputs by layer (``u[0]`` belongs to layer 1), and the activations, of which ``a[0]`` is X.
    """
    u: list[Array] = []
    a = [X]
    for W, name in zip(weights, activations, strict=True):
        u.append(net_inputs(a[-1], W))
        a.append(activation(name).value(u[-1]))
    return u, a


def batch_cost(cost: str, u: Array, A: Array, y: Array, sample_weight: Array | None = None) -> float:
    """Avg Cost = 1/N Σ C, summed over the outputs; u, A, y of shape (N, outputs), sample weights (N,)."""
    per_sample = cost_function(cost).value(u, A, y).sum(axis=1, dtype=np.float64)
    return float(np.average(per_sample, weights=sample_weight))


def deltas(
    weights: Sequence[Array], activations: Sequence[str], cost: str, u: Sequence[Array], a: Sequence[Array], y: Array
) -> list[Array]:
    """δ = ∂C/∂u of every neuron, per sample, by layer.

    δ_A = ∂C/∂A × σ′(u_A),  δ_H = δ_A × W × σ′(u_H): the bias column of W has no hidden neuron behind it.

    Returns
    -------
    list of (N, neurons)
    """
    return deltas_behind(weights, activations, u, cost_function(cost).output_delta(activations[-1], u[-1], a[-1], y))


def deltas_behind(
    weights: Sequence[Array], activations: Sequence[str], u: Sequence[Array], delta: Array
) -> list[Array]:
    """``deltas`` from the output layer's δ of shape (N, outputs), of a cost or of a single output A_k."""
    found = [delta]
    for layer in range(len(weights) - 1, 0, -1):
        dC_da = delta @ weights[layer][:, : u[layer - 1].shape[1]]
        delta = activation(activations[layer - 1]).chain(u[layer - 1], dC_da)
        found.insert(0, delta)
    return found


def gradients(delta: Sequence[Array], a: Sequence[Array], biases: bool = True) -> list[Array]:
    """∂C/∂W of every weight, averaged over the batch: 1/N Σ δ × [X1 X2 1].

    Returns
    -------
    list of arrays of the weights' shapes
    """
    return [_weighted_sums(d, inputs, biases) / len(d) for d, inputs in zip(delta, a, strict=False)]


def _weighted_sums(d: Array, inputs: Array, biases: bool) -> Array:
    """Σ δ × [X1 X2 1]; the samples X may be a sparse matrix."""
    if isinstance(inputs, np.ndarray):
        return d.T @ (with_bias(inputs) if biases else inputs)
    sums: Array = d.T @ inputs
    return np.column_stack([sums, d.sum(axis=0)]) if biases else sums


def update(weights: Sequence[Array], gradient: Sequence[Array], learning_rate: float) -> list[Array]:
    """W = W - η ∂C/∂W."""
    return [W - W.dtype.type(learning_rate) * g for W, g in zip(weights, gradient, strict=True)]
