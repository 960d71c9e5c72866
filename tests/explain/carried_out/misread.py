"""Messages about a number that is read as another one."""

from __future__ import annotations

import re

import numpy as np

from explain.carried_out.program import Program, neuron, place, reads
from explain.mistaken import VALUES, Array

READ = r"(?: of sample (\d+))? is read as (-?[\d.]+)"


def sample(found: str | None) -> int:
    return int(found or 1) - 1


@reads(rf"as a factor of the gradient(?: of (W\S+))?, ([XH]\S*){READ}")
def _factor(p: Program, found: re.Match) -> None:
    layer, column = neuron(found[2], p.sizes)
    s, number = sample(found[3]), float(found[4])
    row = slice(None) if found[1] is None else place(found[1], p.sizes)[1]

    def misread(p: Program, k: int, G: Array) -> Array:
        G = G.copy()
        G[row, column] += (p.delta[k][s] * (number - p.a[k - 1][s, column]) / len(p.X))[row]
        return G

    p.gradient[layer + 1] = misread


@reads(rf"([XH]\S*){READ}(?:, not as .*)?, in the whole pass")
def _output(p: Program, found: re.Match) -> None:
    layer, column = neuron(found[1], p.sizes)
    s, number = sample(found[2]), float(found[3])
    if layer == 0:
        p.X[s, column] = number
        return

    def misread(u: Array) -> Array:
        a = np.array(VALUES[p.of.activations[layer - 1]](u))
        a[s, column] = number
        return a

    p.values[layer] = misread


@reads(rf"y(\d*){READ}, not as .*")
def _target(p: Program, found: re.Match) -> None:
    p.y[sample(found[2]), int(found[1] or 1) - 1] = float(found[3])


@reads(r"(W\S+) is read as (-?[\d.]+), not as .*")
def _weight(p: Program, found: re.Match) -> None:
    layer, *where = place(found[1], p.sizes)
    p.weights[layer - 1][tuple(where)] = float(found[2])


@reads(r"in the backward pass (W\S+) is taken as (-?[\d.]+), not as .*")
def _path(p: Program, found: re.Match) -> None:
    layer, *where = place(found[1], p.sizes)

    def misread(G: Array, W: Array) -> Array:
        W = W[:, :-1].copy()
        W[tuple(where)] = float(found[2])
        return W

    p.path[layer] = misread
