"""Measures of predictions, computed from their formulas."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.files.preparation import Target
from backpath.maths.arrays import Floats

MOST_CONFUSED = 10  # the most classes in a confusion matrix
RESAMPLES = 500  # for an interval


@dataclass(frozen=True)
class ClassMeasures:
    """Measures of a classifier.

    Attributes
    ----------
    accuracy : the share of rows predicted correctly
    balanced_accuracy : the mean of ``recall``
    auc : the probability that a row of a class has a higher score for it than a row of another class; for more than two
        classes, the mean over them; None if there is only one class
    log_loss : the mean of -ln(probability of the true class)
    recall : the share of each class's rows that are predicted correctly; None for classes without rows
    """

    accuracy: float
    balanced_accuracy: float
    auc: float | None
    log_loss: float
    recall: tuple[float | None, ...]

    @property
    def score(self) -> float:
        return self.accuracy


@dataclass(frozen=True)
class NumberMeasures:
    """Measures of a regression model.

    Attributes
    ----------
    r2 : 1 - Σ(prediction - value)² / Σ(value - mean)²; None if all values are equal
    rmse, mae : the root mean square error and the mean absolute error, in the target's units
    """

    r2: float | None
    rmse: float
    mae: float

    @property
    def score(self) -> float:
        return math.nan if self.r2 is None else self.r2


Measures = ClassMeasures | NumberMeasures


def measured(A: Floats, y: Floats, target: Target) -> Measures:
    """The measures of outputs A against targets y, both (N, outputs), in the network's form.

    >>> target = Target("y", "binary", classes=("no", "yes"))
    >>> found = measured(np.array([[0.9], [0.6], [0.2]]), np.array([[1.0], [0.0], [0.0]]), target)
    >>> round(found.accuracy, 3), found.auc, found.recall
    (0.667, 1.0, (0.5, 1.0))
    """
    if target.task == "regression":
        return _of_numbers(A[:, 0] * target.scale, y[:, 0] * target.scale)
    P, codes = probabilities(A, target), classes_of(y, target)
    chosen = classes_of(A, target)
    recall = tuple(
        float((chosen[codes == k] == k).mean()) if (codes == k).any() else None for k in range(len(target.classes))
    )
    areas = [area for k in range(len(target.classes)) if (area := auc(P[:, k], codes == k)) is not None]
    return ClassMeasures(
        accuracy=float((chosen == codes).mean()),
        balanced_accuracy=float(np.mean([share for share in recall if share is not None])),
        auc=float(np.mean(areas)) if areas else None,
        log_loss=log_loss(P, codes),
        recall=recall,
    )


def log_loss(P: Floats, codes: NDArray[np.intp]) -> float:
    """The mean of -ln p of each row's class, from probabilities by class (N, classes)."""
    return float(-np.log(np.clip(P[np.arange(len(P)), codes], 1e-15, 1)).mean())


def _of_numbers(predicted: Floats, true: Floats) -> NumberMeasures:
    error = predicted - true
    spread = float(((true - true.mean()) ** 2).sum())
    return NumberMeasures(
        r2=1 - float((error**2).sum()) / spread if spread else None,
        rmse=float(np.sqrt((error**2).mean())),
        mae=float(np.abs(error).mean()),
    )


def probabilities(A: Floats, target: Target) -> Floats:
    """The probabilities by class, (N, classes), from the outputs of a network."""
    return np.hstack([1 - A, A]) if target.task == "binary" else A


def classes_of(y: Floats, target: Target) -> NDArray[np.intp]:
    """The place of each row's class, from the outputs or targets of a network."""
    found: NDArray[np.intp] = (y[:, 0] >= 0.5).astype(np.intp) if target.task == "binary" else y.argmax(axis=1)
    return found


def auc(score: Floats, is_positive: NDArray[np.bool_]) -> float | None:
    """The area under the ROC curve, from the Mann-Whitney U statistic, in which ties count half.

    >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    positives = int(is_positive.sum())
    negatives = len(score) - positives
    if not positives or not negatives:
        return None
    _, places, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return float((ranks[is_positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def confusion(A: Floats, y: Floats, target: Target) -> list[list[int]] | None:
    """The confusion matrix: rows are true classes, columns are predicted ones; None if there are too many classes.

    >>> target = Target("y", "binary", classes=("no", "yes"))
    >>> confusion(np.array([[0.9], [0.6], [0.2]]), np.array([[1.0], [0.0], [0.0]]), target)
    [[1, 1], [0, 1]]
    """
    count = len(target.classes)
    if not 2 <= count <= MOST_CONFUSED:
        return None
    chosen, codes = classes_of(A, target), classes_of(y, target)
    table: list[list[int]] = np.bincount(codes * count + chosen, minlength=count * count).reshape(count, count).tolist()
    return table


def interval(measure: Callable[[NDArray[np.intp]], float], rows: int, seed: int = 0) -> tuple[float, float]:
    """The 95% bootstrap interval of a measure of rows.

    >>> low, high = interval(lambda rows: float(rows.mean()), 100)
    >>> low < 49.5 < high
    True
    """
    rng = np.random.default_rng(seed)
    found = [measure(rng.integers(rows, size=rows)) for _ in range(RESAMPLES)]
    low, high = np.nanquantile(found, [0.025, 0.975])
    return float(low), float(high)


def as_dict(measures: Measures) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(measures).items()}


def from_dict(kept: dict[str, Any]) -> Measures:
    kind: Any = ClassMeasures if "accuracy" in kept else NumberMeasures
    found = {field.name: kept[field.name] for field in fields(kind)}
    measures: Measures = kind(**{k: tuple(value) if isinstance(value, list) else value for k, value in found.items()})
    return measures
