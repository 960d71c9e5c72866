"""Whole programs as people write them, each in a different style, and the reports of ``diagnose_function``.

``f(W1, b1, W2, b2, X, y)`` with (inputs, neurons) unless said otherwise.
"""

import numpy as np
import pytest

import backpath as bp


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def slope(a):
    return a * (1 - a)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def forward(W1, b1, W2, b2, X):
    h = sigmoid(X @ W1 + b1)
    return h, sigmoid(h @ W2 + b2)


def gradients(X, h, d1, d2):
    return X.T @ d1, d1.sum(axis=0), h.T @ d2, d2.sum(axis=0)


class Net:
    """One sample at a time, added up and never divided; the step that is to be added."""

    def __init__(self, W1, b1, W2, b2):
        self.W1, self.b1, self.W2, self.b2 = W1, b1, W2, b2

    def backward(self, X, y):
        found = [np.zeros_like(p) for p in (self.W1, self.b1, self.W2, self.b2)]
        for x, t in zip(X, y):
            h = sigmoid(x @ self.W1 + self.b1)
            o = sigmoid(h @ self.W2 + self.b2)
            d2 = (t - o) * slope(o)
            d1 = (self.W2 @ d2) * slope(h)
            for total, part in zip(found, (np.outer(x, d1), d1, np.outer(h, d2), d2)):
                total += part
        return found


def object_oriented(W1, b1, W2, b2, X, y):
    return Net(W1, b1, W2, b2).backward(X, y)


def copied_line(W1, b1, W2, b2, X, y):
    h, o = forward(W1, b1, W2, b2, X)
    d2 = (o - y) * slope(o) / len(X)
    d1 = (d2 @ W2.T) * slope(h)
    return X.T @ d1, np.full_like(b1, d2.sum()), h.T @ d2, d2.sum(axis=0)


def slope_after_softmax(W1, b1, W2, b2, X, y):
    h = np.tanh(X @ W1 + b1)
    p = softmax(h @ W2 + b2)
    d2 = (p - y) * p * (1 - p) / len(X)
    return gradients(X, h, (d2 @ W2.T) * (1 - h**2), d2)


def softmax_of_columns(W1, b1, W2, b2, X, y):
    h = np.tanh(X @ W1 + b1)
    e = np.exp(h @ W2 + b2)
    d2 = (e / e.sum(axis=0) - y) / len(X)
    return gradients(X, h, (d2 @ W2.T) * (1 - h**2), d2)


def class_number(W1, b1, W2, b2, X, y):
    h = np.tanh(X @ W1 + b1)
    d2 = (softmax(h @ W2 + b2) - y.argmax(axis=1)[:, None]) / len(X)
    return gradients(X, h, (d2 @ W2.T) * (1 - h**2), d2)


def gate_of_the_error(W1, b1, W2, b2, X, y):
    h = np.maximum(0, X @ W1 + b1)
    d2 = (softmax(h @ W2 + b2) - y) / len(X)
    d1 = d2 @ W2.T
    d1[d1 <= 0] = 0
    return gradients(X, h, d1, d2)


def gate_that_is_always_open(W1, b1, W2, b2, X, y):
    h = np.maximum(0, X @ W1 + b1)
    d2 = (softmax(h @ W2 + b2) - y) / len(X)
    return gradients(X, h, (d2 @ W2.T) * (h >= 0), d2)


def bias_sum_without_axis(p, X, Y):
    n = X.shape[1]
    A1 = np.tanh(p["W1"] @ X + p["b1"])
    dZ2 = sigmoid(p["W2"] @ A1 + p["b2"]) - Y
    dZ1 = p["W2"].T @ dZ2 * (1 - A1**2)
    db1 = np.sum(dZ1) / n * np.ones_like(p["b1"])
    return {"dW1": dZ1 @ X.T / n, "db1": db1, "dW2": dZ2 @ A1.T / n, "db2": dZ2.sum(axis=1, keepdims=True) / n}


def weights_not_divided(p, X, Y):
    n = X.shape[1]
    A1 = np.tanh(p["W1"] @ X + p["b1"])
    dZ2 = sigmoid(p["W2"] @ A1 + p["b2"]) - Y
    dZ1 = p["W2"].T @ dZ2 * (1 - A1**2)
    return {"dW1": dZ1 @ X.T, "db1": dZ1.sum(1) / n, "dW2": dZ2 @ A1.T, "db2": dZ2.sum(1) / n}


def root_of_the_mean_square(W1, b1, W2, b2, X, y):
    h, o = forward(W1, b1, W2, b2, X)
    d2 = (o - y) / (len(X) * np.sqrt(((o - y) ** 2).sum(axis=1).mean())) * slope(o)
    return gradients(X, h, (d2 @ W2.T) * slope(h), d2)


def shares_of_the_weights(W1, b1, W2, b2, X, y):
    h, o = forward(W1, b1, W2, b2, X)
    d2 = (o - y) * slope(o) / len(X)
    return gradients(X, h, (d2 @ (W2 / W2.sum(axis=0)).T) * slope(h), d2)


def divided_by_the_inputs(W1, b1, W2, b2, X, y):
    h, o = forward(W1, b1, W2, b2, X)
    d2 = (o - y) * slope(o) / X.shape[1]
    return gradients(X, h, (d2 @ W2.T) * slope(h), d2)


