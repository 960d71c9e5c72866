"""scikit-learn's random streams for initial weights and the order of the samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.maths.arrays import Array
from backpath.training.state import Stateful


def drawn_weights(
    sizes: Sequence[int], hidden: Sequence[str], number: np.dtype[Any], rng: np.random.RandomState
) -> list[Array]:
    """Uniform in ±√(6 / (n_in + n_out)) (Glorot), or ±√(2 / (n_in + n_out)) for logistic layers; the output layer is
    drawn like the last hidden one."""
    weights = []
    for layer, (n_in, n_out) in enumerate(pairwise(sizes)):
        name = hidden[min(layer, len(hidden) - 1)]
        bound = math.sqrt((2 if name == "sigmoid" else 6) / (n_in + n_out))
        coefficients, intercepts = rng.uniform(-bound, bound, (n_in, n_out)), rng.uniform(-bound, bound, n_out)
        weights.append(np.column_stack([coefficients.T, intercepts]).astype(number))
    return weights


class Shuffled(Stateful):
    """The orders of the samples, epoch by epoch: each is a shuffle of the previous one."""

    def __init__(self, count: int, rng: np.random.RandomState):
        self._order, self._rng = np.arange(count), rng

    def __next__(self) -> NDArray[np.intp]:
        places = np.arange(len(self._order))
        self._rng.shuffle(places)
        self._order = self._order[places]
        return self._order
