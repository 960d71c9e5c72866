"""Messages about the forward pass."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from explain.carried_out.deltas import IN_OUTPUT, NEURON
from explain.carried_out.program import Program, neuron, numbers, reads, turned
from explain.mistaken import DERIVATIVES, VALUES, Array

NEURONS = f"({NEURON}(?:, {NEURON})*)"


def layers_of(p: Program, names: str) -> set[int]:
    return {neuron(name, p.sizes)[0] for name in names.split(", ")}


@reads(rf"the activation is applied twice at {NEURONS}: σ\(σ\(u\)\)")
def _twice(p: Program, found: re.Match) -> Iterable[Program]:
    """With σ′ at u, at σ(u), or both."""
    for kind in range(3):
        made = Program(p.of)
        for k in layers_of(p, found[1]):
            f, s = VALUES[p.of.activations[k - 1]], DERIVATIVES[p.of.activations[k - 1]]
            made.values[k] = lambda u, f=f: f(f(u))
            made.slopes[k] = [s, lambda u, f=f, s=s: s(f(u)), lambda u, f=f, s=s: s(f(u)) * s(u)][kind]
        yield made


@reads(rf"the activation is not applied at {NEURONS}")
def _never(p: Program, found: re.Match) -> Iterable[Program]:
    """With σ′, or without it."""
    for has_slope in (True, False):
        made = Program(p.of)
        for k in layers_of(p, found[1]):
            made.values[k] = lambda u: u
            made.slopes[k] = DERIVATIVES[p.of.activations[k - 1]] if has_slope else np.ones_like
        yield made


@reads(rf"(\w+) is applied at {NEURONS}(, though σ′ is right)?")
def _other(p: Program, found: re.Match) -> None:
    for k in layers_of(p, found[2]):
        p.values[k] = (VALUES | {"step": lambda u: np.where(u >= 0, 1.0, 0.0)})[found[1]]
        p.slopes[k] = DERIVATIVES[p.of.activations[k - 1] if found[3] else found[1]]


@reads(rf"a leaky ReLU whose slope below 0 is ([\d.]+), not .*, is applied at {NEURONS}")
def _leaky(p: Program, found: re.Match) -> None:
    slope = float(found[1])
    for k in layers_of(p, found[2]):
        p.values[k] = lambda u: np.where(u > 0, u, slope * u)
        p.slopes[k] = lambda u: np.where(u > 0, 1, slope)


@reads(r"the neurons' outputs are rounded to (.*)")
def _rounded(p: Program, found: re.Match) -> Iterable[Program]:
    """With σ′ of u, or of the rounded outputs; or with δ = A − y."""
    digits = re.fullmatch(r"(\d) decimals?", found[1])

    def change(a: Array) -> Array:
        return a.astype("float16").astype(float) if "half" in found[1] else np.round(a, int(digits[1]) if digits else 0)

    for kind in range(3):
        made = Program(p.of)
        for k in p.layers:
            name = p.of.activations[k - 1]
            made.values[k] = lambda u, f=VALUES[name]: change(f(u))
            if kind == 1 and name in IN_OUTPUT:
                made.slopes[k] = lambda u, f=VALUES[name], s=IN_OUTPUT[name]: s(change(f(u)))
        if kind == 2:
            made.output_delta = lambda A, y: A - y
        yield made


@reads(rf"(\w+|the bias) (?:is|are) left out of the weighted sum of {NEURONS}")
def _left_out(p: Program, found: re.Match) -> Iterable[Program]:
    """With the gradient of the weights that are left out, without it, or also without the path back."""
    rows = [neuron(name, p.sizes)[1] for name in found[2].split(", ")]
    (layer,) = layers_of(p, found[2])
    column = -1 if found[1] == "the bias" else neuron(found[1], p.sizes)[1]
    for way in range(2 if column == -1 or layer == 1 else 3):
        made = Program(p.of)
        without(made, layer, rows, column, has_gradient=way == 0)
        if way == 2:
            made.path[layer] = lambda G, W, nought=made.sums[layer]: nought(W)[:, :-1]
        yield made


@reads(r"(the bias is left out of every weighted sum|the network has no biases: .*)")
def _no_biases(p: Program, found: re.Match) -> None:
    for k in p.layers:
        without(p, k, slice(None), -1, has_gradient="every weighted sum" in found[1][-20:])


def without(p: Program, layer: int, rows: object, column: int, has_gradient: bool) -> None:
    def nought(W: Array) -> Array:
        W = W.copy()
        W[rows, column] = 0
        return W

    p.sums[layer] = nought
    if not has_gradient:
        p.gradient[layer] = lambda p, k, G: nought(G)


@reads(r"the bias neuron's 1 is taken as -1 (everywhere in|in the .* of) layers? (.*)")
def _negative_bias(p: Program, found: re.Match) -> None:
    for k in numbers(found[2]):
        if found[1] != "in the gradients of":
            p.sums[k] = _negative_column
        if found[1] != "in the weighted sums of":
            p.factors[k] = lambda p, F: _negative_column(F)


def _negative_column(F: Array) -> Array:
    return np.column_stack([F[:, :-1], -F[:, -1]])


@reads(r"the weight matrix of layer (\d+) is .* (in the forward pass|in both passes)")
def _transposed(p: Program, found: re.Match) -> None:
    k = int(found[1])
    if found[2] == "in both passes":
        p.weights[k - 1] = turned(p.weights[k - 1])
    else:
        p.sums[k] = turned


@reads(r"X(\d+) and X(\d+) are swapped in the whole pass")
def _swapped(p: Program, found: re.Match) -> None:
    i, k = (int(number) - 1 for number in found.groups())
    p.X[:, [i, k]] = p.X[:, [k, i]]
