"""The catalogue's mistakes, each in the ways in which code makes it.

``VARIANTS[code][name]`` edits a Pass; ``planted`` runs one, or two at once. Names in ``READINGS`` are further readings
of a code, kept apart from the ones that the catalogue describes in so many words.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import explain.mutations.activations
import explain.mutations.inputs
import explain.mutations.scales
import explain.mutations.weights  # noqa: F401 - they fill the table
from explain.mistaken import Array, Impossible, Pass
from explain.mutations.table import READINGS as READINGS
from explain.mutations.table import VARIANTS as VARIANTS


def planted(
    mistakes: Sequence[tuple[str, str]],
    weights: Sequence[Array],
    activations: Sequence[str],
    cost: str,
    X: Array,
    y: Array,
    learning_rate: float,
    seed: int,
) -> Pass | None:
    """A pass with these mistakes (code, variant) made at once; None where they cannot be made here.

    What a mistake picks (a neuron, a misread value) follows from the seed and the mistake, alone or with another.
    """
    wrong = Pass(weights, activations, cost, X, y, learning_rate)
    try:
        for code, name in mistakes:
            VARIANTS[code][name](wrong, np.random.default_rng([seed, *f"{code} {name}".encode()]))
    except Impossible:
        return None
    return wrong
