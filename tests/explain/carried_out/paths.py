"""Messages about the weights in the backward pass."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from explain.carried_out.program import Program, neuron, numbers, place, reads, turned
from explain.mistaken import Array

# columns of [W b]
COLUMNS: dict[str, Callable[[int], list[int]]] = {
    "shifted one to the right": lambda n: [-1, *range(n - 1)],
    "shifted one to the left": lambda n: [*range(1, n), -1],
    "rotated to the left": lambda n: [*range(1, n), 0],
    "rotated to the right": lambda n: [n - 1, *range(n - 1)],
    "in reverse order": lambda n: [*range(n)][::-1],
}


def replaced(W: Array, others: dict[tuple[int, int], float]) -> Array:
    made = W[:, :-1].copy()
    for where, number in others.items():
        made[where] = number
    return made


@reads(r"the weights of layers? ([\d, and]+) are missing from the backward pass")
def _missing(p: Program, found: re.Match) -> None:
    for k in numbers(found[1]):
        p.path[k] = lambda G, W: np.ones_like(W[:, :-1])


@reads(r"(W.*) (?:is|are) missing from the backward pass")
def _some_missing(p: Program, found: re.Match) -> None:
    places = [place(name, p.sizes) for name in found[1].split(", ")]
    p.path[places[0][0]] = lambda G, W: replaced(W, {where[1:]: 1.0 for where in places})


@reads(r"in the backward pass the columns of layer (\d+)'s weights are (.*)")
def _columns(p: Program, found: re.Match) -> None:
    p.path[int(found[1])] = lambda G, W: W[:, COLUMNS[found[2]](W.shape[1] - 1)]


@reads(r"the weight matrix of layer (\d+) is (.*) in the backward pass")
def _transposed(p: Program, found: re.Match) -> None:
    p.path[int(found[1])] = lambda G, W: turned(W)[:, :-1]


@reads(r"in the backward pass to .*, (W\S+) (?:is used instead of|and) (W[^, ]+)( are exchanged|)(?:,.*)?")
def _column_of_another(p: Program, found: re.Match) -> None:
    (layer, _, i), (_, _, m) = (place(name, p.sizes) for name in found.groups()[:2])
    moved = {m: i, i: m} if found[3] else {m: i}
    p.path[layer] = lambda G, W: W[:, [moved.get(k, k) for k in range(W.shape[1] - 1)]]


@reads(r"in the backward pass (W\S+) is used instead of (W\S+)")
def _another(p: Program, found: re.Match) -> None:
    (layer, *source), (_, *where) = (place(name, p.sizes) for name in found.groups())
    p.path[layer] = lambda G, W: replaced(W, {tuple(where): W[tuple(source)]})


@reads(r"in the backward pass the weights to another neuron are used: (.*)")
def _rows(p: Program, found: re.Match) -> None:
    rows = {}
    for pair in found[1].split(", "):
        (layer, source), (_, to) = (neuron(name, p.sizes) for name in pair.split("'s for "))
        rows[to] = source
    p.path[layer] = lambda G, W: W[[rows.get(k, k) for k in range(len(W))], :-1]


@reads(r"in the backward pass to layer \d+ (only |)the path through (\w+) is (?:counted|left out)")
def _one_path(p: Program, found: re.Match) -> None:
    layer, row = neuron(found[2], p.sizes)
    chosen = np.arange(p.sizes[layer]) == row
    p.path[layer] = lambda G, W: W[:, :-1] * (chosen if found[1] else ~chosen)[:, None]


@reads(r"in the backward pass each weight of layer (\d+) is divided by the sum of the weights to its neuron")
def _shares(p: Program, found: re.Match) -> None:
    p.path[int(found[1])] = lambda G, W: W[:, :-1] / W[:, :-1].sum(axis=1, keepdims=True)


@reads(r"in the backward pass the weights of layer (\d+) are used instead of those of layer (\d+)")
def _other_layer(p: Program, found: re.Match) -> None:
    other = p.weights[int(found[1]) - 1]
    p.path[int(found[2])] = lambda G, W: other[: len(W), : W.shape[1] - 1]


@reads(
    r"in the backward pass the weights of layers? ([\d, and]+) are already the updated ones "
    r"\(η = ([\d.]+)( and the summed gradient)?\)"
)
def _updated(p: Program, found: re.Match) -> None:
    rate = float(found[2]) * (len(p.X) if found[3] else 1)
    for k in numbers(found[1]):
        p.path[k] = lambda G, W: (W - rate * G)[:, :-1]
