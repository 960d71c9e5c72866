"""Linear models beside scikit-learn's."""

import numpy as np
import pytest
from sklearn import datasets
from sklearn.linear_model import LogisticRegression, Ridge

from backpath.tabular.linear import best_linear_model, linear_model
from backpath.training.datasets import OUTPUTS


def standard(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)


@pytest.mark.parametrize("decay", [1.0, 100.0])
@pytest.mark.parametrize("columns", [10, 60])
def test_ridge_is_scikit_learns(decay, columns):
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(40, columns)), rng.uniform(0.5, 2, 40)
    y = X[:, :1] - X[:, 1:2] + rng.normal(size=(40, 1))
    peer = Ridge(alpha=decay).fit(X, y[:, 0], sample_weight=weight)
    found = linear_model(X, y, "regression", decay, weight)
    assert found.weights[0][0] == pytest.approx([*peer.coef_, peer.intercept_], abs=1e-9)


@pytest.mark.parametrize(("name", "task"), [("breast_cancer", "binary"), ("wine", "multiclass")])
def test_logistic_regression_predicts_what_scikit_learns_does(name, task):
    data = getattr(datasets, f"load_{name}")()
    X = standard(data.data)
    y = data.target[:, None].astype(float) if task == "binary" else np.eye(3)[data.target]
    peer = LogisticRegression(C=1 / 10, max_iter=5000, tol=1e-8).fit(X, data.target).predict_proba(X)
    found = linear_model(X, y, task, decay=10.0)
    assert found.activations == (OUTPUTS[task][0],)
    assert found.predict(X) == pytest.approx(peer[:, 1:] if task == "binary" else peer, abs=2e-3)


def test_the_decay_is_chosen_by_samples_that_were_left_out():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 50))
    noise, signal = rng.normal(size=(60, 1)), X @ rng.normal(size=(50, 1))
    assert best_linear_model(X, noise, "regression")[1] > best_linear_model(X, signal, "regression")[1]


def test_columns_that_say_the_same_do_no_harm():
    X = np.repeat(np.linspace(-1, 1, 30)[:, None], 3, axis=1)
    found, _, _ = best_linear_model(X, 2 * X[:, :1], "regression")
    assert found.predict(X) == pytest.approx(2 * X[:, :1], abs=0.01)


@pytest.mark.parametrize("task", ["regression", "binary"])
def test_two_rows_of_two_columns_give_the_mean(task):
    """Without one of them nothing varies."""
    X, y = np.array([[-1.0, -1.0], [1.0, 1.0]]), np.array([[0.0], [1.0]])
    model, _, cost = best_linear_model(X, y, task)
    assert np.isfinite(cost) and np.isfinite(model.weights[0]).all()
