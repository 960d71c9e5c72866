"""What backpath's estimators do that scikit-learn's do not, and that both fit into scikit-learn."""

import inspect
import pickle
import re
import threading

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
import sklearn.neural_network
import threadpoolctl
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import backpath as bp

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])
RNG = np.random.default_rng(0)


def small(kind=bp.MLPClassifier, **settings):
    return kind(**{"hidden_layer_sizes": 6, "random_state": 0, "max_iter": 30, **settings})


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_))


# ---- divergence and scales ----

ALL_SOLVERS = ["sgd", "adam", "lbfgs", "lm"]


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("solver", ALL_SOLVERS)
def test_huge_numbers_raise(solver, activation):
    settings = {"solver": solver, "activation": activation}
    with pytest.raises(bp.DivergenceError):
        small(**settings).fit(IRIS[0] * 1e200, IRIS[1])
    for loss in ("squared_error", "huber", "absolute_error", "poisson")[: 1 if solver == "lm" else 4]:
        with pytest.raises(bp.DivergenceError):
            small(bp.MLPRegressor, loss=loss, **settings).fit(DIABETES[0], DIABETES[1] * 1e160)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("kind", [bp.MLPClassifier, bp.MLPRegressor])
def test_a_learning_rate_of_1000_raises(kind, solver):
    with pytest.raises(ValueError, match=r"training diverged in epoch .*try a smaller learning rate"):
        kind(solver=solver, learning_rate_init=1e3, random_state=0).fit(*IRIS)


def test_columns_of_very_different_scales_are_named():
    X = pd.DataFrame(IRIS[0].copy(), columns=["a", "b", "c", "d"])
    X["b"] *= 1e6
    with pytest.warns(
        UserWarning, match=r"differ widely: the largest numbers are in b \(4.4e\+06\), the smallest in d"
    ):
        small().fit(X, IRIS[1])
    with pytest.warns(UserWarning, match=r"column 1 \(4.4e\+06\)"):
        small().fit(X.to_numpy(), IRIS[1])


@pytest.mark.filterwarnings("error:.*scales")
def test_ordinary_columns_do_not_warn():
    small().fit(*IRIS)
    X = np.column_stack([IRIS[0], np.zeros(150), np.full(150, 2024.0)])  # a constant 0, a year
    small(solver="lbfgs").fit(X, IRIS[1])


