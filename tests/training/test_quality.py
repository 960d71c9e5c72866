"""Accuracy and R², against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

from backpath.training.quality import quality

RNG = np.random.default_rng(3)


def test_r2_of_one_output():
    y = RNG.normal(size=(50, 1))
    A = y + 0.3 * RNG.normal(size=(50, 1))
    found = quality(A, y, "regression")
    assert found.score == pytest.approx(r2_score(y, A))
    assert (found.measure, found.baseline, found.samples) == ("R²", 0, 50)
    assert str(found) == f"R² {r2_score(y, A):.3f} on 50 samples"


def test_r2_of_several_outputs_sums_over_them():
    y = RNG.normal(size=(50, 2)) * [1, 10]
    A = y + RNG.normal(size=(50, 2))
    assert quality(A, y, "regression").score == pytest.approx(r2_score(y, A, multioutput="variance_weighted"))


def test_equal_targets_have_no_r2():
    found = quality(np.zeros((2000, 1)), np.ones((2000, 1)), "regression")
    assert np.isnan(found.score)
    assert str(found) == "R² is undefined, because the targets of the 2,000 samples are all equal"


def test_accuracy_of_two_classes():
    y = np.array([[0.0], [1], [1], [1]])
    found = quality(np.array([[0.5], [0.5], [0.49], [0.9]]), y, "binary")  # 0.5 counts as the second class
    assert (found.score, found.baseline) == (0.5, 0.75)
    assert str(found) == "accuracy 50.0% on 4 samples"


def test_accuracy_of_several_classes():
    classes = RNG.integers(0, 3, 60)
    A = RNG.random((60, 3))
    found = quality(A, np.eye(3)[classes], "multiclass")
    assert found.score == pytest.approx(accuracy_score(classes, A.argmax(axis=1)))
    assert found.baseline == pytest.approx(np.bincount(classes).max() / 60)
