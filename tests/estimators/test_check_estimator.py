"""scikit-learn's own checks of an estimator, none of them expected to fail."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import backpath as bp


@parametrize_with_checks([bp.MLPClassifier(max_iter=100), bp.MLPRegressor(max_iter=100)])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@parametrize_with_checks([bp.MLPClassifier(solver="lbfgs", max_iter=50), bp.MLPRegressor(solver="lbfgs", max_iter=50)])
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scikit_learns_checks_of_lbfgs(estimator, check):
    check(estimator)
