"""The same start and the same batches come to scikit-learn's numbers."""

import warnings

import numpy as np
import pytest
import sklearn.neural_network as sk
from sklearn.datasets import load_digits, load_iris, make_multilabel_classification, make_regression

import backpath as bp

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
IRIS = load_iris(return_X_y=True)
BINARY = (IRIS[0][:100], np.array(["setosa", "versicolor"])[IRIS[1][:100]])
MULTILABEL = make_multilabel_classification(90, 6, n_classes=4, random_state=0)
ONE = make_regression(110, 5, noise=5, random_state=0)
ONE = (ONE[0], ONE[1] / 50)
TWO = (ONE[0], np.column_stack([ONE[1], ONE[1] ** 2]))
COUNTS = (ONE[0], RNG.poisson(np.exp(ONE[1] / 4)).astype(float))
CASES = {
    "binary": ("MLPClassifier", {}, BINARY),
    "multiclass": ("MLPClassifier", {}, IRIS),
    "multilabel": ("MLPClassifier", {}, (MULTILABEL[0] / 5, MULTILABEL[1])),
    "regression": ("MLPRegressor", {}, ONE),
    "two outputs": ("MLPRegressor", {}, TWO),
    "counts": ("MLPRegressor", {"loss": "poisson"}, COUNTS),
}
SOLVERS = {
    "adam": {"solver": "adam"},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.002},
    "plain": {"solver": "sgd", "learning_rate_init": 0.002, "nesterovs_momentum": False, "momentum": 0.5},
}


def both(case, engine="compiled", **settings):
    name, own, (X, y) = CASES[case]
    settings = {"hidden_layer_sizes": (7, 5), "random_state": 3, "batch_size": 32, "max_iter": 20, **own, **settings}
    return getattr(sk, name)(**settings), getattr(bp, name)(**settings, engine=engine), X, y


def check_same(theirs, ours, near=1e-10):
    for a, b in zip([*theirs.coefs_, *theirs.intercepts_], [*ours.coefs_, *ours.intercepts_], strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(b, a, rtol=near, atol=near)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=near)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    for name in ("best_loss_", "best_validation_score_", "validation_scores_"):
        a, b = getattr(theirs, name), getattr(ours, name)
        assert (a is None) == (b is None)
        assert a is None or b == pytest.approx(a, rel=near), name


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("case", CASES)
def test_twenty_epochs(case, solver, activation, engine):
    theirs, ours, X, y = both(case, engine, activation=activation, **SOLVERS[solver])
    check_same(theirs.fit(X, y), ours.fit(X, y))
    predict = "predict" if y.dtype.kind == "f" else "predict_proba"
    np.testing.assert_allclose(getattr(ours, predict)(X), getattr(theirs, predict)(X), rtol=1e-8, atol=1e-10)


SETTINGS = {
    "adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "learning_rate_init": 0.01,
        "tol": 0.02,
        "n_iter_no_change": 2,
        "max_iter": 300,
    },
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
    "early stopping": {"early_stopping": True, "max_iter": 100, "tol": 1e-2},
    "early stopping, adaptive": {
        "early_stopping": True,
        "solver": "sgd",
        "learning_rate": "adaptive",
        "tol": 0.01,
        "n_iter_no_change": 2,
        "max_iter": 100,
    },
    "converges": {"tol": 1e-2, "n_iter_no_change": 3, "max_iter": 500},
    "not shuffled": {"shuffle": False},
    "one batch": {"batch_size": "auto"},
    "no hidden layer": {"hidden_layer_sizes": ()},
    "penalty": {"alpha": 0.5},
}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("case", ["multiclass", "two outputs"])
def test_schedules_and_stopping(case, setting):
    theirs, ours, X, y = both(case, **SETTINGS[setting])
    check_same(theirs.fit(X, y), ours.fit(X, y), 1e-8)


@pytest.mark.parametrize("case", ["binary", "regression"])
def test_sample_weights(case):
    theirs, ours, X, y = both(case)
    weight = RNG.uniform(0.1, 3, len(X))
    theirs.fit(X, y, sample_weight=weight)
    ours.fit(X, y, sample_weight=weight)
    check_same(theirs, ours)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("case", ["multiclass", "regression"])
def test_partial_fit_and_warm_start(case, solver):
    theirs, ours, X, y = both(case, **SOLVERS[solver])
    first = {"classes": np.unique(y)} if case == "multiclass" else {}
    for _ in range(5):
        check_same(theirs.partial_fit(X, y, **first), ours.partial_fit(X, y, **first))
    theirs, ours, X, y = both(case, warm_start=True, max_iter=6, **SOLVERS[solver])
    for _ in range(3):
        check_same(theirs.fit(X, y), ours.fit(X, y))


def test_float32_stays_float32():
    X, y = load_digits(return_X_y=True)
    settings = {"hidden_layer_sizes": 20, "random_state": 0, "max_iter": 5}
    theirs, ours = (kind(**settings).fit(X.astype(np.float32) / 16, y) for kind in (sk.MLPClassifier, bp.MLPClassifier))
    check_same(theirs, ours, 2e-3)
    assert ours.predict_proba(X.astype(np.float32)).dtype == np.float32


def test_lbfgs_reaches_as_low_a_loss():
    for case in CASES:
        theirs, ours, X, y = both(case, solver="lbfgs", activation="tanh", max_iter=150, alpha=0.1)
        theirs.fit(X, y)
        ours.fit(X, y)
        assert ours.score(X, y) >= theirs.score(X, y) - 0.02, case


def test_the_warnings_are_theirs():
    for settings in ({"max_iter": 2}, {"max_iter": 2, "solver": "lbfgs"}, {"batch_size": 500, "max_iter": 2}):
        reported = []
        for model in both("multiclass", **settings)[:2]:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                model.fit(*IRIS)
            reported.append(
                [w.category for w in caught if w.category is not bp.BadFitWarning]
            )  # that one is ours alone
        assert reported[0] == reported[1], settings