# ---- parameters ----


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"activation": "swish"}, "activation must be one of logistic, sigmoid"),
        ({"activation": "softmax"}, "activation must be one of"),
        ({"activation": ["relu", "tanh"]}, "activation must be one name, or a list of 1, one for each hidden layer"),
        ({"solver": "newton"}, "solver must be one of 'lbfgs'"),
        ({"hidden_layer_sizes": 0}, "hidden_layer_sizes must be > 0"),
        ({"hidden_layer_sizes": (3, 2.5)}, "hidden_layer_sizes must be > 0"),
        ({"alpha": -1}, "alpha must be a number of at least 0, but is -1"),
        ({"alpha": float("nan")}, "alpha must be a number"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, or 'auto', but is 0"),
        ({"max_iter": True}, "max_iter must be a whole number"),
        ({"dropout": 1.0}, "dropout must be a number of at least 0 and below 1"),
        ({"dropout": 0.5, "solver": "lbfgs"}, "dropout is for the solvers sgd, adam and adamw"),
        ({"bayesian": True}, "bayesian is for solver='lm', but the solver is 'adam'"),
        ({"clip_norm": 1.0, "solver": "lm"}, "clip_norm is for the solvers sgd, adam and adamw"),
        ({"dropout": 0.5, "engine": "compiled"}, "dropout needs the NumPy engine"),
        ({"clip_norm": 0}, "clip_norm must be a number above 0, or None"),
        ({"callbacks": 3}, "callbacks must be a callable"),
        ({"engine": "gpu"}, "engine must be one of"),
        ({"class_weight": "even"}, "class_weight must be None, 'balanced', a dict"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, message):
    with pytest.raises(bp.InputError, match=message):
        small(**settings).fit(*IRIS)


def test_targets_that_a_loss_has_no_meaning_for_are_refused():
    with pytest.raises(bp.InputError, match="poisson needs targets of at least 0, but y is -1 in row 0"):
        small(bp.MLPRegressor, loss="poisson").fit([[1.0], [2]], [-1.0, 1])


# ---- beyond scikit-learn ----


def test_an_activation_per_layer_and_all_of_backpaths():
    names = ("gelu", "silu", "leaky_relu")
    model = small(hidden_layer_sizes=(4, 3, 2), activation=names).fit(*IRIS)
    assert model.network_.activations == (*names, "softmax")
    assert model.network_.sizes == (4, 4, 3, 2, 3)
    logistic, sigmoid = (small(activation=name).fit(*IRIS) for name in ("logistic", "sigmoid"))
    assert same(logistic, sigmoid)


def test_the_network_predicts_what_the_estimator_does():
    model = small().fit(*IRIS)
    np.testing.assert_allclose(model.network_.predict(IRIS[0]), model.predict_proba(IRIS[0]), rtol=1e-13)
    assert bp.MLPRegressor  # the same for numbers, row by row or many at once
    regressor = small(bp.MLPRegressor).fit(*DIABETES)
    X = np.tile(DIABETES[0], (4, 1))
    np.testing.assert_allclose(regressor.predict(X), regressor.network_.predict(X).ravel(), rtol=1e-12)
    np.testing.assert_allclose(regressor.predict(X[:1]), regressor.predict(X)[:1], rtol=1e-12)


@pytest.mark.parametrize("case", ["classes", "numbers", "labels"])
def test_explain_is_the_networks_gradient(case):
    X, y = IRIS
    kind, targets, row, cost = {
        "classes": (bp.MLPClassifier, NAMES[y], [0, 1, 0], "categorical_cross_entropy"),
        "numbers": (bp.MLPRegressor, np.column_stack([y, y / 2]), [1, 0.5], "half_squared_error"),
        "labels": (bp.MLPClassifier, np.column_stack([y > 0, y > 1]).astype(int), [1, 0], "binary_cross_entropy"),
    }[case]
    model = small(kind).fit(pd.DataFrame(X, columns=list("abcd")), targets)
    explained = model.explain(X[60], targets[60], "W21_1")
    expected = model.network_.gradients(X[60], row, cost)["W21_1"]
    assert explained.gradient == pytest.approx(expected, rel=1e-12)
    assert "X1 (a)" in "".join(factor.meaning for factor in explained.derivation.factors) + str(explained)


def test_class_weights_are_sample_weights():
    X, y = IRIS[0][:120], IRIS[1][:120]
    balanced = {0: 0.8, 1: 0.8, 2: 2.0}  # 120 / (3 × 50), 120 / (3 × 20)
    expected = small().fit(X, y, sample_weight=[balanced[k] for k in y])
    assert same(small(class_weight="balanced").fit(X, y), expected)
    assert same(small(class_weight=balanced).fit(X, y), expected)
    doubled = small(class_weight=balanced).fit(X, y, sample_weight=np.full(120, 2.0))
    assert same(doubled, small().fit(X, y, sample_weight=[2 * balanced[k] for k in y]))
    with pytest.raises(bp.InputError, match="partial_fit supports only a dict"):
        small(class_weight="balanced").partial_fit(X, y, classes=[0, 1, 2])


def test_huber_and_absolute_error_withstand_outliers():
    X = np.linspace(-1, 1, 200)[:, None]
    truth = np.sin(3 * X.ravel())
    y = truth + RNG.normal(0, 0.05, 200)
    y[::10] += 30
    settings = {"hidden_layer_sizes": 10, "activation": "tanh", "learning_rate_init": 0.02, "max_iter": 2000, "tol": 0}
    error = {
        loss: np.abs(bp.MLPRegressor(loss, random_state=0, **settings).fit(X, y).predict(X) - truth).mean()
        for loss in ("squared_error", "huber", "absolute_error")
    }
    assert error["huber"] < 0.2 < error["squared_error"]
    assert error["absolute_error"] < 0.2


def test_restarts_keep_the_best():
    X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    settings = {"hidden_layer_sizes": 2, "solver": "lbfgs", "activation": "logistic", "alpha": 0, "max_iter": 300}
    losses = []
    for seed in range(8):
        one, several = (bp.MLPClassifier(random_state=seed, restarts=n, **settings).fit(X, y) for n in (1, 12))
        assert several.loss_ <= one.loss_
        losses.append((one.loss_, several.loss_))
    assert (
        max(loss for _, loss in losses) < 0.01 < max(loss for loss, _ in losses)
    )  # one start gets stuck, now and then


def test_held_out_samples_are_looked_at_and_stop():
    X, y, X_val, y_val = IRIS[0][::2], IRIS[1][::2], IRIS[0][1::2], IRIS[1][1::2]
    model = small(max_iter=60).fit(X, y, X_val=X_val, y_val=y_val)
    assert same(model, small(max_iter=60).fit(X, y))  # looking changes nothing
    assert len(model.validation_loss_curve_) == len(model.validation_scores_) == 60
    assert model.validation_scores_[-1] == model.score(X_val, y_val)
    loss = -np.log(model.predict_proba(X_val)[np.arange(75), y_val]).mean()
    assert model.validation_loss_curve_[-1] == pytest.approx(loss, rel=1e-12)
    stopped = small(early_stopping=True, max_iter=500, learning_rate_init=0.02, n_iter_no_change=5).fit(
        X, y, X_val=X_val, y_val=y_val
    )
    assert stopped.n_iter_ < 500
    assert stopped.score(X_val, y_val) == max(stopped.validation_scores_) == stopped.best_validation_score_
    regressor = small(bp.MLPRegressor, solver="lbfgs").fit(X, y, X_val=X_val, y_val=y_val)
    assert len(regressor.validation_loss_curve_) == regressor.n_iter_
    with pytest.raises(bp.InputError, match="X_val and y_val go together"):
        small().fit(X, y, X_val=X_val)
    with pytest.raises(bp.InputError, match=r"y_val must have shape \(\d+, 3\) to fit X_val and y, but has \(\d+, 3\)"):
        small().fit(X, y, X_val=X_val, y_val=y_val[:-1])


@pytest.mark.parametrize("solver", ALL_SOLVERS)
def test_callbacks_are_called_after_each_epoch_and_may_stop(solver):
    reported = []
    model = small(solver=solver, callbacks=[reported.append, lambda epoch: epoch.number == 7]).fit(*IRIS)
    assert [epoch.number for epoch in reported] == [1, 2, 3, 4, 5, 6, 7]
    assert model.n_iter_ == 7
    assert [epoch.loss for epoch in reported] == model.loss_curve_
    np.testing.assert_allclose(reported[-1].network.weights[0][:, :-1].T, model.coefs_[0], rtol=1e-14)


def test_lm_reaches_a_lower_loss_than_adam_and_reports_bayesian_regularisation():
    X = np.linspace(-1, 1, 60)[:, None]
    y = np.sin(3 * X.ravel())
    settings = {"hidden_layer_sizes": 5, "activation": "tanh", "random_state": 0, "max_iter": 200}
    lm = bp.MLPRegressor(solver="lm", alpha=0, tol=0, **settings).fit(X, y)
    adam = bp.MLPRegressor(learning_rate_init=0.01, alpha=0, tol=0, **settings).fit(X, y)
    assert lm.loss_ < 1e-6 < adam.loss_
    assert lm.loss_ == pytest.approx(((lm.predict(X) - y) ** 2).mean() / 2, rel=1e-9)
    assert lm.bayesian_ is None
    held = bp.MLPRegressor(solver="lm", bayesian=True, **settings).fit(X, y + RNG.normal(0, 0.2, 60))
    assert 1 < held.bayesian_.gamma < held.bayesian_.parameters == 16
    with pytest.raises(bp.InputError, match="lm minimises squared errors"):
        bp.MLPRegressor("huber", solver="lm").fit(X, y)
    two = bp.MLPRegressor(solver="lm", alpha=0.1, **settings).fit(X, np.column_stack([y, y**2]), sample_weight=1 + y**2)
    penalty = 0.05 * sum((C**2).sum() for C in two.coefs_) / (1 + y**2).sum()
    errors = np.average((two.predict(X) - np.column_stack([y, y**2])) ** 2, axis=0, weights=1 + y**2).mean() / 2
    assert two.loss_ == pytest.approx(errors + penalty, rel=1e-9)
    assert small(solver="lm", activation="tanh").fit(*IRIS).score(*IRIS) > 0.95


def test_progress_is_reported():
    reported = []
    small(progress=lambda epochs, loss: reported.append((epochs, loss))).fit(*IRIS)
    assert reported[-1][0] == 30


def test_dropout_leaves_neurons_out_and_clipping_shortens():
    settings = {"hidden_layer_sizes": 30, "max_iter": 100, "learning_rate_init": 0.01}
    plain = small(**settings).fit(*IRIS)
    dropped = small(**settings, dropout=0.5).fit(*IRIS)
    assert same(dropped, small(**settings, dropout=0.5).fit(*IRIS))  # the same neurons for the same random_state
    assert dropped.loss_ > plain.loss_
    assert dropped.score(*IRIS) > 0.9
    clipped = small(solver="sgd", momentum=0, max_iter=1, batch_size=150, alpha=0, clip_norm=1e-3, learning_rate_init=1)
    start = small(solver="sgd", max_iter=1, batch_size=150, learning_rate_init=1e-300).fit(*IRIS)
    moved = [a - b for a, b in zip(clipped.fit(*IRIS).coefs_ + clipped.intercepts_, start.coefs_ + start.intercepts_)]
    assert np.sqrt(sum((m**2).sum() for m in moved)) == pytest.approx(1e-3, rel=1e-9)


def test_dropout_is_right_on_average():
    """The mean of many masked gradients of an identity network is near that without masks."""
    from backpath.maths import backprop
    from backpath.training.engines.dropout import Dropout

    net = bp.Network((3, 50, 1), "identity", seed=0)
    X, y = RNG.normal(size=(20, 3)), np.zeros((20, 1))
    dropout = Dropout(0.2, 0)
    outputs = []
    for _ in range(2000):
        u, a = dropout.forward(net.weights, net.activations, X)
        assert ((a[1] == 0).mean() - 0.2) < 0.1
        outputs.append(a[-1])
    np.testing.assert_allclose(np.mean(outputs, axis=0), net.predict(X), atol=0.06)
    # the gradient is that of the masked network: by differences, with its masks held
    delta = dropout.deltas(net.weights, net.activations, "half_squared_error", u, a, y)
    G = backprop.gradients(delta, a)
    masks, h = dropout._kept[0], 1e-6
    for layer, place in ((0, (4, 1)), (0, (7, 3)), (1, (0, 9))):
        costs = []
        for sign in (1, -1):
            W = [w.copy() for w in net.weights]
            W[layer][place] += sign * h
            hidden = (X @ W[0][:, :-1].T + W[0][:, -1]) * masks
            costs.append(((hidden @ W[1][:, :-1].T + W[1][:, -1]) ** 2).mean() / 2)
        assert G[layer][place] == pytest.approx((costs[0] - costs[1]) / (2 * h), rel=1e-6, abs=1e-9)


# ---- in scikit-learn's world ----


def test_pandas_polars_sparse_and_lists_are_the_same():
    X, y = np.round(IRIS[0]), NAMES[IRIS[1]]
    expected = small().fit(X, y)
    for given in (pd.DataFrame(X), sparse.csr_matrix(X), sparse.csc_array(X), X.tolist()):
        model = small().fit(given, y.tolist())
        assert same(model, expected)
        assert (model.predict(given) == expected.predict(X)).all()
    frame = pl.DataFrame(X, schema=["a", "b", "c", "d"])
    model = small().fit(frame, pl.Series(y))
    assert same(model, expected)
    assert model.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.select(["b", "a", "c", "d"]))


