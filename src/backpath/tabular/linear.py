"""Linear models with weight decay, as networks without a hidden layer, for comparison.

Ridge regression is solved exactly:  W = (XᵀX + λI)⁻¹ Xᵀy  with X and y centred. Logistic regression repeatedly moves to
the minimum of a parabola that touches the cost and is above it everywhere else, with the curvature c XᵀX + λI, c = ¼
for the sigmoid and ½ for softmax. Nesterov's momentum reduces the number of steps.

Source: Böhning and Lindsay, Monotonicity of quadratic-approximation algorithms, Ann. Inst. Statist. Math. 40 (1988).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backpath.maths.activations import activation
from backpath.maths.arrays import Floats
from backpath.maths.network import Network

DECAYS = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)  # λ: Σ cost + λ/2 ΣW²
_PARTS, _LARGE = 5, 400_000  # parts for choosing λ, each held out once; two if there are more numbers than _LARGE
STEPS, CHOOSING_STEPS, TOLERANCE = 300, 60, 1e-5
MOST_NUMBERS = 2e6  # numbers of X; with more, only the first rows are used
_ACTIVATION = {"regression": "identity", "binary": "sigmoid", "multiclass": "softmax"}


@dataclass(frozen=True)
class Spectrum:
    """X minus its weighted mean, with the eigenvectors of XᵀSX, where S are the samples' weights."""

    mean: Floats
    X: Floats
    values: Floats
    vectors: Floats

    @classmethod
    def of(cls, X: Floats, weight: Floats) -> Spectrum:
        mean = weight @ X / weight.sum()
        centred = X - mean
        if X.shape[1] <= len(X):
            values, vectors = np.linalg.eigh(centred.T @ (centred * weight[:, None]))
        else:  # fewer rows than columns: the rows' products are enough, because other directions have eigenvalue 0
            scaled = centred * np.sqrt(weight)[:, None]
            values, rows = np.linalg.eigh(scaled @ scaled.T)
            kept = values > values.max() * 1e-12
            values, vectors = values[kept], scaled.T @ rows[:, kept] / np.sqrt(values[kept])
        return cls(mean, centred, np.maximum(values, 0), vectors)


def linear_model(X: Floats, y: Floats, task: str, decay: float, weight: Floats | None = None) -> Network:
    """The linear model with this weight decay.

    Parameters
    ----------
    X, y : (N, inputs), (N, outputs)
        As for a network of the task: standardised; classes as 0 and 1, or one-hot.
    task : "regression" | "binary" | "multiclass"
    decay : λ
    weight : (N,)
        The weight of each sample.

    >>> X = np.array([[-1.0], [0.0], [1.0]])
    >>> linear_model(X, 2 * X + 1, "regression", decay=0.0).weights[0].round(6).tolist()
    [[2.0, 1.0]]
    """
    share = np.ones(len(X)) if weight is None else weight
    return _fitted(Spectrum.of(X, share), y, task, decay, share)


def best_linear_model(
    X: Floats, y: Floats, task: str, weight: Floats | None = None, seed: int = 0
) -> tuple[Network, float, float]:
    """The linear model with the weight decay that is best on held-out samples, that decay, and the cost there."""
    share = np.ones(len(X)) if weight is None else weight
    few = max(2, min(len(X), int(MOST_NUMBERS / X.shape[1])))
    X, y, share = X[:few], y[:few], share[:few]
    count = min(len(X), _PARTS if X.size * y.shape[1] < _LARGE else 2)
    parts = np.random.default_rng(seed).permutation(len(X)) % count
    costs = np.zeros((count if count > 2 else 1, len(DECAYS)))
    for part, cost in enumerate(costs):
        fit, rest = parts != part, parts == part
        spectrum, start = Spectrum.of(X[fit], share[fit]), None
        for k in reversed(range(len(DECAYS))):
            start = _fitted(spectrum, y[fit], task, DECAYS[k], share[fit], start, CHOOSING_STEPS)
            cost[k] = cost_of(start.predict(X[rest]), y[rest], task, share[rest])
    mean = costs.mean(axis=0)
    best = int(np.argmin(mean))
    return linear_model(X, y, task, DECAYS[best], share), DECAYS[best], float(mean[best])


def cost_of(A: NDArray[np.floating], y: Floats, task: str, weight: Floats | None = None) -> float:
    """The mean of Σ (A - y)², or of the log loss."""
    if task == "regression":
        each = ((A - y) ** 2).sum(axis=1)
    else:
        p = np.clip(A, 1e-12, 1 - 1e-12)
        each = -(y * np.log(p)).sum(axis=1) - (0 if task == "multiclass" else ((1 - y) * np.log(1 - p)).sum(axis=1))
    return float(np.average(each, weights=weight))


def _fitted(
    spectrum: Spectrum,
    y: Floats,
    task: str,
    decay: float,
    weight: Floats,
    start: Network | None = None,
    steps: int = STEPS,
) -> Network:
    if task == "regression":
        slopes, bias = _ridge(spectrum, y, decay, weight)
    else:
        slopes, bias = _logistic(spectrum, y, decay, weight, start, steps)
    bias = bias - spectrum.mean @ slopes
    return Network.from_weights([np.vstack([slopes, bias]).T], activations=_ACTIVATION[task])


def _ridge(s: Spectrum, y: Floats, decay: float, weight: Floats) -> tuple[Floats, Floats]:
    mean = weight @ y / weight.sum()
    turned = s.vectors.T @ (s.X.T @ ((y - mean) * weight[:, None]))
    inverse = np.where(s.values + decay > s.values.max(initial=0) * 1e-13, 1 / np.maximum(s.values + decay, 1e-300), 0)
    return s.vectors @ (inverse[:, None] * turned), mean


def _logistic(
    s: Spectrum, y: Floats, decay: float, weight: Floats, start: Network | None, steps: int
) -> tuple[Floats, Floats]:
    sigma = activation("sigmoid" if y.shape[1] == 1 else "softmax").value
    bound = 0.25 if y.shape[1] == 1 else 0.5
    inverse = 1 / (bound * s.values + decay)
    total = weight.sum()
    if start is None:
        V, b = np.zeros((len(s.values), y.shape[1])), np.zeros(y.shape[1])
    else:
        slopes = start.weights[0][:, :-1].T
        V, b = s.vectors.T @ slopes, start.weights[0][:, -1] + s.mean @ slopes
    turned = s.X @ s.vectors  # in the eigenvectors' basis, every step is a division
    before, t = (V, b), 1.0
    for _ in range(steps):
        after = (1 + np.sqrt(1 + 4 * t * t)) / 2
        ahead = [now + (t - 1) / after * (now - old) for now, old in zip((V, b), before, strict=True)]
        error = (sigma(turned @ ahead[0] + ahead[1]) - y) * weight[:, None]
        gradient = turned.T @ error + decay * ahead[0]
        move = inverse[:, None] * gradient, error.sum(axis=0) / (bound * total)
        if sum(float((step * (now - old)).sum()) for step, now, old in zip(move, ahead, (V, b), strict=True)) > 0:
            after = 1.0  # restart the momentum after a step uphill
        before = (V, b)
        V, b, t = ahead[0] - move[0], ahead[1] - move[1], after
        if float((gradient * move[0]).sum()) < TOLERANCE**2 * total:
            break
    return s.vectors @ V, b
