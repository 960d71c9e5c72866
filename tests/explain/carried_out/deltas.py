"""Messages about δ and σ′, in one use or in all, and about the sums over the samples."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import numpy as np

from explain.carried_out.program import ALL, GRADIENT, Program, Uses, like, neuron, numbers, reads
from explain.mistaken import DERIVATIVES, Array

NEURON = r"[HA]\d+(?:_\d+)?"
# instead of δ, from the program and the layer
DELTAS: dict[str, Callable[[Program, int], Array]] = {
    "the output σ(u) is used": lambda p, k: p.a[k],
    "the net input u is used": lambda p, k: p.u[k],
    "|δ| is used": lambda p, k: abs(p.delta[k]),
    "relu(δ) is used": lambda p, k: np.maximum(p.delta[k], 0),
    "the δ of the first neuron is used": lambda p, k: like(p.delta[k][:, :1], p.u[k]),
    "the δ of the last neuron is used": lambda p, k: like(p.delta[k][:, -1:], p.u[k]),
    "the sum of δ over the neurons is used": lambda p, k: like(p.delta[k].sum(axis=1, keepdims=True), p.u[k]),
    "the δ of the next neuron is used": lambda p, k: p.delta[k][:, [*range(1, p.u[k].shape[1]), 0]],
    "the δ of the neuron before is used": lambda p, k: p.delta[k][:, [-1, *range(p.u[k].shape[1] - 1)]],
    "the target is used": lambda p, k: p.y,
    "the error A − y is used": lambda p, k: p.a[k] - p.y,
}
# δ of several samples, in rows
SAMPLES: dict[str, Callable[[Array], Array]] = {
    "gradients are not reset between the samples: each sample adds the sum so far": lambda d: (
        d * (len(d) - np.arange(len(d)))[:, None]
    ),
    "the mean δ is multiplied by the mean input": lambda d: like(d.mean(axis=0), d),
    "each δ is multiplied by the input of the sample before it": lambda d: d[[*range(1, len(d)), 0]],
    "each δ is multiplied by the input of the sample after it": lambda d: d[[-1, *range(len(d) - 1)]],
    "the last sample's δ is used for each": lambda d: like(d[-1], d),
    "the first sample's δ is used for each": lambda d: like(d[0], d),
    "the sum goes over all neurons too, as np.sum without an axis does": lambda d: like(
        d.sum(axis=1, keepdims=True), d
    ),
    "the mean goes over all neurons too, as np.mean without an axis does": lambda d: like(
        d.mean(axis=1, keepdims=True), d
    ),
    "the maximum over the samples is used instead of the sum": lambda d: like(d.max(axis=0), d),
}
# instead of σ′, from u, a, the backpropagated error, the bias and σ′
SLOPES: dict[str, Callable[..., Array]] = {
    "σ′(u) is missing": lambda u, a, e, b, f: np.ones_like(u),
    "σ′ is evaluated at σ(u) instead of u": lambda u, a, e, b, f: f(a),
    "σ′(u) occurs twice": lambda u, a, e, b, f: f(u) * f(u),
    "σ′(u) is multiplied by u": lambda u, a, e, b, f: f(u) * u,
    "σ(u) is used instead of σ′(u)": lambda u, a, e, b, f: a,
    "1 − σ(u) is used instead of σ′(u)": lambda u, a, e, b, f: 1 - a,
    "u is used instead of σ′(u)": lambda u, a, e, b, f: u,
    "the error is divided by σ′(u)": lambda u, a, e, b, f: 1 / f(u),
    "σ′ is evaluated at the backpropagated error instead of u": lambda u, a, e, b, f: f(e),
    "σ′ is evaluated at u without the bias": lambda u, a, e, b, f: f(u - b),
    "σ′ is evaluated at the bias instead of u": lambda u, a, e, b, f: f(like(b, u)),
}
IN_OUTPUT = {"sigmoid": lambda v: v * (1 - v), "tanh": lambda v: 1 - v**2}  # σ′ of σ(u)
WRITTEN = {"v(1 − v)": "sigmoid", "1 − v²": "tanh"}
TAKES = {"u": 0, "the backpropagated error": 2, "the bias": 3}
PLACES = {
    r" in the backward pass to layer \d+ only": ("back",),
    r" in the gradients of layer \d+ only, not in the backward pass": GRADIENT,
    r" in the gradients of the biases of layer \d+ only": ("bias",),
    r" in the gradients of the weights of layer \d+ only, not of its biases": ("own",),
    r" in each layer's own gradients, not in the backward pass": GRADIENT,
    r" in the gradients of the biases only": ("bias",),
    r" in the backward pass only": ("back",),
    "": ALL,
}
PLACE = f"({'|'.join(PLACES)})"


def uses_at(words: str) -> Uses:
    return next(uses for place, uses in PLACES.items() if re.fullmatch(place, words))


@reads(r"(.*) instead of δ of layer (\d+)" + PLACE)
def _other_delta(p: Program, found: re.Match) -> None:
    change = DELTAS.get(found[1])
    if source := re.fullmatch(r"the δ of layer (\d+) is used", found[1]):
        change = lambda p, k: like(p.delta[int(source[1])], p.u[k])  # noqa: E731
    if above := re.fullmatch(r"the error backpropagated to layer (\d+), times σ′ of layer \d+, is used", found[1]):
        change = lambda p, k: p.errors[int(above[1])] * p.slope(k)  # noqa: E731
    p.deltas.append((int(found[2]), uses_at(found[3]), slice(None), change))


@reads(r"δ is rounded to (\d) decimals?")
def _rounded(p: Program, found: re.Match) -> None:
    for k in p.layers:
        p.deltas.append((k, ALL, slice(None), lambda p, k: np.round(p.delta[k], int(found[1]))))


@reads(rf"({NEURON}) (?:gets no gradient|has a δ of 0){PLACE}")
def _no_gradient(p: Program, found: re.Match) -> None:
    layer, column = neuron(found[1], p.sizes)
    p.deltas.append((layer, uses_at(found[2]), slice(column, column + 1), lambda p, k: 0 * p.delta[k]))


@reads(rf"(.*σ′.*|σ\(u\) is used.*|u is used.*) at ({NEURON}(?:, {NEURON})*){PLACE}")
def _other_slope(p: Program, found: re.Match) -> None:
    uses = uses_at(found[3])
    change = _instead_of_delta(found[1])
    for layer, columns in itertools.groupby(
        (neuron(name, p.sizes) for name in found[2].split(", ")), lambda place: place[0]
    ):
        first, *others = (column for _, column in columns)
        if layer > 1 or uses != ("back",):
            p.deltas.append((layer, uses, slice(first, [first, *others][-1] + 1), change))


def _instead_of_delta(words: str) -> Callable[[Program, int], Array]:
    if source := re.fullmatch(r"σ′ of layer (\d+) is used instead of that of layer \d+", words):
        return lambda p, k: p.errors[k] * p.slope(int(source[1]))
    kind = _kind(words)

    def change(p: Program, k: int) -> Array:
        derivative, bias = DERIVATIVES[p.of.activations[k - 1]], p.weights[k - 1][:, -1]
        return p.errors[k] * kind(p.u[k], p.a[k], p.errors[k], bias, derivative)

    return change


def _kind(words: str) -> Callable[..., Array]:
    if takes := re.fullmatch(r"the formula (.*) of σ′ is evaluated with (?:v = )?(.*) instead of v = σ\(u\)", words):
        formula, which = IN_OUTPUT[WRITTEN[takes[1]]], TAKES[takes[2]]
        return lambda *about: like(formula(about[which]), about[0])
    if other := re.fullmatch(r"σ′ is that of (\w+), from σ\(u\)", words):
        return lambda u, a, *_: IN_OUTPUT[other[1]](a)
    if leak := re.fullmatch(r"σ′ is that of a leaky ReLU with slope ([\d.]+) below 0", words):
        return lambda u, *_: np.where(u > 0, 1, float(leak[1]))
    if other := re.fullmatch(r"σ′ is that of (\w+)", words):
        derivative = (DERIVATIVES | {"exp": np.exp})[other[1]]
        return lambda u, *_: derivative(u)
    return SLOPES[words]


OF_PART = r"(?:in the gradients(?: of (the biases|the weights))?(?: of layers? ([\d, and]+))?, )?"


def _put(p: Program, part: str | None, layers: str | None, change: Callable[[Array], Array]) -> None:
    uses = {"the biases": ("bias",), "the weights": ("own",), None: GRADIENT}[part]
    for k in numbers(layers) if layers else p.layers:
        p.deltas.append((k, uses, slice(None), lambda p, k: change(p.delta[k])))


@reads(OF_PART + f"({'|'.join(map(re.escape, SAMPLES))})")
def _over_samples(p: Program, found: re.Match) -> None:
    _put(p, found[1], found[2], SAMPLES[found[3]])


@reads(OF_PART + r"(only |)(?:the (first|last) sample|sample (\d+)) of the \d+ samples .*")
def _some_samples(p: Program, found: re.Match) -> None:
    N = len(p.X)
    chosen = np.arange(N) == {"first": 0, "last": N - 1, None: int(found[5] or 0) - 1}[found[4]]
    mask = chosen if found[3] else ~chosen
    _put(p, found[1], found[2], lambda d: d * mask[:, None])