def test_pickling_and_cloning():
    model = small().fit(*IRIS)
    again = pickle.loads(pickle.dumps(model))
    assert same(again.partial_fit(*IRIS), model.partial_fit(*IRIS))
    copy = clone(small(activation=("gelu",), class_weight={0: 1.0, 1: 2, 2: 1}))
    assert copy.get_params()["activation"] == ("gelu",)
    assert not hasattr(copy, "coefs_")
    assert repr(bp.MLPRegressor("huber", solver="lbfgs")) == "MLPRegressor(loss='huber', solver='lbfgs')"


def test_grid_search_and_a_pipeline_of_columns():
    frame = pd.DataFrame(IRIS[0], columns=list("abcd"))
    frame["colour"] = np.where(RNG.random(150) < 0.5, "red", "blue")
    columns = ColumnTransformer(
        [("n", StandardScaler(), list("abcd")), ("c", OneHotEncoder(sparse_output=False), ["colour"])]
    )
    pipeline = make_pipeline(columns.set_output(transform="pandas"), small(max_iter=200, learning_rate_init=0.02))
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [1e-4, 1000.0]}, cv=3).fit(frame, NAMES[IRIS[1]])
    assert search.best_params_ == {"mlpclassifier__alpha": 1e-4}
    assert search.score(frame, NAMES[IRIS[1]]) > 0.95
    assert search.best_estimator_[-1].feature_names_in_[0] == "n__a"