def last_sample_of_a_loop(W1, b1, W2, b2, X, y):
    gb1, gb2 = 0 * b1, 0 * b2
    for x, t in zip(X, y):
        h, o = forward(W1, b1, W2, b2, x)
        d2 = (o - t) * slope(o)
        d1 = (W2 @ d2) * slope(h)
        gW1, gW2 = np.outer(x, d1), np.outer(h, d2)
        gb1, gb2 = gb1 + d1, gb2 + d2
    return gW1, gb1, gW2, gb2


def leaky_gate(W1, b1, W2, b2, X, y):
    u = X @ W1 + b1
    h = np.maximum(u, 0)
    d2 = (h @ W2 + b2 - y) / len(X)
    return gradients(X, h, (d2 @ W2.T) * np.where(u > 0, 1, 0.01), d2)


def reversed_inputs(W1, b1, W2, b2, X, y):
    h, o = forward(W1, b1, W2, b2, X[::-1])
    d2 = (o - y) * slope(o) / len(X)
    return gradients(X[::-1], h, (d2 @ W2.T) * slope(h), d2)


CROSS = {"sizes": (3, 4, 3), "cost": "categorical_cross_entropy"}
HALF = {"sizes": (3, 4, 2), "cost": "half_squared_error"}
COLUMNS = {"sizes": (2, 4, 1), "activations": ["tanh", "sigmoid"], "cost": "bce"}
PROGRAMS = {
    object_oriented: (HALF, {"sign_flipped", "missing_batch_average"}),
    copied_line: ({**HALF, "sizes": (2, 3, 1)}, {"wrong_delta"}),
    slope_after_softmax: ({**CROSS, "activations": ["tanh", "softmax"]}, {"extra_output_derivative"}),
    softmax_of_columns: ({**CROSS, "activations": ["tanh", "softmax"]}, {"wrong_activation"}),
    class_number: ({**CROSS, "activations": ["tanh", "softmax"]}, {"wrong_error"}),
    gate_of_the_error: ({**CROSS, "activations": ["relu", "softmax"]}, {"wrong_slope"}),
    gate_that_is_always_open: ({**CROSS, "activations": ["relu", "softmax"]}, {"missing_hidden_derivative"}),
    bias_sum_without_axis: (COLUMNS, {"wrong_reduction"}),
    weights_not_divided: (COLUMNS, {"missing_batch_average"}),
    root_of_the_mean_square: ({"sizes": (3, 4, 2)}, {"other_cost"}),
    shares_of_the_weights: (HALF, {"wrong_path_weight"}),
    divided_by_the_inputs: (HALF, {"wrong_reduction"}),
    last_sample_of_a_loop: ({**HALF, "sizes": (2, 3, 1)}, {"single_sample_only", "missing_batch_average"}),
    leaky_gate: ({**HALF, "activations": ["relu", "identity"]}, {"wrong_activation_derivative"}),
    reversed_inputs: (HALF, {"wrong_target"}),
}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_program_is_understood(program):
    settings, codes = PROGRAMS[program]
    report = bp.diagnose_function(program, **settings)
    assert {finding.mistake for finding in report.findings} == codes
    assert report.certain


def clipped_delta(W1, b1, W2, b2, X, y):
    h, o = forward(W1, b1, W2, b2, X)
    d2 = np.clip((o - y) * slope(o) / len(X), -0.01, 0.01)
    return gradients(X, h, (d2 @ W2.T) * slope(h), d2)


def standardised(W1, b1, W2, b2, X, y):
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    h, o = forward(W1, b1, W2, b2, X)
    d2 = (o - y) * slope(o) / len(X)
    return gradients(X, h, (d2 @ W2.T) * slope(h), d2)


@pytest.mark.parametrize("program", [clipped_delta, standardised], ids=lambda program: program.__name__)
def test_what_is_not_searched_for_is_unknown(program):
    report = bp.diagnose_function(program, **HALF)
    assert [finding.mistake for finding in report.findings] == ["unknown"]
    assert not report.certain


def right(W1, b1, W2, b2, X, y):
    h, o = forward(W1, b1, W2, b2, X)
    d2 = (o - y) * slope(o) / len(X)
    return gradients(X, h, (d2 @ W2.T) * slope(h), d2)


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_right_answers_of_few_bits(kind):
    def narrow(W1, b1, W2, b2, X, y):
        return [g.astype(kind) for g in right(W1, b1, W2, b2, X, y)]

    assert bp.diagnose_function(narrow, **HALF).correct


def test_updated_weights_are_judged_as_such():
    def updated(W1, b1, W2, b2, X, y):
        return [w - 0.1 * g for w, g in zip((W1, b1, W2, b2), right(W1, b1, W2, b2, X, y))]

    report = bp.diagnose_function(updated, **HALF, learning_rate=0.1)
    assert report.correct
    assert "taken as updated weights" in report.layout


def test_an_l2_term_divided_by_the_samples_is_right():
    def decayed(W1, b1, W2, b2, X, y):
        g = right(W1, b1, W2, b2, X, y)
        return g[0] + 0.7 / len(X) * W1, g[1], g[2] + 0.7 / len(X) * W2, g[3]

    report = bp.diagnose_function(decayed, **HALF)
    assert report.correct
    assert "0.7 / N × W is added to the gradient of every weight." in report.note


def test_another_learning_rate_is_said():
    net = bp.Network((2, 3, 1), init="uniform:-1,1", seed=5)
    X, y = [[0, 1], [1, 1], [0.5, -1]], [0, 1, 1]
    report = bp.diagnose(net, X, y, claimed_weights=net.step(X, y, learning_rate=0.1).weights, learning_rate=0.5)
    assert [finding.mistake for finding in report.findings] == ["other_learning_rate"]
    assert "a learning rate of 0.1, not 0.5" in report.findings[0].message
