"""The initial weights of a layer, as a table.

``n_in`` and ``n_out`` are the layer's inputs (without the bias) and neurons. Biases are drawn like the weights, so
that no two neurons start alike even where all inputs are 0.

| name                   | each weight is drawn from                            | made for                     |
|------------------------|------------------------------------------------------|------------------------------|
| ``glorot_uniform``     | uniform ±√(6 / (n_in + n_out))                       | sigmoid, tanh (the default)  |
| ``glorot_normal``      | normal, standard deviation √(2 / (n_in + n_out))     | sigmoid, tanh                |
| ``he_uniform``         | uniform ±√(6 / n_in)                                 | relu and variants            |
| ``he_normal``          | normal, standard deviation √(2 / n_in)               | relu and variants            |
| ``lecun_normal``       | normal, standard deviation √(1 / n_in)               | elu, silu                    |
| ``uniform:LOW,HIGH``   | uniform from LOW to HIGH                             | studies of the start         |
| ``normal:DEVIATION``   | normal, standard deviation DEVIATION                 | studies of the start         |
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError

Draw = Callable[[np.random.Generator, tuple[int, ...], int, int], NDArray[np.float64]]


def _uniform(bound: Callable[[int, int], float]) -> Draw:
    return lambda rng, shape, n_in, n_out: rng.uniform(-bound(n_in, n_out), bound(n_in, n_out), shape)


def _normal(deviation: Callable[[int, int], float]) -> Draw:
    return lambda rng, shape, n_in, n_out: rng.normal(0, deviation(n_in, n_out), shape)


INITIALISATIONS: dict[str, Draw] = {
    "glorot_uniform": _uniform(lambda n_in, n_out: math.sqrt(6 / (n_in + n_out))),
    "glorot_normal": _normal(lambda n_in, n_out: math.sqrt(2 / (n_in + n_out))),
    "he_uniform": _uniform(lambda n_in, n_out: math.sqrt(6 / n_in)),
    "he_normal": _normal(lambda n_in, n_out: math.sqrt(2 / n_in)),
    "lecun_normal": _normal(lambda n_in, n_out: math.sqrt(1 / n_in)),
}


def initialisation(name: str) -> Draw:
    """The row of that name in the table, or the one that ``uniform:LOW,HIGH`` or ``normal:DEVIATION`` describes.

    >>> initialisation("uniform:-1,1")(np.random.default_rng(0), (2, 3), 2, 2).shape
    (2, 3)
    """
    if isinstance(name, str) and name in INITIALISATIONS:
        return INITIALISATIONS[name]
    kind, _, text = str(name).partition(":")
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    found = _given_numbers(kind, numbers) if all(map(math.isfinite, numbers)) else None
    if found is not None:
        return found
    raise InputError(
        f"unknown init {name!r}; expected one of {', '.join(INITIALISATIONS)}, "
        "uniform:LOW,HIGH (as in uniform:-1,1) or normal:DEVIATION (as in normal:0.5)",
        "init",
    )


def _given_numbers(kind: str, numbers: list[float]) -> Draw | None:
    if kind == "uniform" and len(numbers) == 2 and 0 < numbers[1] - numbers[0] < math.inf:
        low, high = numbers
        return lambda rng, shape, n_in, n_out: rng.uniform(low, high, shape)
    if kind == "normal" and len(numbers) == 1 and numbers[0] > 0:
        return _normal(lambda n_in, n_out: numbers[0])
    return None


GROUP_NUMBERS = 2**20  # numbers drawn at a time for many networks


def draw_many(sizes: Sequence[int], networks: int, init: str, seed: int | None, number: np.dtype[Any]) -> NDArray[Any]:
    """The initial weights of many networks of the same sizes: (weights, networks), a column per network, with the
    weights in the order of their names.

    Networks are drawn in groups of a size that depends on ``sizes``, each with a separate generator, so that network i
    does not depend on the number of networks.

    >>> few, many = (draw_many((2, 2, 1), n, "uniform:-1,1", 0, np.dtype(float)) for n in (10, 100))
    >>> many.shape, bool((many[:, :10] == few).all())
    ((9, 100), True)
    """
    draw = initialisation(init)
    layers = list(itertools.pairwise(sizes))
    count = sum(n_out * (n_in + 1) for n_in, n_out in layers)
    weights = np.empty((count, networks), number)
    root = np.random.SeedSequence(seed)
    group = max(1, min(1024, GROUP_NUMBERS // count))
    for g, first in enumerate(range(0, networks, group)):
        rng = np.random.default_rng(np.random.SeedSequence(root.entropy, spawn_key=(g,)))
        columns, row = weights[:, first : first + group], 0
        for n_in, n_out in layers:
            layer = draw(rng, (group, n_out * (n_in + 1)), n_in, n_out)
            columns[row : row + layer.shape[1]] = layer[: columns.shape[1]].T
            row += layer.shape[1]
    return weights
