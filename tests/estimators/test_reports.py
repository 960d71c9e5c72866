"""What people reported of other MLPs, and what comes of it here: each line of the table in docs/scikit-learn.md."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
import sklearn.neural_network as sk
from scipy import sparse
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning

import backpath as bp

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:lm fits"),
    pytest.mark.filterwarnings("ignore:the fit is"),
    pytest.mark.filterwarnings("ignore:the columns' scales"),
]
PAGE = Path(__file__).parents[2] / "docs" / "scikit-learn.md"
X, y = load_iris(return_X_y=True)
NUMBERS = X[:, 3] + X[:, 0] / 3
REPORTS: set[str] = set()


def report(*addresses):
    """Of these, addresses without https://github.com/."""
    REPORTS.update(addresses)
    return lambda test: test


def classifier(**settings):
    return bp.MLPClassifier(**{"hidden_layer_sizes": 8, "max_iter": 5, "random_state": 0, **settings})


def regressor(**settings):
    return bp.MLPRegressor(**{"hidden_layer_sizes": 8, "max_iter": 5, "random_state": 0, **settings})


def is_new(*names):
    """Whether these are parameters here, and not of scikit-learn's."""
    theirs = set(inspect.signature(sk.MLPClassifier).parameters) | set(inspect.signature(sk.MLPRegressor).parameters)
    ours = set(inspect.signature(bp.MLPClassifier).parameters) | set(inspect.signature(bp.MLPRegressor).parameters)
    return set(names) <= ours - theirs


@report("scikit-learn/scikit-learn/issues/24411", "skorch-dev/skorch/issues/702")
def test_early_stopping_by_the_loss():
    model = regressor(early_stopping=True, scoring="loss").fit(X, NUMBERS)
    assert is_new("scoring")
    assert model.validation_scores_ == [-loss for loss in model.validation_loss_curve_]


@report(
    "scikit-learn/scikit-learn/issues/29504",
    "aigamedev/scikit-neuralnetwork/issues/207",
    "aigamedev/scikit-neuralnetwork/issues/51",
)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_divergence_is_an_error_that_says_what_would_do(early_stopping):
    model = regressor(learning_rate_init=1e5, solver="sgd", early_stopping=early_stopping, max_iter=50)
    with pytest.raises(bp.DivergenceError, match=r"diverged|overflow|learning_rate|standardise"):
        model.fit(X * 100, NUMBERS * 1e3)


@report("scikit-learn/scikit-learn/issues/24713", "uber/causalml/issues/216")
def test_two_rows_are_too_few_to_hold_some_out():
    with pytest.raises(ValueError, match="The validation set is too small"):
        regressor(early_stopping=True).fit(X[:2], [1.0, 1.0])


@report("scikit-learn/scikit-learn/issues/18507")
def test_the_validation_loss_is_kept():
    assert len(classifier(early_stopping=True).fit(X, y).validation_loss_curve_) == 5
    assert not hasattr(sk.MLPClassifier(early_stopping=True, max_iter=2).fit(X, y), "validation_loss_curve_")


@report("scikit-learn/scikit-learn/issues/18748")
def test_held_out_rows_of_ones_own():
    model = classifier(early_stopping=True).fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    assert len(model.validation_scores_) == 5 and "X_val" not in inspect.signature(sk.MLPClassifier.fit).parameters


@report(
    "scikit-learn/scikit-learn/issues/15568",
    "scikit-optimize/scikit-optimize/issues/697",
    "skforecast/skforecast/issues/427",
    "hyperopt/hyperopt/issues/812",
)
def test_sizes_are_numbers_for_a_search():
    assert is_new("n_layers", "n_units")
    assert classifier(n_layers=2, n_units=3).fit(X, y).network_.sizes == (4, 3, 3, 3)


@report("scikit-learn/scikit-learn/issues/14571")
def test_the_absolute_error():
    outliers = np.where(np.arange(150) % 10 == 0, 100.0, NUMBERS)
    settings = {"solver": "lbfgs", "max_iter": 200, "scale_X": True}
    typical = [
        np.median(np.abs(regressor(loss=loss, **settings).fit(X, outliers).predict(X) - NUMBERS))
        for loss in ("absolute_error", "squared_error")
    ]
    assert typical[0] < typical[1] / 2
    with pytest.raises(ValueError, match="loss"):
        sk.MLPRegressor(loss="absolute_error").fit(X, NUMBERS)


