"""What the solvers of the estimators keep to, each against something worked out apart."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

import backpath as bp

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 2))
Y = np.column_stack([X.sum(axis=1), X[:, 0] - X[:, 1] ** 2, np.tanh(X[:, 1])])


def model(**settings):
    return bp.MLPRegressor(**{"hidden_layer_sizes": 3, "random_state": 0, "max_iter": 10, "alpha": 0.0, **settings})


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_the_loss_on_held_out_rows_counts_their_weights(solver):
    weight = np.linspace(0, 3, 10)
    fitted = model(solver=solver).fit(X[:20], Y[:20], X_val=X[20:], y_val=Y[20:], sample_weight_val=weight)
    squares = ((fitted.predict(X[20:]) - Y[20:]) ** 2).mean(axis=1) / 2  # scikit-learn's: half, averaged over outputs
    assert fitted.validation_loss_curve_[-1] == pytest.approx(np.average(squares, weights=weight), rel=1e-10)
    assert fitted.validation_loss_curve_[-1] != pytest.approx(squares.mean(), rel=1e-3)


@pytest.mark.parametrize("outputs", [1, 3])
def test_lbfgs_gets_the_gradient_of_its_cost(monkeypatch, outputs):
    seen = []

    def minimize(objective, start, **settings):
        seen.append((objective, start.copy()))
        raise KeyboardInterrupt

    monkeypatch.setattr("scipy.optimize.minimize", minimize)
    with pytest.warns(UserWarning, match="interrupted"):
        model(solver="lbfgs", alpha=0.1).fit(X, Y[:, 0] if outputs == 1 else Y)
    (objective, start), *_ = seen
    numerical = approx_fprime(start, lambda flat: objective(flat)[0], 1e-7)
    assert objective(start)[1] == pytest.approx(numerical, rel=1e-4, abs=1e-6)


def test_the_losses_of_lbfgs_are_those_of_the_networks_it_went_through():
    """Half the mean of the squared errors over samples and outputs, and α/2 ΣW² / N, as scikit-learn's loss_."""
    networks = []
    fitted = model(solver="lbfgs", alpha=0.1, callbacks=lambda epoch: networks.append(epoch.network)).fit(X, Y)
    expected = [
        ((net.predict(X) - Y) ** 2).mean() / 2 + 0.1 / 2 * sum((W[:, :-1] ** 2).sum() for W in net.weights) / len(X)
        for net in networks
    ]
    assert fitted.loss_curve_ == pytest.approx(expected, rel=1e-10)
    assert fitted.loss_ == pytest.approx(expected[-1], rel=1e-10)


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs", "lm"])
@pytest.mark.parametrize("stopper", [0, 1])
def test_any_callback_may_stop(solver, stopper):
    calls = [lambda epoch: None, lambda epoch: None]
    calls[stopper] = lambda epoch: epoch.number == 3
    y = Y if solver != "lm" else Y[:, 0]
    assert model(solver=solver, callbacks=calls).fit(X, y).n_iter_ == 3


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_warm_start_knows_the_best_loss_so_far(solver):
    """Each fit lowers the loss to what no later epoch does: it stays the best, and none of them counts as better."""
    fitted = model(solver=solver, warm_start=True, max_iter=5, n_iter_no_change=100).fit(X, Y)
    first = fitted.best_loss_
    assert first == min(fitted.loss_curve_)
    fitted.set_params(learning_rate_init=1e-9, max_iter=4).fit(X, Y + 10)
    assert min(fitted.loss_curve_[5:]) > first and fitted.best_loss_ == first
    fitted.set_params(n_iter_no_change=3, max_iter=50).fit(X, Y + 10)
    assert fitted.n_iter_ <= 4 and fitted.best_loss_ == first
