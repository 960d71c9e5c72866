"""scikit-learn's random streams: where training starts, and in which order it takes the samples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.maths.arrays import Array


def drawn_weights(
    sizes: Sequence[int], hidden: Sequence[str], number: np.dtype[Any], rng: np.random.RandomState
) -> list[Array]:
    """Each layer uniform in ±√(6 / (n_in + n_out)) (Glorot), for logistic ones ±√(2 / (n_in + n_out)); the output layer
    as the last hidden one."""
    weights = []
    for layer, (n_in, n_out) in enumerate(pairwise(sizes)):
        name = hidden[min(layer, len(hidden) - 1)]
        bound = math.sqrt((2 if name == "sigmoid" else 6) / (n_in + n_out))
        coefficients, intercepts = rng.uniform(-bound, bound, (n_in, n_out)), rng.uniform(-bound, bound, n_out)
        weights.append(np.column_stack([coefficients.T, intercepts]).astype(number))
    return weights


def orders(count: int, rng: np.random.RandomState) -> Iterator[NDArray[np.intp]]:
    """The samples' orders, epoch by epoch: each is the last one shuffled."""
    order = np.arange(count)
    while True:
        places = np.arange(count)
        rng.shuffle(places)
        order = order[places]
        yield order
