"""Standardises X and y inside ``fit``, and folds the scaling into the weights, which apply to raw numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from backpath.estimators.training_samples import Samples
from backpath.maths.arrays import Array


@dataclass(frozen=True)
class Scaling:
    """X becomes (X - mean) / scale, and so does y; None: no scaling.

    With u = W x' + b and x' = (x - mean) / scale, the weights for raw x are W / scale and b - Σ W mean / scale; with
    A' = (A - mean) / scale of the outputs, the weights for raw A are scale W and scale b + mean. If the scaled outputs
    have bounds, the weights stay the same, and the output activation for raw numbers scales A instead.
    """

    X: tuple[Array, Array] | None = None
    y: tuple[Array, Array] | None = None
    bounded: bool = False

    @classmethod
    def of(
        cls, samples: Samples, scale_X: bool, scale_y: bool = False, bounds: tuple[float, float] | None = None
    ) -> Scaling:
        """``bounds`` of the outputs become 0 and 1, or without an upper one 0 and infinity."""
        X = _mean_and_scale(samples.X, samples.weight) if scale_X else None
        if bounds is not None:
            low, high = bounds
            return cls(X, (np.array([low]), np.array([high - low if math.isfinite(high) else 1.0])), bounded=True)
        return cls(X, _mean_and_scale(samples.y, samples.weight) if scale_y else None)

    def apply(self, samples: Samples) -> Samples:
        return replace(samples, X=_scaled(samples.X, self.X), y=_scaled(samples.y, self.y))

    def fold(self, weights: list[Array]) -> list[Array]:
        """Weights for raw numbers, from weights that were trained on scaled ones."""
        found = [W.astype(np.float64) for W in weights]
        if self.X is not None:
            mean, scale = self.X
            found[0][:, :-1] /= scale
            found[0][:, -1] -= found[0][:, :-1] @ mean
        if self.y is not None and not self.bounded:
            mean, scale = self.y
            found[-1] *= scale[:, None]
            found[-1][:, -1] += mean
        return [W.astype(old.dtype) for W, old in zip(found, weights, strict=True)]

    def unfold(self, weights: list[Array]) -> list[Array]:
        """Weights for scaled numbers, to continue training."""
        found = [W.astype(np.float64) for W in weights]
        if self.y is not None and not self.bounded:
            mean, scale = self.y
            found[-1][:, -1] -= mean
            found[-1] /= scale[:, None]
        if self.X is not None:
            mean, scale = self.X
            found[0][:, -1] += found[0][:, :-1] @ mean
            found[0][:, :-1] *= scale
        return [W.astype(old.dtype) for W, old in zip(found, weights, strict=True)]


def _mean_and_scale(values: Array, weight: Array | None) -> tuple[Array, Array]:
    """The deviation by column, from numbers relative to the largest, so that no square overflows or underflows; 1 for a
    constant."""
    wide = values.astype(np.float64)
    largest = np.abs(wide).max(axis=0)
    largest[largest == 0] = 1.0
    relative = wide / largest
    mean = np.average(relative, axis=0, weights=weight)
    spread = np.sqrt(np.average((relative - mean) ** 2, axis=0, weights=weight))
    spread[spread < 1e-12] = 1.0 / largest[spread < 1e-12]
    return mean * largest, spread * largest


def _scaled(values: Array, how: tuple[Array, Array] | None) -> Array:
    if how is None:
        return values
    mean, scale = how
    return np.ascontiguousarray(((values - mean) / scale).astype(values.dtype))