def test_metadata_routing_brings_sample_weights():
    weight = RNG.uniform(0.1, 2, 150)
    with sklearn.config_context(enable_metadata_routing=True):
        model = small().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        found = cross_validate(
            model, *IRIS, params={"sample_weight": weight}, cv=3, return_estimator=True, return_indices=True
        )
    part = found["indices"]["train"][0]
    assert same(found["estimator"][0], small().fit(IRIS[0][part], IRIS[1][part], sample_weight=weight[part]))


def test_only_solvers_of_small_steps_have_partial_fit():
    assert hasattr(small(), "partial_fit")
    assert not hasattr(small(solver="lbfgs"), "partial_fit")


def test_not_converging_warns_once():
    with pytest.warns(ConvergenceWarning, match="Maximum iterations \\(30\\) reached") as caught:
        small(restarts=3).fit(*IRIS)
    assert len(caught) == 1


def test_a_single_class_has_probability_1():
    model = small().fit(IRIS[0], np.full(150, "only"))
    assert set(model.predict(IRIS[0])) == {"only"}


def test_unscaled_cancer_warns_and_scaled_does_well():
    X, y = load_breast_cancer(return_X_y=True)
    with pytest.warns(UserWarning, match="differ widely"):
        small().fit(X, y)
    assert make_pipeline(StandardScaler(), small(max_iter=300, learning_rate_init=0.01)).fit(X, y).score(X, y) > 0.98


