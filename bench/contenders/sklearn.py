"""scikit-learn's MLPClassifier, because its MLPRegressor has no logistic output; so the cost is log-loss."""

from __future__ import annotations

import warnings

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from bench.contenders import LeftOut
from bench.rows import Array, Row, Train

NAME = "scikit-learn"
COST = "binary_cross_entropy"


def versions() -> str:
    return f"scikit-learn {sklearn.__version__}"


def forms(row: Row) -> dict[str, Train]:
    if row.networks is not None:
        raise LeftOut("scikit-learn trains one network at a time")
    return {"MLPClassifier.fit": fit(row)}


def fit(row: Row) -> Train:
    X, y = row.data()
    targets = (
        y.astype(int) if y.shape[1] > 1 else y.astype(int).ravel()
    )  # several columns mean several labels: logistic outputs, not softmax
    model = MLPClassifier(
        row.sizes[1:-1], activation="logistic", solver="sgd", alpha=0, batch_size=row.batch or row.samples,
        learning_rate_init=row.learning_rate, momentum=0, nesterovs_momentum=False, shuffle=False, tol=0,
        n_iter_no_change=10**9, max_iter=1, warm_start=True,
    )  # fmt: skip # one setting per line is no clearer
    warnings.simplefilter("ignore", ConvergenceWarning)  # the benchmark runs a fixed number of epochs
    model.fit(X, targets)
    start = row.start()

    def run(epochs: int) -> list[Array]:
        for q, w in enumerate(start):
            model.coefs_[q], model.intercepts_[q] = np.ascontiguousarray(w[:, :-1].T), w[:, -1].copy()
        model.max_iter = epochs
        model.fit(X, targets)
        return [np.column_stack([w.T, c]) for w, c in zip(model.coefs_, model.intercepts_, strict=True)]

    return run
