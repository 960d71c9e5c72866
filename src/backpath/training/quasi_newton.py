"""SciPy's L-BFGS-B, which minimises a function of one vector: here the cost as a function of all weights.

SciPy does not expose its state, so a run that is saved records what the function returned. When the run resumes, the
function returns the same again, and SciPy arrives at the same state.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from backpath.errors import InputError
from backpath.maths.arrays import Array, Floats
from backpath.training.state import Stateful

Evaluate = Callable[[list[Array]], tuple[float, list[Array]]]


class Objective(Stateful):
    """The cost and its gradient as a function of all weights in one vector.

    Parameters
    ----------
    weights : arrays by layer
        The weights to start from.
    evaluate : callable
        Computes the cost for given weights, and its gradient.

    Attributes
    ----------
    start : array
        The weights to start from, in one vector.
    is_recorded : bool
        Whether results are recorded, to resume.
    """

    _given: ClassVar[tuple[str, ...]] = ("start", "is_recorded", "_evaluate", "_shapes", "_ends", "_repeated")

    def __init__(self, weights: Sequence[Array], evaluate: Evaluate):
        self.start: Floats = np.concatenate([W.ravel() for W in weights])
        self.is_recorded = True
        self._evaluate, self._shapes = evaluate, [W.shape for W in weights]
        self._ends = np.cumsum([W.size for W in weights])[:-1]
        self._repeated = 0  # recorded results that have been returned
        self.recorded: list[tuple[str, float, Floats]] = []  # digest of the weights, cost, gradient

    def layers(self, flat: Array) -> list[Array]:
        """The vector as one array per layer."""
        parts = np.split(flat, self._ends)
        return [part.reshape(shape) for part, shape in zip(parts, self._shapes, strict=True)]

    def __call__(self, flat: Floats) -> tuple[float, Floats]:
        digest = hashlib.blake2b(flat.tobytes(), digest_size=8).hexdigest() if self.is_recorded else ""
        if self._repeated < len(self.recorded):
            known, cost, gradient = self.recorded[self._repeated]
            self._repeated += 1
            if known != digest:
                raise InputError(
                    "SciPy computes different steps on this machine; resume on the machine that wrote the checkpoint"
                )
            return cost, gradient.copy()
        cost, layers = self._evaluate(self.layers(flat))
        gradient = np.concatenate([g.ravel() for g in layers])
        if self.is_recorded:
            self.recorded.append((digest, cost, gradient.copy()))
            self._repeated += 1
        return cost, gradient


def minimize(function: Callable[[Floats], Any], start: Floats, callback: Callable[..., None], **options: float) -> Any:
    """SciPy's result; ``callback`` gets each iteration's as ``intermediate_result``."""
    from scipy.optimize import minimize

    with np.errstate(over="ignore", invalid="ignore"):
        return minimize(function, start, method="L-BFGS-B", jac=True, options=options, callback=callback)