# ---- early stopping, failures, false divergence ----


@pytest.mark.parametrize("solver", ALL_SOLVERS)
def test_early_stopping_keeps_the_weights_of_the_best_score(solver):
    X, y = StandardScaler().fit_transform(DIABETES[0]), (DIABETES[1] - 152) / 77
    settings = {"solver": solver, "activation": "tanh", "hidden_layer_sizes": 15, "alpha": 0, "max_iter": 300}
    rows = slice(None, None, 2), slice(1, None, 2)
    judged = {"X_val": X[rows[1]], "y_val": y[rows[1]]}
    stopped = small(bp.MLPRegressor, early_stopping=True, **settings).fit(X[rows[0]], y[rows[0]], **judged)
    assert stopped.score(X[rows[1]], y[rows[1]]) == pytest.approx(max(stopped.validation_scores_), rel=1e-12)
    assert stopped.best_validation_score_ == max(stopped.validation_scores_) > 0.3
    best = int(np.argmax(stopped.validation_scores_))
    assert stopped.n_iter_ <= best + 13 < 300  # stopped soon after
    drawn = small(bp.MLPRegressor, early_stopping=True, **settings).fit(X, y)
    assert drawn.best_validation_score_ == max(drawn.validation_scores_)


class Stop(Exception):
    pass


