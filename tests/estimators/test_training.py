"""How an estimator trains: schedules, AdamW, sizes, a time limit, ensembles, scorers, sparse rows."""

import subprocess
import sys
import time
from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.inspection import permutation_importance
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import RandomizedSearchCV

import backpath as bp
from backpath.estimators import training_samples

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:the fit is"),
    pytest.mark.filterwarnings("ignore:the columns' scales"),
]
IRIS, DIABETES = load_iris(return_X_y=True), load_diabetes(return_X_y=True)


def classifier(*sizes, **settings):
    return bp.MLPClassifier(*sizes, random_state=0, **settings)


def without_end(**settings):
    return {"tol": 0, "n_iter_no_change": 10**9, **settings}


# ---- AdamW ----


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("hidden", [3, 40])
def test_adamw_is_loshchilovs_and_hutters(engine, hidden):
    """Algorithm 2 of "Decoupled weight decay regularization" (ICLR 2019), biases excepted, ε after the correction."""
    X, y = IRIS
    networks = []
    settings = {"solver": "adamw", "alpha": 0.3, "learning_rate_init": 0.05, "batch_size": 150, "epsilon": 1e-30}
    settings |= {"engine": engine, "callbacks": lambda epoch: networks.append(epoch.network)}
    classifier(hidden, "tanh", **settings, **without_end(max_iter=6)).fit(X, y)
    targets = np.eye(3)[y]
    begin = classifier(hidden, "tanh", solver="sgd", learning_rate_init=1e-300, max_iter=1).fit(X, y).network_
    W, m, v = list(begin.weights), 0.0, 0.0
    for t in range(1, 7):
        net = begin.with_weights(W)
        g = np.concatenate(
            [part.ravel() for part in net.gradients(X, targets, cost="categorical_cross_entropy").layers]
        )
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        step = 0.05 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-30)
        decayed = np.concatenate([np.column_stack([w[:, :-1] * (1 - 0.05 * 0.3), w[:, -1]]).ravel() for w in W])
        parts = np.split(decayed - step, np.cumsum([w.size for w in W])[:-1])
        W = [part.reshape(w.shape) for part, w in zip(parts, W, strict=True)]
        for ours, right in zip(networks[t - 1].weights, W, strict=True):
            np.testing.assert_allclose(ours, right, rtol=1e-8, atol=1e-10)


# ---- schedules ----


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("schedule, last", [("linear", 1 / 8), ("cosine", (1 + np.cos(np.pi * 7 / 8)) / 2)])
def test_a_schedule_scales_the_steps(engine, schedule, last):
    X, y = IRIS
    moved = {}

    def watch(epoch):
        moved[epoch.number] = epoch.network

    settings = {"solver": "sgd", "momentum": 0, "learning_rate_init": 1e-6, "batch_size": 150, "engine": engine}
    model = classifier(4, learning_rate=schedule, callbacks=watch, **settings, **without_end(max_iter=8)).fit(X, y)
    steps = [np.abs(moved[k + 1].weights[0] - moved[k].weights[0]).sum() for k in range(1, 8)]
    assert steps[-1] / steps[0] == pytest.approx(last / _second(schedule), rel=1e-3)
    assert model.stopped_ == "epochs"


def _second(schedule):
    return {"linear": 7 / 8, "cosine": (1 + np.cos(np.pi / 8)) / 2}[schedule]


def test_a_warm_up_rises_evenly():
    X, y = IRIS
    networks = []
    settings = {"solver": "sgd", "momentum": 0, "learning_rate_init": 1e-6, "batch_size": 150, "warm_up": 3}
    classifier(4, callbacks=lambda e: networks.append(e.network), **settings, **without_end(max_iter=7)).fit(X, y)
    moves = [np.abs(b.weights[0] - a.weights[0]).sum() for a, b in pairwise(networks)]
    np.testing.assert_allclose(np.array(moves) / moves[-1], [2 / 4, 3 / 4, 1, 1, 1, 1], rtol=1e-3)


def test_a_plateau_slows_down(capsys):
    X, y = IRIS
    model = classifier(4, learning_rate="plateau", learning_rate_init=0.5, verbose=True, max_iter=60).fit(X, y)
    assert "Setting learning rate to 0.100000" in capsys.readouterr().out
    assert model.n_iter_ <= 60


