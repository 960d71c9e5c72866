"""Measures beside scikit-learn's, and what a verdict says."""

import json

import numpy as np
import pytest
from sklearn import metrics

from backpath.errors import InputError
from backpath.files.preparation import Target
from backpath.maths.network import Network
from backpath.tabular.importance import importance
from backpath.tabular.measures import auc, confusion, interval, measured
from backpath.tabular.verdict import Verdict, judged, simplest

BINARY = Target("y", "binary", classes=("no", "yes"))
THREE = Target("y", "multiclass", classes=("a", "b", "c"))
NUMBER = Target("price", "regression", mean=100.0, scale=20.0)


def test_binary_measures_are_scikit_learns():
    rng = np.random.default_rng(0)
    y = (rng.uniform(size=200) < 0.3).astype(float)
    A = np.clip(0.3 * y + rng.uniform(0, 0.7, 200).round(1), 0.01, 0.99)
    found = measured(A[:, None], y[:, None], BINARY)
    assert found.accuracy == metrics.accuracy_score(y, A >= 0.5)
    assert found.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(y, A >= 0.5))
    assert found.auc == pytest.approx(metrics.roc_auc_score(y, A))
    assert found.log_loss == pytest.approx(metrics.log_loss(y, A))
    assert found.recall == pytest.approx(metrics.recall_score(y, A >= 0.5, average=None))
    assert confusion(A[:, None], y[:, None], BINARY) == metrics.confusion_matrix(y, A >= 0.5).tolist()


def test_measures_of_three_classes_are_scikit_learns():
    rng = np.random.default_rng(1)
    codes = rng.integers(3, size=150)
    A = rng.dirichlet(np.ones(3), 150) * 0.6 + 0.4 * np.eye(3)[codes]
    found = measured(A, np.eye(3)[codes], THREE)
    assert found.accuracy == metrics.accuracy_score(codes, A.argmax(axis=1))
    assert found.auc == pytest.approx(metrics.roc_auc_score(codes, A, multi_class="ovr"))
    assert found.log_loss == pytest.approx(metrics.log_loss(codes, A))


def test_measures_of_numbers_are_in_the_targets_units():
    rng = np.random.default_rng(2)
    y, A = rng.normal(size=(80, 1)), rng.normal(size=(80, 1))
    true, predicted = (v * NUMBER.scale + NUMBER.mean for v in (y, A))
    found = measured(A, y, NUMBER)
    assert found.rmse == pytest.approx(metrics.root_mean_squared_error(true, predicted))
    assert found.mae == pytest.approx(metrics.mean_absolute_error(true, predicted))
    assert found.r2 == pytest.approx(metrics.r2_score(true, predicted))


def test_a_measure_that_does_not_apply_is_none():
    assert measured(np.ones((3, 1)), np.ones((3, 1)), NUMBER).r2 is None
    assert measured(np.full((3, 1), 0.5), np.ones((3, 1)), BINARY).auc is None
    assert auc(np.array([0.1, 0.2]), np.array([True, True])) is None
    many = Target("y", "multiclass", classes=tuple(map(str, range(11))))
    assert confusion(np.eye(11), np.eye(11), many) is None


def test_the_bootstrap_interval_of_a_mean_agrees_with_the_normal_distribution():
    values = np.random.default_rng(3).normal(size=400)
    low, high = interval(lambda rows: float(values[rows].mean()), 400)
    reach = 1.96 * values.std() / 20
    assert (low, high) == pytest.approx((values.mean() - reach, values.mean() + reach), abs=0.03)


def verdict(y, A, target, linear=None, on="held-out"):
    constant, words = simplest(y, target)
    return judged(target, y, A, (np.tile(constant, (len(y), 1)), words), linear, on)


def test_what_is_no_better_than_a_constant_is_said_to_be():
    y = np.zeros((200, 1))
    y[:4] = 1
    found = verdict(y, np.full((200, 1), 0.02), BINARY)
    rare = "Only 4 of 'yes' are held out, so the recall says little about them."
    assert found.said() == ["No better than always saying 'no'.", "It never finds 'yes'.", rare]
    noise = np.random.default_rng(0).normal(size=(100, 1))
    assert verdict(noise, np.full((100, 1), noise.mean()), NUMBER).said() == ["No better than always saying the mean."]
    worse = verdict(noise, -noise, NUMBER).said()
    assert worse == ["No better than always saying the mean."]


def test_how_few_rows_of_a_class_are_found_is_said():
    y = np.zeros((200, 1))
    y[:30] = 1
    A = np.full((200, 1), 0.05)
    A[:9] = 0.9
    found = verdict(y, A, BINARY)
    assert found.said() == ["It finds only 9 of 30 'yes'."] and found.seldom == [("yes", 9, 30)]
    A[9] = 0.9
    assert verdict(y, A, BINARY).seldom == []


def test_a_good_model_gets_no_reproach_and_a_linear_one_as_good_is_named():
    y = np.random.default_rng(0).normal(size=(100, 1))
    assert verdict(y, 0.9 * y, NUMBER, linear=0.5 * y).said() == []
    assert verdict(y, 0.9 * y, NUMBER, linear=0.9 * y).said() == ["A linear model does as well."]
    assert "on others is not known" in verdict(y, y, NUMBER, on="training").said()[0]


def test_few_rows_are_said_to_be_few():
    y = np.array([[1.0], [0.0], [1.0], [0.0]])
    assert verdict(y, 0.2 + 0.6 * y, BINARY).said()[0] == "Only 4 rows held out: too few to judge."


def test_a_verdict_is_kept_as_json():
    y = np.random.default_rng(0).integers(2, size=(50, 1)).astype(float)
    found = verdict(y, 0.3 + 0.4 * y, BINARY, linear=0.4 + 0.2 * y)
    assert Verdict.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    for broken in (None, {}, {"on": "x"}, found.to_dict() | {"model": 3}, found.to_dict() | {"interval": [1]}):
        with pytest.raises(InputError, match="not one that backpath wrote"):
            Verdict.from_dict(broken)


def test_shuffling_a_column_costs_what_it_is_worth():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3))
    net = Network.from_weights([[[2.0, 1.0, 0.0, 0.0]]], activations="identity")
    found = importance(net, X, net.predict(X), Target("y", "regression"), [1, 1, 1])
    # of independent columns the mean square error is 2 w² Var(X)
    assert found == pytest.approx([2 * np.sqrt(2), np.sqrt(2), 0], rel=0.1)
    assert importance(net, X, net.predict(X), Target("y", "regression"), [2, 1])[0] == pytest.approx(
        np.sqrt(2 * 5), rel=0.1
    )
