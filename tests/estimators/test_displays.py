"""Pictures: what they are drawn from."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

import backpath as bp

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:the fit is"),
    pytest.mark.filterwarnings("ignore:the columns' scales"),
]
X, y = load_iris(return_X_y=True)


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def fitted(**settings):
    return bp.MLPClassifier(6, max_iter=15, random_state=0, **settings).fit(X, y)


def test_the_loss_curve():
    model = fitted()
    shown = model.plot_loss(color="red")
    assert len(shown.lines_) == 1 and shown.ax_.get_xlabel() == "epoch"
    np.testing.assert_array_equal(shown.lines_[0].get_ydata(), model.loss_curve_)
    both = bp.LossCurveDisplay.from_estimator(fitted(early_stopping=True))
    assert [line.get_label() for line in both.lines_] == ["loss", "held-out loss"]
    with pytest.raises(NotFittedError):
        bp.LossCurveDisplay.from_estimator(bp.MLPClassifier())


def test_a_surface_is_what_is_predicted():
    model = fitted()
    shown = model.plot_surface(X, features=(2, 3))
    assert shown.names == ("X3", "X4") and shown.response_name == "probability of 2"
    row = np.median(X, axis=0)
    row[2], row[3] = shown.first[7], shown.second[40]
    assert shown.response[40, 7] == pytest.approx(model.predict_proba(row[None])[0, 2])
    assert shown.first[[0, -1]].tolist() == [X[:, 2].min(), X[:, 2].max()]


def test_a_surface_by_names_and_of_numbers():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    model = bp.MLPRegressor(hidden_layer_sizes=4, max_iter=5, random_state=0).fit(frame, y)
    shown = bp.SurfaceDisplay.from_estimator(model, frame, features=("d", "a"))
    assert shown.names == ("d", "a") and shown.ax_.get_ylabel() == "a" and shown.response_name == "prediction"
    with pytest.raises(bp.InputError, match="features must be two columns"):
        bp.SurfaceDisplay.from_estimator(model, frame, features=("d", "e"))


def test_the_rates():
    model = bp.MLPClassifier(6, random_state=0)
    shown = bp.LearningRateDisplay.from_estimator(model, X, y)
    assert shown.ax_.get_xscale() == "log" and f"{shown.suggestion:.2g}" in shown.ax_.get_legend().texts[0].get_text()
