"""The table of mistakes, and what their definitions share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from explain.mistaken import Array, Impossible, Pass

Edit = Callable[[Pass, np.random.Generator], None]
VARIANTS: dict[str, dict[str, Edit]] = {}
READINGS: set[tuple[str, str]] = set()


def variant(code: str, name: str, *, reading: bool = False) -> Callable[[Edit], Edit]:
    def add(edit: Edit) -> Edit:
        VARIANTS.setdefault(code, {})[name] = edit
        if reading:
            READINGS.add((code, name))
        return edit

    return add


def need(condition: object) -> None:
    if not condition:
        raise Impossible


def hidden(p: Pass) -> range:
    need(p.output > 0)
    return range(p.output)


def one_hidden(p: Pass, rng: np.random.Generator) -> list[int]:
    need(p.output > 1)  # with one hidden layer it would be all of them
    return [int(rng.integers(p.output))]


def one_layer(p: Pass, rng: np.random.Generator) -> int:
    return int(rng.integers(p.output + 1))


PLACES: dict[str, Callable[[Pass, np.random.Generator], Sequence[int]]] = {
    "output": lambda p, rng: [p.output],
    "hidden": lambda p, rng: hidden(p),
    "one_hidden": one_hidden,
    "all": lambda p, rng: [*hidden(p), p.output],
}


def with_column(W: Array, j: int, column: Array) -> Array:
    W = W.copy()
    W[:, j] = column
    return W


def misread(right: float, others: Array, rng: np.random.Generator) -> float:
    """A likely misreading: the sign lost, the point moved, a digit wrong, another's value."""
    candidates = [-right, right * 10, right / 10, right + rng.choice([-0.1, 0.1, -1, 1]), round(right, 1)]
    candidates += [float(rng.choice(others))] * 2
    while True:
        wrong = float(candidates[rng.integers(len(candidates))])
        if wrong != right:
            return wrong