def test_invscaling_converges_by_tol():
    X, y = IRIS
    model = classifier(4, solver="sgd", learning_rate="invscaling", tol=1.0, n_iter_no_change=3, max_iter=50).fit(X, y)
    assert model.n_iter_ < 10 and model.stopped_ == "converged"


def test_partial_fit_has_no_schedule_with_an_end():
    with pytest.raises(bp.InputError, match="learning_rate='cosine' needs fit"):
        classifier(4, learning_rate="cosine").partial_fit(*IRIS, classes=[0, 1, 2])


def test_a_found_rate_trains():
    X, y = IRIS
    model = classifier(16, scale_X=True, max_iter=30)
    found = model.find_learning_rate(X, y)
    assert not hasattr(model, "coefs_") and found.rates[0] < found.suggestion < found.rates[-1]
    better = clone(model).set_params(learning_rate_init=found.suggestion).fit(X, y)
    assert better.loss_ < model.fit(X, y).loss_ / 2
    with pytest.raises(bp.InputError, match="find_learning_rate is for the solvers"):
        classifier(4, solver="lbfgs").find_learning_rate(X, y)


# ---- sizes, dropout ----


@pytest.mark.parametrize(
    "settings, sizes",
    [
        ({"n_layers": 2, "n_units": 7}, (4, 7, 7, 3)),
        ({"n_units": 7}, (4, 7, 3)),
        ({"n_layers": 3, "hidden_layer_sizes": 5}, (4, 5, 5, 5, 3)),
        ({"n_units": 2, "hidden_layer_sizes": (5, 6)}, (4, 2, 2, 3)),
    ],
)
def test_sizes_for_searches(settings, sizes):
    assert classifier(max_iter=2, **settings).fit(*IRIS).network_.sizes == sizes


def test_sizes_that_say_too_little():
    with pytest.raises(bp.InputError, match="needs n_units too"):
        classifier((4, 5), n_layers=3).fit(*IRIS)


def test_sizes_are_searched():
    space = {"n_layers": [1, 2], "n_units": [4, 8]}
    search = RandomizedSearchCV(classifier(max_iter=20), space, n_iter=3, cv=2, random_state=0).fit(*IRIS)
    assert set(search.best_params_) == {"n_layers", "n_units"}


def test_dropout_by_layer():
    seen = []
    X, y = IRIS
    settings = {"batch_size": 150, "solver": "sgd", "momentum": 0, "alpha": 0, "activation": "identity"}
    model = classifier((6, 5), dropout=(0.9, 0.0), **settings, **without_end(max_iter=1))
    model.set_params(callbacks=lambda e: seen.append(e.network)).fit(X, y)
    plain = classifier((6, 5), **settings, **without_end(max_iter=1)).fit(X, y)
    assert not np.allclose(seen[0].weights[0], plain.network_.weights[0])
    same = classifier((6, 5), dropout=(0.0, 0.0), **settings, **without_end(max_iter=1)).fit(X, y)
    np.testing.assert_array_equal(same.coefs_[0], plain.coefs_[0])
    with pytest.raises(bp.InputError, match="dropout must be a number, or a list of 2"):
        classifier((6, 5), dropout=(0.1, 0.2, 0.3)).fit(X, y)


# ---- time, ensembles ----


@pytest.mark.parametrize("solver", ["adam", "lbfgs", "lm"])
def test_a_time_limit_ends_the_fit(solver):
    X, y = DIABETES
    model = bp.MLPRegressor(hidden_layer_sizes=5, activation="tanh", solver=solver, random_state=0, scale_y=True)
    model.set_params(time_limit=0.05, max_fun=10**9, **without_end(max_iter=10**7))
    begin = time.monotonic()
    model.fit(X, y)
    assert model.stopped_ in ("time", "converged") and model.n_iter_ < 10**7
    assert time.monotonic() - begin < 60  # not the hours that it would go on


