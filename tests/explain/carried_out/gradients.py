"""Messages about the gradients of weights and biases, and about what δ is multiplied by."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from explain.carried_out.program import Program, like, neuron, numbers, place, reads, turned, with_ones
from explain.mistaken import VALUES, Array

BIAS = r"W\d+~_\d+"
# the gradient of the biases, from the program, the layer and the gradient
BIASES: dict[str, Callable[[Program, int, Array], Array]] = {
    "the sums of the rows of the weights' gradient": lambda p, k, G: G[:, :-1].sum(axis=1),
    "the means of the rows of the weights' gradient": lambda p, k, G: G[:, :-1].mean(axis=1),
    "multiplied by the bias": lambda p, k, G: G[:, -1] * p.weights[k - 1][:, -1],
    "those of the first input's weights": lambda p, k, G: G[:, 0],
    "those of the last input's weights": lambda p, k, G: G[:, -2],
    "the biases themselves": lambda p, k, G: p.weights[k - 1][:, -1],
}
SHIFTS: dict[str, Callable[[Array], Array]] = {
    "the rows are shifted by one": lambda G: G[[-1, *range(len(G) - 1)]],
    "the rows are shifted by one in the other direction": lambda G: G[[*range(1, len(G)), 0]],
    "the rows are in reverse order": lambda G: G[::-1],
    "each row is the first one": lambda G: like(G[0], G),
    "each row is the last one": lambda G: like(G[-1], G),
    "the columns are shifted by one, including the biases": lambda G: G[:, [-1, *range(G.shape[1] - 1)]],
    "the columns are shifted by one in the other direction, including the biases": lambda G: G[
        :, [*range(1, G.shape[1]), 0]
    ],
    "the columns are in reverse order": lambda G: np.column_stack([G[:, -2::-1], G[:, -1]]),
}
# instead of the inputs of a layer, from the program, the layer and the inputs
FACTORS: dict[str, Callable[[Program, int, Array], Array]] = {
    "the inputs X are used": lambda p, k, a: p.X,
    "the targets y are used": lambda p, k, a: p.y,
    "σ′(u) is used": lambda p, k, a: p.slope(k - 1),
    "1 − σ(u) is used": lambda p, k, a: 1 - a,
    "the squares of the inputs are used": lambda p, k, a: a**2,
    "the absolute values of the inputs are used": lambda p, k, a: abs(a),
    "the last sample's inputs are used": lambda p, k, a: a[-1],
    "the first sample's inputs are used": lambda p, k, a: a[0],
    "the next input is used": lambda p, k, a: a[:, [*range(1, a.shape[1]), 0]],
    "the previous input is used": lambda p, k, a: a[:, [-1, *range(a.shape[1] - 1)]],
    "the inputs in reverse order are used": lambda p, k, a: a[:, ::-1],
}


@reads(r"in the gradient of layer (\d+), (.*)")
def _shifted(p: Program, found: re.Match) -> None:
    p.gradient[int(found[1])] = lambda p, k, G: SHIFTS[found[2]](G)


@reads(r"the weight matrix of layer (\d+) is .* in its gradient")
def _transposed(p: Program, found: re.Match) -> None:
    p.gradient[int(found[1])] = lambda p, k, G: turned(G)


@reads(rf"the gradients of the biases(?: of layer (\d+))? are ({'|'.join(map(re.escape, BIASES))})")
def _biases(p: Program, found: re.Match) -> None:
    for k in [int(found[1])] if found[1] else p.layers:
        p.gradient[k] = lambda p, k, G: np.column_stack([G[:, :-1], BIASES[found[2]](p, k, G)])


@reads(rf"({BIAS}(?:, {BIAS})*)(?:: a bias is a weight like the others, but| has no gradient: it is treated).*")
def _no_bias(p: Program, found: re.Match) -> None:
    def nothing(gradients: list[Array]) -> None:
        for name in found[1].split(", "):
            layer, row, column = place(name, p.sizes)
            gradients[layer - 1][row, column] = 0

    p.whole = nothing


@reads(r"in the gradients of layers? (.*), the weight is used instead of .*")
def _weights(p: Program, found: re.Match) -> None:
    for k in numbers(found[1]):
        p.gradient[k] = lambda p, k, G: np.column_stack([G[:, -1:] * p.weights[k - 1][:, :-1], G[:, -1]])


@reads(r"in the gradients of layer (\d+), (.*) instead of [XH].*")
def _other_inputs(p: Program, found: re.Match) -> None:
    layer, made = int(found[1]), FACTORS.get(found[2])
    if other := re.fullmatch(r"the (outputs|net inputs u) of layer (\d+) are used", found[2]):
        made = lambda p, k, a: (p.a if other[1] == "outputs" else p.u)[int(other[2])]  # noqa: E731
    p.factors[layer] = lambda p, F: with_ones(like(made(p, layer, F[:, :-1]), F[:, :-1]))


@reads(r"the activation is applied twice to what the weights of layer (\d+) multiply.*")
def _twice(p: Program, found: re.Match) -> None:
    layer = int(found[1])
    p.factors[layer] = lambda p, F: with_ones(VALUES[p.of.activations[layer - 2]](F[:, :-1]))


@reads(r"the weights of layer (\d+) multiply u instead of σ\(u\)")
def _net_inputs(p: Program, found: re.Match) -> None:
    layer = int(found[1])
    p.factors[layer] = lambda p, F: with_ones(p.u[layer - 1])


@reads(r"(.*) (is missing as a factor of|is taken as 0 in) the gradients of .* (\d+)")
def _constant(p: Program, found: re.Match) -> None:
    (_, column), number = neuron(found[1], p.sizes), float("missing" in found[2])
    p.factors[int(found[3])] = lambda p, F: np.where(np.arange(F.shape[1]) == column, number, F)


@reads(r"the factors? .* (?:is|are) missing from the gradients of layer (\d+)")
def _no_factors(p: Program, found: re.Match) -> None:
    p.factors[int(found[1])] = lambda p, F: np.ones_like(F)


@reads(r"(the gradients of |)(W\S+) and (W\S+) are exchanged")
def _exchanged(p: Program, found: re.Match) -> None:
    (k, *one), (m, *other) = (place(name, p.sizes) for name in found.groups()[1:])

    def exchange(arrays: list[Array]) -> None:
        first, second = arrays[k - 1][tuple(one)], arrays[m - 1][tuple(other)]
        arrays[k - 1][tuple(one)], arrays[m - 1][tuple(other)] = second, first

    if found[1]:
        p.whole = exchange
    else:
        exchange(p.weights)