@report("scikit-learn/scikit-learn/pull/29270")
def test_log_cosh_as_a_loss_of_ones_own():
    pair = (lambda A, t: np.log(np.cosh(A - t)), lambda A, t: np.tanh(A - t))
    model = regressor(loss=pair, max_iter=300, learning_rate_init=0.02, scale_X=True).fit(X, NUMBERS)
    assert model.score(X, NUMBERS) > 0.9


@report("scikit-learn/scikit-learn/issues/9113", "mljar/mljar-supervised/issues/154")
def test_classes_and_samples_have_weights():
    few = np.r_[0:50, 50:55]
    recall = [
        (classifier(class_weight=weight, max_iter=60).fit(X[few], y[few]).predict(X[50:100]) == 1).mean()
        for weight in (None, {0: 1, 1: 100})
    ]
    assert is_new("class_weight") and recall[1] > recall[0]
    nothing = classifier().fit(X, y, sample_weight=(y < 2) * 1.0).predict_proba(X)[:, 2].mean()
    assert nothing < classifier().fit(X, y).predict_proba(X)[:, 2].mean()


@report("scikit-learn/scikit-learn/pull/10097")
def test_an_activation_for_each_layer():
    model = classifier(hidden_layer_sizes=(5, 4), activation=("tanh", "elu")).fit(X, y)
    assert model.network_.activations == ("tanh", "elu", "softmax")


@report("scikit-learn/scikit-learn/pull/7407")
def test_dropout():
    assert is_new("dropout")
    one, other = (classifier(dropout=share).fit(X, y) for share in (0.0, 0.5))
    assert not np.allclose(one.coefs_[0], other.coefs_[0])


@report("scikit-learn/scikit-learn/pull/17759")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_float32_stays(solver):
    assert regressor(solver=solver).fit(X.astype(np.float32), NUMBERS).coefs_[0].dtype == np.float32


@report("scikit-learn/scikit-learn/issues/6994", "scikit-learn/scikit-learn/issues/11758")
def test_classes_that_occur_later():
    model = classifier().partial_fit([[1], [2], [3]], ["a", "b", "c"], classes=["a", "b", "c", "d"])
    assert model.partial_fit([[4]], ["d"]).predict_proba([[4]]).shape == (1, 4)


@report("scikit-learn/scikit-learn/issues/7976")
def test_a_warm_start_with_other_classes_says_so():
    with pytest.raises(ValueError, match="same classes as in the previous"):
        classifier(warm_start=True).fit(X, y).fit(X, y % 2)


@report("scikit-learn/scikit-learn/issues/12505", "scikit-learn/scikit-learn/pull/7393")
def test_labels_that_hold_together():
    rows, labels = make_multilabel_classification(100, random_state=0)
    model = classifier().partial_fit(rows, labels, classes=list(range(labels.shape[1])))
    assert model.predict(rows).shape == labels.shape
    P = classifier(max_iter=50).fit(rows, labels).predict_proba(rows)
    assert P.shape == labels.shape and np.ptp(P.sum(axis=1)) > 0.1


@report(
    "scikit-learn/scikit-learn/issues/8713",
    "scikit-learn/scikit-learn/issues/16812",
    "scikit-learn/scikit-learn/issues/24764",
)
@pytest.mark.parametrize("make", [classifier, regressor])
def test_each_warm_start_does_its_epochs(make):
    model = make(warm_start=True, solver="sgd", max_iter=3, tol=0).fit(X, y)
    assert model.n_iter_ == 3
    assert model.fit(X, y).n_iter_ == 3 and len(model.loss_curve_) == 6


@report("scikit-learn/scikit-learn/issues/9273")
def test_lbfgs_uses_all_its_iterations():
    few = regressor(solver="lbfgs", max_iter=10**6, max_fun=7, tol=0).fit(X, NUMBERS)
    many = regressor(solver="lbfgs", max_iter=20, max_fun=10**6, tol=0).fit(X, NUMBERS)
    assert few.n_iter_ <= 7 and many.n_iter_ == 20


@report(
    "scikit-learn/scikit-learn/issues/15266",
    "scikit-learn/scikit-learn/issues/17082",
    "scikit-learn/scikit-learn/issues/25604",
)
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs", "lm"])
def test_the_same_bits_on_every_run(solver):
    one, other = (regressor(solver=solver, alpha=0.01).fit(X, NUMBERS) for _ in range(2))
    for a, b in zip(one.coefs_, other.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)


