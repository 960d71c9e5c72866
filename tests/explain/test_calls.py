"""Functions that want to be called otherwise: each usual way is found, and said."""

import numpy as np
import pytest

import backpath as bp

HALF = {"sizes": (2, 3, 2), "cost": "half_squared_error"}


def sig(u):
    return 1 / (1 + np.exp(-u))


def ones(a):
    return np.column_stack([a, np.ones(len(a))])


def backprop(W, b, V, c, X, y, factor=1.0):
    """Weights (neurons, inputs), biases (neurons,), a row per sample."""
    H = sig(X @ W.T + b)
    A = sig(H @ V.T + c)
    d2 = factor * (A - y) * A * (1 - A) / len(X)
    d1 = d2 @ V * H * (1 - H)
    return d1.T @ X, d1.sum(axis=0), d2.T @ H, d2.sum(axis=0)


def bias_first(f):
    def function(weights, X, y):
        (T, U) = weights
        W, b, V, c = f(T[:, 1:], T[:, 0], U[:, 1:], U[:, 0], X, y)
        return [np.column_stack([b, W]), np.column_stack([c, V])]

    return function


def columns_are_neurons(f):
    def function(weights, X, y):
        T, U = weights
        W, b, V, c = f(T[:-1].T, T[-1], U[:-1].T, U[-1], X, y)
        return [np.vstack([W.T, b]), np.vstack([V.T, c])]

    return function


def pairs(f):
    def function(weights, X, y):
        (W, b), (V, c) = weights
        W, b, V, c = f(W, b, V, c, X, y)
        return [(W, b), (V, c)]

    return function


def course(f):
    """A dictionary of W1, b1, W2, b2 with column vectors, a column per sample."""

    def function(parameters, X, Y):
        p = parameters
        assert p["b1"].shape[1] == 1
        W, b, V, c = f(p["W1"], p["b1"][:, 0], p["W2"], p["b2"][:, 0], X.T, Y.T)
        return {"dW1": W, "db1": b.reshape(-1, 1), "dW2": V, "db2": c.reshape(-1, 1)}

    return function


def arguments(f):
    def function(W1, b1, W2, b2, X, y):
        W, b, V, c = f(W1.T, b1, W2.T, c_of(b2), X, y)
        return W.T, b, V.T, c

    def c_of(b2):
        return b2

    return function


def samples_first(f):
    def function(X, y, W1, b1, W2, b2):
        return f(W1, b1, W2, b2, X, y)

    return function


def weights_first(f):
    def function(W1, W2, b1, b2, X, y):
        W, b, V, c = f(W1, b1, W2, b2, X, y)
        return W, V, b, c

    return function


def two_lists(f):
    """Lists of weights and of biases; the biases' gradients are returned first."""

    def function(weights, biases, X, y):
        W, b, V, c = f(weights[0], biases[0], weights[1], biases[1], X, y)
        return [b, c], [W, V]

    return function


def with_cost(f):
    """The cost is returned too."""

    def function(weights, X, y):
        (W, b), (V, c) = weights
        W, b, V, c = f(W, b, V, c, X, y)
        return 0.5, {"W1": W, "b1": b, "W2": V, "b2": c}

    return function


WAYS = {
    samples_first: "your weights have their biases in separate arrays",
    weights_first: "your weights have their biases in separate arrays",
    two_lists: "your weights have their biases in separate arrays",
    with_cost: "your weights have their biases in separate arrays",
    bias_first: "your weights have the bias first",
    columns_are_neurons: "your weights are (inputs, neurons), a column per neuron",
    pairs: "your weights have their biases in separate arrays",
    course: "your weights have their biases in separate arrays; your samples are in columns",
    arguments: "your weights have their biases in separate arrays and are (inputs, neurons), a column per neuron",
}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_right_function_is_right_however_it_wants_to_be_called(way):
    report = bp.diagnose_function(way(backprop), **HALF)
    assert report.correct
    assert report.layout == WAYS[way]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_mistake_is_named_however_it_wants_to_be_called(way):
    report = bp.diagnose_function(way(lambda *a: backprop(*a, factor=2.0)), **HALF)
    assert [f.mistake for f in report.findings] == ["cost_convention"]
    assert report.certain
    assert report.layout == WAYS[way]


def test_biases_that_are_left_out_are_a_network_without_them():
    def function(weights, X, y):
        W, V = (w[:, :-1] for w in weights)
        dW, _, dV, _ = backprop(W, 0, V, 0, X, y)
        return [np.column_stack([g, np.zeros(len(g))]) for g in (dW, dV)]

    report = bp.diagnose_function(function, **HALF)
    assert report.correct
    assert report.layout == "your network is taken to have no biases, because all their gradients are 0"


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda weights, X, y: 1 / 0, "the function raised ZeroDivisionError"),
        (lambda weights, X, y: [np.ones((3, 3))], "arrays of the weights' shapes [(3, 3), (2, 4)]"),
        (lambda weights, X, y: None, "must return gradients by layer, but returned NoneType"),
        (lambda weights, X, y: [np.full(W.shape, np.nan) for W in weights], "must return finite gradients"),
    ],
)
def test_what_no_call_makes_work_is_refused(function, message):
    with pytest.raises(bp.InputError) as caught:
        bp.diagnose_function(function, **HALF)
    assert message in str(caught.value)


def test_errors_are_about_the_way_that_the_function_can_be_called_in():
    def of_arrays(W1, b1, W2, b2, X, y):
        return W1[0, 100]

    with pytest.raises(bp.InputError, match="raised IndexError: index 100 is out of bounds"):
        bp.diagnose_function(of_arrays)

    def of_params(params, X, y):
        W1, b1, _, b2 = params
        return [np.ones(W1.shape), b1, np.ones((5, 5)), b2]

    with pytest.raises(bp.InputError, match=r"but has \(2, 2\), \(2,\), \(5, 5\), \(1,\)"):
        bp.diagnose_function(of_params)


def test_any_number_of_arguments_are_taken_in_either_way():
    def backward(W, V, X, y):
        dW, db, dV, dc = backprop(W[:, :-1], W[:, -1], V[:, :-1], V[:, -1], X, y)
        return [np.column_stack([dW, db]), np.column_stack([dV, dc])]

    def apart(*given):
        return backward(*given)

    def together(*given):
        return backward(*given[0], *given[1:])

    assert bp.diagnose_function(apart, **HALF).correct
    assert bp.diagnose_function(together, **HALF).correct