def interrupt(epoch):
    raise Stop


@pytest.mark.parametrize("failure", ["bad rows", "divergence", "bad parameter", "an exception in a callback"])
@pytest.mark.parametrize("solver", ALL_SOLVERS)
def test_a_failed_refit_changes_nothing(solver, failure):
    model = small(solver=solver, activation="tanh").fit(IRIS[0], NAMES[IRIS[1]])
    before = {name: value for name, value in vars(model).items() if name.endswith("_")}
    expected = model.predict(IRIS[0])
    X, y = {"bad rows": (IRIS[0] * np.nan, IRIS[1]), "divergence": (IRIS[0] * 1e200, IRIS[1])}.get(failure, IRIS)
    if failure == "bad parameter":
        model.set_params(dropout=-1)
    if failure == "an exception in a callback":
        model.set_params(callbacks=interrupt)
    with pytest.raises((ValueError, Stop)):
        model.fit(X[:, :2] if failure == "bad rows" else X, y)
    assert {name: value for name, value in vars(model).items() if name.endswith("_")} == before
    assert (model.predict(IRIS[0]) == expected).all()


def test_a_failed_first_fit_leaves_no_attributes():
    model = small(bp.MLPRegressor)
    for fit in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match="NaN"):
            fit(IRIS[0] * np.nan, IRIS[1])
        assert not [name for name in vars(model) if name.endswith("_")]


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("batch_size", [10, 50, "auto"])
def test_a_strong_penalty_is_no_divergence(solver, batch_size):
    for settings in ({"alpha": 1000.0}, {"alpha": 100.0}):
        small(solver=solver, batch_size=batch_size, **settings).fit(*IRIS)


@pytest.mark.parametrize("weight", [1e-3, 1e-6, 1e-100])
def test_tiny_sample_weights_are_no_divergence(weight):
    for kind, data in ((bp.MLPClassifier, IRIS), (bp.MLPRegressor, DIABETES)):
        small(kind, batch_size=20).fit(*data, sample_weight=np.full(len(data[0]), weight))


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_the_signatures_begin_with_scikit_learns(name):
    ours, theirs = (
        [(p.name, p.default, p.kind) for p in inspect.signature(kind).parameters.values()]
        for kind in (getattr(bp, name), getattr(sklearn.neural_network, name))
    )
    assert set(theirs) <= set(ours)
    assert [p for p in ours if p in theirs] == theirs
    positional = [p[:2] for p in ours if p[2] == inspect.Parameter.POSITIONAL_OR_KEYWORD]
    assert positional == [p[:2] for p in theirs if p[2] == inspect.Parameter.POSITIONAL_OR_KEYWORD]
    made = getattr(bp, name)(*[value for _, value in positional])
    assert made.get_params() == getattr(bp, name)().get_params() == {p[0]: p[1] for p in ours}
    with pytest.raises(TypeError, match="no_such_parameter"):
        getattr(bp, name)(no_such_parameter=1)


# ---- sparse rows and labels, attributes set by hand, pickles, threads ----


