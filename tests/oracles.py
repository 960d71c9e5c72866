"""Independent expectations: the textbook formulas at 50 digits and more (mpmath), written apart from the package."""

from __future__ import annotations

import json
from pathlib import Path

import mpmath as mp

CASES = Path(__file__).parent / "cases"

mp.mp.dps = 60


def _sigmoid(u):
    return 1 / (1 + mp.exp(-u))


def _phi(u):
    return mp.exp(-u * u / 2) / mp.sqrt(2 * mp.pi) if abs(u) < 1000 else mp.mpf(0)  # below 1e-200,000


def _Phi(u):
    return mp.erfc(-u / mp.sqrt(2)) / 2 if abs(u) < 1000 else mp.mpf(u > 0)


# activation -> (value, derivative), textbook form; exact at this precision
ACTIVATIONS = {
    "sigmoid": (_sigmoid, lambda u: mp.exp(-u) / (1 + mp.exp(-u)) ** 2),
    "tanh": (mp.tanh, lambda u: 1 / mp.cosh(u) ** 2),
    "relu": (lambda u: max(u, mp.mpf(0)), lambda u: mp.mpf(u > 0)),
    "leaky_relu": (lambda u: u if u > 0 else u * LEAKY, lambda u: mp.mpf(1) if u > 0 else LEAKY),
    "elu": (lambda u: u if u > 0 else mp.expm1(u), lambda u: mp.mpf(1) if u > 0 else mp.exp(u)),
    "gelu": (lambda u: u * _Phi(u), lambda u: _Phi(u) + u * _phi(u)),
    "silu": (lambda u: u * _sigmoid(u), lambda u: _sigmoid(u) * (1 + u * (1 - _sigmoid(u)))),
    "softplus": (lambda u: mp.log1p(mp.exp(u)), _sigmoid),
    "identity": (lambda u: u, lambda u: mp.mpf(1)),
    "exp": (mp.exp, mp.exp),
    "step": (lambda u: mp.mpf(u >= 0), lambda u: mp.mpf(0)),
}
LEAKY = mp.mpf(0.01)  # the float nearest to 0.01, which is the slope


def softmax(us):
    e = [mp.exp(u) for u in us]
    return [x / mp.fsum(e) for x in e]


def output_delta(cost, activation, us, ys):
    """∂C/∂u of each output, by the whole chain rule."""
    if activation == "softmax":
        a = softmax(us)
        dC_da = [_cost_derivative(cost, A, y) for A, y in zip(a, ys, strict=True)]
        return [
            mp.fsum(dC_da[k] * a[k] * ((1 if j == k else 0) - a[j]) for k in range(len(us))) for j in range(len(us))
        ]
    value, derivative = ACTIVATIONS[activation]
    return [_cost_derivative(cost, value(u), y) * derivative(u) for u, y in zip(us, ys, strict=True)]


def _cost_derivative(cost, A, y):
    return {
        "squared_error": lambda: 2 * (A - y),
        "half_squared_error": lambda: A - y,
        "binary_cross_entropy": lambda: (1 - y) / (1 - A) - y / A,
        "categorical_cross_entropy": lambda: -y / A,
        "huber": lambda: A - y if abs(A - y) <= 1 else mp.sign(A - y),
        "absolute_error": lambda: mp.sign(A - y),
        "poisson": lambda: 1 - y / A,
    }[cost]()


def gradients(weights, activations, cost, X, Y):
    """The gradients of the average cost, neuron by neuron: lists of the weights' shapes."""
    return gradients_and_terms(weights, activations, cost, X, Y)[0]


def gradients_and_terms(weights, activations, cost, X, Y):
    """The gradients, and the same sums with every term's size instead: much larger where terms cancel."""
    weights = [[[mp.mpf(float(w)) for w in row] for row in W] for W in weights]
    total = [[[mp.mpf(0)] * len(row) for row in W] for W in weights]
    terms = [[[mp.mpf(0)] * len(row) for row in W] for W in weights]
    for x, y in zip(X, Y, strict=True):
        a, us = [[mp.mpf(float(v)) for v in x]], []
        for W, name in zip(weights, activations, strict=True):
            us.append([mp.fdot(row, [*a[-1], mp.mpf(1)]) for row in W])
            a.append(softmax(us[-1]) if name == "softmax" else [ACTIVATIONS[name][0](u) for u in us[-1]])
        delta = output_delta(cost, activations[-1], us[-1], [mp.mpf(float(v)) for v in y])
        size = [abs(d) for d in delta]
        for layer in range(len(weights) - 1, -1, -1):
            for j, (d, s) in enumerate(zip(delta, size, strict=True)):
                for i, value in enumerate([*a[layer], mp.mpf(1)]):
                    total[layer][j][i] += d * value / len(X)
                    terms[layer][j][i] += s * abs(value) / len(X)
            if layer:
                columns = list(zip(*weights[layer], strict=True))
                slopes = [ACTIVATIONS[activations[layer - 1]][1](u) for u in us[layer - 1]]
                delta = [mp.fdot(delta, columns[i]) * slope for i, slope in enumerate(slopes)]
                size = [mp.fdot(size, map(abs, columns[i])) * abs(slope) for i, slope in enumerate(slopes)]
    return total, terms


def worked_example(name):
    return json.loads((CASES / f"{name}.json").read_text())
