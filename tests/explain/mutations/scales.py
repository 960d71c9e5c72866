"""The cost, its average, its sign, and constants."""

from __future__ import annotations

import numpy as np

from explain.mistaken import SLOPES, Pass
from explain.mutations.table import hidden, need, one_layer, variant


@variant("cost_convention", "half_or_not")
def _half_or_not(p: Pass, rng: np.random.Generator) -> None:
    p.take("slope")
    other = {"squared_error": "half_squared_error", "half_squared_error": "squared_error"}
    need(p.cost in other)
    p.slope = SLOPES[other[p.cost]]


@variant("cost_convention", "in_hidden_layers", reading=True)
def _half_in_hidden(p: Pass, rng: np.random.Generator) -> None:
    p.take("slope")
    factor = {"squared_error": 0.5, "half_squared_error": 2.0}.get(p.cost)
    need(factor)
    for layer in hidden(p):
        p.each[layer].append(lambda g: g * factor)


@variant("output_average", "all")
def _mean_over_outputs(p: Pass, rng: np.random.Generator) -> None:
    p.take("slope")
    need(p.sizes[-1] > 1)
    right = p.slope
    p.slope = lambda A, y: right(A, y) / A.shape[1]


@variant("missing_batch_average", "sum")
def _sum(p: Pass, rng: np.random.Generator) -> None:
    p.take("average")
    need(len(p.X) > 1)
    p.divisor = 1.0


@variant("missing_batch_average", "twice")
def _twice(p: Pass, rng: np.random.Generator) -> None:
    p.take("average")
    need(len(p.X) > 1)
    p.divisor **= 2


@variant("missing_batch_average", "one_layer", reading=True)
def _sum_in_one_layer(p: Pass, rng: np.random.Generator) -> None:
    p.take("average")
    need(len(p.X) > 1 and p.output)
    p.each[one_layer(p, rng)].append(lambda g: g * len(p.X))


@variant("sign_flipped", "all")
def _sign(p: Pass, rng: np.random.Generator) -> None:
    p.take("sign")
    right = p.slope
    p.slope = lambda A, y: -right(A, y)


@variant("sign_flipped", "one_layer")
def _sign_of_layer(p: Pass, rng: np.random.Generator) -> None:
    p.take("sign")
    need(p.output)
    p.each[one_layer(p, rng)].append(lambda g: -g)


def _constant(p: Pass, rng: np.random.Generator) -> float:
    """A factor that none of the known conventions explains."""
    known = np.array([1, 2, 0.5, 4, 0.25, len(p.X), 1 / len(p.X), p.sizes[-1], 1 / p.sizes[-1], 10, 0.1])
    while True:
        factor = round(float(rng.uniform(0.15, 6)), 2)
        if np.all(np.abs(factor / known - 1) > 0.04):
            return factor


@variant("scaled", "all")
def _scaled(p: Pass, rng: np.random.Generator) -> None:
    p.take("scale")
    factor, right = _constant(p, rng), p.slope
    p.slope = lambda A, y: factor * right(A, y)


@variant("scaled", "one_layer")
def _scaled_layer(p: Pass, rng: np.random.Generator) -> None:
    p.take("scale")
    need(p.output)
    factor = _constant(p, rng)
    p.each[one_layer(p, rng)].append(lambda g: factor * g)


@variant("single_sample_only", "divided")
def _single_divided(p: Pass, rng: np.random.Generator) -> None:
    p.take("average", "rows")
    need(len(p.X) > 1)
    p.rows = np.array([rng.choice([0, len(p.X) - 1, int(rng.integers(len(p.X)))])])


@variant("single_sample_only", "undivided")
def _single_undivided(p: Pass, rng: np.random.Generator) -> None:
    _single_divided(p, rng)
    p.divisor = 1.0


@variant("cost_not_differentiated", "all")
def _cost_not_differentiated(p: Pass, rng: np.random.Generator) -> None:
    """The cost itself, (A - y)² or half of it, where its derivative is meant."""
    p.take("slope")
    factor = {"squared_error": 1.0, "half_squared_error": 0.5}.get(p.cost)
    need(factor)
    p.slope = lambda A, y: factor * (A - y) ** 2