def test_an_ensemble_is_the_mean_of_its_networks():
    X, y = DIABETES
    model = bp.MLPRegressor(hidden_layer_sizes=8, random_state=0, n_networks=4, max_iter=20, scale_y=True).fit(X, y)
    every = np.array([network.predict(X)[:, 0] for network in model.networks_])
    mean, spread = model.predict(X, return_std=True)
    assert len(every) == 4 and len({network.weights[0][0, 0] for network in model.networks_}) == 4
    np.testing.assert_allclose(mean, every.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(spread, every.std(axis=0), rtol=1e-9)


def test_one_network_has_no_spread():
    X, y = IRIS
    with pytest.raises(bp.InputError, match="return_std is the spread of several networks"):
        classifier(8, max_iter=2).fit(X, y).predict_proba(X, return_std=True)


def test_an_ensemble_is_the_same_on_every_run():
    X, y = IRIS
    one, other = (classifier(8, n_networks=3, early_stopping=True).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    p, spread = one.predict_proba(X, return_std=True)
    assert p.shape == spread.shape == (150, 3) and (spread > 0).all()


@pytest.mark.parametrize("settings", [{"restarts": 2}, {"warm_start": True}])
def test_what_ensembles_do_not_go_with(settings):
    with pytest.raises(bp.InputError, match="n_networks"):
        classifier(4, n_networks=2, **settings).fit(*IRIS)
    with pytest.raises(bp.InputError, match="n_networks is for fit"):
        classifier(4, n_networks=2).partial_fit(*IRIS, classes=[0, 1, 2])


# ---- scorers ----


@pytest.mark.parametrize("scoring", ["f1_macro", make_scorer(f1_score, average="macro"), "loss"])
def test_early_stopping_by_a_scorer(scoring):
    X, y = IRIS
    model = classifier(8, early_stopping=True, scoring=scoring, learning_rate_init=0.02, scale_X=True).fit(X, y)
    if scoring == "loss":
        np.testing.assert_array_equal(model.validation_scores_, -np.array(model.validation_loss_curve_))
    else:
        held = classifier(8, scoring=scoring, early_stopping=True, learning_rate_init=0.02, scale_X=True, max_iter=9)
        held.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
        assert max(held.validation_scores_) == pytest.approx(f1_score(y[1::2], held.predict(X[1::2]), average="macro"))
    assert model.best_validation_score_ == max(model.validation_scores_)


def test_a_scorer_sees_what_the_user_gave():
    pandas = pytest.importorskip("pandas")
    X, y = IRIS
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    seen = []

    def score(estimator, X_val, y_val):
        seen.append((list(X_val.columns), set(y_val), estimator.predict(X_val)[0]))
        return float(len(seen))

    frame = pandas.DataFrame(X, columns=list("abcd"))
    model = classifier(4, early_stopping=True, scoring=score, max_iter=3).fit(frame, names)
    assert model.validation_scores_ == [1.0, 2.0, 3.0]
    assert seen[0][0] == list("abcd") and seen[0][1] <= set(names) and seen[0][2] in names


def test_an_unknown_scorer_is_refused_before_anything_is_trained():
    model = classifier(4, early_stopping=True, scoring="f2")
    with pytest.raises(ValueError, match="f2"):
        model.fit(*IRIS)
    assert not hasattr(model, "coefs_")


# ---- sparse rows, the public tools ----


def wide(rows=200, columns=2000):
    X = sparse.random(rows, columns, 0.005, random_state=0, format="csr")
    return X, np.asarray(X[:, :100].sum(axis=1)).ravel() + np.asarray(X.sum(axis=1)).ravel()


@pytest.fixture
def keeps_sparse(monkeypatch):
    """Sparse rows stay so though they are few."""
    monkeypatch.setattr(training_samples, "DENSE_BYTES", 0)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_sparse_rows_train_as_dense_ones(keeps_sparse, monkeypatch, solver, early_stopping):
    X, y = wide()
    settings = {"hidden_layer_sizes": 3, "solver": solver, "max_iter": 4, "random_state": 0, "tol": 0}
    settings |= {"early_stopping": early_stopping}
    dense = bp.MLPRegressor(engine="numpy", **settings).fit(X.toarray(), y)
    thin = bp.MLPRegressor(**settings).fit(X, y)
    np.testing.assert_allclose(thin.coefs_[0], dense.coefs_[0], rtol=1e-6, atol=1e-10)
    np.testing.assert_allclose(thin.predict(X), dense.predict(X.toarray()), rtol=1e-6)
    monkeypatch.setattr(training_samples, "dense", lambda X: pytest.fail("made dense"))
    bp.MLPRegressor(**settings).fit(X, y)


def test_sparse_rows_that_are_few_or_full_become_dense(monkeypatch):
    few, full = wide()[0], sparse.random(100, 100, 0.3, format="csr")
    assert isinstance(training_samples.prepared_rows(few, True), np.ndarray)
    monkeypatch.setattr(training_samples, "DENSE_BYTES", 0)
    assert sparse.issparse(training_samples.prepared_rows(few, True))
    assert isinstance(training_samples.prepared_rows(few, False), np.ndarray)
    assert isinstance(training_samples.prepared_rows(full, True), np.ndarray)


def test_permutation_importance_finds_the_column_that_counts():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    model = bp.MLPRegressor(hidden_layer_sizes=8, solver="lbfgs", random_state=0).fit(X, 2 * X[:, 1])
    found = permutation_importance(model, X, 2 * X[:, 1], n_repeats=3, random_state=0).importances_mean
    assert found.argmax() == 1 and found[1] > 100 * abs(found[[0, 2]]).max()


# ---- lm ----


def test_lm_warns_where_weights_outnumber_rows_or_are_many():
    X, y = DIABETES
    settings = {"solver": "lm", "activation": "tanh", "max_iter": 1, "random_state": 0, "scale_y": True}
    with pytest.warns(UserWarning, match="lm fits 121 weights to 60 numbers"):
        bp.MLPRegressor(hidden_layer_sizes=10, **settings).fit(X[:60], y[:60])
    with pytest.warns(UserWarning, match="each step of lm solves for 1,201 weights"):
        bp.MLPRegressor(hidden_layer_sizes=100, bayesian=True, **settings).fit(X, y)


def test_bayesian_restarts_are_compared_by_evidence_and_y_is_standardised():
    X, y = DIABETES
    settings = {"hidden_layer_sizes": 3, "activation": "tanh", "solver": "lm", "bayesian": True, "scale_X": True}
    one = bp.MLPRegressor(random_state=0, **settings).fit(X, y)
    several = bp.MLPRegressor(random_state=0, restarts=6, **settings).fit(X, y)
    assert several.bayesian_.evidence >= one.bayesian_.evidence
    larger = bp.MLPRegressor(random_state=0, **settings).fit(X, 1000 * y + 5)
    np.testing.assert_allclose(larger.predict(X), 1000 * one.predict(X) + 5, rtol=1e-4)
    assert 0 < one.bayesian_.gamma < one.bayesian_.parameters


def test_a_stream_of_tiny_fits_does_not_depend_on_what_the_process_did_before():
    code = """
import warnings, hashlib
warnings.simplefilter("ignore")
import numpy as np
import backpath as bp
rng = np.random.default_rng(0)
X, y = rng.normal(size=(20, 3)), rng.normal(size=20)

def stream():
    model = bp.MLPRegressor(hidden_layer_sizes=4, random_state=0)
    for k in range(0, 20, 2):
        model.partial_fit(X[k : k + 2], y[k : k + 2])
    return hashlib.sha256(b"".join(C.tobytes() for C in model.coefs_)).hexdigest()

first = stream()
bp.MLPClassifier(hidden_layer_sizes=100).fit(rng.normal(size=(500, 20)), np.arange(500) % 2)
print(first == stream())
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "True\n"


def test_a_fit_loads_only_what_it_needs():
    code = """
import sys
import numpy as np
import backpath as bp
model = bp.MLPClassifier(hidden_layer_sizes=8, learning_rate_init=0.1, max_iter=300, random_state=0)
assert (model.fit(np.eye(4), [0, 1, 0, 1]).predict(np.eye(4)) == [0, 1, 0, 1]).all()  # only a bad fit is looked into
for name in ("sklearn.metrics", "sklearn.model_selection", "sklearn.preprocessing", "backpath.explain", "matplotlib"):
    if name in sys.modules:
        print(name)
"""
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == ""
