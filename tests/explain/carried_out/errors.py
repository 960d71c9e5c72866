"""Messages about ∂C/∂A, the cost, and the targets."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from explain.carried_out.program import Program, like, reads
from explain.mistaken import COSTS, SLOPES, Array

Error = Callable[[Array, Array], Array]
OF_ERROR: dict[str, Callable[[Array], Array]] = {
    "the mean error of the batch is used instead of each error": lambda e: like(e.mean(axis=0), e),
    "the error of the last sample is used instead of each error": lambda e: like(e[-1], e),
    "the sum of the errors over the outputs is used instead of each error": lambda e: like(
        e.sum(axis=1, keepdims=True), e
    ),
    "the error's absolute value is used instead of the error": abs,
    "negative errors are set to 0": lambda e: np.maximum(e, 0),
    "positive errors are set to 0": lambda e: np.minimum(e, 0),
}
# instead of A and y in the error
OF_OUTPUTS: dict[str, Callable[[Array, Array], tuple[Array, Array]]] = {
    "the error is computed from the output rounded to 0 or 1": lambda A, y: (np.where(A >= 0.5, 1.0, 0.0), y),
    "every output is compared with every target, as (N, 1) − (N,) does: A − mean y": lambda A, y: (
        A,
        like(y.mean(axis=0), y),
    ),
    "every target is compared with every output: mean A − y": lambda A, y: (like(A.mean(axis=0), A), y),
}
OF_COSTS: dict[str, Error] = {
    "the term with 1 − y of the cross-entropy is left out: −y/A": lambda A, y: -y / A,
    "the term with y of the cross-entropy is left out": lambda A, y: (1 - y) / (1 - A),
    "the cross-entropy's second term is subtracted: −y/A − (1 − y)/(1 − A)": lambda A, y: -y / A - (1 - y) / (1 - A),
    "ln cosh(A − y)": lambda A, y: np.tanh(A - y),
    "(A − y)⁴": lambda A, y: 4 * (A - y) ** 3,
    "−y ln A, the cross-entropy of softmax outputs": lambda A, y: -y / A,
}
TARGETS: dict[str, Callable[[Array], Array]] = {
    "every target y is taken as 1 − y": lambda y: 1 - y,
    "every target y is taken as 2y − 1: −1 and 1 instead of 0 and 1": lambda y: 2 * y - 1,
    "every sample is compared with the target of the sample before it": lambda y: y[[-1, *range(len(y) - 1)]],
    "every sample is compared with the target of the sample after it": lambda y: y[[*range(1, len(y)), 0]],
    "every sample is compared with the targets in reverse order": lambda y: y[::-1],
}


def one_of(table: dict[str, object]) -> str:
    return "|".join(map(re.escape, table))


def put(p: Program, error: Callable[[Error], Error]) -> None:
    """Another error: instead of δ = A − y of the cross-entropy, or instead of ∂C/∂A."""
    if p.of.cost == "binary_cross_entropy":
        p.output_delta = error(lambda A, y: A - y)
    else:
        p.error = error(SLOPES[p.of.cost])


@reads(one_of(OF_ERROR))
def _of_error(p: Program, found: re.Match) -> None:
    put(p, lambda right: lambda A, y: OF_ERROR[found[0]](right(A, y)))


@reads(one_of(OF_OUTPUTS))
def _of_outputs(p: Program, found: re.Match) -> None:
    put(p, lambda right: lambda A, y: right(*OF_OUTPUTS[found[0]](A, y)))


@reads(r"the (target|output) is used instead of the error")
def _other_error(p: Program, found: re.Match) -> None:
    put(p, lambda right: (lambda A, y: y) if found[1] == "target" else (lambda A, y: A))


@reads(r"(?:the gradient is that of the cost )?(" + one_of(OF_COSTS) + r")(?:, not of \w+)?")
def _other_cost(p: Program, found: re.Match) -> None:
    p.error = OF_COSTS[found[1]]


@reads(r"the gradient is that of (\w+)(?: \(or .*\))?, not of \w+")
def _other_known_cost(p: Program, found: re.Match) -> None:
    p.error = SLOPES[found[1]]


@reads(r"A − y is already .* is multiplied by σ′\(u\) again")
def _slope_again(p: Program, found: re.Match) -> None:
    p.output_delta = lambda A, y: (A - y) * A * (1 - A)  # σ is the logistic function


@reads(r"the cost (itself|of the whole batch) is used instead of (∂C/∂u|its .*)")
def _not_differentiated(p: Program, found: re.Match) -> None:
    cost = COSTS[p.of.cost]
    made = cost if found[1] == "itself" else lambda A, y: like(cost(A, y).mean(), A)
    if found[2] == "∂C/∂u":
        p.output_delta = made
    else:
        p.error = made


@reads(one_of(TARGETS))
def _targets(p: Program, found: re.Match) -> None:
    p.y = TARGETS[found[0]](p.y)


@reads(r"the targets are smoothed by ([\d.]+): ([\d.]+) y \+ ([\d.]+)")
def _smoothed(p: Program, found: re.Match) -> None:
    p.y = float(found[2]) * p.y + float(found[1]) / 2