@report("scikit-learn/scikit-learn/issues/6512", "skorch-dev/skorch/issues/205")
def test_early_stopping_waits_as_long_as_is_asked():
    model = classifier(early_stopping=True, n_iter_no_change=4, tol=10.0, max_iter=100).fit(X, y)
    assert model.n_iter_ == 6 and model.stopped_ == "converged"  # the first is the best: then 4, and the one that tells


@report("skorch-dev/skorch/issues/1049", "skorch-dev/skorch/pull/1074")
@pytest.mark.parametrize("schedule", ["plateau", "cosine", "linear"])
def test_learning_rates_that_fall(schedule):
    model = classifier(learning_rate=schedule, warm_up=2, max_iter=20).fit(X, y)
    assert is_new("warm_up") and np.isfinite(model.loss_)
    with pytest.raises(ValueError, match="learning_rate"):
        sk.MLPClassifier(learning_rate=schedule).fit(X, y)


@report("sdpython/mlinsights/issues/20", "sdpython/mlinsights/issues/92")
def test_quantiles():
    settings = {"max_iter": 200, "learning_rate_init": 0.02, "n_iter_no_change": 200, "scale_X": True}
    model = regressor(loss="quantile", quantiles=(0.1, 0.9), **settings).fit(X, NUMBERS)
    low, high = model.predict_interval(X).T
    assert (low <= high).all() and 0.6 < ((low <= NUMBERS) & (high >= NUMBERS)).mean() < 0.95


@report(
    "keras-team/keras/issues/2051",
    "keras-team/keras/issues/13891",
    "keras-team/autokeras/issues/726",
    "scikit-learn/scikit-learn/issues/31235",
)
def test_the_same_answer_for_every_row_is_reported():
    with pytest.warns(bp.BadFitWarning, match="scale_y=True"):
        regressor().fit(X, 1e6 * NUMBERS)
    rng = np.random.RandomState(1)
    rows = rng.random_sample((500, 2))
    curved = (rows[:, 0] + (2 * (rows[:, 1] - 0.5)) ** 2 >= 0.75).astype(int)
    model = bp.MLPClassifier((20, 20), activation="logistic", random_state=42)
    with pytest.warns(bp.BadFitWarning, match="better than a constant prediction"):
        model.fit(rows, curved)


@report("experimental-design/bofire/pull/305")
def test_targets_are_standardised_inside():
    assert is_new("scale_X", "scale_y")
    model = regressor(scale_X=True, scale_y=True, max_iter=200, learning_rate_init=0.01)
    assert model.fit(X, 1e6 * NUMBERS).score(X, 1e6 * NUMBERS) > 0.8


@report("aigamedev/scikit-neuralnetwork/issues/139", "aigamedev/scikit-neuralnetwork/issues/23")
def test_sparse_rows():
    thin = sparse.csr_matrix(np.where(X > 3, X, 0))
    dense, same = classifier().fit(thin.toarray(), y), classifier().fit(thin, y)
    np.testing.assert_allclose(same.predict_proba(thin), dense.predict_proba(thin.toarray()), rtol=1e-9)


@report("aigamedev/scikit-neuralnetwork/issues/189")
def test_the_losses_are_drawn():
    pytest.importorskip("matplotlib").use("agg")
    import matplotlib.pyplot as plt

    shown = classifier(early_stopping=True).fit(X, y).plot_loss()
    assert [len(line.get_xdata()) for line in shown.lines_] == [5, 5]
    plt.close("all")


@report("aigamedev/scikit-neuralnetwork/issues/174", "lmjohns3/theanets/issues/127")
def test_watchers_are_notified(capsys):
    seen = []
    classifier(callbacks=lambda epoch: seen.append(epoch.loss), verbose=True).fit(X, y)
    assert len(seen) == 5 and f"Iteration 5, loss = {seen[-1]:.8f}" in capsys.readouterr().out


@report("scikit-learn/scikit-learn/pull/13164")
def test_held_out_classes_are_in_proportion():
    two = (y == 2).astype(int)
    seen = []
    model = classifier(early_stopping=True, validation_fraction=0.2, max_iter=1)
    model.set_params(scoring=lambda estimator, rows, labels: seen.append(labels.mean()) or 1.0).fit(X, two)
    assert seen == [pytest.approx(1 / 3)]


