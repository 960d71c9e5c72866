"""scikit-learn's own checks of an estimator, none of them expected to fail."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import backpath as bp

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:lm fits"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning"),
]


LM = bp.MLPRegressor(hidden_layer_sizes=5, activation="tanh", solver="lm")


@parametrize_with_checks([bp.MLPClassifier(), bp.MLPRegressor(), LM])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [
        bp.MLPRegressor(solver="lbfgs", max_iter=30),
        bp.MLPClassifier(hidden_layer_sizes=5, activation="tanh", solver="lm"),
        bp.MLPRegressor(solver="sgd", engine="compiled"),
        bp.MLPClassifier(solver="sgd", engine="numpy"),
    ]
)
def test_scikit_learns_checks_with_other_settings(estimator, check):
    check(estimator)
