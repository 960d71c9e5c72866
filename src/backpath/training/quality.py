"""The quality of predictions, in measures for users."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from backpath.maths.arrays import Array


@dataclass(frozen=True)
class Quality:
    """A score on some samples.

    Attributes
    ----------
    measure : "accuracy" | "R²"
    score : float
        The share predicted correctly; or 1 - Σ(A - y)² / Σ(y - mean y)², summed over samples and outputs
        (NaN if all targets are equal).
    baseline : float
        The score of always predicting the samples' most frequent class, or their mean (0).
    samples : int
    """

    measure: str
    score: float
    baseline: float
    samples: int

    def __str__(self) -> str:
        if self.measure == "accuracy":
            return f"accuracy {self.score:.1%} on {self.samples:,} samples"
        if math.isnan(self.score):
            return f"R² is undefined, because the targets of the {self.samples:,} samples are all equal"
        return f"R² {self.score:.3f} on {self.samples:,} samples"


def quality(A: Array, y: Array, task: str) -> Quality:
    """Accuracy for the tasks "binary" and "multiclass", R² for "regression"; A, y of shape (N, outputs).

    >>> quality(np.array([[0.9], [0.2]]), np.array([[1.0], [1.0]]), "binary")
    Quality(measure='accuracy', score=0.5, baseline=1.0, samples=2)
    """
    if task == "regression":
        spread = float(((y - y.mean(axis=0)) ** 2).sum())
        error = float(((A - y) ** 2).sum())
        return Quality("R²", 1 - error / spread if spread else math.nan, 0.0, len(y))
    right, classes = (A.argmax(axis=1), y.argmax(axis=1)) if task == "multiclass" else (A[:, 0] >= 0.5, y[:, 0] >= 0.5)
    most = int(np.unique(classes, return_counts=True)[1].max())
    return Quality("accuracy", float((right == classes).mean()), most / len(y), len(y))