def test_labels_that_are_sparse_are_as_the_dense_ones():
    Y = np.column_stack([IRIS[1] > 0, IRIS[1] > 1]).astype(int)
    expected = small().fit(IRIS[0], Y)
    for given in (sparse.csr_matrix(Y), sparse.csc_array(Y)):
        model = small().fit(sparse.csr_matrix(IRIS[0]), given, X_val=IRIS[0], y_val=given)
        assert same(model, expected)
        assert (model.predict(sparse.csr_matrix(IRIS[0])) == expected.predict(IRIS[0])).all()


@pytest.mark.parametrize("case", ["two classes", "classes", "labels", "numbers"])
def test_weights_transplanted_into_a_fresh_estimator_predict(case):
    X, y = IRIS
    kind, targets = {
        "two classes": (bp.MLPClassifier, y > 0),
        "classes": (bp.MLPClassifier, NAMES[y]),
        "labels": (bp.MLPClassifier, np.column_stack([y > 0, y > 1]).astype(int)),
        "numbers": (bp.MLPRegressor, y * 1.0),
    }[case]
    model = small(kind).fit(X, targets)
    fresh = small(kind)
    for name in ("coefs_", "intercepts_", "out_activation_", *(["classes_"] if kind is bp.MLPClassifier else [])):
        setattr(fresh, name, getattr(model, name))
    assert (fresh.predict(X) == model.predict(X)).all()
    assert fresh.network_ == model.network_


def test_an_output_activation_set_by_hand_is_used():
    model = small(bp.MLPRegressor).fit(*IRIS)
    model.intercepts_[-1] -= 3
    plain = model.predict(IRIS[0])
    model.out_activation_ = "relu"
    assert (model.predict(IRIS[0]) == np.maximum(plain, 0)).all() and (plain < 0).any()
    model.out_activation_ = "logistic"
    np.testing.assert_allclose(model.predict(IRIS[0]), 1 / (1 + np.exp(-plain)), rtol=1e-14)
    assert model.network_.activations == ("relu", "sigmoid")


def test_a_pickle_of_another_version_warns(monkeypatch):
    pickled = pickle.dumps(small().fit(*IRIS))
    monkeypatch.setattr("backpath.estimators.predictor.__version__", "9.9")
    with pytest.warns(UserWarning, match=r"pickled by backpath .*, and this is 9\.9.*fit it again"):
        pickle.loads(pickled)


def test_lm_from_several_threads_leaves_blas_its_threads():
    def threads():
        return [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]

    before = threads()
    fits = [
        threading.Thread(target=small(bp.MLPRegressor, solver="lm", max_iter=10 + 5 * k).fit, args=IRIS)
        for k in range(6)
    ]
    for fit in fits:
        fit.start()
    for fit in fits:
        fit.join()
    assert threads() == before


# ---- fits that come to nothing, and scaling inside ----

SMALL_Y, LARGE_Y = DIABETES[1] * 1e-11, DIABETES[1] * 1e6
USELESS = {
    "y tiny": (bp.MLPRegressor, {}, DIABETES[0], SMALL_Y, r"y has a spread of 7\.7e-10.*scale_y=True.*Transformed"),
    "y huge": (bp.MLPRegressor, {}, DIABETES[0], LARGE_Y, r"y has a spread of 7\.7e\+07"),
    "rate": (bp.MLPClassifier, {"learning_rate_init": 1.0}, *IRIS, r"the loss rose .*: try learning_rate_init=0\.1"),
    "penalty": (bp.MLPClassifier, {"alpha": 1000.0}, *IRIS, r"alpha=1000 keeps all weights small .*: try alpha=1"),
    "X tiny": (bp.MLPClassifier, {}, IRIS[0] * 1e-300, IRIS[1], r"values of column 0 \(7\.9e-300\).*scale_X=True"),
    "saturated": (
        bp.MLPClassifier,
        {"hidden_layer_sizes": (5, 5), "activation": "logistic", "learning_rate_init": 1e-9},
        IRIS[0] * 1e5,
        IRIS[1],
        r"saturated",
    ),
    "names": (bp.MLPClassifier, {}, pd.DataFrame(IRIS[0] * 1e-300, columns=list("abcd")), IRIS[1], r"values of a \(7"),
}  # fmt: skip


