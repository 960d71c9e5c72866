"""Dropout: what is left out, and the gradients of the network that remains."""

import numpy as np
import pytest

import backpath as bp
from backpath.training.engines.dropout import Dropout


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


def passed(seed, shares, output="identity"):
    rng = np.random.default_rng(seed)
    net = bp.Network((3, 5, 4, 2), activations=("tanh", "sigmoid", output), seed=seed)
    X, y = rng.normal(size=(6, 3)), np.eye(2)[rng.integers(0, 2, 6)]
    dropout = Dropout(shares, seed)
    u, a = dropout.forward(net.weights, net.activations, X)
    return net, X, y, dropout, u, a


def remaining(weights, kept, X):
    """The net inputs of the outputs, with fixed factors on the hidden neurons."""
    (W1, W2, W3), (r1, r2) = weights, kept
    H = np.tanh(X @ W1[:, :3].T + W1[:, 3]) * r1
    G = sigmoid(H @ W2[:, :5].T + W2[:, 5]) * r2
    return G @ W3[:, :4].T + W3[:, 4]


@pytest.mark.parametrize("shares", [0.4, [0.25, 0.75]])
def test_each_neuron_is_left_out_or_enlarged(shares):
    _, X, _, dropout, _, a = passed(1, shares)
    first, second = [shares] * 2 if isinstance(shares, float) else shares
    assert set(np.unique(dropout._kept[0])) == {0, 1 / (1 - first)}
    assert set(np.unique(dropout._kept[1])) == {0, 1 / (1 - second)}
    assert ((a[1] == 0) == (dropout._kept[0] == 0)).all()
    assert (a[0] == X).all()


def test_the_shares_that_are_left_out():
    dropout = Dropout([0.25, 0.75], 3)
    net = bp.Network((1, 400, 400, 1), seed=0)
    dropout.forward(net.weights, net.activations, np.ones((50, 1)))
    assert (dropout._kept[0] == 0).mean() == pytest.approx(0.25, abs=0.01)
    assert (dropout._kept[1] == 0).mean() == pytest.approx(0.75, abs=0.01)


def entropy(u, y):
    return -(y * (u - np.log(np.exp(u).sum(axis=1, keepdims=True)))).sum()


COSTS = {
    ("half_squared_error", "identity"): lambda u, y: ((u - y) ** 2).sum() / 2,
    ("categorical_cross_entropy", "softmax"): entropy,
    ("half_squared_error", "sigmoid"): lambda u, y: ((sigmoid(u) - y) ** 2).sum() / 2,
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("name", "output"), COSTS)
def test_the_outputs_and_gradients_are_those_of_the_remaining_network(seed, name, output):
    net, X, y, dropout, u, a = passed(seed, [0.3, 0.5], output)
    kept = dropout._kept
    assert np.allclose(u[-1], remaining(net.weights, kept, X), rtol=1e-12)
    deltas = dropout.deltas(net.weights, net.activations, name, u, a, y)

    def cost(weights):
        return COSTS[name, output](remaining(weights, kept, X), y)

    for layer, delta in enumerate(deltas):
        gradient = delta.T @ np.column_stack([a[layer], np.ones(len(X))])
        for place in np.ndindex(gradient.shape):
            moved = [[W.copy() for W in net.weights] for _ in range(2)]
            moved[0][layer][place] += 1e-6
            moved[1][layer][place] -= 1e-6
            slope = (cost(moved[0]) - cost(moved[1])) / 2e-6
            assert gradient[place] == pytest.approx(slope, rel=1e-6, abs=1e-8)
