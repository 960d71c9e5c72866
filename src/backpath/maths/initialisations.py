"""Where training starts: the initial weights of a layer, as a table.

``n_in`` and ``n_out`` are the layer's inputs (without the bias) and neurons. Biases are drawn like the weights, so
that no two neurons start alike even where all inputs are 0.

| name                   | each weight is drawn from                            | made for                     |
|------------------------|------------------------------------------------------|------------------------------|
| ``glorot_uniform``     | uniform ±√(6 / (n_in + n_out))                       | sigmoid, tanh (the default)  |
| ``glorot_normal``      | normal, standard deviation √(2 / (n_in + n_out))     | sigmoid, tanh                |
| ``he_uniform``         | uniform ±√(6 / n_in)                                 | relu and its kin             |
| ``he_normal``          | normal, standard deviation √(2 / n_in)               | relu and its kin             |
| ``lecun_normal``       | normal, standard deviation √(1 / n_in)               | elu, silu                    |
| ``uniform:LOW,HIGH``   | uniform from LOW to HIGH                             | studies of the start         |
| ``normal:DEVIATION``   | normal, standard deviation DEVIATION                 | studies of the start         |
"""

from __future__ import annotations

import math
from collections.abc import Callable

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
    """The table's row of that name, or the one that ``uniform:LOW,HIGH`` or ``normal:DEVIATION`` describes.

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
    if all(map(math.isfinite, numbers)):
        if kind == "uniform" and len(numbers) == 2 and 0 < numbers[1] - numbers[0] < math.inf:
            low, high = numbers
            return lambda rng, shape, n_in, n_out: rng.uniform(low, high, shape)
        if kind == "normal" and len(numbers) == 1 and numbers[0] > 0:
            return _normal(lambda n_in, n_out: numbers[0])
    raise InputError(
        f"unknown initialisation {name!r}; there are {', '.join(INITIALISATIONS)}, "
        "uniform:LOW,HIGH (as in uniform:-1,1) and normal:DEVIATION (as in normal:0.5)"
    )
