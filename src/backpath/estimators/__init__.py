"""Estimators with scikit-learn's names, parameters and fitted attributes, trained by backpath."""

from importlib.util import find_spec

if find_spec("sklearn") is None:
    raise ImportError("the estimators need scikit-learn; install it with: pip install 'backpath[sklearn]'")

from backpath.estimators.classifier import MLPClassifier as MLPClassifier
from backpath.estimators.displays import LearningRateDisplay as LearningRateDisplay
from backpath.estimators.displays import LossCurveDisplay as LossCurveDisplay
from backpath.estimators.displays import SurfaceDisplay as SurfaceDisplay
from backpath.estimators.regressor import MLPRegressor as MLPRegressor
