"""Losses and outputs that scikit-learn has not: quantiles, bounds, a user's own, several targets with classes."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.metrics import mean_pinball_loss

import backpath as bp
from backpath.maths.activations import activation
from backpath.maths.costs import cost_function

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:lm fits"),
    pytest.mark.filterwarnings("ignore:the fit is"),
    pytest.mark.filterwarnings("ignore:the columns' scales"),
]
IRIS = load_iris(return_X_y=True)


def regressor(hidden=10, **settings):
    return bp.MLPRegressor(hidden_layer_sizes=hidden, random_state=0, **settings)


def noisy(count=2000):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (count, 1))
    return X, X[:, 0] + rng.normal(size=count)


# ---- rows with parameters ----


@pytest.mark.parametrize(
    "cost, output, outputs",
    [
        ("quantile(0.1,0.5,0.9)", "identity", 3),
        ("quantile(0.3)", "tanh", 2),
        ("squared_error", "bounded(-2,3)", 2),
        ("squared_error", "above(1.5)", 2),
        ("categorical_cross_entropy(3,2)", "softmax(3,2)", 5),
        ("half_squared_error", "softmax(2,2)", 4),
    ],
)
def test_gradients_of_rows_with_parameters_are_those_of_finite_differences(cost, output, outputs):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(9, 3)), rng.uniform(0, 1, (9, outputs))
    if cost.startswith("cat"):
        y = np.column_stack([np.eye(3)[rng.integers(0, 3, 9)], np.eye(2)[rng.integers(0, 2, 9)]])
    net = bp.Network((3, 4, outputs), activations=("tanh", output), seed=1)
    gradient = net.gradients(X, y, cost=cost)
    for name in net.weight_names:
        h = 1e-6
        up, down = (net.replace({name: net[name] + d}).cost(X, y, cost=cost) for d in (h, -h))
        assert gradient[name] == pytest.approx((up - down) / (2 * h), abs=1e-7)


def test_rows_with_parameters_are_explained():
    net = bp.Network((2, 3, 2), activations=("tanh", "bounded(0,10)"), seed=0)
    found = bp.derive(net, "W11_1", cost="quantile(0.1,0.9)")
    assert "[A1 > y1] − 0.1" in str(found) and "10 × 1/(1 + e^(−u))" in str(found)
    value = found.evaluate([0.5, -1], [3, 4])
    assert value.gradient == pytest.approx(net.gradients([0.5, -1], [3, 4], cost="quantile(0.1,0.9)")["W11_1"])


@pytest.mark.parametrize("name", ["bounded(3,1)", "bounded(1)", "above(inf)", "softmax(0,2)", "bounded(a,b)"])
def test_parameters_that_make_no_sense_are_refused(name):
    with pytest.raises(bp.InputError, match="but got"):
        activation(name)


def test_a_quantile_beyond_1_is_refused():
    with pytest.raises(bp.InputError, match="between 0 and 1"):
        cost_function("quantile(0.5,1.5)")
    with pytest.raises(bp.InputError, match="unknown cost"):
        cost_function("quintile(0.5)")


def test_a_model_with_bounds_is_saved_whole(tmp_path):
    X, y = noisy(100)
    model = regressor(output_range=(-5, 5), max_iter=5).fit(X, y)
    bp.save(model.network_, tmp_path / "model.safetensors")
    again = bp.load(tmp_path / "model.safetensors")
    assert again == model.network_ and again.activations[-1] == "bounded(-5,5)"


# ---- quantiles ----


def test_quantiles_are_those_of_the_noise():
    X, y = noisy(4000)
    taus = (0.1, 0.5, 0.9)
    model = regressor(loss="quantile", quantiles=taus, learning_rate_init=0.01, learning_rate="cosine", max_iter=60)
    P = model.fit(X, y).predict(X)
    assert P.shape == (4000, 3) and np.abs((y[:, None] <= P).mean(axis=0) - taus).max() < 0.04
    assert np.abs(P - (X + norm.ppf(taus))).mean() < 0.12
    assert (model.predict_interval(X) == P[:, [0, 2]]).all()


def test_quantiles_never_cross_and_sorting_never_raises_the_loss():
    X, y = noisy(60)
    taus = tuple(np.linspace(0.05, 0.95, 19))
    model = regressor(30, loss="quantile", quantiles=taus, learning_rate_init=0.05, max_iter=40).fit(X, y)
    A, P = model.network_.predict(X), model.predict(X)
    assert (np.diff(A, axis=1) < 0).any() and (np.diff(P, axis=1) >= 0).all()
    losses = [sum(mean_pinball_loss(y, each[:, k], alpha=tau) for k, tau in enumerate(taus)) for each in (A, P)]
    assert losses[1] <= losses[0]


def test_one_quantile_is_a_row_and_the_median_is_the_absolute_error():
    X, y = noisy(100)
    settings = {"max_iter": 10, "tol": 0, "engine": "numpy"}
    half = regressor(loss="quantile", quantiles=(0.5,), **settings).fit(X, y)
    assert half.predict(X).shape == (100,)
    same = regressor(loss="absolute_error", solver="sgd", learning_rate_init=0.01, momentum=0, **settings).fit(X, y)
    twice = regressor(
        loss="quantile", quantiles=(0.5,), solver="sgd", learning_rate_init=0.02, momentum=0, alpha=5e-5, **settings
    ).fit(X, y)
    np.testing.assert_allclose(twice.predict(X), same.predict(X), rtol=1e-9)  # half the loss, twice the rate


def test_the_score_of_quantiles_is_the_share_of_the_pinball_loss():
    X, y = noisy(300)
    model = regressor(loss="quantile", quantiles=(0.2, 0.8), max_iter=20).fit(X, y)
    P = model.predict(X)
    shares = [
        1 - mean_pinball_loss(y, P[:, k], alpha=t) / mean_pinball_loss(y, np.full(300, np.quantile(y, t)), alpha=t)
        for k, t in enumerate((0.2, 0.8))
    ]
    assert model.score(X, y) == pytest.approx(np.mean(shares), rel=1e-6)


def test_quantiles_have_one_target_and_an_interval_has_two_quantiles():
    X, y = noisy(50)
    with pytest.raises(bp.InputError, match="one target, but y has 2"):
        regressor(loss="quantile").fit(X, np.column_stack([y, y]))
    with pytest.raises(bp.InputError, match="predict_interval is for loss='quantile'"):
        regressor(max_iter=2).fit(X, y).predict_interval(X)
    with pytest.raises(bp.InputError, match="quantiles must be a sequence of increasing numbers between 0 and 1"):
        regressor(loss="quantile", quantiles=(0.9, 0.1)).fit(X, y)


# ---- bounds ----


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs", "lm"])
@pytest.mark.parametrize("bounds", [(-3.0, 7.0), (-3.5, np.inf)])
def test_outputs_stay_within_their_bounds(solver, bounds):
    X = np.linspace(-2, 2, 60)[:, None]
    y = np.clip(3 * X[:, 0], -3, 7)
    model = regressor(8, activation="tanh", solver=solver, output_range=bounds, max_iter=100).fit(X, y)
    P = model.predict(1e4 * X)
    assert P.min() >= bounds[0] and P.max() <= bounds[1]
    np.testing.assert_allclose(model.network_.predict(X)[:, 0], model.predict(X), rtol=1e-12)
    if solver == "lm":
        assert model.score(X, y) > 0.99


def test_targets_beyond_the_bounds_are_refused():
    with pytest.raises(bp.InputError, match=r"y must lie within output_range=\(0, 1\), but contains 2"):
        regressor(output_range=(0, 1)).fit([[0], [1]], [0.5, 2])


def test_going_on_with_bounds():
    X, y = noisy(80)
    model = regressor(output_range=(-9, 9), warm_start=True, max_iter=3, tol=0).fit(X, y)
    first = model.loss_
    assert model.fit(X, y).loss_ < first


# ---- a user's own ----


def log_cosh(A, y):
    return np.log(np.cosh(A - y))


def its_derivative(A, y):
    return np.tanh(A - y)


def test_functions_of_ones_own_are_as_those_of_the_table():
    X, y = noisy(100)
    own = {"activation": (np.tanh, lambda u: 1 / np.cosh(u) ** 2)}
    own["loss"] = (lambda A, y: (A - y) ** 2 / 2, lambda A, y: A - y)
    settings = {"max_iter": 20, "engine": "numpy"}
    mine, theirs = regressor(**own, **settings).fit(X, y), regressor(activation="tanh", **settings).fit(X, y)
    np.testing.assert_allclose(mine.predict(X), theirs.predict(X), rtol=1e-9)
    assert clone(mine).get_params()["loss"] == own["loss"]


def test_a_loss_of_ones_own_learns_and_explains():
    X, y = noisy(300)
    model = regressor(loss=(log_cosh, its_derivative), learning_rate_init=0.01).fit(X, y)
    assert model.score(X, y) > 0.2
    slope = model.explain(X[0], y[0], "W1~_2").gradient
    assert slope == pytest.approx(np.tanh(model.predict(X[:1])[0] - y[0]))


@pytest.mark.parametrize(
    "own, named",
    [
        ({"activation": (np.sin, lambda u: -np.cos(u))}, "of the opposite sign"),
        ({"activation": (np.sin, lambda u: np.cos(np.sin(u)))}, "σ′ is evaluated at σ\\(u\\) instead of u"),
        ({"activation": (np.tanh, lambda a: 1 - a**2)}, "it takes σ\\(u\\), but must take u"),
        ({"loss": (lambda A, y: (A - y) ** 2, lambda A, y: A - y)}, "at A, y = .* half of what this cost gives"),
        ({"loss": (log_cosh, lambda A, y: np.tanh(y - A))}, "of the opposite sign"),
        ({"loss": (lambda A, y: ((A - y) ** 2).mean(), its_derivative)}, "finite numbers in the shape of its argument"),
        ({"loss": (lambda A: A, its_derivative)}, "must take arrays \\(A, y\\), but fails"),
    ],
)
def test_a_wrong_derivative_is_named_and_nothing_is_trained(own, named):
    model = regressor(**own)
    with pytest.raises(bp.InputError, match=named):
        model.fit(*noisy(30))
    assert not hasattr(model, "coefs_")


def test_a_kink_is_no_mistake():
    own = (lambda u: np.clip(u, 0, 6), lambda u: ((u > 0) & (u < 6)) * 1.0)
    assert regressor(activation=own, max_iter=3).fit(*noisy(50)).n_iter_ == 3


def test_what_kernels_do_not_know_is_not_forced_on_them(tmp_path):
    X, y = noisy(30)
    with pytest.raises(bp.InputError, match="needs the NumPy engine"):
        regressor(loss="quantile", engine="compiled").fit(X, y)
    model = regressor(activation=(np.sin, np.cos), max_iter=2).fit(X, y)
    with pytest.raises(bp.InputError, match="cannot hold your own functions"):
        bp.save(model.network_, tmp_path / "model.safetensors")


# ---- several targets with classes ----


def several():
    X, y = IRIS
    return X, np.column_stack([np.array(["se", "ve", "vi"])[y], np.where(X[:, 0] > 5.8, "long", "short")])


def test_several_targets_with_classes():
    X, Y = several()
    model = bp.MLPClassifier(16, learning_rate_init=0.02, max_iter=300, random_state=0).fit(X, Y)
    assert [list(own) for own in model.classes_] == [["se", "ve", "vi"], ["long", "short"]]
    P = model.predict_proba(X)
    assert [p.shape for p in P] == [(150, 3), (150, 2)]
    for p in P:
        np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (model.predict(X) == Y).all(axis=1).mean() == model.score(X, Y) > 0.9
    assert model.predict_log_proba(X)[1][0, 0] == np.log(P[1][0, 0])
    with pytest.raises(bp.InputError, match="one target with classes"):
        model.explain(X[0], Y[0], "W11_1")


def test_several_targets_stop_early_and_continue():
    X, Y = several()
    model = bp.MLPClassifier(16, learning_rate_init=0.02, early_stopping=True, random_state=0).fit(X, Y)
    assert 0 < model.best_validation_score_ <= 1
    bit = bp.MLPClassifier(16, random_state=0)
    classes = [np.unique(column) for column in Y.T]
    bit.partial_fit(X[:20], Y[:20], classes=classes).partial_fit(X, Y)
    assert bit.t_ == 170 and [len(p.T) for p in bit.predict_proba(X[:2])] == [3, 2]
    with pytest.raises(bp.InputError, match="column 1 of y has classes that are not among"):
        bit.partial_fit(X[:2], [["se", "tall"], ["se", "long"]])