@pytest.mark.parametrize("name", USELESS)
def test_a_useless_fit_says_why(name):
    kind, settings, X, y, message = USELESS[name]
    with pytest.warns(bp.BadFitWarning, match=message):
        kind(random_state=0, **settings).fit(X, y)


@pytest.mark.filterwarnings("error:the fit is:RuntimeWarning")
@pytest.mark.parametrize("solver", ALL_SOLVERS)
def test_an_ordinary_fit_does_not_warn(solver):
    bp.MLPClassifier(random_state=0, solver=solver, hidden_layer_sizes=10).fit(*IRIS)
    y = (DIABETES[1] - DIABETES[1].mean()) / DIABETES[1].std()
    X = StandardScaler().fit_transform(DIABETES[0])
    bp.MLPRegressor(random_state=0, solver=solver, hidden_layer_sizes=10).fit(X, y)


@pytest.mark.parametrize("solver", ALL_SOLVERS)
@pytest.mark.parametrize("kind", ["classifier", "regressor", "outputs"])
def test_scaling_inside_is_scaling_outside(solver, kind):
    X = IRIS[0] * [1e4, 1e-3, 1, 50] + [0, 5, -1, 1e3]
    scaled = StandardScaler().fit_transform(X)
    settings = {"solver": solver, "activation": "tanh", "max_iter": 20}
    if kind == "classifier":
        inside = small(scale_X=True, **settings).fit(X, IRIS[1])
        outside = small(**settings).fit(scaled, IRIS[1])
        np.testing.assert_allclose(inside.predict_proba(X), outside.predict_proba(scaled), rtol=1e-6, atol=1e-9)
        return
    y = IRIS[1] * 1e5 + 3e6 if kind == "regressor" else np.column_stack([IRIS[1] * 1e5, 7 - IRIS[0][:, 0]])
    mean, scale = y.mean(axis=0), y.std(axis=0)
    inside = small(bp.MLPRegressor, scale_X=True, scale_y=True, **settings).fit(X, y)
    outside = small(bp.MLPRegressor, **settings).fit(scaled, (y - mean) / scale)
    np.testing.assert_allclose(inside.predict(X), outside.predict(scaled) * scale + mean, rtol=1e-6)
    assert inside.network_.predict(X).shape == (150, 1 if kind == "regressor" else 2)


def test_going_on_with_scaled_fits():
    X, y = IRIS[0] * 1e4, IRIS[1] * 1e5
    settings = {"scale_X": True, "scale_y": True, "activation": "tanh", "tol": 0}
    whole = small(bp.MLPRegressor, shuffle=False, **settings)
    for _ in range(5):
        whole.partial_fit(X, y)
    one = small(bp.MLPRegressor, shuffle=False, max_iter=5, n_iter_no_change=100, **settings).fit(X, y)
    np.testing.assert_allclose(whole.predict(X), one.predict(X), rtol=1e-6)
    warm = small(bp.MLPRegressor, warm_start=True, max_iter=200, **settings)
    assert warm.fit(X, y).loss_ > warm.fit(X, y).loss_
    with pytest.raises(bp.InputError, match="the poisson loss needs unscaled counts"):
        bp.MLPRegressor("poisson", scale_y=True).fit(X, y)


@pytest.mark.parametrize("kind", [bp.MLPClassifier, bp.MLPRegressor])
def test_an_unknown_parameter_is_named_with_the_one_that_was_meant(kind):
    expected = f"{kind.__name__} has no parameter 'hidden_layer_size'; did you mean 'hidden_layer_sizes'?"
    with pytest.raises(TypeError, match=re.escape(expected)):
        kind(hidden_layer_size=3)
