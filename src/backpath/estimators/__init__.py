"""scikit-learn's face: estimators with its names, parameters and fitted attributes, trained by backpath."""

from backpath.estimators.classifier import MLPClassifier as MLPClassifier
from backpath.estimators.regressor import MLPRegressor as MLPRegressor