@report("skorch-dev/skorch/pull/470", "skorch-dev/skorch/pull/515", "skorch-dev/skorch/pull/572")
def test_scores_classes_and_probabilities_as_scikit_learn_wants_them():
    model = classifier(max_iter=50).fit(X[:100], y[:100])
    P = model.predict_proba(X[:100])
    assert P.shape == (100, 2) and list(model.classes_) == [0, 1]
    np.testing.assert_allclose(P.sum(axis=1), 1)
    assert model.score(X[:100], y[:100]) == (P.argmax(axis=1) == y[:100]).mean()


@report("scikit-learn/scikit-learn/issues/26762", "civisanalytics/muffnn/issues/47")
def test_several_targets_with_classes():
    both = np.column_stack([np.array(["a", "b", "c"])[y], np.where(X[:, 0] > 6, "long", "short")])
    assert classifier().fit(X, both).predict(X).shape == (150, 2)
    with pytest.raises(ValueError, match="Multioutput"):
        sk.MLPClassifier(max_iter=2).fit(X, both)


@report("dotnet/machinelearning/issues/5414", "ecmwf/anemoi-models/issues/13")
def test_predictions_within_bounds():
    assert is_new("output_range")
    P = regressor(output_range=(0, np.inf), max_iter=50).fit(X, np.maximum(NUMBERS - 3, 0)).predict(X - 100)
    assert (P >= 0).all()


@report("scikit-learn/scikit-learn/issues/8349")
def test_lbfgs_minimises_what_its_gradient_is_of():
    both = np.column_stack([NUMBERS, -2 * NUMBERS, NUMBERS**2])
    model = regressor(solver="lbfgs", activation="tanh", max_iter=5000, tol=1e-5, alpha=0.0, max_fun=10**6)
    network = model.fit((X - X.mean(axis=0)) / X.std(axis=0), both).network_
    slopes = network.gradients((X - X.mean(axis=0)) / X.std(axis=0), both, cost="half_squared_error").layers
    assert model.stopped_ == "converged" and max(np.abs(slope).max() for slope in slopes) < 1e-3


@report("scikit-learn/scikit-learn/issues/6780", "scikit-learn/scikit-learn/issues/10477")
def test_a_penalty_that_the_number_of_samples_does_not_change():
    twice = np.vstack([X, X]), np.r_[y, y]
    settings = {"solver": "adamw", "alpha": 5.0, "learning_rate_init": 0.05, "tol": 0, "shuffle": False}
    once = classifier(batch_size=150, max_iter=20, **settings).fit(X, y)
    doubled = classifier(batch_size=300, max_iter=20, **settings).fit(*twice)
    np.testing.assert_allclose(doubled.coefs_[0], once.coefs_[0], rtol=1e-5, atol=1e-8)


@report("aigamedev/scikit-neuralnetwork/issues/175")
@pytest.mark.parametrize("solver", ["adam", "adamw", "sgd", "lbfgs"])
def test_a_penalty_has_an_effect(solver):
    sizes = [np.abs(classifier(alpha=a, solver=solver, max_iter=50).fit(X, y).coefs_[0]).sum() for a in (0.0, 30.0)]
    assert sizes[1] < sizes[0]


@report("scikit-learn/scikit-learn/issues/33760")
def test_early_stopping_with_text_labels():
    assert classifier(early_stopping=True).fit(X, np.array(["a", "b", "c"])[y]).validation_scores_


@report("scikit-learn/scikit-learn/pull/8947", "wmkouw/libTLDA/issues/17")
@pytest.mark.parametrize("solver, says", [("adam", r"Maximum iterations \(5\)"), ("lbfgs", "or standardise the data")])
def test_a_fit_that_did_not_end_says_what_would_do(solver, says):
    with pytest.warns(ConvergenceWarning, match=says):
        regressor(solver=solver).fit(X, NUMBERS)


@report("scikit-learn/scikit-learn/pull/12582")
def test_shuffle_is_heard():
    one, other = (regressor(batch_size=10, shuffle=shuffle).fit(X, NUMBERS) for shuffle in (True, False))
    assert not np.array_equal(one.coefs_[0], other.coefs_[0])


@report("atomantic/ml_class/issues/6")
@pytest.mark.parametrize("solver", ["adam", "lbfgs", "lm"])
def test_every_solver_has_a_loss_curve(solver):
    assert len(regressor(solver=solver).fit(X, NUMBERS).loss_curve_) == 5


@pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not here")
def test_the_table_has_these_reports():
    listed = set(re.findall(r"\(https://github\.com/([\w./-]+/(?:issues|pull)/\d+)\)", PAGE.read_text("utf-8")))
    assert listed == REPORTS and len(REPORTS) >= 53
